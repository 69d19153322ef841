"""The weekly report on declined detainers, rebuilt from individual records for any seven days.

Sections as in ICE's reports of 2017: I detainers issued to jurisdictions that restrict, II
detainers declined in the week, III policies in force. Section IV, on the data itself, is
`helpers.fidelity`. Each function takes DuckDB with a view `records` (`helpers.records.connect`),
and gives counts under the rule of `helpers.disclosure`; likely copies are left out.
"""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from helpers.disclosure import protect, shown
from helpers.errors import UserError
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


class WeekError(UserError):
    """The records do not cover a week; the message is one line."""


def covered(database: "duckdb.DuckDBPyConnection", start: dt.date) -> None:
    """Check that records cover seven days.

    Raises
    ------
    WeekError
        If they begin later or end earlier, or have no date at all.
    """
    first, last = _one(
        database, "SELECT min(detainer_prepare_date), max(detainer_prepare_date) FROM records"
    )
    if first is None:
        raise WeekError("the records have no date of issue")
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


def place(
    database: "duckdb.DuckDBPyConnection", policies: pd.DataFrame, states: Mapping[str, str]
) -> None:
    """Find the jurisdiction with a policy in which each facility is, and keep it in the database.

    A facility is in a jurisdiction of its own state whose full name (`Travis County`) is in the
    facility's name or is that of its county; where the jurisdiction is the state, all are. A city's
    policy does not count for a county's jail in that city.

    Parameters
    ----------
    database
        Records; afterwards there is a table `places` as well.
    policies
        `jurisdiction`, `state` (two letters), `since` (date; empty where it is not known).
    states
        Two letters of each state by its name in capitals.
    """
    names = pd.DataFrame({"name": list(states), "letters": list(states.values())}, dtype="string")
    listed = policies[["jurisdiction", "state", "since"]].astype({"since": "datetime64[us]"})
    for name, table in (("state_names", names), ("listed", listed)):
        database.register("arriving", table)
        database.execute(f"CREATE OR REPLACE TABLE {name} AS FROM arriving")
        database.unregister("arriving")
    database.execute(SPELLED)
    database.execute(_PLACES)


SPELLED = r"""
CREATE OR REPLACE MACRO spelled(name) AS trim(regexp_replace(regexp_replace(
    ' ' || upper(name) || ' ', '[^A-Z0-9]+', ' ', 'g'), ' CO ', ' COUNTY ', 'g'))
"""
"""A name as it is compared: capitals, without marks, `CO` for county in full."""

_PLACES = """
CREATE OR REPLACE TABLE places AS
WITH jails AS (
    SELECT DISTINCT facility, county, state, coalesce(letters, state) AS letters
    FROM records LEFT JOIN state_names ON state = name
)
SELECT facility, county, jails.state AS state,
    list(jurisdiction ORDER BY strlen(jurisdiction) DESC, jurisdiction)[1] AS jurisdiction,
    any_value(letters) AS letters, min(since)::DATE AS since
FROM jails JOIN listed ON listed.state = letters AND (
    contains(' ' || spelled(facility) || ' ', ' ' || spelled(jurisdiction) || ' ')
    OR spelled(county) || ' COUNTY' = spelled(jurisdiction)
    OR spelled(jurisdiction) LIKE 'STATE OF %'
)
GROUP BY ALL
"""

_ACTIVE = f"""count(*) AS highest,
    count(*) FILTER (WHERE lift_reason IS NULL OR detainer_lift_date > $end) AS lowest
    FROM {COUNTED}
    WHERE detainer_prepare_date <= $end AND coalesce(detainer_lift_date > $end, true)"""

_IN_PLACES = """places ON places.facility IS NOT DISTINCT FROM counted.facility
    AND places.county IS NOT DISTINCT FROM counted.county
    AND places.state IS NOT DISTINCT FROM counted.state
    AND coalesce(places.since, $start) <= $end"""


def issued(
    database: "duckdb.DuckDBPyConnection", start: dt.date, minimum_cell: int
) -> pd.DataFrame:
    """Section I: detainers issued in the week to jurisdictions with a policy in force.

    Parameters
    ----------
    database
        Records, with `place` done.
    start
        First of the seven days.
    minimum_cell
        The smallest count shown.

    Returns
    -------
    pandas.DataFrame
        Most detainers first: `jurisdiction`, `state`, `detainers` (Int64, NA where hidden).
    """
    return _protected(
        database,
        f"""
        SELECT jurisdiction, letters AS state, count(*) AS detainers
        FROM {COUNTED} AS counted JOIN {_IN_PLACES}
        WHERE detainer_prepare_date BETWEEN $start AND $end
        GROUP BY ALL
        """,
        start,
        minimum_cell,
    )


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
    return _protected(
        database,
        f"""
        SELECT coalesce(jurisdiction, '{OTHERS}') AS jurisdiction, coalesce(letters, '') AS state,
            count(*) AS detainers
        FROM {_declined(database)} AS counted LEFT JOIN {_IN_PLACES}
        GROUP BY ALL
        """,
        start,
        minimum_cell,
    )


