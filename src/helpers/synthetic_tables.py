"""Synthetic records as Arrow tables, and as the view that reading a file of them would give."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from helpers import synthetic_records as drawn
from helpers.records.columns import CANONICAL
from helpers.synthetic_errors import KINDS

if TYPE_CHECKING:
    import duckdb

TRUTH = ("error", "refused_date")
"""Columns that no file has: the kind of error (empty for none), and the day of the refusal, of
which the date of lifting is the record."""

_FORMS = (
    "I247D - Immigration Detainer - Request for Action",
    "I247N - Immigration Advisal - Request for Notification",
    "I247A - Immigration Detainer - Immigration Detainer - Notice of Action",
)
_HEX = np.frombuffer(bytes(range(256)).hex().encode(), np.uint8).reshape(256, 2)
_MADE_BY_READERS = {
    "duplicate_likely": "CASE WHEN drawn.person IS NOT NULL THEN first_row IS NOT NULL END",
    "duplicate_later": (
        'CASE WHEN drawn.person IS NOT NULL THEN coalesce("row" > first_row, false) END'
    ),
    "date_carried": "false",
    "junk_dates": "NULL",
    "file": "'synthetic'",
    "sheet": "''",
}


def blocks(made: drawn.Design) -> Iterator[pa.Table]:
    """Draw the records of a design, a week at a time.

    Yields
    ------
    pyarrow.Table
        The columns of `helpers.records.columns` that are no flags, in their order, with `row`
        (from 2, as below a header), and those of `TRUTH`.
    """
    first = 2
    for rows in drawn.weeks(made):
        yield _table(made, rows, first)
        first += len(rows["agency"])


def connect(made: drawn.Design) -> "duckdb.DuckDBPyConnection":
    """Open DuckDB on the records of a design: a view `records`, as `helpers.records.connect` does.

    The view `drawn` beside it has the truth as well.
    """
    import duckdb

    database = duckdb.connect()
    database.register("drawn", pa.concat_tables(blocks(made)))
    selected = ", ".join(
        f"({_MADE_BY_READERS.get(name, f'drawn.{_quoted(name)}')})::{kind} AS {_quoted(name)}"
        for name, kind, *_ in CANONICAL
    )
    database.execute(
        f"""
        CREATE TABLE records AS
        WITH repeats AS (
            SELECT person, detainer_prepare_date, min("row") AS first_row FROM drawn
            WHERE person IS NOT NULL GROUP BY ALL HAVING count(*) > 1
        )
        SELECT {selected} FROM drawn LEFT JOIN repeats USING (person, detainer_prepare_date)
        ORDER BY "row"
        """
    )
    return database


def _quoted(name: str) -> str:
    return f'"{name}"'


def _table(made: drawn.Design, rows: drawn.Rows, first: int) -> pa.Table:
    to, written = made.agencies, rows["written"]
    jails = [*to.facility, *(name.replace("COUNTY", "CO") for name in to.facility)]
    reasons = list(drawn.REASONS)
    form = np.where(rows["prepared"] >= drawn.NEW_FORM, 2, rows["notice_only"])
    columns = {
        "detainer_prepare_date": _dates(rows["prepared"]),
        "detainer_lift_date": _dates(rows["lifted"]),
        "lift_reason": _texts(reasons, rows["reason"]),
        "lift_reason_group": _texts([drawn.REASONS[of][0] for of in reasons], rows["reason"]),
        "facility": _texts(jails, written + len(to.facility) * rows["misspelt"]),
        "facility_code": _texts(to.code, rows["agency"]),
        "city": _texts(to.city, written),
        "county": _texts(to.county, written),
        "state": _texts(to.state, written),
        "aor": _texts(to.offices, to.office[rows["agency"]]),
        "detainer_type": _texts(_FORMS, form),
        "detainer_form": _texts([f"I-{text[1:4]}{text[4]}" for text in _FORMS], form),
        "person": _keys(rows["person"], rows["redacted"]),
        "citizenship": _texts(
            [*drawn.CITIZENSHIPS, *drawn.OTHER_CITIZENSHIPS], rows["citizenship"]
        ),
        "gender": _texts(["Female", "Male"], rows["male"]),
        "criminality": _texts(list(drawn.CRIMINALITY), rows["criminality"]),
        "threat_level": pa.array(rows["threat"], pa.int32(), mask=rows["threat"] == 0),
        "conviction": _texts(list(drawn.CONVICTIONS), rows["conviction"]),
        "apprehension_date": _dates(rows["apprehended"]),
        "departed_date": _dates(rows["departed"]),
        "case_status": _texts(["ACTIVE", "6-Deported/Removed"], rows["departed"] >= 0),
        "row": pa.array(np.arange(first, first + len(written))),
        "error": _texts(["", *KINDS], rows["error"]),
        "refused_date": _dates(rows["refused"]),
    }
    return pa.table(columns)


def _dates(days: NDArray[np.int64]) -> pa.Array:
    return pa.array(days.astype(np.int32), pa.int32(), mask=days < 0).cast(pa.date32())


def _texts(values: Sequence[str], positions: NDArray[Any]) -> pa.DictionaryArray:
    """Return texts by position; none where it is negative."""
    once = {value: at for at, value in enumerate(dict.fromkeys(values))}
    places = np.array([once[value] for value in values], np.int32)
    at = positions.astype(np.int32)
    return pa.DictionaryArray.from_arrays(
        pa.array(places[np.maximum(at, 0)], mask=at < 0), pa.array(list(once))
    )


def _keys(numbers: NDArray[np.int64], redacted: NDArray[np.bool_]) -> pa.Array:
    """Return a key of 40 hexadecimal digits for each number (SplitMix64, Steele et al. 2014)."""
    words = np.empty((len(numbers), 3), np.uint64)
    for at in range(3):
        mixed = numbers.astype(np.uint64) * np.uint64(3) + np.uint64(at)
        mixed *= np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        words[:, at] = mixed ^ (mixed >> np.uint64(31))
    digits = _HEX[words.astype("<u8").view(np.uint8).reshape(-1, 24)[:, :20]]
    offsets = np.arange(0, 40 * len(numbers) + 1, 40, dtype=np.int32)
    keys = pa.StringArray.from_buffers(
        len(numbers), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(digits))
    )
    return pc.if_else(pa.array(redacted), None, keys)
