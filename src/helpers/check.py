"""Does a run reproduce? Execute it again or take another, compare all it gave, and say why not."""

import datetime as dt
import importlib.metadata
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from packaging.requirements import Requirement

from helpers import (
    causes,
    check_report,
    compare,
    compare_pictures,
    lineage,
    manifest,
    outputs,
    parameters,
    paths,
    reexecution,
    request,
)
from helpers.compare import Difference
from helpers.reexecution import CheckError, Records

LEVELS = {
    "notebook": "all there, finished",
    "text": "to the letter",
    "result": "relative difference within each result's own tolerance",
    "figure data": f"relative difference within {compare.TABLE_TOLERANCE:g}; words to the letter",
    "picture": f"each pixel within {compare_pictures.PIXEL_TOLERANCE} steps of 255; drawings "
    f"within {compare_pictures.POINT_TOLERANCE:g} points",
}
"""What is compared, and within what it is the same."""


@dataclass(frozen=True)
class Place:
    """A run on disk: its name, its folder, the folder of its figures, its manifest."""

    name: str
    folder: Path
    figures: Path
    manifest: Mapping[str, Any]

    def entry(self, notebook: str) -> Mapping[str, Any]:
        """Return what the manifest says of a notebook; empty if nothing."""
        return self.manifest.get("notebooks", {}).get(notebook, {})


@dataclass(frozen=True)
class Compared:
    """One thing that was compared: in which notebook and file it is, and how it differs."""

    level: str
    notebook: str
    file: str
    found: tuple[Difference, ...]


def check(
    run: str = paths.REFERENCE,
    *,
    skip: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, cells: None,
) -> dict[str, Any]:
    """Execute the stored notebooks of a run again, under nbval, and compare all that they give.

    Parameters
    ----------
    run
        Name of a run, or its folder.
    skip
        Notebooks to leave out, by name or number.
    progress
        Called now and then with the number of cells done, and of all.

    Returns
    -------
    dict
        The report, as in check.json, with `folder`: where it is, beside the run.

    Raises
    ------
    CheckError, helpers.request.RunError
        If there is no such run, or nothing of it to execute.
    """
    stored = _place(run)
    names = _chosen([*request.study(), *stored.manifest.get("notebooks", {})], skip)
    there = [name for name in names if (stored.folder / f"{name}.ipynb").is_file()]
    if not there:
        raise CheckError(f"there is no executed notebook to check in the run {run!r}")
    cells = sum(len(_cells(stored, name)) for name in there)
    root = paths.project_root()
    shared = manifest.ingredients(root)
    begun = dt.datetime.now(dt.UTC)
    with tempfile.TemporaryDirectory(prefix="detainers-check-") as temporary:
        out = Path(temporary)
        records = reexecution.execute(stored.folder, there, out, lambda n: progress(n, cells))
        name = reexecution.RUN
        again = Place(name, out / "papermill_runs" / name, out / "figures" / name, {})
        opened = outputs.Run(
            stored.name, root, stored.folder, stored.figures, shared, dict(_entries(stored))
        )
        before = causes.recorded(stored.manifest)
        now = causes.present(opened, before)
        obstacles = _obstacles(before, now) + _unlocked(root / "requirements.lock")
        report = {
            "kind": "executed again under nbval",
            "run": stored.name,
            "against": "this machine",
            "started": begun.isoformat(timespec="seconds"),
            "seconds": round((dt.datetime.now(dt.UTC) - begun).total_seconds(), 1),
            "skipped": sorted({*request.study()} - {*names}),
            **_judged(stored, again, names, records, before, now, obstacles),
        }
        return _keep(report, stored, again, f"{stored.name}.check", out)


def compare_runs(run: str, other: str, *, skip: Sequence[str] = ()) -> dict[str, Any]:
    """Compare two finished runs; nothing is executed.

    Parameters
    ----------
    run, other
        Names of two runs, or their folders; differences are those of the second from the first.
    skip
        Notebooks to leave out, by name or number.

    Returns
    -------
    dict
        The report, as `check` gives it; `folder` is in papermill_runs/.

    Raises
    ------
    CheckError
        If one of them is not there, or there is nothing to compare.
    """
    stored, again = _place(run), _place(other)
    known = (name for place in (stored, again) for name in _entries(place))
    names = _chosen(dict.fromkeys(known), skip)
    if not names:
        raise CheckError(f"the manifests of {run!r} and {other!r} name no notebook to compare")
    before, now = causes.recorded(stored.manifest), causes.recorded(again.manifest)
    report = {
        "kind": "compared",
        "run": stored.name,
        "against": f"the run {again.name}",
        "started": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seconds": 0.0,
        "skipped": sorted({*_entries(stored), *_entries(again)} - {*names}),
        **_judged(stored, again, names, {}, before, now, _obstacles(before, now)),
    }
    return _keep(report, stored, again, f"{stored.name}.{again.name}.check", None)


