"""Policies that restrict, and the facilities to which they apply, for the weekly report."""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import duckdb


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
    key = both["jurisdiction"].str.upper() + both["state"]
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


def place(
    database: "duckdb.DuckDBPyConnection", policies: pd.DataFrame, states: Mapping[str, str]
) -> None:
    """Find the jurisdiction with a policy in which each facility is, and keep it in the database.

    A facility is in a jurisdiction of its own state whose full name (`Travis County`) is in the
    facility's name or is that of its county. A city's policy does not count for a county's jail in
    that city, nor for that of a county of its name. Where the jurisdiction is the state, all are in
    it that are in no other.

    Parameters
    ----------
    database
        Records; afterwards there is a table `places` as well.
    policies
        Those in force: `jurisdiction`, `state` (two letters).
    states
        Two letters of each state by its name in capitals.
    """
    names = pd.DataFrame({"name": list(states), "letters": list(states.values())}, dtype="string")
    listed = policies[["jurisdiction", "state"]].astype("string")
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
),
named AS (
    SELECT jurisdiction, state, spelled(jurisdiction) AS name,
        spelled(jurisdiction) LIKE 'STATE OF %' AS whole_state
    FROM listed
)
SELECT facility, county, jails.state AS state, any_value(letters) AS letters,
    list(jurisdiction ORDER BY whole_state, strlen(jurisdiction) DESC, jurisdiction)[1]
        AS jurisdiction
FROM jails JOIN named ON named.state = letters AND (
    (
        contains(' ' || spelled(facility) || ' ', ' ' || named.name || ' ')
        AND NOT contains(' ' || spelled(facility) || ' ', ' ' || named.name || ' COUNTY ')
    )
    OR spelled(county) || ' COUNTY' = named.name
    OR whole_state
)
GROUP BY ALL
"""
