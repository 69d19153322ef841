"""Checks of records for the kinds of error that ICE's weekly reports of 2017 had.

Each check looks at the records that a week's report rests on, those issued or declined in its seven
days, and holds them against what the same records say elsewhere. It finds rows to be looked at; no
check can prove an error, and none can see an error that leaves no trace in the records.
"""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from helpers.disclosure import shown
from helpers.records.columns import DECLINED
from helpers.weekly_policies import SPELLED
from helpers.weekly_report import COUNTED

if TYPE_CHECKING:
    import duckdb

LEVEL = 0.01
"""Level of the test behind `above_past`, for all agencies of a week together (Bonferroni)."""

TIMES = 3.0
"""Detainers of a week over those expected from an agency's past, from which on it is flagged."""

PAST_WEEKS = 52
"""Weeks before the report that are an agency's past."""


class Check(NamedTuple):
    """One check.

    Attributes
    ----------
    words
        What it finds.
    needs
        Columns without which it cannot be made.
    query
        SQL of the rows to be looked at, of `week` and what stands beside it.
    """

    words: str
    needs: tuple[str, ...]
    query: str


_OTHER = """other.person = week.person AND agency(other.facility_code, other.facility)
    <> agency(week.facility_code, week.facility)"""

CHECKS = {
    "similar_name": Check(
        "name and state are not those that the facility's code has elsewhere: the name is, in "
        "another state",
        ("facility_code", "state"),
        """
        SELECT week.* FROM week JOIN usual USING (facility_code)
        WHERE spelled(week.facility) = usual.name AND week.state <> usual.state
        """,
    ),
    "state_jail": Check(
        "the name is not the one that the facility's code has elsewhere, but that of a county jail "
        "or state jail of the same name",
        ("facility_code", "state"),
        """
        SELECT week.* FROM week JOIN usual USING (facility_code)
        JOIN usual AS named
            ON spelled(week.facility) = named.name AND week.state = named.state
        WHERE week.state = usual.state AND named.name <> usual.name
            AND kindless(named.name) = kindless(usual.name)
        """,
    ),
    "transferred": Check(
        "declined, although a detainer for the same person had gone to another agency by then",
        ("person", "detainer_lift_date"),
        f"""
        SELECT week.* FROM week WHERE lift_reason_group = '{DECLINED}' AND EXISTS (
            FROM counted AS other
            WHERE {_OTHER} AND other.detainer_prepare_date > week.detainer_prepare_date
                AND other.detainer_prepare_date <= week.detainer_lift_date
        )
        """,
    ),
    "above_past": Check(
        f"of an agency with {TIMES:g} times the detainers expected from its past and the week's "
        "total, beyond chance",
        ("facility",),
        """
        SELECT week.* FROM week JOIN surges
            ON agency(week.facility_code, week.facility) = surges.agency
        WHERE week.issued_now
        """,
    ),
    "never_held": Check(
        "declined, while another agency held the same person from before until ICE came",
        ("person", "detainer_lift_date"),
        f"""
        SELECT week.* FROM week WHERE lift_reason_group = '{DECLINED}' AND EXISTS (
            FROM counted AS other
            WHERE {_OTHER} AND other.lift_reason_group = 'taken_into_custody'
                AND other.detainer_prepare_date <= week.detainer_prepare_date
                AND other.detainer_lift_date > week.detainer_lift_date
        )
        """,
    ),
}
"""The checks, by the kinds of `helpers.synthetic_errors`."""

_IN_WEEK = f"""(detainer_prepare_date BETWEEN $start AND $end
    OR (lift_reason_group = '{DECLINED}' AND detainer_lift_date BETWEEN $start AND $end))"""

_MACROS = (
    SPELLED,
    r"""CREATE OR REPLACE MACRO kindless(name) AS
        trim(regexp_replace(name, '\b(STATE|COUNTY)\b\s*', '', 'g'))""",
    "CREATE OR REPLACE MACRO agency(code, facility) AS coalesce(code, facility)",
)

_TABLES = {
    "counted": f"""
        SELECT file, sheet, "row", facility, facility_code, state, person, lift_reason_group,
            detainer_prepare_date, detainer_lift_date
        FROM {COUNTED}
    """,
    "week": f"""
        SELECT *, detainer_prepare_date BETWEEN $start AND $end AS issued_now
        FROM counted WHERE {_IN_WEEK}
    """,
    # What a code means is read from the records outside the week, where most are right.
    "usual": f"""
        WITH written AS (
            SELECT facility_code, facility, state, count(*) AS records FROM counted
            WHERE NOT coalesce({_IN_WEEK}, false) AND facility_code IS NOT NULL GROUP BY ALL
        ),
        named AS (
            SELECT facility_code, spelled(facility) AS name, state, sum(records) AS records
            FROM written GROUP BY ALL
        )
        SELECT facility_code, name, state FROM named
        QUALIFY row_number()
            OVER (PARTITION BY facility_code ORDER BY records DESC, name, state) = 1
    """,
}
"""The tables that the checks look at, in the order in which they are made."""

