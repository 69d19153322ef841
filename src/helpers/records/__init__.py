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
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb


class RecordsError(ValueError):
    """A file of records cannot be read; the message names file, sheet, row and column."""


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
        What was read, kept and refused, and why; as `detainers records check --json` gives it.
    """

    file: str
    layout: str
    parquet: Path
    report: dict[str, Any]


def read(path: Path | str, progress: Callable[[str], None] | None = None) -> Records:
    """Read a file of records, or a folder of files of one release.

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
    raise NotImplementedError


def connect(*records: Records) -> "duckdb.DuckDBPyConnection":
    """Open DuckDB on records: a view `records` with the canonical columns, memory bounded."""
    raise NotImplementedError