def _place(run: str) -> Place:
    """Find a run by name, or by its folder in the papermill_runs/ of any project."""
    is_name = bool(re.fullmatch(r"[a-z0-9_-]+", run))
    folder = paths.run_folder(run) if is_name else Path(run).resolve()
    found = manifest.read(folder)
    if found is None:
        fault = "cannot be read" if (folder / manifest.NAME).is_file() else "is not there"
        raise CheckError(f"there is no run {run!r} to check: its {manifest.NAME} {fault}")
    return Place(folder.name, folder, folder.parents[1] / "figures" / folder.name, found)


def _entries(place: Place) -> Mapping[str, Any]:
    entries: Mapping[str, Any] = place.manifest.get("notebooks", {})
    return entries


def _chosen(names: Iterable[str], skip: Sequence[str]) -> list[str]:
    known = [name for name in parameters.MODELS if name in set(names)]
    for text in skip:
        if not any(text in (name, name[:2]) for name in known):
            raise CheckError(
                f"there is no notebook {text!r} to skip; there are: {', '.join(known)}"
            )
    return [name for name in known if not {name, name[:2]} & set(skip)]


def _cells(place: Place, notebook: str) -> dict[str, Any]:
    return compare.code_cells(notebook, _notebook(place, notebook))


def _notebook(place: Place, name: str) -> dict[str, Any]:
    found = manifest.read_json(place.folder / f"{name}.ipynb")
    if found is None or not isinstance(found.get("cells"), list):
        raise CheckError(f"{name}.ipynb of the run {place.name!r} cannot be read")
    return found


# What is the same?


MERGED = "results.json"
"""The file that readers see: the results of all notebooks of a run."""


def _judged(
    stored: Place,
    again: Place,
    names: Sequence[str],
    records: Mapping[str, Records],
    before: causes.Made,
    now: causes.Made,
    obstacles: Sequence[str],
) -> dict[str, Any]:
    """Compare two runs and return the outcome: by level, each difference, and why."""
    try:
        compared = [*_all(stored, again, names, records)]
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, CheckError):
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        raise CheckError(f"a file of the run {stored.name!r} is damaged ({what})") from error
    failing = set(LEVELS) - ({"picture"} if obstacles else set())
    changed = {name: causes.changes(name, before, now) for name in names}
    altered = {
        name: causes.altered(stored.folder, stored.figures, stored.entry(name)) for name in names
    }
    inputs = _inputs(stored)
    differences = [
        {
            "notebook": each.notebook,
            **asdict(difference),
            "fails": each.level in failing,
            "file": each.file,
            "why": [f"the stored {MERGED} is not what its notebooks' files say"]
            if each.file == MERGED
            else causes.why(
                each.file,
                each.file in altered.get(each.notebook, []),
                changed.get(each.notebook, []),
                inputs.get(difference.what, []),
            ),
        }
        for each in compared
        for difference in each.found
    ]
    return {
        "ok": not any(difference["fails"] for difference in differences),
        "levels": [_level(level, compared, failing) for level in LEVELS],
        "environment": {
            "locked": not obstacles,
            "obstacles": list(obstacles),
            "stored": _machine(stored.manifest, before),
            "now": _machine(again.manifest, now),
        },
        "notebooks": {
            name: {
                "cells": sum(e.level == "text" and e.notebook == name for e in compared),
                "changed": [change.words for change in changed[name]],
                "altered": altered[name],
            }
            for name in names
        },
        "differences": differences,
    }


def _level(level: str, compared: Iterable[Compared], failing: set[str]) -> dict[str, Any]:
    of_level = [each for each in compared if each.level == level]
    return {
        "level": level,
        "compared": len(of_level),
        "different": sum(bool(each.found) for each in of_level),
        "same_if": LEVELS[level],
        "fails": level in failing,
    }


def _machine(found: Mapping[str, Any], made: causes.Made) -> dict[str, Any]:
    return {**made.versions, "git": found.get("git")}


