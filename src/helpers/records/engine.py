"""DuckDB as records use it: bounded memory, temporary files in the cache, nothing from outside."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

MEMORY = "384MB"
"""What DuckDB may hold; more goes to disk. The whole process stays under a gibibyte."""


def connect(scratch: Path, database: Path | str = ":memory:") -> "duckdb.DuckDBPyConnection":
    """Open a database, in memory or in a file, whose overflow goes to `scratch`."""
    import duckdb

    return duckdb.connect(
        database,
        config={
            "memory_limit": MEMORY,
            "temp_directory": str(scratch),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )


def quoted(text: str | Path) -> str:
    """Return text as a literal of SQL."""
    return "'" + str(text).replace("'", "''") + "'"
