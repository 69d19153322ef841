"""Time the runner against other ways to execute notebooks: `make bench`.

Everything runs in temporary projects. Each repetition runs every way once, one after another, so
that a machine that is slow for a while is slow for all; ratios are taken within a repetition.
Others' commands run as their users run them, in the environment that the lock gives.
"""

import argparse
import datetime as dt
import importlib.metadata
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import projects
import psutil
import report
import yaml
from measure import BIN, Measure, measure
from report import BARE, CHANGED, LOOP, NOTHING, OURS, SWEEP

from helpers.manifest import this_platform
from helpers.parameters import POLICIES

HERE = Path(__file__).resolve().parent
SNAKEMAKE = HERE / ".venv" / BIN.name / "snakemake"
SWEPT = "01_jurisdiction_growth"
PACKAGES = (
    *("papermill", "nbclient", "nbconvert", "jupyter-client", "ipykernel", "nbformat"),
    *("pandas", "statsmodels", "seaborn", "matplotlib", "distributed"),
)


@dataclass(frozen=True)
class Sizes:
    """How much is run."""

    repeats: int
    notebooks: tuple[int, ...]
    study: int
    settings: tuple[int, ...]
    sample: int


FULL = Sizes(3, (1, 2, 3, 5), len(projects.NAMES), (10, 50, 100, 200), 6)
QUICK = Sizes(1, (1, 2), 1, (2, 4), 1)

Taken = tuple[str, int, str, Measure]
"""Block, size (notebooks or settings), what was run, how long it took."""


def main() -> None:
    """Run all benchmarks; write results.json and README.md, and print the targets."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument(
        "--quick", type=Path, metavar="FOLDER", help="try a small case of each; write to FOLDER"
    )
    quick = options.parse_args().quick
    sizes, out = (QUICK, quick) if quick else (FULL, HERE)
    results = {"schema": 1, "made": dt.date.today().isoformat(), "quick": bool(quick), **about()}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        results["measurements"] = [
            {"repetition": number, "block": block, "size": size, "what": what, **vars(measured)}
            for number in range(sizes.repeats)
            for block, size, what, measured in repetition(Path(folder) / str(number), sizes)
        ]
    results["targets"] = report.targets(results["measurements"])
    out.mkdir(exist_ok=True)
    (out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (out / "README.md").write_text(report.page(results), encoding="utf-8")
    print(report.of_targets(results["targets"]))


def repetition(folder: Path, sizes: Sizes) -> Iterator[Taken]:
    """Run every way once."""
    blocks = itertools.chain(
        *(
            notebooks(folder / f"notebooks-{size}", size, size == max(sizes.notebooks))
            for size in sizes.notebooks
        ),
        study(folder / "study", sizes.study),
        settings(folder / "settings", sizes.settings, sizes.sample),
    )
    for taken in blocks:
        block, size, what, measured = taken
        print(f"{block} {size:4}  {what:35} {measured.seconds:7.1f} s", file=sys.stderr, flush=True)
        yield taken


def notebooks(folder: Path, size: int, every_way: bool) -> Iterator[Taken]:
    """Run some benchmark notebooks: in every way, or by the runner and papermill alone."""
    names = projects.NAMES[:size]
    project = projects.small(folder, names)
    for what, measured in _ways(project, names) if every_way else _two_ways(project, names):
        yield "notebooks", size, what, measured


def study(folder: Path, size: int) -> Iterator[Taken]:
    """Run the study, or its first notebooks."""
    names = projects.NAMES[:size]
    project = projects.study(folder)
    for what, measured in [*_two_ways(project, names), (BARE, measure([_bare(names)], project))]:
        yield "study", size, what, measured


def settings(folder: Path, sizes: Sequence[int], sample: int) -> Iterator[Taken]:
    """Run a benchmark notebook under many settings; by papermill's command, under a few."""
    project = projects.small(folder, [SWEPT])
    days = [f"{day:%Y-%m-%d}" for day in _days(2016, 50)]
    every = [
        {"source_policy": policy, "baseline_date": day}
        for day, policy in itertools.product(days, POLICIES)
    ]
    for size in sizes:
        study = {"name": f"of-{size}", "notebook": SWEPT, "settings": every[:size]}
        (project / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
        yield (
            "settings",
            size,
            SWEEP,
            measure([[BIN / "detainers", "sweep", "study.yaml"]], project),
        )
    commands = [
        [*_papermill(SWEPT, f"executed/{number}.ipynb"), *itertools.chain(*_as_options(setting))]
        for number, setting in enumerate(every[:sample])
    ]
    yield "settings", sample, LOOP, measure(commands, project)


def about() -> dict[str, Any]:
    """Return the machine, the versions, and what could not be run."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    here = SNAKEMAKE.is_file()
    if here:
        answer = subprocess.run(
            [SNAKEMAKE, "--version"], capture_output=True, text=True, check=True
        )
        versions["snakemake"] = answer.stdout.strip()
    return {
        "machine": {
            "processor": _processor(),
            "processors": cpus,
            "memory GB": round(psutil.virtual_memory().total / 1e9, 1),
            "system": this_platform(),
            "python": platform.python_version(),
            "load before": round(psutil.getloadavg()[0], 2),
        },
        "versions": versions,
        "missing": [] if here else ["Snakemake, because benchmarks/.venv could not be made"],
    }


def _ways(project: Path, names: Sequence[str]) -> Iterator[tuple[str, Measure]]:
    sources = [f"notebooks/{name}.ipynb" for name in names]
    ours = [BIN / "detainers", "run"]
    yield OURS, measure([ours], project)
    for _ in range(5):
        yield NOTHING, measure([ours], project)
    projects.change(project, names[-1])
    yield CHANGED, measure([ours], project)
    yield "detainers run, libraries imported", _warm(project)
    yield LOOP, measure([_papermill(name) for name in names], project)
    convert = ["nbconvert", "--to", "notebook", "--execute", "--output-dir", "converted"]
    yield "jupyter nbconvert --execute", measure([[BIN / "jupyter", *convert, *sources]], project)
    execute = ["execute", "--output", "{notebook_name}-executed"]
    yield "jupyter execute", measure([[BIN / "jupyter", *execute, *sources]], project)
    if SNAKEMAKE.is_file():
        snakemake = [SNAKEMAKE, "--cores", "2", "--snakefile", HERE / "Snakefile"]
        yield "snakemake --cores 2, papermill", measure([snakemake], project)
    yield BARE, measure([_bare(names)], project)


def _two_ways(project: Path, names: Sequence[str]) -> Iterator[tuple[str, Measure]]:
    only = ",".join(names)
    yield OURS, measure([[BIN / "detainers", "run", "--only", only]], project)
    yield LOOP, measure([_papermill(name) for name in names], project)


def _warm(project: Path) -> Measure:
    measured = measure([[sys.executable, HERE / "warm.py"]], project)
    return Measure(float((project / "benchmark.log").read_text().split()[-1]), measured.megabytes)


def _papermill(name: str, output: str = "") -> list[str | Path]:
    output = output or f"executed/{name}.ipynb"
    return [BIN / "papermill", "--cwd", "notebooks", f"notebooks/{name}.ipynb", output]


def _bare(names: Sequence[str]) -> list[str | Path]:
    return [sys.executable, HERE / "bare.py", *(f"notebooks/{name}.ipynb" for name in names)]


def _as_options(setting: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    return (("-p", name, value) for name, value in setting.items())


def _days(year: int, count: int) -> list[dt.date]:
    return [dt.date(year, 1, 1) + dt.timedelta(days=number) for number in range(count)]


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


if __name__ == "__main__":
    main()
