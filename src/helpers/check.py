"""Does a run reproduce? Execute it again or take another, compare all it gave, and say why not."""

import csv
import datetime as dt
import re
import shlex
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from helpers import (
    causes,
    check_report,
    compare,
    compare_pictures,
    comparison,
    lineage,
    locks,
    manifest,
    outputs,
    parameters,
    paths,
    reexecution,
    request,
)
from helpers.comparison import Compared, Place
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
class _Pair:
    """A stored run and another, which of their notebooks to compare, and what each was made from.

    `obstacles` say why pixels need not be the same; `records` are nbval's, where it executed.
    """

    stored: Place
    again: Place
    names: Sequence[str]
    before: causes.Made
    now: causes.Made
    obstacles: Sequence[str]
    records: Mapping[str, Records] = field(default_factory=dict)

    @cached_property
    def changed(self) -> dict[str, list[causes.Change]]:
        """Of each notebook, what it was made from that is another now."""
        return {name: causes.changes(name, self.before, self.now) for name in self.names}

    @cached_property
    def altered(self) -> dict[str, list[str]]:
        """Of each notebook, its stored files that are not as its run wrote them."""
        place = self.stored
        return {
            name: causes.altered(place.folder, place.figures, place.entries.get(name, {}))
            for name in self.names
        }

    @cached_property
    def inputs(self) -> dict[str, list[str]]:
        """All that each stored result, and each figure that names its inputs, rests on."""
        return _inputs(self.stored)


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
        Notebooks of the study to leave out, by name or number.
    progress
        Called now and then with the number of cells done, and of all.

    Returns
    -------
    dict
        The report, as in check.json, with `folder`: where it is, beside the run.

    Raises
    ------
    CheckError, helpers.request.RunError, helpers.locks.BusyError
        If there is no such run, there is nothing of it to execute, or it is being written.
    """
    with tempfile.TemporaryDirectory(prefix="detainers-check-") as temporary:
        with locks.reading(_folder(run), run):
            report, stored, again = _executed(run, skip, progress, Path(temporary))
        return _keep(report, stored, again, f"{stored.name}.check", Path(temporary))


def _executed(
    run: str, skip: Sequence[str], progress: Callable[[int, int], None], out: Path
) -> tuple[dict[str, Any], Place, Place]:
    """Execute the notebooks of a run into a folder; return the outcome, and both places."""
    begun, stored = _now(), _place(run)
    names = _names([*request.study(), *stored.entries], skip)
    there = [name for name in names if (stored.folder / f"{name}.ipynb").is_file()]
    if not there:
        raise CheckError(f"there is no executed notebook to check in the run {run!r}")
    cells = sum(len(compare.code_cells(name, stored.notebook(name))) for name in there)
    before, now = causes.recorded(stored.manifest), _present(stored)
    lock = paths.project_root() / "requirements.lock"
    obstacles = causes.obstacles(before, now) + causes.unlocked(lock)
    name = reexecution.RUN
    records = reexecution.execute(stored.folder, there, out, lambda n: progress(n, cells))
    again = Place(name, out / "papermill_runs" / name, out / "figures" / name, {})
    pair = _Pair(stored, again, names, before, now, obstacles, records)
    report = {
        "kind": "executed again under nbval",
        "against": "this machine",
        **_asked([run], skip, {*request.study()} - {*names}),
        **_judged(pair),
        **_took(begun),
    }
    return report, stored, again


def compare_runs(run: str, other: str, *, skip: Sequence[str] = ()) -> dict[str, Any]:
    """Compare two finished runs; nothing is executed.

    Parameters
    ----------
    run, other
        Names of two runs, or their folders; differences are those of the second from the first.
    skip
        Notebooks of the study to leave out, by name or number.

    Returns
    -------
    dict
        The report, as `check` gives it; `folder` is in papermill_runs/.

    Raises
    ------
    CheckError, helpers.request.RunError, helpers.locks.BusyError
        If one of them is not there or is being written, or there is nothing to compare.
    """
    begun = _now()
    with locks.reading(_folder(run), run), locks.reading(_folder(other), other):
        stored, again = _place(run), _place(other)
        known = {**stored.entries, **again.entries}
        names = _names(known, skip)
        if not names:
            raise CheckError(f"the manifests of {run!r} and {other!r} name no notebook to compare")
        before, now = causes.recorded(stored.manifest), causes.recorded(again.manifest)
        pair = _Pair(stored, again, names, before, now, causes.obstacles(before, now))
        report = {
            "kind": "compared",
            "against": f"the run {again.name}",
            **_asked([run, other], skip, {*known} - {*names}),
            **_judged(pair),
            **_took(begun),
        }
    return _keep(report, stored, again, f"{stored.name}.{again.name}.check", None)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _took(begun: dt.datetime) -> dict[str, Any]:
    seconds = (_now() - begun).total_seconds()
    return {"started": begun.isoformat(timespec="seconds"), "seconds": round(seconds, 1)}


def _asked(runs: Sequence[str], skip: Sequence[str], skipped: Iterable[str]) -> dict[str, Any]:
    options = ["--skip", ",".join(skip)] if skip else []
    command = shlex.join(["detainers", "check", *runs, *options])
    return {"command": command, "skipped": sorted(skipped)}


def _folder(run: str) -> Path:
    """Return the folder of a run by its name, or by its folder in any project."""
    is_name = bool(re.fullmatch(r"[a-z0-9_-]+", run))
    return paths.run_folder(run) if is_name else Path(run).resolve()


def _place(run: str) -> Place:
    folder = _folder(run)
    found = manifest.read(folder)
    if found is None:
        fault = "cannot be read" if (folder / manifest.NAME).is_file() else "is not there"
        others = sorted(
            path.parent.name for path in paths.run_folder("x").parent.glob(f"*/{manifest.NAME}")
        )
        known = f"; there are: {', '.join(others) or 'none'}"
        raise CheckError(f"there is no run {run!r} to check: its {manifest.NAME} {fault}{known}")
    return Place(folder.name, folder, folder.parents[1] / "figures" / folder.name, found)


def _names(known: Iterable[str], skip: Sequence[str]) -> list[str]:
    """Return the notebooks to compare, in their order."""
    wanted = {*known} - {*request.chosen(skip)}
    return [name for name in parameters.MODELS if name in wanted]


def _present(stored: Place) -> causes.Made:
    """Return what the stored notebooks of a run are made from when they are executed now."""
    root = paths.project_root()
    shared, entries = manifest.ingredients(root), dict(stored.entries)
    opened = outputs.Run(stored.name, root, stored.folder, stored.figures, shared, entries)
    return causes.present(opened, causes.recorded(stored.manifest))


def _judged(pair: _Pair) -> dict[str, Any]:
    """Compare two runs and return the outcome: by level, each difference, and why."""
    compared = _compared(pair)
    differences = [
        {
            "notebook": each.notebook,
            "file": each.file,
            **asdict(difference),
            "fails": not (pair.obstacles and compare_pictures.only_drawn(difference)),
            "why": [each.why] if each.why else _why(pair, each, difference),
        }
        for each in compared
        for difference in each.found
    ]
    return {
        "run": pair.stored.name,
        "ok": not any(difference["fails"] for difference in differences),
        "levels": [_level(level, compared, pair.obstacles) for level in LEVELS],
        "environment": {
            "locked": not pair.obstacles,
            "obstacles": list(pair.obstacles),
            "stored": _machine(pair.stored.manifest, pair.before),
            "now": _machine(pair.again.manifest, pair.now),
        },
        "notebooks": {name: _of_notebook(pair, name, compared) for name in pair.names},
        "differences": differences,
    }


def _compared(pair: _Pair) -> list[Compared]:
    """Compare all that two runs gave; raise CheckError if a file is damaged."""
    try:
        return [*comparison.of_runs(pair.stored, pair.again, pair.names, pair.records)]
    except (LookupError, TypeError, AttributeError, ValueError, csv.Error) as error:
        if isinstance(error, CheckError):
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        runs = [repr(place.name) for place in (pair.stored, pair.again) if place.manifest]
        whose = " or ".join(dict.fromkeys(runs))
        raise CheckError(f"a file of the run {whose} is damaged ({what})") from error


def _why(pair: _Pair, each: Compared, difference: compare.Difference) -> list[str]:
    return causes.why(
        each.file,
        each.file in pair.altered.get(each.notebook, []),
        pair.changed.get(each.notebook, []),
        pair.inputs.get(difference.what, []),
    )


def _of_notebook(pair: _Pair, name: str, compared: Iterable[Compared]) -> dict[str, Any]:
    return {
        "cells": sum(each.level == "text" and each.notebook == name for each in compared),
        "changed": [change.words for change in pair.changed[name]],
        "altered": pair.altered[name],
        "edited": causes.edited(name, pair.before, pair.now),
    }


def _level(level: str, compared: Iterable[Compared], obstacles: Sequence[str]) -> dict[str, Any]:
    """Return the outcome of a level; `fails` says whether any difference in it does."""
    of_level = [each for each in compared if each.level == level]
    return {
        "level": level,
        "compared": len(of_level),
        "different": sum(bool(each.found) for each in of_level),
        "same_if": LEVELS[level],
        "fails": level != "picture" or not obstacles,
    }


def _machine(found: Mapping[str, Any], made: causes.Made) -> dict[str, Any]:
    return {**made.versions, "git": found.get("git")}


def _inputs(place: Place) -> dict[str, list[str]]:
    """Return all that each result, and each figure that names its inputs, rests on."""
    results = outputs.results_in(place.folder / comparison.MERGED) or {}
    found: dict[str, list[str]] = {}
    for name, result in results.items():
        if isinstance(result.get("inputs"), list):
            found[name] = lineage.below(name, results)
    for about in place.figures.glob("*.json"):
        named = (manifest.read_json(about) or {}).get("inputs", [])
        through = [result for item in named if (result := item.removeprefix("result:")) in found]
        found[about.stem] = [*named, *(item for result in through for item in found[result])]
    return found


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
        paths.replace_folder(target, new)
    return {**report, "folder": str(target)}


def _picture(place: Place, difference: Mapping[str, Any]) -> bytes:
    if difference["file"].endswith(".ipynb"):
        shown = compare_pictures.shown(
            difference["notebook"], place.notebook(difference["notebook"])
        )
        return shown.get(difference["what"], b"")
    path = place.figures / difference["file"]
    return path.read_bytes() if path.is_file() else b""
