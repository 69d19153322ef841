"""The weekly report on declined detainers, rebuilt from individual records for any seven days.

Sections as in ICE's reports of 2017: I detainers issued to jurisdictions that restrict, II
detainers declined in the week, III policies in force. Section IV, on the data itself, is
`helpers.fidelity`. Each function takes DuckDB with a view `records` (`helpers.records.connect`),
and gives counts under the rule of `helpers.disclosure`; likely copies are left out.
"""

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from helpers.disclosure import MINIMUM_CELL, protect, shown
from helpers.errors import UserError
from helpers.records import summaries
from helpers.records.columns import DECLINED

if TYPE_CHECKING:
    import duckdb

OTHERS = "agencies without a listed policy"
"""The row of Section II that holds all agencies of no listed jurisdiction."""

AGES = {
    "under 1 week": 7,
    "1 week to 1 month": 30,
    "1 to 3 months": 91,
    "3 to 6 months": 182,
    "6 to 12 months": 365,
    "1 year and more": None,
}
"""Classes of age and the days at which each ends."""

_YOUNG = "under 1 month"
"""The first two classes of the active together, where the first would give away a small count."""

BREAKDOWNS = {
    "age": "age of the detainer when it was declined",
    "offence": "most serious conviction, or where none is recorded ICE's class of criminal history",
    "citizenship": "citizenship",
}
"""What Section II breaks the declined detainers down by, besides jurisdictions.

Convictions and criminal history are one breakdown: who has a conviction is of the class of the
convicted, so that a table of each would give away what is hidden in the other.
"""

COUNTED = "(FROM records WHERE NOT coalesce(duplicate_later, false))"
"""The records without likely copies, as SQL."""

_UNKNOWN = "not recorded"
_OTHERWISE = "otherwise"

AGES_IN_ORDER = (_YOUNG, *AGES, _UNKNOWN)
"""All that a table may have in its column `age`."""


class WeekError(UserError):
    """The records do not cover a week; the message is one line."""


def covered(database: "duckdb.DuckDBPyConnection", start: dt.date) -> None:
    """Check that records cover seven days.

    Raises
    ------
    WeekError
        If they begin later or end earlier, a few outermost days left out, or hardly any is dated.
    """
    days = summaries.span(database)
    if days is None:
        raise WeekError(f"under {MINIMUM_CELL} records have a date of issue")
    first, last = days
    if not first <= start <= last - dt.timedelta(days=6):
        raise WeekError(
            f"week_start = {start}: the records cover weeks that start from {first} to "
            f"{last - dt.timedelta(days=6)}"
        )


def is_dated(database: "duckdb.DuckDBPyConnection") -> bool:
    """Whether the records say when detainers ended; most layouts do not.

    Where they do not, Section II counts the detainers *issued* in the week that were declined
    whenever, which is another count.
    """
    (dates,) = _one(database, "SELECT count(detainer_lift_date) FROM records")
    return bool(dates)


_JURISDICTIONS = f"""
WITH chosen AS (
    SELECT facility, county, state, detainer_prepare_date BETWEEN $start AND $end AS issued,
        coalesce(lift_reason_group = '{DECLINED}' AND {{day}} BETWEEN $start AND $end, false)
            AS declined
    FROM {COUNTED}
)
SELECT coalesce(jurisdiction, '{OTHERS}') AS jurisdiction, coalesce(letters, '') AS state,
    count(*) FILTER (WHERE issued) AS issued, count(*) FILTER (WHERE declined) AS declined
FROM chosen LEFT JOIN places ON places.facility IS NOT DISTINCT FROM chosen.facility
    AND places.county IS NOT DISTINCT FROM chosen.county
    AND places.state IS NOT DISTINCT FROM chosen.state
WHERE issued OR declined
GROUP BY ALL
"""

_ACTIVE = f"""count(*) AS highest,
    count(*) FILTER (WHERE lift_reason IS NULL OR detainer_lift_date > $end) AS lowest
    FROM {COUNTED}
    WHERE detainer_prepare_date <= $end AND coalesce(detainer_lift_date > $end, true)"""


def issued(
    database: "duckdb.DuckDBPyConnection", start: dt.date, minimum_cell: int
) -> pd.DataFrame:
    """Section I: detainers issued in the week to jurisdictions with a policy in force.

    Parameters
    ----------
    database
        Records, with `weekly_policies.place` done.
    start
        First of the seven days.
    minimum_cell
        The smallest count shown.

    Returns
    -------
    pandas.DataFrame
        Most detainers first: `jurisdiction`, `state`, `detainers` (Int64, NA where hidden).
    """
    table = _of_jurisdictions(database, "issued", start, minimum_cell)
    return table[table["jurisdiction"].ne(OTHERS)].reset_index(drop=True)