def _all(
    stored: Place, again: Place, names: Sequence[str], records: Mapping[str, Records]
) -> Iterator[Compared]:
    """Compare everything that two runs gave, thing by thing."""
    for name in names:
        places = [(place.folder / f"{name}.ipynb").is_file() for place in (stored, again)]
        a, b = (_state(place, name) for place in (stored, again))
        whole = places == [True, True] and a == b == "finished"
        fault = () if whole else (Difference("notebook", name, "all of it", a, b),)
        yield Compared("notebook", name, f"{name}.ipynb", fault)
        if places == [True, True]:
            yield from _of_notebook(stored, again, name, records.get(name))
            yield from _of_results(stored, again, name)
    yield from _of_figures(stored, again, names)


def _state(place: Place, notebook: str) -> str:
    entry = place.entry(notebook)
    if entry.get("status") == "failed":
        return f"failed: {entry.get('message', '')}"
    if not (place.folder / f"{notebook}.ipynb").is_file():
        return "missing"
    return "cut short" if entry.get("status", "done") != "done" else "finished"


def _of_notebook(
    stored: Place, again: Place, name: str, records: Records | None
) -> Iterator[Compared]:
    before, after, file = _notebook(stored, name), _notebook(again, name), f"{name}.ipynb"
    found = compare.texts(name, before, after)
    if records is not None:
        found += _not_passed(name, before, records, {difference.what for difference in found})
    cells = {**compare.code_cells(name, before), **compare.code_cells(name, after)}
    yield from _by_what("text", name, file, cells, found)
    shown = {**compare_pictures.shown(name, before), **compare_pictures.shown(name, after)}
    unlike = compare_pictures.inline(name, before, after)
    yield from _by_what("picture", name, file, shown, unlike)


def _not_passed(
    name: str, stored: Mapping[str, Any], records: Records, known: set[str]
) -> list[Difference]:
    """Return the cells that nbval did not pass, though no text of theirs differs.

    They end with the first that failed as such: the others follow from it.
    """
    found = []
    for what, cell in compare.code_cells(name, stored).items():
        record = records.get(cell["id"], {"outcome": "missing", "reason": ""})
        if record["outcome"] != "passed" and what not in known:
            executed = record["outcome"] == "failed"
            said = record["reason"].splitlines()[0] if executed else "the cell was not executed"
            found.append(Difference("text", what, "execution", "passes nbval", said))
        if record["outcome"] == "failed" and not record["reason"].startswith("Cell outputs differ"):
            break
    return found


def _of_results(stored: Place, again: Place, name: str) -> Iterator[Compared]:
    file = f"{name}.results.json"
    before, after = (outputs.results_in(place.folder / file) for place in (stored, again))
    if before is None or after is None:
        a, b = (f"{len(each)} results" if each else "missing" for each in (before, after))
        if before != after:
            lost = Difference("result", name, "all of them", a, b)
            yield Compared("result", name, file, (lost,))
        return
    found = compare.results(before, after)
    yield from _by_what("result", name, file, {**before, **after}, found)
    merged = outputs.results_in(stored.folder / MERGED) or {}
    readers = {key: result for key, result in merged.items() if result["notebook"] == name}
    for difference in compare.results(readers, after):
        if difference not in found:  # results.json says other than the notebook's own file
            yield Compared("result", name, MERGED, (difference,))


def _by_what(
    level: str, notebook: str, file: str, things: Iterable[str], found: Sequence[Difference]
) -> Iterator[Compared]:
    for what in things:
        yield Compared(level, notebook, file, tuple(each for each in found if each.what == what))


def _of_figures(stored: Place, again: Place, names: Sequence[str]) -> Iterator[Compared]:
    owners = {**_owners(again), **_owners(stored)}
    files = {file.name: 1 for place in (stored, again) for file in sorted(place.figures.glob("*"))}
    for file in files:
        owner = owners.get(file, "")
        if owner in names or not owner:
            level = "picture" if file.endswith((".png", ".svg")) else "figure data"
            pair = [place.figures / file for place in (stored, again)]
            yield Compared(level, owner, file, tuple(_of_figure_file(level, file, *pair)))


