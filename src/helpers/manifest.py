"""What a run's manifest records: what the notebooks were made from, and whether that changed."""

import csv
import hashlib
import importlib.metadata
import json
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from helpers.parameters import MODELS

NAME = "manifest.json"
HELPERS = Path(__file__).parent
MACHINERY = {
    "archive",
    "causes",
    "check",
    "check_report",
    "choices",
    "cli",
    "compare",
    "compare_pictures",
    "comparison",
    "crate",
    "documents",
    "execution",
    "kernels",
    "learning",
    "lineage",
    "lineage_graph",
    "lineage_text",
    "locks",
    "manifest",
    "nbval_record",
    "outputs",
    "pages",
    "reexecution",
    "replication",
    "request",
    "runner",
    "studies",
    "sweep",
    "terminal",
}
"""Modules that no notebook imports: changing them leaves every output as it is."""

BY_ROW = {"data/evidence/facts.csv": "fact", "data/judgements/assumptions.csv": "assumption"}
"""Tables whose rows results name as inputs, by the row's first column (`fact:A028`)."""


def read(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a run folder; None where it is missing or cannot be read."""
    manifest = read_json(folder / NAME) or {}
    entries = manifest.get("notebooks")
    readable = (
        _are_versions(manifest.get("versions"))
        and isinstance(entries, dict)
        and all(name in MODELS and _is_entry(entry) for name, entry in entries.items())
    )
    return manifest if readable else None


def _are_versions(found: object) -> bool:
    named = found if isinstance(found, dict) else {}
    made_by, packages = [named.get("python"), named.get("platform")], named.get("packages")
    return isinstance(packages, dict) and all(
        isinstance(version, str) for version in [*made_by, *packages.values()]
    )


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    # Names of figures become paths of files to delete, and a manifest may come from anyone.
    figures, key = entry.get("figures", []), entry.get("key")
    named = isinstance(figures, list) and all(
        isinstance(name, str) and is_figure(name) for name in figures
    )
    parts = [key.get("parameters"), entry.get("sha256")] if isinstance(key, dict) else []
    return named and all(isinstance(part, dict) for part in parts)


def is_figure(name: str) -> bool:
    """Return whether a file's name can be that of a figure, or of its data or description."""
    return bool(re.fullmatch(r"\w+\.(svg|png|csv|json)", name, re.ASCII))


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file; None where it is missing or is none."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def sha256(path: Path) -> str | None:
    """Return the SHA-256 of a file's bytes, as hexadecimal text; None where it is missing."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None


def ingredients(root: Path) -> dict[str, Any]:
    """Return what every notebook is made from.

    Parameters
    ----------
    root
        The project's folder.

    Returns
    -------
    dict
        `helpers` (hash of each module of the study, by name), `data` (hash of each file of data/,
        by path), `rows` (of each row of the tables `BY_ROW`, by table and first column), `lock`
        (hash of requirements.lock, None without one) and `python` (version).
    """
    return {
        "helpers": {name: sha256(HELPERS / f"{name}.py") for name in _study_modules()},
        "data": {
            path.relative_to(root).as_posix(): sha256(path) for path in _data_files(root / "data")
        },
        "rows": {file: hashes_of_rows(root / file) for file in BY_ROW},
        "lock": sha256(root / "requirements.lock"),
        "python": platform.python_version(),
    }


def circumstances(root: Path) -> dict[str, Any]:
    """Return what a run records, but does not run again for.

    Parameters
    ----------
    root
        The project's folder.

    Returns
    -------
    dict
        `versions` (Python, platform, the packages that pyproject.toml names) and `git` (commit,
        and whether anything but outputs differed from it; None outside git).
    """
    return {
        "versions": {
            "python": platform.python_version(),
            "platform": this_platform(),
            "packages": _direct_packages(),
        },
        "git": _git_state(root),
    }


def this_platform() -> str:
    """Return system and processor, for example `Linux x86_64`."""
    return f"{platform.system()} {platform.machine()}"


def key(
    notebook: Mapping[str, Any],
    parameters: Mapping[str, Any],
    results_read: Mapping[str, str | None],
    shared: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the key of a notebook: equal keys mean equal outputs.

    Parameters
    ----------
    notebook
        The notebook (nbformat JSON). Its text cells count too, since the executed copy shows them;
        stored outputs do not.
    parameters
        Its parameters, defaults included.
    results_read
        Hash of the results file of each notebook that it reads.
    shared
        What `ingredients` gave.

    Returns
    -------
    dict
        Of each kind of thing that the notebook is made from, the parts by name, with hashes cut to
        the 16 digits that tell one version from another.
    """
    cells = {
        cell.get("id", str(number)): _hash_of_cell(cell)
        for number, cell in enumerate(notebook["cells"])
    }
    return {
        "cells": _shortened(cells),
        "parameters": dict(parameters),
        "results": _shortened(results_read),
        "helpers": _shortened(shared["helpers"]),
        "data": _shortened(shared["data"]),
        "lock": shared["lock"],
        "python": shared["python"],
    }


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return in words, one for each part, what differs between two keys; empty if nothing does."""
    found: list[str] = []
    for kind, name in _NAMES.items():
        old, new = before.get(kind), now[kind]
        if not isinstance(new, dict):
            found += [f"{name} changed"] if old != new else []
        elif not isinstance(old, dict):
            found.append(f"the manifest does not say which {kind} it was made from")
        else:
            found += [name.format(part) + fate for part, fate in fates(old, new)]
            if old == new and list(old) != list(new):
                found.append(f"the order of the {kind} changed")
    return found


_NAMES = {
    "cells": "cell {}",
    "parameters": "parameter {}",
    "results": "{}.results.json",
    "helpers": "helpers/{}.py",
    "data": "{}",
    "lock": "requirements.lock",
    "python": "the version of Python",
}


def fates(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each part that is not the same in two mappings, and what became of it."""
    for part in {**old, **new}:
        if part not in old:
            yield part, " is new"
        elif part not in new:
            yield part, " is gone"
        elif old[part] != new[part]:
            yield part, " changed"


def _hash_of_cell(cell: Mapping[str, Any]) -> str:
    content = [cell["cell_type"], "".join(cell["source"]), cell["metadata"]]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _shortened(hashes: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: found and found[:16] for name, found in hashes.items()}


def _study_modules() -> list[str]:
    names = (path.relative_to(HELPERS).with_suffix("") for path in HELPERS.rglob("*.py"))
    return sorted(name.as_posix() for name in names if name.parts[0] not in MACHINERY)


def _data_files(folder: Path) -> Iterator[Path]:
    """Yield what notebooks can read: neither the generated codebook nor hidden files."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and path.suffix != ".md" and not hidden:
            yield path


def hashes_of_rows(path: Path) -> dict[str, str]:
    """Return eight digits of the hash of each row of a table, by its first column."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = [row for row in csv.reader(file) if row][1:]
    return {row[0]: hashlib.sha256(json.dumps(row).encode()).hexdigest()[:8] for row in rows}


@cache
def _direct_packages() -> dict[str, str]:
    required = importlib.metadata.requires("declined-detainers") or []
    names = [re.split(r"[^\w.-]", line)[0] for line in required if "extra ==" not in line]
    return {name: importlib.metadata.version(name) for name in sorted(names)}


def _git_state(root: Path) -> dict[str, Any]:
    unknown = {"commit": None, "clean": None}
    # A copy that merely lies inside another repository has no commit of its own.
    if not (root / ".git").exists() or not (commit := _git(root, "rev-parse", "--verify", "HEAD")):
        return unknown
    changes = _git(root, "status", "--porcelain", "--", ".", ":!papermill_runs", ":!figures")
    return {"commit": commit, "clean": None if changes is None else not changes}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
