"""Why an output changed: which of the things that a run was made from are others now."""

import importlib.metadata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers import manifest, outputs, request

UNEXPLAINED = (
    "nothing that the manifest records changed: it is left to chance, or depends on the machine"
)


@dataclass(frozen=True)
class Made:
    """What the outputs of a run were made from, or would be made from now.

    Attributes
    ----------
    keys
        Of each notebook, its key (`helpers.manifest.key`).
    versions
        `python`, `platform` and `packages`.
    data, rows
        Hash of each file of data/, and of each row of some: by path, and by path and first column.
    stored
        Whether stored notebooks are executed, and not those in notebooks/.
    """

    keys: Mapping[str, Mapping[str, Any]]
    versions: Mapping[str, Any]
    data: Mapping[str, str | None]
    rows: Mapping[str, Mapping[str, str]]
    stored: bool = False


@dataclass(frozen=True)
class Change:
    """A thing that is another now; `input` names it as results do (`fact:A028`), where they do."""

    words: str
    input: str = ""


def recorded(found: Mapping[str, Any]) -> Made:
    """Return what the outputs of a run were made from, as its manifest says."""
    entries = found.get("notebooks", {}).items()
    keys = {name: entry["key"] for name, entry in entries if isinstance(entry.get("key"), dict)}
    data, rows = found.get("data"), found.get("rows")
    return Made(
        keys,
        found.get("versions", {}),
        data if isinstance(data, dict) else {},
        rows if isinstance(rows, dict) else {},
    )


def present(run: outputs.Run, made: Made) -> Made:
    """Return what the stored notebooks of a run are made from when they are executed now.

    Parameters
    ----------
    run
        The run; its `shared` are the present ingredients.
    made
        What it was made from.
    """
    study = request.study()
    keys = {
        name: outputs.key(run, study[name], key["parameters"])
        for name, key in made.keys.items()
        if name in study
    }
    versions = manifest.circumstances(run.root)["versions"]
    return Made(keys, versions, run.shared["data"], run.shared["rows"], stored=True)


def edited(notebook: str, before: Made, now: Made) -> list[str]:
    """Return the cells of a notebook that differ between two runs, or from those in notebooks/."""
    cells = [made.keys.get(notebook, {}).get("cells", {}) for made in (before, now)]
    return [cell + fate for cell, fate in manifest.fates(*cells)]


def changes(notebook: str, before: Made, now: Made) -> list[Change]:
    """Return what a notebook was made from that is not the same in two runs.

    Rows of a table are named where both runs say which they had.
    """
    old, new = before.keys.get(notebook), now.keys.get(notebook)
    if old is None or new is None:
        return [Change(f"the manifest does not say what {notebook} was made from")]
    same: dict[str, Any] = {"data": {}, **({"cells": {}} if now.stored else {})}
    apart = manifest.changes({**old, **same}, {**new, **same})
    files = manifest.fates(old.get("data", {}), new["data"])
    data = [
        change for file, fate in files for change in _in_file(file, fate, notebook, before, now)
    ]
    return [*data, *map(Change, apart), *_of_versions(before.versions, now.versions)]


def altered(folder: Path, figures: Path, entry: Mapping[str, Any]) -> list[str]:
    """Return the files of a notebook that are not as its run wrote them."""
    written = entry.get("sha256", {})
    places = {file: figures if file in entry.get("figures", []) else folder for file in written}
    return [file for file in written if manifest.sha256(places[file] / file) != written[file]]


def why(
    file: str, was_altered: bool, changed: Collection[Change], inputs: Collection[str]
) -> list[str]:
    """Return in words what made a stored output another.

    Parameters
    ----------
    file
        The stored file that holds it.
    was_altered
        Whether that file is not as its run wrote it.
    changed
        What its notebook was made from that changed.
    inputs
        All that the output rests on, by name; empty if that is not known. Changed data that it
        does not rest on are then left out, if it rests on others that changed.
    """
    known = {change.input for change in changed} & set(inputs)
    kept = [each for each in changed if not (known and each.input) or each.input in known]
    words = [
        f"{each.words}, an input of this" if each.input in known else each.words for each in kept
    ]
    own = [f"the stored {file} was altered after its run wrote it"] if was_altered else []
    return own + words or [UNEXPLAINED]


def obstacles(before: Made, now: Made) -> list[str]:
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


def unlocked(lock: Path) -> list[str]:
    """Return which installed packages are not those of requirements.lock."""
    if not lock.is_file():
        return ["there is no requirements.lock"]
    lines = lock.read_text(encoding="utf-8").splitlines()
    pins = (line.rstrip(" \\") for line in lines if line and line[0].isalnum())
    distributions = importlib.metadata.distributions()
    installed = {canonicalize_name(each.name): each.version for each in distributions}
    found = []
    for required in map(Requirement, pins):
        here = installed.get(canonicalize_name(required.name))
        applies = required.marker is None or required.marker.evaluate()
        if here and applies and not required.specifier.contains(here, prereleases=True):
            found.append(f"{required.name}: the lock has {required.specifier}, here is {here}")
    return found


def _in_file(file: str, fate: str, notebook: str, before: Made, now: Made) -> Iterator[Change]:
    kind = manifest.BY_ROW.get(file)
    if kind and all(_describes(made, file, notebook) for made in (before, now)):
        rows = manifest.fates(before.rows[file], now.rows[file])
        found = [Change(f"{kind} {row} ({file}){what}", f"{kind}:{row}") for row, what in rows]
        yield from found or [Change(f"the order or the columns of {file} changed")]
    elif file.startswith("data/series/"):
        yield Change(file + fate, f"series:{PurePosixPath(file).stem}")
    else:
        yield Change(file + fate)


def _describes(made: Made, file: str, notebook: str) -> bool:
    """Whether the rows recorded for a run are those that this notebook was made from."""
    used = made.keys[notebook].get("data", {}).get(file)
    return bool(file in made.rows and used and (made.data.get(file) or "").startswith(used))


def _of_versions(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    if old.get("platform") != new.get("platform"):
        yield Change(f"the platform is {new.get('platform')}, was {old.get('platform')}")
    before, after = old.get("packages", {}), new.get("packages", {})
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            versions = [each or "missing" for each in (after.get(name), before.get(name))]
            yield Change(f"{name} is {versions[0]}, was {versions[1]}")
