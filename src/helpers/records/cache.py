"""Where records are kept once read: outside the project, keyed by content, written whole."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.paths import project_root
from helpers.records.containers import digest, listed
from helpers.records.problems import RecordsError

_DAY = 24 * 60 * 60
_CROSSWALK = Path("data/judgements/lift_reasons.csv")


def folder() -> Path:
    """Return the cache: DETAINERS_CACHE, or the user's cache folder of the platform.

    It holds rows about persons, so only its owner may look into it.

    Raises
    ------
    RecordsError
        If it would lie in the project, from where rows could be published by accident, or cannot
        be made.
    """
    if chosen := os.environ.get("DETAINERS_CACHE"):
        place = Path(chosen).resolve()
    else:
        from platformdirs import user_cache_path

        place = user_cache_path("declined-detainers", appauthor=False)
    root = project_root()
    if root in (place, *place.parents):
        raise RecordsError(f"DETAINERS_CACHE = {place}: expected a folder outside {root}")
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as why:
        said = f"the cache {place} cannot be made ({why.strerror}); set DETAINERS_CACHE to a folder"
        raise RecordsError(said) from None
    return place


def key(path: Path) -> str:
    """Return the key of a file or folder: a hash of names, contents, reader and crosswalk."""
    reader = sorted(Path(__file__).parent.glob("*.py"))
    parts = [*reader, project_root() / _CROSSWALK, *listed(path)]
    return digest((part.name, part) for part in parts)[:32]


def stored(name: str) -> tuple[Path, dict[str, Any]] | None:
    """Return the canonical table and the report of a key; None where they are not both there."""
    table, report = folder() / f"{name}.parquet", folder() / f"{name}.json"
    try:
        described = json.loads(report.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return (table, described) if table.is_file() else None


def store(name: str, table: Path, report: dict[str, Any]) -> Path:
    """Move a table into the cache; with its report, written last, it counts as there."""
    target = folder() / f"{name}.parquet"
    table.chmod(0o600)
    table.replace(target)
    beside = table.with_suffix(".json")
    beside.write_text(json.dumps(report, ensure_ascii=False), encoding="utf-8")
    beside.replace(target.with_suffix(".json"))
    return target


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder in the cache for one reading; it is removed in the end."""
    for left in folder().glob("reading-*"):  # by a process that was killed
        if time.time() - left.stat().st_mtime > _DAY:
            shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix="reading-", dir=folder()))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
