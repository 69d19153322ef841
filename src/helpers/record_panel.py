"""Individual records as counts by office and week, in the form that `helpers.panel` reads.

Offices are the areas of responsibility of the records. Weeks run from Saturday to Friday, as those
of ICE's reports; one that is not wholly in the records is left out.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from helpers.disclosure import MINIMUM_CELL, protect
from helpers.panel import COLUMNS
from helpers.records import summaries
from helpers.records.columns import DECLINED
from helpers.records.problems import RecordsError, place

if TYPE_CHECKING:
    import duckdb

POLICY_COLUMNS = {
    "office": "area of responsibility, as the records name it",
    "stopped": "first day on which it did not issue to agencies known not to cooperate",
    "resumed": "first day on which it did so again; empty while it has not",
}
"""Columns of a file of policy dates: CSV, one row an area that stopped, days as 2017-02-21."""

NO_OFFICE, OUTSIDE = "no_office", "outside"

DROPPED = {
    NO_OFFICE: "no area of responsibility",
    "backwards": "declined before they were issued",
    "undated": "declined on an unknown day",
}
"""Rows that are not counted, or of which the declination is not, and how they are called.

Likely repeats and rows without a day of issue are not counted, either; how many there are
`helpers.record_ages` says. Said here again, among other counts, it would give away what is hidden
there.
"""


@dataclass(frozen=True)
class Counts:
    """Detainers by office and week.

    Attributes
    ----------
    frame
        One row an office and week, all of them: `office`, `week_start`, `issued`, `declined`.
    by_decline
        Whether a declination counts in the week in which the detainer ended, as in a weekly report;
        otherwise, where records have no such day, in the week in which it was issued.
    beside
        What `helpers.record_ages` counts beyond the frame, as `office`, `issued`, `declined`:
        `NO_OFFICE`, and `OUTSIDE` of whole weeks.
    dropped
        Declinations that are not counted, by `why` (of `DROPPED`): `ended`, all detainers that
        `helpers.record_ages` counts as ended so; `detainers`, those of them declined in an area.
    """

    frame: pd.DataFrame
    by_decline: bool
    beside: pd.DataFrame
    dropped: pd.DataFrame


def counts(
    database: "duckdb.DuckDBPyConnection", minimum_cell: int = MINIMUM_CELL
) -> Counts | None:
    """Count records by office and week.

    Parameters
    ----------
    database
        With the view `records` of `helpers.records.connect`.
    minimum_cell
        As in `helpers.records.summaries.span`, by which the records begin and end.

    Returns
    -------
    Counts or None
        None where the records hold no whole week.
    """
    days = summaries.span(database, minimum_cell)
    if days is None:
        return None
    weeks = pd.date_range(*days, freq="W-SAT")
    # The last week is whole if its Friday is in the records.
    weeks = weeks[weeks + pd.Timedelta(days=6) <= pd.Timestamp(days[1])]
    if weeks.empty:
        return None
    by_decline = _has_days_of_decline(database)
    rows = database.execute(_COUNTS.format(day="lifted" if by_decline else "issued")).df()
    every = pd.MultiIndex.from_product(
        [sorted(rows["office"].unique()), weeks], names=["office", "week_start"]
    )
    frame = rows.set_index(["office", "week_start"]).reindex(every, fill_value=0)
    frame = frame.astype("int64").reset_index()
    beside = _beside(database, frame, by_decline, days[1])
    return Counts(frame, by_decline, beside, _dropped(database, by_decline))


_ROWS = f"""
    SELECT aor AS office, detainer_prepare_date AS issued, detainer_lift_date AS lifted,
        lift_reason AS reason, coalesce(lift_reason_group = '{DECLINED}', false) AS declined,
        coalesce(duplicate_later, false) AS repeated
    FROM records
"""
_WEEK = "({day} - ((dayofweek({day}) + 1) % 7)::INTEGER)::DATE"
_COUNTED = "NOT repeated AND office IS NOT NULL AND issued IS NOT NULL"
_COUNTS = f"""
    SELECT office, week_start::TIMESTAMP AS week_start, sum(issues)::BIGINT AS issued,
        sum(declines)::BIGINT AS declined
    FROM (
        SELECT office, {_WEEK.format(day="issued")} AS week_start, 1 AS issues, 0 AS declines
        FROM ({_ROWS}) WHERE {_COUNTED}
        UNION ALL
        SELECT office, {_WEEK} AS week_start, 0, 1
        FROM ({_ROWS}) WHERE {_COUNTED} AND declined AND {{day}} >= issued
    ) GROUP BY ALL
