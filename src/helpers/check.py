"""Does a run reproduce? Execute it again or take another, compare all it gave, and say why not."""

import csv
import datetime as dt
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from helpers import (
    causes,
    check_report,
    compare,
    compare_pictures,
    comparison,
    lineage,
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

_OTHER_THAN_ITS_PARTS = f"the stored {comparison.MERGED} is not what its notebooks' files say"


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
    names = _chosen([*request.study(), *stored.entries], skip)
    there = [name for name in names if (stored.folder / f"{name}.ipynb").is_file()]
    if not there:
        raise CheckError(f"there is no executed notebook to check in the run {run!r}")
    cells = sum(len(compare.code_cells(name, stored.notebook(name))) for name in there)
    root = paths.project_root()
    shared = manifest.ingredients(root)
    begun = dt.datetime.now(dt.UTC)
    with tempfile.TemporaryDirectory(prefix="detainers-check-") as temporary:
        out = Path(temporary)
        records = reexecution.execute(stored.folder, there, out, lambda n: progress(n, cells))
        name = reexecution.RUN
        again = Place(name, out / "papermill_runs" / name, out / "figures" / name, {})
        opened = outputs.Run(
            stored.name, root, stored.folder, stored.figures, shared, dict(stored.entries)
        )
        before = causes.recorded(stored.manifest)
        now = causes.present(opened, before)
        obstacles = causes.obstacles(before, now) + causes.unlocked(root / "requirements.lock")
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
    known = (name for place in (stored, again) for name in place.entries)
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
        "skipped": sorted({*stored.entries, *again.entries} - {*names}),
        **_judged(stored, again, names, {}, before, now, causes.obstacles(before, now)),
    }
    return _keep(report, stored, again, f"{stored.name}.{again.name}.check", None)


def _place(run: str) -> Place:
    """Find a run by name, or by its folder in the papermill_runs/ of any project."""
    is_name = bool(re.fullmatch(r"[a-z0-9_-]+", run))
    folder = paths.run_folder(run) if is_name else Path(run).resolve()
    found = manifest.read(folder)
    if found is None:
        fault = "cannot be read" if (folder / manifest.NAME).is_file() else "is not there"
        others = sorted(
            path.parent.name for path in paths.run_folder("x").parent.glob(f"*/{manifest.NAME}")
        )
        known = f"; there are: {', '.join(others) or 'none'}"
        raise CheckError(f"there is no run {run!r} to check: its {manifest.NAME} {fault}{known}")
    return Place(folder.name, folder, folder.parents[1] / "figures" / folder.name, found)


def _chosen(names: Iterable[str], skip: Sequence[str]) -> list[str]:
    known = [name for name in parameters.MODELS if name in set(names)]
    for text in skip:
        if not any(text in (name, name[:2]) for name in known):
            raise CheckError(
                f"there is no notebook {text!r} to skip; there are: {', '.join(known)}"
            )
    return [name for name in known if not {name, name[:2]} & set(skip)]


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
        compared = [*comparison.of_runs(stored, again, names, records)]
    except (LookupError, TypeError, AttributeError, ValueError, csv.Error) as error:
        if isinstance(error, CheckError):
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        raise CheckError(f"a file of the run {stored.name!r} is damaged ({what})") from error
    failing = set(LEVELS) - ({"picture"} if obstacles else set())
    changed = {name: causes.changes(name, before, now) for name in names}
    altered = {
        name: causes.altered(stored.folder, stored.figures, stored.entries.get(name, {}))
        for name in names
    }
    inputs = _inputs(stored)
    differences = [
        {
            "notebook": each.notebook,
            "file": each.file,
            **asdict(difference),
            "fails": each.level in failing,
            "why": [_OTHER_THAN_ITS_PARTS]
            if each.file == comparison.MERGED
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
                "edited": causes.edited(name, before, now),
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
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(new, target)
    return {**report, "folder": str(target)}


def _picture(place: Place, difference: Mapping[str, Any]) -> bytes:
    if difference["file"].endswith(".ipynb"):
        shown = compare_pictures.shown(
            difference["notebook"], place.notebook(difference["notebook"])
        )
        return shown.get(difference["what"], b"")
    path = place.figures / difference["file"]
    return path.read_bytes() if path.is_file() else b""