def declined(
    database: "duckdb.DuckDBPyConnection", start: dt.date, minimum_cell: int
) -> pd.DataFrame:
    """Section II: detainers declined in the week, by jurisdiction.

    Returns
    -------
    pandas.DataFrame
        Most detainers first: `jurisdiction`, `state`, `detainers` (Int64, NA where hidden); one row
        holds the `OTHERS`.
    """
    return _of_jurisdictions(database, "declined", start, minimum_cell)


def declined_by(
    database: "duckdb.DuckDBPyConnection", by: str, start: dt.date, minimum_cell: int
) -> pd.DataFrame:
    """Section II: detainers declined in the week, by one of `BREAKDOWNS`.

    Returns
    -------
    pandas.DataFrame
        `by` (text) and `detainers` (Int64, NA where hidden): ages in order, others by count. An age
        is `not recorded` where the end has no date, or one before the issue. No rows where the
        declined cannot be `told`.
    """
    classes = {
        "age": _age("detainer_lift_date"),
        "offence": f"coalesce(conviction, criminality, '{_UNKNOWN}')",
        "citizenship": f"coalesce(citizenship, '{_UNKNOWN}')",
    }
    counted = _protected(
        database,
        f"""
        SELECT {classes[by]} AS "{by}", count(*) AS detainers
        FROM {_declined(database)} GROUP BY ALL
        """,
        start,
        minimum_cell,
    )
    if not told(database, start, minimum_cell):
        return counted.iloc[:0]
    return _in_order(counted) if by == "age" else counted


def active(
    database: "duckdb.DuckDBPyConnection", start: dt.date, minimum_cell: int
) -> pd.DataFrame:
    """Detainers active at the end of the week, by age.

    As `helpers.records.summaries.active`, a detainer that ended on an unknown day counts as ended
    in `lowest` and as active in `highest`.

    The active under a week old are those issued in the week less those of them that ended in it;
    where no end is dated, those between its bounds are the week's declined and those that ended
    otherwise. Where such a remainder is small, the class is one with the next.

    Returns
    -------
    pandas.DataFrame
        `age` (text, in order), `lowest`, `highest` (Int64, NA where hidden).
    """
    table = _query(
        database,
        f"""
        SELECT {_age("$end")} AS age, {_ACTIVE} GROUP BY ALL
        """,
        start,
    )
    first, second, *_ = AGES
    young = table.loc[table["age"].eq(first), ["highest", "lowest"]].sum()
    week = totals(database, start)
    apart = [week["issued"] - young["highest"]]
    if not is_dated(database):
        apart.append(young["highest"] - young["lowest"] - week["declined"])
    if any(shown(int(count), minimum_cell) is None for count in apart):
        table["age"] = table["age"].replace([first, second], _YOUNG)
        table = table.groupby("age", as_index=False)[["highest", "lowest"]].sum()
    protected = protect(_in_order(table), "highest", ["lowest"], minimum_cell)
    return protected[["age", "lowest", "highest"]]


def active_total(
    database: "duckdb.DuckDBPyConnection", start: dt.date, minimum_cell: int
) -> dict[str, int | None]:
    """Count the detainers active at the end of the week.

    Returns
    -------
    dict
        `lowest` and `highest`, as in `active`; None where hidden. Their difference is a count, too:
        of detainers that ended on an unknown day. Where it is small, `lowest` is hidden.
    """
    row = _query(database, f"SELECT {_ACTIVE}", start).iloc[0]
    lowest, highest = int(row["lowest"]), int(row["highest"])
    apart = shown(highest - lowest, minimum_cell) is not None
    return {
        "lowest": shown(lowest, minimum_cell) if apart else None,
        "highest": shown(highest, minimum_cell),
    }


def left_custody(
    database: "duckdb.DuckDBPyConnection", start: dt.date, minimum_cell: int
) -> pd.DataFrame:
    """Detainers whose person left custody without ICE taking them, by reason.

    Counted are all that ended until the end of the week, or, where the records do not date the end,
    all issued until then. A declination need not mean that the person left custody.

    What ended for other reasons, or for none recorded, is protected with them: where no end is
    dated, the bounds of the active give the sums. Those declined before the week are these less the
    week's: where they are few, the row is hidden.

    Returns
    -------
    pandas.DataFrame
        `reason` (as recorded), `detainers` (Int64, NA where hidden), most first.
    """
    of_group = f"lift_reason_group = '{DECLINED}'"
    table = _query(
        database,
        f"""
        SELECT CASE WHEN {of_group} OR lift_reason_group = 'left_custody' THEN lift_reason
                WHEN lift_reason IS NULL THEN '{_UNKNOWN}' ELSE '{_OTHERWISE}' END AS reason,
            count(*) AS detainers, count(*) FILTER (WHERE {of_group}) AS declined
        FROM {COUNTED} WHERE {_day_of_end(database)} <= $end
        GROUP BY ALL ORDER BY reason
        """,
        start,
    )
    week = totals(database, start)["declined"]
    earlier = shown(int(table["declined"].sum()) - week, minimum_cell)
    protected = protect(table, "detainers", (), minimum_cell)
    if earlier is None and shown(week, minimum_cell) is not None:
        protected["detainers"] = protected["detainers"].mask(protected["declined"] > 0)
    some = protected[~protected["reason"].isin([_OTHERWISE, _UNKNOWN])]
    return _most_first(some[["reason", "detainers"]])