def declined_by(
    database: "duckdb.DuckDBPyConnection", by: str, start: dt.date, minimum_cell: int
) -> pd.DataFrame:
    """Section II: detainers declined in the week, by one of `BREAKDOWNS`.

    Returns
    -------
    pandas.DataFrame
        `by` (text) and `detainers` (Int64, NA where hidden): ages in order, others by count. An age
        is `not recorded` where the end has no date, or one before the issue.
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
    return _in_order(counted) if by == "age" else counted


def active(
    database: "duckdb.DuckDBPyConnection", start: dt.date, minimum_cell: int
) -> pd.DataFrame:
    """Detainers active at the end of the week, by age.

    As `helpers.records.summaries.active`, a detainer that ended on an unknown day counts as ended
    in `lowest` and as active in `highest`.

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
    told = shown(highest - lowest, minimum_cell) is not None
    return {
        "lowest": shown(lowest, minimum_cell) if told else None,
        "highest": shown(highest, minimum_cell),
    }


def left_custody(
    database: "duckdb.DuckDBPyConnection", start: dt.date, minimum_cell: int
) -> pd.DataFrame:
    """Detainers whose person left custody without ICE taking them, by reason.

    Counted are all that ended until the end of the week, or, where the records do not date the end,
    all issued until then. A declination need not mean that the person left custody.

    Returns
    -------
    pandas.DataFrame
        `reason` (as recorded), `detainers` (Int64, NA where hidden), most first.
    """
    day = "detainer_lift_date" if is_dated(database) else "detainer_prepare_date"
    return _protected(
        database,
        f"""
        SELECT lift_reason AS reason, count(*) AS detainers FROM {COUNTED}
        WHERE lift_reason_group IN ('left_custody', '{DECLINED}') AND {day} <= $end
        GROUP BY ALL
        """,
        start,
        minimum_cell,
    )


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


def published_policies(policies: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """Put together the published lists of jurisdictions with a policy.

    Parameters
    ----------
    policies
        Table `policies_2008_2015`.
    listed
        Table `listed_jurisdictions_2017`: of ICE's reports, as far as named.

    Returns
    -------
    pandas.DataFrame
        One row a jurisdiction: `jurisdiction`, `state`, `since`: first day of the month or year of
        the policy; where no date is published, of the first report that lists it.
    """
    first = listed["listed_week_1"].eq("yes").map({True: "2017-01-28", False: "2017-02-04"})
    of_reports = listed["date_enacted"].where(listed["date_enacted"].ne(""), first)
    both = pd.concat([policies, listed.assign(date_enacted=of_reports)], ignore_index=True)
    both["since"] = pd.to_datetime(both["date_enacted"], format="ISO8601")
    key = both["jurisdiction"].str.upper().str.removesuffix(" COUNTY") + both["state"]
    kept = both.sort_values("since", kind="stable")
    kept = kept[~key.loc[kept.index].duplicated()].sort_index()
    return kept[["jurisdiction", "state", "since"]].reset_index(drop=True)


def in_force(policies: pd.DataFrame, start: dt.date) -> pd.DataFrame:
    """Section III: policies in force by the last of the seven days.

    Returns
    -------
    pandas.DataFrame
        Rows of the policies, oldest first; those without a date are taken to be in force.
    """
    end = pd.Timestamp(start) + pd.Timedelta(days=6)
    chosen = policies[~(policies["since"] > end)]
    return chosen.sort_values(["since", "state", "jurisdiction"], ignore_index=True)


def _declined(database: "duckdb.DuckDBPyConnection") -> str:
    """Return the declined detainers of the week, as SQL."""
    day = "detainer_lift_date" if is_dated(database) else "detainer_prepare_date"
    return (
        f"(FROM {COUNTED} WHERE lift_reason_group = '{DECLINED}' AND {day} BETWEEN $start AND $end)"
    )


def _age(until: str) -> str:
    """Return the class of age on a day, as SQL."""
    days = f"({until} - detainer_prepare_date)"
    classes = (f"WHEN {days} < {end} THEN '{name}'" for name, end in AGES.items() if end)
    whens = f"WHEN coalesce({days}, -1) < 0 THEN '{_UNKNOWN}' {' '.join(classes)}"
    return f"CASE {whens} ELSE '{[*AGES][-1]}' END"


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    order = table["age"].map([*AGES, _UNKNOWN].index)
    return table.loc[order.sort_values().index].reset_index(drop=True)


def _protected(
    database: "duckdb.DuckDBPyConnection", query: str, start: dt.date, minimum_cell: int
) -> pd.DataFrame:
    """Count detainers by the other columns, most first.

    The order of hidden counts would tell of them, so their rows are in order of their names.
    """
    counted = _query(database, query, start)
    names = [name for name in counted if name != "detainers"]
    protected = protect(
        counted.sort_values(names, ignore_index=True), "detainers", (), minimum_cell
    )
    return protected.sort_values("detainers", ascending=False, kind="stable", ignore_index=True)


def _query(database: "duckdb.DuckDBPyConnection", query: str, start: dt.date) -> pd.DataFrame:
    """Run a query of the seven days from `$start` to `$end`."""
    days = {"start": start, "end": start + dt.timedelta(days=6)}
    asked = {name: day for name, day in days.items() if f"${name}" in query}
    return database.execute(query, asked).df()


def _one(database: "duckdb.DuckDBPyConnection", query: str) -> tuple:
    ((*row,),) = database.execute(query).fetchall()  # an aggregate of all rows: one row
    return tuple(row)
