"""What was read, kept and refused, and why; from what shares on a reader is warned or stopped."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from helpers.disclosure import MINIMUM_CELL
from helpers.records.canonical import DATE_FORMS, Refusal, junk, refusals
from helpers.records.columns import SOURCED, UNMAPPED
from helpers.records.problems import RecordsError, place, shape
from helpers.records.staging import Part, layout_of

if TYPE_CHECKING:
    import duckdb

STOP_REFUSED = 0.10
"""Above this share of refused rows a file is refused as a whole: it is not what it seems.

The same share of cells that are none stops a file at its other columns of dates: where days come
before months, those up to the 12th would be read as other days.
"""

STOP_UNMAPPED = 0.50
"""Above this share of unknown reasons among the rows with one, the column holds something else."""

MANY_REPEATS = 100
"""Above so many repeats of one person a reader is warned: the key may be that of no one."""

WARN_MISSING = {"facility": 0.01, "state": 0.05, "person": 0.25}
"""Above these shares of empty cells a reader is warned; published releases lie below."""


_EMPTIED = "taken as empty"


def report(
    connection: "duckdb.DuckDBPyConnection", file: str, parts: Sequence[Part], notes: Sequence[str]
) -> dict[str, Any]:
    """Describe what was read.

    Parameters
    ----------
    connection
        The database that `canonical.canonicalise` left.
    file
        Name of the file or folder.
    parts
        Its tables.
    notes
        What the formats had to say.

    Returns
    -------
    dict
        JSON: `file`, `layout`, `release`, `rows` (`read`, `kept`, `refused`), `lift_reason`
        (count by reason, as written), `tables`, `columns` (name in the file of each canonical
        column), `unused`, `refused` (by reason: rows and place of the first), `missing` (share of
        empty cells by column), `duplicates`, `first` and `last` prepare date, and `warnings`.

    Raises
    ------
    RecordsError
        If there is no row, or too many were refused, have an unknown reason, or cells of a column
        of dates that are none.
    """
    refused = refusals(connection)
    rows = _rows(connection)
    columns = {column.name: _name_in(parts, column.name) for column in SOURCED}
    first, last = _one(
        connection, "SELECT min(detainer_prepare_date), max(detainer_prepare_date) FROM kept"
    )
    described = {
        "file": file,
        "layout": layout_of(parts).name,
        "release": layout_of(parts).release,
        "rows": rows,
        "lift_reason": _reasons(connection),
        "tables": [_table(part) for part in parts],
        "columns": columns,
        "unused": sorted({name for part in parts for name in part.header.unused}),
        "refused": [_refused(refusal, columns) for refusal in refused],
        "missing": _missing(connection, columns),
        "duplicates": _duplicates(connection),
        "first": first and first.isoformat(),
        "last": last and last.isoformat(),
    }
    _stop(connection, described, refused, columns)
    return described | {"warnings": [*notes, *_warnings(connection, parts, described)]}


def _one(connection: "duckdb.DuckDBPyConnection", query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None  # each query is an aggregate of all rows
    return row


def _count(condition: str) -> str:
    """Return SQL that counts rows; count_if would give NULL where the condition always is."""
    return f"count(*) FILTER (WHERE {condition})"


_UNKNOWN = f"lift_reason_group = '{UNMAPPED}'"


def _rows(connection: "duckdb.DuckDBPyConnection") -> dict[str, int]:
    read, refused = _one(connection, "SELECT count(*), count(refusal) FROM cells")
    (kept,) = _one(connection, "SELECT count(*) FROM kept")
    return {"read": read, "kept": kept, "refused": refused}


def _reasons(connection: "duckdb.DuckDBPyConnection") -> dict[str, int]:
    """Count rows by reason, as written; reasons of few rows that the crosswalk lacks together.

    A misplaced column may hold anything about a person, so these are not spelled out.
    """
    found = connection.execute(
        f"""
        WITH counted AS (
            SELECT lift_reason, count(*) AS n, {_UNKNOWN} AS unknown
            FROM kept WHERE lift_reason IS NOT NULL GROUP BY ALL
        )
        SELECT if(unknown AND n < {MINIMUM_CELL}, '{UNMAPPED}', lift_reason) AS reason,
            sum(n)::BIGINT
        FROM counted GROUP BY reason ORDER BY sum(n) DESC, reason
        """
    )
    return dict(found.fetchall())


def _name_in(parts: Sequence[Part], column: str) -> str | None:
    return next(filter(None, (part.header.name_of(column) for part in parts)), None)


def _table(part: Part) -> dict[str, Any]:
    return {
        "file": part.file,
        "sheet": part.sheet,
        "format": part.kind,
        "header_row": part.header.row,
        "columns": len(part.header.names),
        "rows": part.rows,
    }


def _refused(refusal: Refusal, columns: dict[str, str | None]) -> dict[str, Any]:
    return {
        "reason": refusal.reason,
        "rows": refusal.rows,
        "file": refusal.file,
        "sheet": refusal.sheet,
        "row": refusal.row,
        "column": columns.get(refusal.column) or refusal.column,
        "found": shape(refusal.found),
        "expected": DATE_FORMS if refusal.column in _DATES else "",
    }


_DATES = {column.name for column in SOURCED if column.type == "DATE"}


def _missing(
    connection: "duckdb.DuckDBPyConnection", columns: dict[str, str | None]
) -> dict[str, float]:
    present = [name for name, header in columns.items() if header]
    shares = ", ".join(f"1 - count({name}) / greatest(count(*), 1)" for name in present)
    return dict(zip(present, _one(connection, f"SELECT {shares} FROM kept"), strict=True))


def _duplicates(connection: "duckdb.DuckDBPyConnection") -> dict[str, int]:
    counts = _one(
        connection,
        f"SELECT {_count('duplicate_likely')}, {_count('duplicate_later')}, "
        f"{_count('person IS NULL')} FROM kept",
    )
    return dict(zip(("likely", "later", "person_unknown"), counts, strict=True))


def _stop(
    connection: "duckdb.DuckDBPyConnection",
    described: dict[str, Any],
    refused: Sequence[Refusal],
    columns: dict[str, str | None],
) -> None:
    rows = described["rows"]
    if not rows["read"]:
        raise RecordsError(f"{described['file']}: there is no row below the header")
    if rows["refused"] > STOP_REFUSED * rows["read"]:
        raise RecordsError(
            f"{_line(_refused(refused[0], columns))}; {rows['refused']:,} of {rows['read']:,} "
            f"rows are refused, more than {STOP_REFUSED:.0%}: the file is not read"
        )
    for name in sorted(_DATES):
        unread, filled = _one(
            connection,
            f"SELECT {_count(_unread(name))}, count({name}) FROM cells WHERE refusal IS NULL",
        )
        if unread >= MINIMUM_CELL and unread > STOP_REFUSED * filled:
            raise RecordsError(
                f"{place(described['file'], column=columns[name] or '')}: {unread:,} of {filled:,} "
                f"cells are no date, more than {STOP_REFUSED:.0%}; expected {DATE_FORMS}"
            )
    with_reason = sum(described["lift_reason"].values())
    (unmapped,) = _one(connection, f"SELECT {_count(_UNKNOWN)} FROM kept")
    if unmapped > STOP_UNMAPPED * with_reason:
        raise RecordsError(
            f"{place(described['file'], column=columns['lift_reason'] or '')}: {unmapped:,} of "
            f"{with_reason:,} reasons are unknown, more than {STOP_UNMAPPED:.0%}; expected "
            "reasons as in data/judgements/lift_reasons.csv"
        )


def _line(refused: dict[str, Any]) -> str:
    """Say in a line what was refused: place, what is wrong, what is expected."""
    where = place(refused["file"], refused["sheet"], refused["row"], refused["column"])
    found = f" ({refused['found']!r})" if refused["found"] else ""
    expected = f"; expected {refused['expected']}" if refused["expected"] else ""
    return f"{where}: {refused['reason']}{found}{expected}"


def _warnings(
    connection: "duckdb.DuckDBPyConnection", parts: Sequence[Part], described: dict[str, Any]
) -> Iterator[str]:
    for refused in described["refused"]:
        yield f"{_line(refused)}; rows refused for this: {refused['rows']:,}"
    for name, header in described["columns"].items():
        if header is None and name in WARN_MISSING:
            yield f"the file has no column for {name}"
    for name, share in described["missing"].items():
        if share > WARN_MISSING.get(name, 1):
            yield f"{described['columns'][name]}: {share:.1%} of the cells are empty"
    yield from _cell_warnings(connection, described["columns"])
    yield from _span_warnings(connection, parts, described)
    yield from _count_warnings(connection)


def _unread(name: str) -> str:
    return f"{name} IS NOT NULL AND {name}_day IS NULL AND NOT date_carried"


def _cell_warnings(
    connection: "duckdb.DuckDBPyConnection", columns: dict[str, str | None]
) -> Iterator[str]:
    faults = [
        (
            "threat_level",
            "threat_level IS NOT NULL AND level(threat_level) IS NULL",
            f"cells that are no level from 1 to 3; {_EMPTIED}",
        )
    ]
    for name in sorted(_DATES):
        faults.append(
            (name, _unread(name), f"cells that are no date; expected {DATE_FORMS}; {_EMPTIED}")
        )
        faults.append((name, junk(name), f"dates of an impossible year; {_EMPTIED}"))
    for name, fault, said in faults:
        rows, file, sheet, row = _one(
            connection,
            f'SELECT count(*), arg_min(file, id), arg_min(sheet, id), arg_min("row", id) '
            f"FROM cells WHERE {fault} AND refusal IS NULL",
        )
        if rows:
            where = place(file, sheet, row, columns[name] or name)
            yield f"{where}: the first of {rows:,} {said}"


def _span_warnings(
    connection: "duckdb.DuckDBPyConnection", parts: Sequence[Part], described: dict[str, Any]
) -> Iterator[str]:
    first, last = layout_of(parts).span
    beyond = f"detainer_prepare_date NOT BETWEEN '{first}' AND '{last}'"
    (outside,) = _one(connection, f"SELECT {_count(beyond)} FROM kept")
    if outside:
        yield (
            f"{outside:,} detainers are dated outside {first} to {last}, the span of the release "
            f"{described['release']}"
        )
    spans = connection.execute(
        "SELECT file, min(detainer_prepare_date) AS first, max(detainer_prepare_date) AS last "
        "FROM kept GROUP BY file ORDER BY first, file"
    ).fetchall()
    for (one, _, until), (other, since, _) in pairwise(spans):
        if since and until and since < until:
            yield f"{one} and {other} overlap from {since} on: detainers may be counted twice"


def _count_warnings(connection: "duckdb.DuckDBPyConnection") -> Iterator[str]:
    faults = {
        _UNKNOWN: "detainers have a lift reason that data/judgements/lift_reasons.csv lacks",
        "date_carried": "empty prepare dates are taken from the row before, as NPR did",
        "detainer_lift_date < detainer_prepare_date": "detainers end before they are issued",
        "duplicate_later": "detainers repeat one of the same person and day; they are kept",
    }
    counts = ", ".join(map(_count, faults))
    rows = _one(connection, f"SELECT {counts} FROM kept")
    for said, count in zip(faults.values(), rows, strict=True):
        if count:
            yield f"{count:,} {said}"
    (most,) = _one(
        connection,
        "SELECT coalesce(max(n), 0) FROM "
        "(SELECT count(*) AS n FROM kept WHERE duplicate_later GROUP BY person)",
    )
    if most > MANY_REPEATS:
        yield f"{most:,} of them have one key of a person: is it a mark of redaction?"
