import importlib
import json
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from test_hygiene import ROOT

BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture
def report(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("report")


def taken(report):
    """Two repetitions, the second on a machine half as fast."""
    seconds = [
        ("notebooks", 1, report.OURS, 5),
        ("notebooks", 5, report.OURS, 8),
        ("notebooks", 5, report.NOTHING, 0.3),
        ("notebooks", 5, report.NOTHING, 0.2),
        ("notebooks", 5, report.LOOP, 40),
        ("study", 7, report.OURS, 18),
        ("study", 7, report.LOOP, 90),
        ("study", 7, report.BARE, 12),
        ("settings", 10, report.SWEEP, 20),
        ("settings", 200, report.SWEEP, 120),
        ("settings", 6, report.LOOP, 48),
    ]
    return [
        {
            "repetition": number,
            "block": block,
            "size": size,
            "what": what,
            "seconds": (number + 1) * time,
            "megabytes": 100.0,
        }
        for number in range(2)
        for block, size, what, time in seconds
    ]


def test_targets_are_ratios_within_a_repetition_of_the_largest_case(report):
    found = report.targets(taken(report))
    assert [target["reached"] for target in found] == [0.2, 0.2, 1.5, 0.075, 0.3]
    assert [target["spread"] for target in found[:4]] == [[x, x] for x in (0.2, 0.2, 1.5, 0.075)]
    assert found[4]["spread"] == [0.2, 0.4]
    assert [target["met"] for target in found] == [True, True, False, True, True]


def test_a_target_whose_ways_failed_is_not_met(report):
    rows = [row for row in taken(report) if row["what"] != report.BARE]
    failed = report.targets(rows)[2]
    assert (failed["reached"], failed["met"]) == (None, False)
    assert "| 1.3 | not measured | no |" in report.of_targets([failed])


def test_the_page_shows_targets_times_and_what_could_not_be_run(report):
    rows = taken(report)
    machine = dict.fromkeys(
        ("processor", "processors", "memory GB", "system", "python", "load before"), "some"
    )
    page = report.page(
        {
            "made": "2026-01-02",
            "quick": False,
            "missing": ["Snakemake, because of this"],
            "machine": machine,
            "versions": {"papermill": "2.7.0"},
            "measurements": rows,
            "targets": report.targets(rows),
        }
    )
    assert "| whole study, over the cells alone | 1.3 | **1.50** (1.50 to 1.50) | no |" in page
    assert "| `detainers run` | 12.00 (8.00 to 16.00) | 0.20 | 100 |" in page
    assert "| `detainers sweep` | 200 | 0.90 (0.60 to 1.20) | 100 |" in page
    assert "**Not run: Snakemake, because of this.**" in page


def test_snakemake_has_as_many_processors_as_the_runner(report, monkeypatch, tmp_path):
    run = importlib.import_module("run")
    monkeypatch.setattr(run, "processors", lambda: 7)
    monkeypatch.setattr(run, "SNAKEMAKE", Path(sys.executable))
    ways = list(run.notebooks(tmp_path / "project", 1, every=True))
    (command,) = [way.commands[0] for way in ways if way.what == "snakemake --cores 7, papermill"]
    assert command[1:3] == ["--cores", "7"]


def test_an_interrupt_ends_the_command_that_is_timed_and_its_watcher(report, monkeypatch, tmp_path):
    def interrupt(process, timeout):
        raise KeyboardInterrupt

    sleep = [sys.executable, "-c", f"import time; time.sleep(60)  # {tmp_path}"]
    threads = set(threading.enumerate())
    measure = importlib.import_module("measure")
    monkeypatch.setattr(subprocess.Popen, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        measure.measure([sleep], tmp_path)
    assert set(threading.enumerate()) <= threads
    assert sleep not in [process.cmdline() for process in psutil.Process().children()]


@pytest.mark.slow
def test_every_way_runs_in_a_small_case(tmp_path):
    command = [sys.executable, BENCHMARKS / "run.py", "--quick", tmp_path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    ways = {row["what"] for row in results["measurements"]}
    assert len(ways) == (9 if results["missing"] else 10)
    assert len(results["targets"]) == 5
    assert (tmp_path / "README.md").read_text(encoding="utf-8").startswith("# Benchmarks")


@pytest.fixture
def of_records(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("records")


def test_the_page_of_records_shows_targets_and_says_what_was_not_run(of_records):
    # Half as fast in the second repetition: no ratio changes.
    runs = [{"seconds": 2.0, "peak_mb": 500}, {"seconds": 4.0, "peak_mb": 510}]
    found = dict.fromkeys(of_records.MEASURES, runs)
    found[of_records.BARE] = [run | {"seconds": run["seconds"] / 1.25} for run in runs]
    found[of_records.PARQUET] = [{"seconds": 60.0, "peak_mb": 1025}]
    found[of_records.XLSX] = [{"skipped": "it failed"}]
    targets = of_records.targets(found)
    assert [target["reached"] for target in targets] == [1.25, 505, 1025, None]
    assert [target["met"] for target in targets] == [True, True, False, False]
    about = {"made": "2026-01-02", "rows": 10, "xlsx": 2, "processors": 2, "load before": 0.1}
    about |= {"python": "3.11", "versions": {}, "measures": found, "targets": targets}
    page = of_records.page(about)
    assert "| summaries, over bare DuckDB's time | 1.5 | 1.25 | yes |" in page
    assert "| read xlsx, nothing cached | not run | it failed |" in page
    assert "| pandas | 3.00 (2.00 to 4.00) | 510 |" in page


@pytest.mark.slow
def test_every_measure_of_records_runs_in_a_small_case(tmp_path):
    command = [sys.executable, BENCHMARKS / "records.py", "--quick", tmp_path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "records.json").read_text(encoding="utf-8"))
    measures = results["measures"].items()
    skipped = {name for name, runs in measures if any("skipped" in run for run in runs)}
    assert skipped <= {"polars, two of the counts"}
    assert (tmp_path / "records.md").read_text(encoding="utf-8").startswith("# Benchmarks of")
