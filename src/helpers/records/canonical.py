"""The second step of reading: from staged text to the canonical columns, in SQL."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.records.columns import CANONICAL, SOURCED, UNMAPPED, Column
from helpers.records.engine import quoted
from helpers.records.layouts import Layout, spelling
from helpers.records.tables import LONGEST_CELL

if TYPE_CHECKING:
    import duckdb

DATE_FORMS = "a date as 2017-01-28, 1/28/17 or 1/28/2017"
"""The documented forms of dates; workbooks have true dates, which are read as such."""

LATEST_YEAR = 2049
_EARLIEST_YEAR = {
    "detainer_prepare_date": 2007,
    "detainer_lift_date": 2007,
    "apprehension_date": 1980,
    "departed_date": 1980,
}
_DATES = tuple(column.name for column in SOURCED if column.type == "DATE")
_TEXTS = tuple(column.name for column in SOURCED if column.type != "DATE")

_MACROS = r"""
CREATE MACRO filled(cell) AS CASE
    WHEN trim(cell) IN ('', 'NA', 'N/A', '#N/A', '<NA>', 'NULL', 'None', 'nan', 'NaN', 'NaT')
        THEN NULL
    WHEN contains(cell, '(')
        AND regexp_matches(cell, '(?i)\bb\)?\s*\(\s*\d\s*\)|^\W*b\W*$') THEN NULL
    ELSE trim(cell)
END;
CREATE MACRO day(cell) AS CASE
    WHEN regexp_matches(cell, '^\d{4}-\d{2}-\d{2}($|[ T])') THEN try_cast(left(cell, 10) AS DATE)
    ELSE try_strptime(split_part(cell, ' ', 1), ['%m/%d/%y', '%m/%d/%Y'])::DATE
END;
CREATE MACRO level(cell) AS
    CASE WHEN try_cast(cell AS DOUBLE) IN (1, 2, 3) THEN cell::DOUBLE::INTEGER END;
CREATE MACRO known_day(cell) AS CASE WHEN cell IN ('UNK', 'UNKNOWN') THEN NULL ELSE cell END;
"""


@dataclass(frozen=True)
class Refusal:
    """Rows that were refused for one reason.

    Attributes
    ----------
    reason
        Why.
    rows
        How many.
    file, sheet, row
        The first of them.
    column
        Canonical column that is at fault; empty where the row as a whole is.
    found
        The cell of the first of them; empty where it is not one cell.
    """

    reason: str
    rows: int
    file: str
    sheet: str
    row: int
    column: str
    found: str


def canonicalise(
    connection: "duckdb.DuckDBPyConnection",
    staged: Path,
    headers: Collection[str],
    layout: Layout,
    groups: Mapping[str, str],
    target: Path,
) -> None:
    """Write the canonical table of staged rows, and leave the tables that reports are made from.

    Parameters
    ----------
    connection
        A database; afterwards it holds `cells` (every row that was read, with `refusal` where it
        was refused, and the text of its dates) and `kept` (the canonical table).
    staged
        What `staging.stage` wrote.
    headers
        The headers that any of its files has.
    layout
        Its layout.
    groups
        Group of each lift reason.
    target
        The Parquet to write, rows in the order of the files.
    """
    connection.execute(_MACROS)
    connection.execute(_cells(staged, headers, layout.carries_dates))
    _map_reasons(connection, groups)
    connection.execute(_REPEATS)
    connection.execute(
        f"COPY ({_canonical()}) TO {quoted(target)} (FORMAT parquet, COMPRESSION zstd)"
    )
    connection.execute(f"CREATE VIEW kept AS FROM read_parquet({quoted(target)})")


def refusals(connection: "duckdb.DuckDBPyConnection") -> list[Refusal]:
    """Return why rows were refused, most frequent first, with the first row of each reason."""
    found = connection.execute(
        """
        SELECT refusal, count(*), arg_min(file, id), arg_min(sheet, id), arg_min("row", id),
            refused_column, arg_min(coalesce(refused_cell, ''), id)
        FROM cells WHERE refusal IS NOT NULL
        GROUP BY refusal, refused_column ORDER BY count(*) DESC, min(id)
        """
    )
    return [Refusal(*row) for row in found.fetchall()]


def _cells(staged: Path, headers: Collection[str], carries_dates: bool) -> str:
    """Make `cells`: one row a row that was read, cells cleaned, dates read, refusals named."""
    cleaned = ", ".join(f"{_cleaned(column, headers)} AS {column.name}" for column in SOURCED)
    known = ", ".join(f"known_day({name}) AS {name}" for name in _DATES)
    days = ", ".join(f"day({name}) AS {name}_day" for name in _DATES)
    too_long = " ".join(f"WHEN strlen({name}) > {LONGEST_CELL} THEN '{name}'" for name in _TEXTS)
    return f"""
    CREATE TABLE cells AS
    WITH cleaned AS (
        SELECT file_row_number AS id, file, sheet, "row", problem, {cleaned}
        FROM read_parquet({quoted(staged)}, file_row_number = true)
    ),
    known AS (SELECT * REPLACE ({known}) FROM cleaned),
    dated AS (SELECT *, {days}, CASE {too_long} END AS too_long FROM known),
    carried AS ({_CARRIED if carries_dates else "SELECT *, false AS date_carried FROM dated"})
    SELECT * EXCLUDE (problem, too_long), {_REFUSAL} FROM carried
    """


def _cleaned(column: Column, headers: Collection[str]) -> str:
    cells = [f"filled({header})" for header in column.headers if header in headers]
    return f"coalesce({', '.join(cells)})" if cells else "NULL::VARCHAR"


_CARRIED = """
SELECT * REPLACE (
    CASE WHEN date_carried
        THEN last_value(detainer_prepare_date_day IGNORE NULLS)
            OVER (PARTITION BY file, sheet ORDER BY "row")
        ELSE detainer_prepare_date_day
    END AS detainer_prepare_date_day
) FROM (
    SELECT *, detainer_prepare_date IS NULL AND problem IS NULL
        AND coalesce(lift_reason, facility) IS NOT NULL AS date_carried
    FROM dated
)
"""
_REFUSAL = f"""
CASE WHEN problem IS NOT NULL THEN problem
    WHEN too_long IS NOT NULL THEN 'the cell is longer than {LONGEST_CELL} bytes'
    WHEN detainer_prepare_date_day IS NOT NULL THEN NULL
    WHEN detainer_prepare_date IS NULL THEN 'the cell is empty'
    ELSE 'the cell is no date'