"""


def _has_days_of_decline(database: "duckdb.DuckDBPyConnection") -> bool:
    found = database.execute(
        f"SELECT count(*) FILTER (WHERE lifted IS NOT NULL) >= {MINIMUM_CELL} "
        f"FROM ({_ROWS}) WHERE declined"
    ).fetchone()
    return bool(found and found[0])


def _beside(
    database: "duckdb.DuckDBPyConnection", frame: pd.DataFrame, by_decline: bool, until: dt.date
) -> pd.DataFrame:
    known = "AND lifted BETWEEN issued AND $until" if by_decline else ""
    found = database.execute(
        f"""
        SELECT if(office IS NULL, '{NO_OFFICE}', '{OUTSIDE}') AS office, count(*) AS issued,
            count(*) FILTER (WHERE declined {known}) AS declined
        FROM ({_ROWS}) WHERE issued IS NOT NULL AND NOT repeated GROUP BY ALL
        """,
        {"until": until} if by_decline else {},
    ).df()
    beside = found.set_index("office").reindex([NO_OFFICE, OUTSIDE], fill_value=0).astype("int64")
    beside.loc[OUTSIDE] -= frame[["issued", "declined"]].sum()
    return beside.reset_index()


def _dropped(database: "duckdb.DuckDBPyConnection", by_decline: bool) -> pd.DataFrame:
    if not by_decline:
        return pd.DataFrame({"why": [], "ended": [], "detainers": []})
    return database.execute(
        f"""
        SELECT if(lifted IS NULL, 'undated', 'backwards') AS why, count(*) AS ended,
            count(*) FILTER (WHERE declined AND office IS NOT NULL) AS detainers
        FROM ({_ROWS}) WHERE issued IS NOT NULL AND NOT repeated
            AND (lifted < issued OR (lifted IS NULL AND reason IS NOT NULL))
        GROUP BY ALL ORDER BY why
        """
    ).df()


def read_policy(path: Path, offices: pd.Series) -> pd.DataFrame:
    """Read when areas stopped and resumed issuing to agencies known not to cooperate.

    Parameters
    ----------
    path
        A file with `POLICY_COLUMNS`; areas that it does not name never stopped.
    offices
        The areas of the records.

    Returns
    -------
    pandas.DataFrame
        `office`, `stopped`, `resumed` (dates, empty while it has not resumed).

    Raises
    ------
    RecordsError
        If the file lacks a column, or a row names no area of the records, one twice, or days that
        are none or in the wrong order.
    """
    try:
        found = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as why:
        raise RecordsError(f"{path.name}: no CSV file ({' '.join(str(why).split())})") from None
    if missing := [name for name in POLICY_COLUMNS if name not in found]:
        raise RecordsError(
            f"{path.name}: no column {missing[0]!r}; expected {', '.join(POLICY_COLUMNS)}"
        )
    found = found[list(POLICY_COLUMNS)].apply(lambda column: column.str.strip())
    days = {
        name: pd.to_datetime(found[name], format="%Y-%m-%d", errors="coerce")
        for name in ("stopped", "resumed")
    }
    wrong = {
        "office": ~found["office"].isin(offices) | found["office"].duplicated(),
        "stopped": days["stopped"].isna(),
        "resumed": (days["resumed"].isna() & found["resumed"].ne(""))
        | (days["resumed"] <= days["stopped"]),
    }
    expected = {
        "office": f"each once, areas of the records: {', '.join(sorted(set(offices)))}",
        "stopped": "a day as 2017-02-21",
        "resumed": "a later day as 2017-02-21, or nothing",
    }
    for name, rows in wrong.items():
        if rows.any():
            at = int(rows.idxmax())
            where = place(path.name, row=at + 2, column=name)
            raise RecordsError(f"{where}: {found.at[at, name]!r}; expected {expected[name]}")
    return found.assign(**days)


def with_policy(frame: pd.DataFrame, policy: pd.DataFrame) -> pd.DataFrame:
    """Return counts as `helpers.panel` reads them: with `stopped` and `resumed`.

    A week in which an office stops or resumes is of neither state: it is no week of stop, and the
    first week of resumed issuing is the next one.

    Parameters
    ----------
    frame
        As `Counts.frame`.
    policy
        As from `read_policy`.

    Raises
    ------
    RecordsError
        If an office resumed and the records hold no whole week of its stop.
    """
    days = frame[["office"]].merge(policy, "left", "office").set_axis(frame.index)
    whole = days["resumed"].isna() | (frame["week_start"] + pd.Timedelta(days=6) < days["resumed"])
    stopped = (frame["week_start"] >= days["stopped"]) & whole
    # The first Saturday from the day on.
    wait = (5 - days["resumed"].dt.day_of_week) % 7
    resumed = days["resumed"] + pd.to_timedelta(wait, unit="D")
    seen = stopped.groupby(frame["office"]).transform("any")
    if len(unseen := frame.loc[resumed.notna() & ~seen, "office"]):
        raise RecordsError(
            f"{unseen.iloc[0]} stopped and resumed, but the records hold no whole week of its stop"
        )
    return frame.assign(stopped=stopped, resumed=resumed)[list(COLUMNS)]


def by_office(
    frame: pd.DataFrame, beside: pd.DataFrame, minimum_cell: int = MINIMUM_CELL
) -> pd.DataFrame:
    """Return `office`, `issued` and `declined` in all weeks, small counts hidden, largest first.

    What is `Counts.beside` them is protected with them, and has rows: `02` gives the total.
    """
    table = frame.groupby("office", as_index=False)[["issued", "declined"]].sum()
    table = table.sort_values(["issued", "office"], ascending=[False, True])
    some = beside[beside[["issued", "declined"]].any(axis=1)]
    table = pd.concat([table, some], ignore_index=True)
    if (table["declined"] <= table["issued"]).all():
        return protect(table, "issued", ["declined"], minimum_cell)
    # Detainers issued before the first week can be declined in a later one.
    apart = [protect(table, name, minimum_cell=minimum_cell) for name in ("issued", "declined")]
    return apart[0][["office", "issued"]].merge(apart[1][["office", "declined"]])


def left_out(table: pd.DataFrame, dropped: pd.DataFrame) -> dict[str, int]:
    """Return how many detainers were left out, by those of `DROPPED` of which it can be shown.

    Parameters
    ----------
    table
        As from `by_office`.
    dropped
        As in `Counts`.
    """
    office = table.loc[table["office"].eq(NO_OFFICE)].set_index("office")["issued"]
    some = dropped[dropped["ended"] > 0].reset_index(drop=True)
    others = protect(some, "ended", ["detainers"]).set_index("why")["detainers"]
    told = pd.concat([office, others]).dropna()
    return {str(why): int(number) for why, number in told.items() if number}
