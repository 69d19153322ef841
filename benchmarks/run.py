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
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import projects
import psutil
import report
import yaml
from measure import BIN, LOG, Command, CommandError, measure
from report import BARE, CHANGED, LOOP, NOTHING, OURS, SWEEP, WARM

from helpers.manifest import this_platform
from helpers.parameters import POLICIES
from helpers.runner import processors

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


FULL = Sizes(3, (1, 2, 3, 5), len(projects.NAMES), (10, 50, 200), 6)
QUICK = Sizes(1, (1, 2), 1, (2, 4), 1)


@dataclass(frozen=True)
class Way:
    """Commands to time, in a folder: the block they belong to, how much they run, and how."""

    block: str
    size: int
    what: str
    commands: Sequence[Command]
    folder: Path


def main() -> None:
    """Run all benchmarks; write results.json and README.md, and print the targets."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument(
        "--quick", type=Path, metavar="FOLDER", help="try a small case of each; write to FOLDER"
    )
    quick = options.parse_args().quick
    sizes, out = (QUICK, quick) if quick else (FULL, HERE)
    results = {"schema": 1, "made": dt.date.today().isoformat(), "quick": bool(quick), **about()}
    measurements: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for number in range(sizes.repeats):
            for way in repetition(Path(folder) / str(number), sizes):
                try:
                    measurements.append({"repetition": number, **taken(way)})
                except CommandError as error:
                    print(error, file=sys.stderr)
                    results["missing"].append(f"{way.what}, in repetition {number}: it failed")
    results |= {"measurements": measurements, "targets": report.targets(measurements)}
    out.mkdir(exist_ok=True)
    (out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (out / "README.md").write_text(report.page(results), encoding="utf-8")
    print(report.of_targets(results["targets"]))


def taken(way: Way) -> dict[str, Any]:
    """Time a way."""
    seconds, megabytes = measure(way.commands, way.folder)
    if way.what == WARM:
        seconds = float((way.folder / LOG).read_text().split()[-1])
    print(
        f"{way.block:10} {way.size:4}  {way.what:36} {seconds:7.1f} s", file=sys.stderr, flush=True
    )
    own = {"block": way.block, "size": way.size, "what": way.what}
    return {**own, "seconds": round(seconds, 3), "megabytes": round(megabytes)}


def repetition(folder: Path, sizes: Sizes) -> Iterator[Way]:
    """Yield every way once; a project changes between them as they go on."""
    for size in sizes.notebooks:
        of_size = folder / f"notebooks-{size}"
        yield from notebooks(of_size, size, every=size == max(sizes.notebooks))
    yield from study(folder / "study", sizes.study)
    yield from settings(folder / "settings", sizes.settings, sizes.sample)


def notebooks(folder: Path, size: int, every: bool) -> Iterator[Way]:
    """Yield every way to run some benchmark notebooks, or the runner's and papermill's alone."""
    names = projects.NAMES[:size]
    project = projects.small(folder, names)
    ours: Command = [BIN / "detainers", "run"]
    way = partial(Way, "notebooks", size, folder=project)
    yield way(OURS, [ours])
    yield way(LOOP, [_papermill(name) for name in names])
    if not every:
        return
    for _ in range(5):
        yield way(NOTHING, [ours])
    projects.change(project, names[-1])
    yield way(CHANGED, [ours])
    yield way(WARM, [(sys.executable, HERE / "warm.py")])
    sources = [f"notebooks/{name}.ipynb" for name in names]
    convert: Command = [BIN / "jupyter", "nbconvert", "--to", "notebook", "--execute"]
    yield way("jupyter nbconvert --execute", [[*convert, "--output-dir", "converted", *sources]])
    execute: Command = [BIN / "jupyter", "execute", "--output", "{notebook_name}-executed"]
    yield way("jupyter execute", [[*execute, *sources]])
    if SNAKEMAKE.is_file():
        cores = str(processors())  # as many as ours takes
        snakemake: Command = [SNAKEMAKE, "--cores", cores, "--snakefile", HERE / "Snakefile"]
        yield way(f"snakemake --cores {cores}, papermill", [snakemake])
    yield way(BARE, [_bare(names)])


def study(folder: Path, size: int) -> Iterator[Way]:
    """Yield ways to run the study, or its first notebooks."""
    names = projects.NAMES[:size]
    way = partial(Way, "study", size, folder=projects.study(folder))
    yield way(OURS, [(BIN / "detainers", "run", "--only", ",".join(names))])
    yield way(LOOP, [_papermill(name) for name in names])
    yield way(BARE, [_bare(names)])


def settings(folder: Path, sizes: Sequence[int], sample: int) -> Iterator[Way]:
    """Yield sweeps of a benchmark notebook, and papermill's commands for a few settings."""
    project = projects.small(folder, [SWEPT])
    days = [str(dt.date(2016, 1, 1) + dt.timedelta(days=number)) for number in range(50)]
    every = [
        {"source_policy": policy, "baseline_date": day}
        for day, policy in itertools.product(days, POLICIES)
    ]
    for size in sizes:
        study = {"name": f"of-{size}", "notebook": SWEPT, "settings": every[:size]}
        (project / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
        yield Way("settings", size, SWEEP, [(BIN / "detainers", "sweep", "study.yaml")], project)
    commands = [_papermill(SWEPT, f"{number}", each) for number, each in enumerate(every[:sample])]
    yield Way("settings", sample, LOOP, commands, project)


def about() -> dict[str, Any]:
    """Return the machine, the versions, and what could not be run."""
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
            "processors": processors(),
            "memory GB": round(psutil.virtual_memory().total / 1e9, 1),
            "system": this_platform(),
            "python": platform.python_version(),
            "load before": round(psutil.getloadavg()[0], 2),
        },
        "versions": versions,
        "missing": [] if here else ["Snakemake, because benchmarks/.venv could not be made"],
    }


def _papermill(name: str, output: str = "", setting: Mapping[str, str] | None = None) -> Command:
    chosen = itertools.chain(*(("-p", name, value) for name, value in (setting or {}).items()))
    files = [f"notebooks/{name}.ipynb", f"executed/{output or name}.ipynb"]
    return [BIN / "papermill", "--cwd", "notebooks", *files, *chosen]


def _bare(names: Sequence[str]) -> Command:
    return [sys.executable, HERE / "bare.py", *(f"notebooks/{name}.ipynb" for name in names)]


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


if __name__ == "__main__":
    main()