END AS refusal,
CASE WHEN problem IS NOT NULL THEN '' ELSE coalesce(too_long, 'detainer_prepare_date') END
    AS refused_column,
CASE WHEN problem IS NULL AND too_long IS NULL THEN detainer_prepare_date END AS refused_cell
"""


def _map_reasons(connection: "duckdb.DuckDBPyConnection", groups: Mapping[str, str]) -> None:
    """Make `reasons`: the group of each lift reason, as the file spells it."""
    found = connection.execute("SELECT DISTINCT lift_reason FROM cells WHERE lift_reason NOT NULL")
    by_spelling = {spelling(reason): group for reason, group in groups.items()}
    rows = [(reason, by_spelling.get(spelling(reason), UNMAPPED)) for (reason,) in found.fetchall()]
    connection.execute("CREATE TABLE reasons (reason VARCHAR, reason_group VARCHAR)")
    if rows:
        connection.executemany("INSERT INTO reasons VALUES (?, ?)", rows)


# Few persons have two detainers of one day: their table is small, and joining it to the rows costs
# less memory than sorting them by person.
_REPEATS = """
CREATE TABLE repeats AS
SELECT person AS repeated, detainer_prepare_date_day AS repeated_day, min(id) AS first_id
FROM cells WHERE refusal IS NULL AND person IS NOT NULL
GROUP BY ALL HAVING count(*) > 1
"""


def _canonical() -> str:
    """Select the canonical columns of the rows that are kept, in the order of the files.

    A join keeps no order, and parts of a large file are read side by side.
    """
    flags = [f"CASE WHEN {junk(name)} THEN '{name}' END" for name in _DATES]
    made = {
        **{name: _plausible(name) for name in _DATES},
        **{name: f"upper({name})" for name in ("city", "county", "state", "citizenship")},
        "lift_reason_group": "reason_group",
        "aor": r"replace(regexp_replace(aor, '(?i)\s+area of responsibility$', ''), 'St. ', 'St ')",
        "detainer_form": _FORM,
        "threat_level": "level(threat_level)",
        "duplicate_likely": "CASE WHEN person IS NOT NULL THEN first_id IS NOT NULL END",
        "duplicate_later": "CASE WHEN person IS NOT NULL THEN coalesce(id > first_id, false) END",
        "junk_dates": f"nullif(concat_ws(', ', {', '.join(flags)}), '')",
    }
    selected = ", ".join(
        f"({made.get(column.name, f'cells.{_name(column.name)}')})::{column.type} "
        f"AS {_name(column.name)}"
        for column in CANONICAL
    )
    return f"""
    SELECT {selected} FROM cells
    LEFT JOIN reasons ON lift_reason = reason
    LEFT JOIN repeats ON person = repeated AND detainer_prepare_date_day = repeated_day
    WHERE refusal IS NULL ORDER BY id
    """


_FORM = """CASE WHEN regexp_matches(detainer_type, '(?i)^I-?247')
    THEN 'I-247' || upper(regexp_extract(detainer_type, '(?i)^I-?247-?([A-Z])?\\b', 1)) END"""


def junk(name: str) -> str:
    """Return the SQL that tells a date of `cells` in an impossible year."""
    return f"year({name}_day) NOT BETWEEN {_EARLIEST_YEAR[name]} AND {LATEST_YEAR}"


def _plausible(name: str) -> str:
    return f"CASE WHEN NOT ({junk(name)}) THEN {name}_day END"


def _name(column: str) -> str:
    return '"row"' if column == "row" else column