def _owners(place: Place) -> dict[str, str]:
    """Return the notebook that drew each figure's files, as the figure or the manifest says."""
    found: dict[str, str] = {}
    for about in place.figures.glob("*.json"):
        notebook = (manifest.read_json(about) or {}).get("notebook", "")
        found |= {about.with_suffix(s).name: notebook for s in (".json", ".csv", ".png", ".svg")}
    listed = _entries(place).items()
    return found | {file: name for name, entry in listed for file in entry.get("figures", [])}


def _of_figure_file(level: str, file: str, stored: Path, now: Path) -> list[Difference]:
    figure, kind = file.rsplit(".", 1)
    if not (stored.is_file() and now.is_file()):
        a, b = ("there" if path.is_file() else "missing" for path in (stored, now))
        return [Difference(level, figure, f"the file {file}", a, b)]
    if kind == "csv":
        tables = (pd.read_csv(path) for path in (stored, now))
        return compare.tables(figure, *tables)
    if kind == "json":
        return compare.descriptions(figure, *(json.loads(p.read_bytes()) for p in (stored, now)))
    if kind == "png":
        return compare_pictures.pictures(figure, *(path.read_bytes() for path in (stored, now)))
    texts = (path.read_text(encoding="utf-8") for path in (stored, now))
    return compare_pictures.drawings(figure, *texts)


def _inputs(place: Place) -> dict[str, list[str]]:
    """Return all that each result, and each figure that names its inputs, rests on."""
    results = outputs.results_in(place.folder / MERGED) or {}
    found: dict[str, list[str]] = {}
    for name, result in results.items():
        if isinstance(result.get("inputs"), list):
            found[name] = lineage.below(name, results)
    for about in place.figures.glob("*.json"):
        named = (manifest.read_json(about) or {}).get("inputs", [])
        through = [result for item in named if (result := item.removeprefix("result:")) in found]
        found[about.stem] = [*named, *(item for result in through for item in found[result])]
    return found


# Is it the same environment?


def _obstacles(before: causes.Made, now: causes.Made) -> list[str]:
    """Return why pictures need not be the same: how two environments differ."""
    old, new = before.versions, now.versions
    found = [
        f"{name}: {old.get(name)} made the run, this is {new.get(name)}"
        for name in ("python", "platform")
        if old.get(name) != new.get(name)
    ]
    return found + [
        f"{name}: {version} made the run, here is {new.get('packages', {}).get(name, 'none')}"
        for name, version in old.get("packages", {}).items()
        if new.get("packages", {}).get(name) != version
    ]


def _unlocked(lock: Path) -> list[str]:
    """Return which installed packages are not those of requirements.lock."""
    if not lock.is_file():
        return ["there is no requirements.lock"]
    lines = lock.read_text(encoding="utf-8").splitlines()
    pins = (line.rstrip(" \\") for line in lines if line and line[0].isalnum())
    installed = {
        each.metadata["Name"].lower().replace("_", "-"): each.version
        for each in importlib.metadata.distributions()
    }
    found = []
    for required in map(Requirement, pins):
        here = installed.get(required.name.lower().replace("_", "-"))
        applies = required.marker is None or required.marker.evaluate()
        if here and applies and not required.specifier.contains(here, prereleases=True):
            found.append(f"{required.name}: the lock has {required.specifier}, here is {here}")
    return found


# The report


def _keep(
    report: dict[str, Any], stored: Place, again: Place, name: str, out: Path | None
) -> dict[str, Any]:
    """Write check.json and check.html, with what was executed, in the place of earlier ones."""
    target = paths.output_root() / "papermill_runs" / name
    with tempfile.TemporaryDirectory(prefix="detainers-report-") as temporary:
        new = out or Path(temporary)
        paths.write_atomically(new / "check.json", paths.as_json({"schema": 1, **report}))
        pictures = {
            (difference["file"], difference["what"]): tuple(
                _picture(place, difference) for place in (stored, again)
            )
            for difference in report["differences"]
            if difference["level"] == "picture" and not difference["file"].endswith(".svg")
        }
        page = check_report.page(report, stored.manifest, pictures)
        paths.write_atomically(new / "check.html", page)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(new, target)
    return {**report, "folder": str(target)}


def _picture(place: Place, difference: Mapping[str, Any]) -> bytes:
    if difference["file"].endswith(".ipynb"):
        shown = compare_pictures.shown(
            difference["notebook"], _notebook(place, difference["notebook"])
        )
        return shown.get(difference["what"], b"")
    path = place.figures / difference["file"]
    return path.read_bytes() if path.is_file() else b""
