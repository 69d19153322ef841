import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from helpers import compare, lineage, lineage_graph, lineage_text, paths

ROOT = paths.project_root()
SOURCES = ["src", "data", "notebooks", "requirements.lock"]


def command(project: Path, *arguments: str, out: Path | None = None) -> dict:
    ours = ("DETAINERS_ROOT", "DETAINERS_OUT", "DETAINERS_RUN", "DETAINERS_PREVIOUS")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {"PYTHONPATH": str(project / "src")}
    environment |= {} if out is None else {"DETAINERS_OUT": str(out)}
    command = [sys.executable, "-m", "helpers.cli", *arguments]
    return {"args": command, "cwd": project, "env": environment}


def detainers(project: Path, *arguments: str, **where: Path) -> subprocess.CompletedProcess[str]:
    called = command(project, *arguments, **where)
    return subprocess.run(**called, capture_output=True, text=True, timeout=400)


def outputs(place: Path) -> dict[str, bytes]:
    """Every output under a folder but manifests, by path."""
    return {
        path.relative_to(place).as_posix(): path.read_bytes()
        for folder in ("papermill_runs/latest", "figures/latest")
        for path in (place / folder).rglob("*")
        if path.is_file() and path.name not in ("manifest.json", ".lock")
    }


def results(run: Path) -> dict:
    return json.loads((run / "results.json").read_text(encoding="utf-8"))["results"]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    project = tmp_path_factory.mktemp("copy") / "study"
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, project / name)
    return project