def totals(database: "duckdb.DuckDBPyConnection", start: dt.date) -> dict[str, int]:
    """Count `rows` of the records, and detainers `issued` and `declined` in the week.

    Not protected: for the reader's own machine.
    """
    (rows,) = _one(database, "SELECT count(*) FROM records")
    week = _query(
        database,
        f"""
        SELECT (SELECT count(*) FROM {COUNTED}
            WHERE detainer_prepare_date BETWEEN $start AND $end) AS issued,
            (SELECT count(*) FROM {_declined(database)}) AS declined
        """,
        start,
    ).iloc[0]
    return {"rows": rows, "issued": int(week["issued"]), "declined": int(week["declined"])}


def told(database: "duckdb.DuckDBPyConnection", start: dt.date, minimum_cell: int) -> bool:
    """Whether the sum of the week's declined can stand beside that of the issued.

    Where no end is dated the former are a part of the latter, and what they leave is a count.
    """
    week = totals(database, start)
    rest = week["issued"] - week["declined"]
    return is_dated(database) or shown(rest, minimum_cell) is not None


def _declined(database: "duckdb.DuckDBPyConnection") -> str:
    """Return the declined detainers of the week, as SQL."""
    day = _day_of_end(database)
    return (
        f"(FROM {COUNTED} WHERE lift_reason_group = '{DECLINED}' AND {day} BETWEEN $start AND $end)"
    )


def _of_jurisdictions(
    database: "duckdb.DuckDBPyConnection", count: str, start: dt.date, minimum_cell: int
) -> pd.DataFrame:
    """Count detainers issued or declined in the week by jurisdiction, most first.

    Where the records do not date the end, those declined are a part of those issued, and what they
    leave is a count, too: both are protected together.
    """
    counted = _query(database, _JURISDICTIONS.format(day=_day_of_end(database)), start)
    counted = counted.sort_values(["jurisdiction", "state"], ignore_index=True)
    if is_dated(database):
        some = counted[counted[count] > 0].reset_index(drop=True)
        protected = protect(some, count, (), minimum_cell)
    else:
        protected = protect(counted, "issued", ["declined"], minimum_cell)
    some = protected[protected[count].ne(0).fillna(True)].rename(columns={count: "detainers"})
    return _most_first(some[["jurisdiction", "state", "detainers"]])


def _day_of_end(database: "duckdb.DuckDBPyConnection") -> str:
    """Return the column of the day on which a detainer counts as declined."""
    return "detainer_lift_date" if is_dated(database) else "detainer_prepare_date"


def _age(until: str) -> str:
    """Return the class of age on a day, as SQL."""
    days = f"({until} - detainer_prepare_date)"
    classes = (f"WHEN {days} < {end} THEN '{name}'" for name, end in AGES.items() if end)
    whens = f"WHEN coalesce({days}, -1) < 0 THEN '{_UNKNOWN}' {' '.join(classes)}"
    return f"CASE {whens} ELSE '{[*AGES][-1]}' END"


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    order = table["age"].map(AGES_IN_ORDER.index)
    return table.loc[order.sort_values().index].reset_index(drop=True)


def _protected(
    database: "duckdb.DuckDBPyConnection", query: str, start: dt.date, minimum_cell: int
) -> pd.DataFrame:
    """Count detainers by the other column, most first."""
    counted = _query(database, query, start)
    names = [name for name in counted if name != "detainers"]
    counted = counted.sort_values(names, ignore_index=True)
    return _most_first(protect(counted, "detainers", (), minimum_cell))


def _most_first(protected: pd.DataFrame) -> pd.DataFrame:
    """Order rows by their count, those hidden last as they are: an order would tell of them."""
    return protected.sort_values("detainers", ascending=False, kind="stable", ignore_index=True)


def _query(database: "duckdb.DuckDBPyConnection", query: str, start: dt.date) -> pd.DataFrame:
    """Run a query of the seven days from `$start` to `$end`."""
    days = {"start": start, "end": start + dt.timedelta(days=6)}
    asked = {name: day for name, day in days.items() if f"${name}" in query}
    return database.execute(query, asked).df()


def _one(database: "duckdb.DuckDBPyConnection", query: str) -> tuple:
    ((*row,),) = database.execute(query).fetchall()  # an aggregate of all rows: one row
    return tuple(row)
