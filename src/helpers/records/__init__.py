"""Individual detainer records: read any published layout into one table, and count it.

    records = read("detainers-FY23.xlsx")        # any layout and format, by content; cached
    connection = connect(records)                # DuckDB, with a view `records`
    connection.sql("SELECT aor, count(*) FROM records GROUP BY ALL").df()

The columns of the view are those of `helpers.records.columns`. Rows and persons stay in the cache
on the reader's machine; what is shown or saved goes through `helpers.disclosure`. Dates of birth
are not read at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.paths import project_root
from helpers.records.problems import RecordsError

if TYPE_CHECKING:
    import duckdb

__all__ = ["Records", "RecordsError", "connect", "read"]


@dataclass(frozen=True)
class Records:
    """Records that were read.

    Attributes
    ----------
    file
        Name of the file or folder.
    layout
        Name of its layout.
    parquet
        The canonical table, in the cache.
    report
        What was read, kept and refused, and why; see `helpers.records.report`.
    """

    file: str
    layout: str
    parquet: Path
    report: dict[str, Any]


def read(path: Path | str, progress: Callable[[str], None] = lambda line: None) -> Records:
    """Read a file of records, or a folder of files of one release.

    What was read before is taken from the cache, by its content.

    Parameters
    ----------
    path
        Comma or tab text, xlsx, parquet or feather, plain or in gz or zip; or a folder of such.
    progress
        Called with a line to show, now and then.

    Raises
    ------
    RecordsError
        If the file is no file of records, is broken, or too many of its rows are refused.
    """
    from helpers.records import cache

    path = Path(path)
    key = cache.key(path)
    table, report = cache.stored(key) or _convert(path, key, progress)
    return Records(report["file"], report["layout"], table, report)


def _convert(path: Path, key: str, progress: Callable[[str], None]) -> tuple[Path, dict[str, Any]]:
    import pyarrow

    from helpers.records import cache, canonical, engine, staging
    from helpers.records.report import report

    with cache.scratch() as scratch:
        staged, table = scratch / "staged.parquet", scratch / "canonical.parquet"
        parts, notes = staging.stage(path, staged, scratch, progress)
        # Arrow keeps what it no longer needs; the memory of DuckDB would come on top of it.
        pyarrow.default_memory_pool().release_unused()
        headers = {header for part in parts for header in part.header.used}
        with engine.connect(scratch, scratch / "cells.duckdb") as database:
            progress("putting the columns in order")
            layout = staging.layout_of(parts)
            groups = _groups(project_root())
            canonical.canonicalise(database, staged, headers, layout, groups, table)
            described = report(database, path.name, parts, notes)
        return cache.store(key, table, described), described


@lru_cache
def _groups(root: Path) -> dict[str, str]:
    """Return the group of each lift reason."""
    from helpers import datapackage

    crosswalk = datapackage.load("lift_reasons", root)
    return dict(zip(crosswalk["reason"], crosswalk["group"], strict=True))


def connect(*records: Records) -> "duckdb.DuckDBPyConnection":
    """Open DuckDB on records: a view `records` with the canonical columns, memory bounded."""
    from helpers.records import cache, engine

    database = engine.connect(cache.folder())
    files = ", ".join(engine.quoted(part.parquet) for part in records)
    database.execute(f"CREATE VIEW records AS FROM read_parquet([{files}])")
    return database