_COUNTS = """
SELECT agency(facility_code, facility) AS agency,
    count(*) FILTER (WHERE detainer_prepare_date >= $start) AS now,
    count(*) FILTER (WHERE detainer_prepare_date < $start) AS past
FROM counted
WHERE detainer_prepare_date BETWEEN $since AND $end AND facility IS NOT NULL
GROUP BY ALL ORDER BY agency
"""


def possible(database: "duckdb.DuckDBPyConnection", check: str) -> bool:
    """Whether the records have what a check needs; most layouts do not date the end."""
    needed = " AND ".join(f"count({name}) > 0" for name in CHECKS[check].needs)
    return bool(database.execute(f"SELECT {needed} FROM records").fetchall()[0][0])


def flagged(
    database: "duckdb.DuckDBPyConnection", start: dt.date, checks: Iterable[str] = CHECKS
) -> dict[str, pd.DataFrame]:
    """Return the rows of a week that each check finds.

    Parameters
    ----------
    database
        Records.
    start
        First of the seven days.
    checks
        Some of `CHECKS`; all, unless given.

    Returns
    -------
    dict of pandas.DataFrame
        By check: `file`, `sheet`, `row`, `facility`, `state` and `agency` (its code, or name), in
        order. For the reader's own machine: rows are of persons.
    """
    days = {"start": start, "end": start + dt.timedelta(days=6)}
    for macro in _MACROS:
        database.execute(macro)
    for name, query in _TABLES.items():
        asked = days if "$" in query else {}
        database.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}", asked)
    surges = _surges(database, days)
    database.register("surges", surges)
    found = {check: _found(database, check) for check in checks}
    database.unregister("surges")
    return found


def summary(
    database: "duckdb.DuckDBPyConnection", start: dt.date, minimum_cell: int
) -> pd.DataFrame:
    """Section IV: what each check finds in a week, as it can be shown.

    Returns
    -------
    pandas.DataFrame
        One row a check: `check`, `finds` (words), `possible` (whether the records have what it
        needs), `any` (whether it finds something), `agencies` and `records` (Int64; NA where it is
        not possible, or hidden). Records of `above_past` are all those of an agency, and are
        always hidden: Section I may hide them. Of the others the agencies are hidden with the
        records: of few records from nearly as many agencies the number would be known.
    """
    rows = []
    can_be = {name: possible(database, name) for name in CHECKS}
    flags = flagged(database, start, [name for name, can in can_be.items() if can])
    for name, check in CHECKS.items():
        found = flags.get(name)
        count = None if found is None or name == "above_past" else shown(len(found), minimum_cell)
        hidden = found is None or (name != "above_past" and count is None)
        agencies = None if found is None or hidden else found["agency"].nunique()
        some = found is not None and not found.empty
        rows.append((name, check.words, can_be[name], some, agencies, count))
    columns = ["check", "finds", "possible", "any", "agencies", "records"]
    return pd.DataFrame(rows, columns=columns).astype({"agencies": "Int64", "records": "Int64"})


def _found(database: "duckdb.DuckDBPyConnection", check: str) -> pd.DataFrame:
    return database.execute(
        f"""
        SELECT DISTINCT file, sheet, "row", facility, state,
            agency(facility_code, facility) AS agency
        FROM ({CHECKS[check].query}) ORDER BY file, sheet, "row"
        """
    ).df()


def _surges(database: "duckdb.DuckDBPyConnection", days: dict[str, dt.date]) -> pd.DataFrame:
    """Return the agencies with far more detainers in the week than expected from their past.

    Given its detainers in both times together, those of the week are binomial if the agency's part
    of all detainers has not changed. Agencies without a past are not judged.
    """
    since = days["start"] - dt.timedelta(weeks=PAST_WEEKS)
    counts = database.execute(_COUNTS, {**days, "since": since}).df()
    counts = counts[counts["past"] > 0]
    if counts.empty:
        return counts[["agency"]]
    now, past = counts["now"].sum(), counts["past"].sum()
    tail = stats.binom.sf(counts["now"] - 1, counts["now"] + counts["past"], now / (now + past))
    far = counts["now"] >= TIMES * counts["past"] * now / past
    beyond = np.asarray(tail) < LEVEL / len(counts)
    return counts.loc[far & beyond, ["agency"]]