@pytest.fixture(scope="module")
def run(copy):
    done = detainers(copy, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    return copy / "papermill_runs/latest"


def settings(run: Path) -> dict[str, dict]:
    """Parameters of each notebook of a run."""
    entries = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["notebooks"]
    return {name: entry["key"]["parameters"] for name, entry in entries.items()}


def test_the_study_runs_in_a_copy_and_gives_the_reference_results(run):
    made, reference = results(run), results(ROOT / "papermill_runs/reference")
    assert set(made) == set(reference)
    ours, theirs = settings(run), settings(ROOT / "papermill_runs/reference")
    # The reference run simulates in full; tests/test_reference.py does so again.
    others = {name: theirs[name] for name in ours if ours[name] != theirs[name]}
    assert others == {"06_method_validation": {"profile": "full"}}
    stored, now = (
        {name: result for name, result in each.items() if result["notebook"] not in others}
        for each in (reference, made)
    )
    assert compare.results(stored, now) == []


def test_every_figure_of_the_run_has_picture_data_and_description(run):
    figures = run.parents[1] / "figures/latest"
    names = {path.stem for path in figures.iterdir()}
    assert names
    for name in names:
        assert {p.suffix for p in figures.glob(f"{name}.*")} == {".svg", ".png", ".csv", ".json"}


@pytest.fixture(scope="module")
def explained(copy, run):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("DETAINERS_ROOT", str(copy))
        yield lineage.load("latest")


def test_every_result_leads_to_a_source_a_stated_assumption_or_a_simulation(explained):
    assert lineage.groundless(explained) == []


def test_no_input_of_a_result_or_figure_names_something_missing(explained):
    assert lineage.missing(explained) == []


def test_every_result_and_figure_was_made_by_a_cell_of_the_run(explained, run):
    cells = {
        (path.stem, cell["id"])
        for path in run.glob("*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    }
    made = [*explained.results.items(), *explained.figures.items()]
    assert [name for name, each in made if (each["notebook"], each["cell"]) not in cells] == []


def test_every_result_is_explained_and_drawn_without_error(explained):
    for name in explained.results:
        assert lineage_text.as_lines(lineage.explain(explained, name))
        ElementTree.fromstring(lineage_graph.svg(explained, name))


def test_a_fact_is_unused_or_moves_a_result_or_a_figure(explained):
    unused = set(lineage.unused(explained)["facts"])
    for item in explained.known:
        kind, _, name = item.partition(":")
        if kind == "fact":
            moved = lineage.dependents(explained, item)
            assert (name in unused) == (not moved["results"] and not moved["figures"])


def test_a_second_run_finds_everything_current(copy, run):
    before = (run / "manifest.json").read_bytes()
    done = detainers(copy, "run", "--json")
    assert {step["state"] for step in json.loads(done.stdout)["steps"]} == {"current"}
    assert (run / "manifest.json").read_bytes() == before


def test_a_changed_fact_changes_the_results_made_from_it(copy, run):
    facts = copy / "data/evidence/facts.csv"
    before = facts.read_bytes()
    rows = list(csv.DictReader(before.decode().splitlines()))
    for row in rows:
        if row["fact_id"] == "A028":
            row["value"] = row["value_text"] = "200"
    try:
        with facts.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        done = detainers(copy, "run", "--run", "changed", "--only", "01")
    finally:
        facts.write_bytes(before)
    assert done.returncode == 0, done.stdout + done.stderr
    assert results(run.with_name("changed"))["growth.factor"]["value"] == 463 / 200


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", "01.baseline=nonsense"], "baseline"),
        (["-p", "weather=fine"], "weather"),
        (["-p", "03.exclude_travis=perhaps"], "exclude_travis"),
    ],
)
def test_a_wrong_parameter_is_refused_in_a_line_and_leaves_the_run_alone(
    copy, run, arguments, said
):
    before = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    done = detainers(copy, "run", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert {path: path.read_bytes() for path in run.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("damage", ["missing", "malformed"])
def test_damaged_data_is_refused_by_name_before_a_kernel_starts(copy, run, damage):
    series = copy / "data/series/weekly_detainers.csv"
    before = series.read_bytes()
    outputs = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    try:
        if damage == "missing":
            series.unlink()
        else:
            series.write_bytes(before.replace(b",2559,", b",many,", 1))
        done = detainers(copy, "run")
    finally:
        series.write_bytes(before)
    assert done.returncode == 2
    assert "data/series/weekly_detainers.csv" in done.stderr
    assert damage == "missing" or ("row 3" in done.stderr and "detainers" in done.stderr)
    assert {path: path.read_bytes() for path in run.iterdir() if path.is_file()} == outputs


@pytest.mark.slow
def test_ordinary_kernels_one_after_the_other_give_the_same_to_the_byte(copy, run, tmp_path):
    done = detainers(copy, "run", "--plain-kernel", "--jobs", "1", out=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert outputs(tmp_path) == outputs(copy)


@pytest.mark.slow
def test_the_study_killed_in_mid_run_is_completed_to_the_byte(copy, run, tmp_path):
    with subprocess.Popen(**command(copy, "run", out=tmp_path), stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            if line.rstrip().endswith(b"done"):
                break
        process.kill()
    begun = {name: made for name, made in outputs(tmp_path).items() if "/." not in name}
    whole = outputs(copy)
    assert 0 < len(begun) < len(whole)
    assert all(made == whole[name] for name, made in begun.items())
    done = detainers(copy, "run", out=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[0].endswith("current")
    assert outputs(tmp_path) == whole


@pytest.fixture
def changed(copy, run):
    """Files of the run and of what it was made from, to be changed; all are put back."""
    files = {
        "facts": copy / "data/evidence/facts.csv",
        "helper": copy / "src/helpers/growth.py",
        "notebook": run / "02_detainer_age.ipynb",
    }
    before = {path: path.read_bytes() for path in files.values()}
    yield files
    for path, content in before.items():
        path.write_bytes(content)


@pytest.mark.slow
def test_a_check_of_the_study_names_what_changed_where_how_much_and_why(copy, changed):
    edit(changed["facts"], r"(?m)^(A028,.*),118,118,", r"\1,119,119,")
    edit(changed["helper"], "DAYS_PER_YEAR = 365.25", "DAYS_PER_YEAR = 365.0")
    edit(changed["notebook"], r"10\.4 weeks", "10.5 weeks")
    done = detainers(copy, "check", "latest", "--json", "--skip", "06")
    report = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    found = {(each["what"], each["where"]): each for each in report["differences"]}
    factor = found["growth.factor", "value"]
    assert (float(factor["stored"]), float(factor["now"])) == (463 / 118, 463 / 119)
    assert factor["size"] == pytest.approx(1 - 118 / 119)
    assert "fact A028 (data/evidence/facts.csv) changed, an input of this" in factor["why"]
    assert "helpers/growth.py changed" in factor["why"]
    texts = [each for each in report["differences"] if each["notebook"] == "02_detainer_age"]
    altered = "the stored 02_detainer_age.ipynb was altered after its run wrote it"
    assert any("10.5 weeks" in each["stored"] and altered in each["why"] for each in texts)


@pytest.mark.slow
def test_a_check_of_the_study_as_it_is_finds_no_difference(copy, run):
    done = detainers(copy, "check", "latest", "--json", "--skip", "06")
    assert json.loads(done.stdout)["differences"] == []
    assert done.returncode == 0


def edit(path: Path, pattern: str, new: str) -> None:
    text, count = re.subn(pattern, new, path.read_text(encoding="utf-8"))
    assert count > 0, f"{path} has no {pattern}"
    path.write_text(text, encoding="utf-8")
