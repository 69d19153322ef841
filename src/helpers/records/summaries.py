"""What records add up to: counts by month, area, reason, agency and day.

Each summary is a sum over rows, so that parts of the records can be counted apart, on one machine
or many, and added up. What is shown or saved of them goes through `helpers.disclosure`.
"""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from helpers.disclosure import MINIMUM_CELL, protect, shown_days
from helpers.records.columns import DECLINED

if TYPE_CHECKING:
    import duckdb

# count_if would give NULL, not 0, where the group of every row is NULL.
_DECLINED = f"count(*) FILTER (WHERE lift_reason_group = '{DECLINED}')"

# The day on which a detainer is known to have ended: as recorded, or the day on which ICE took the
# person, where the record says that it did.
_ENDED = """coalesce(
    detainer_lift_date,
    if(lift_reason_group = 'taken_into_custody' AND apprehension_date >= detainer_prepare_date,
        apprehension_date, NULL)
)"""

# A month by subtraction, and no grouping by what the reason determines, take half the time.
QUERIES = {
    "outcomes": """
        SELECT detainer_prepare_date - (day(detainer_prepare_date) - 1)::INTEGER AS month, aor,
            lift_reason, any_value(lift_reason_group) AS lift_reason_group, count(*) AS detainers
        FROM records GROUP BY ALL
    """,
    "agencies": f"""
        SELECT facility_code, facility, state, count(*) AS detainers, {_DECLINED} AS declined
        FROM records GROUP BY ALL
    """,
    "flows": f"""
        SELECT day, sum(issued)::BIGINT AS issued, sum(ended)::BIGINT AS ended,
            sum(undated)::BIGINT AS undated
        FROM (
            SELECT detainer_prepare_date AS day, count(*) AS issued, 0 AS ended,
                count(*) FILTER (WHERE lift_reason IS NOT NULL AND {_ENDED} IS NULL) AS undated
            FROM records GROUP BY day
            UNION ALL
            SELECT {_ENDED} AS day, 0, count(*), 0 FROM records
            WHERE detainer_prepare_date IS NOT NULL GROUP BY day
        )
        WHERE day IS NOT NULL GROUP BY day
    """,
}
"""Each summary as SQL over a view `records`: counts that add up over parts of the rows.

`outcomes`: detainers by month of issue, area of responsibility and lift reason with its group.
`agencies`: detainers, and those declined, by facility. `flows`: by day, detainers issued, those
that ended then, and those issued that ended on an unknown day (a reason is recorded, no date).
"""

COLUMNS = (
    "detainer_prepare_date",
    "detainer_lift_date",
    "lift_reason",
    "lift_reason_group",
    "facility",
    "facility_code",
    "state",
    "aor",
    "apprehension_date",
)
"""The columns that the summaries read; none names a person."""

Summary = dict[str, pd.DataFrame]


def summarise(database: "duckdb.DuckDBPyConnection") -> Summary:
    """Count the records of a view `records`.

    Returns
    -------
    dict of pandas.DataFrame
        By the names of `QUERIES`. Not protected: for the reader's own machine.
    """
    return {name: _plain(database.execute(query).df()) for name, query in QUERIES.items()}


def span(
    database: "duckdb.DuckDBPyConnection", minimum_cell: int = MINIMUM_CELL
) -> tuple[dt.date, dt.date] | None:
    """Return the earliest and latest day of issue, the outermost few detainers left out.

    Until the one and from the other on `minimum_cell` detainers were issued: a few mistyped years
    do not stretch the records, and no day is that of one row. None where there are fewer.
    """
    days = [
        day
        for order in ("ASC", "DESC")
        for (day,) in database.execute(
            "SELECT detainer_prepare_date FROM records WHERE detainer_prepare_date IS NOT NULL "
            f"ORDER BY 1 {order} LIMIT 1 OFFSET {minimum_cell - 1}"
        ).fetchall()  # an unfinished result would block the connection
    ]
    return (days[0], days[1]) if days else None


def added(summaries: Sequence[Summary]) -> Summary:
    """Add up summaries of parts of the records."""
    return {name: _summed([part[name] for part in summaries]) for name in QUERIES}


def _summed(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    stacked = pd.concat(frames, ignore_index=True)
    counts = _counts(stacked)
    keys = [name for name in stacked if name not in counts]
    grouped = stacked.groupby(keys, dropna=False, sort=False, as_index=False)
    return _plain(grouped[counts].sum())


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Give counts the type int64: DuckDB chooses another one for some results."""
    return frame.astype(dict.fromkeys(_counts(frame), "int64"))


def _counts(frame: pd.DataFrame) -> list[str]:
    return list(frame.select_dtypes("integer"))


def monthly(summary: Summary, minimum_cell: int = MINIMUM_CELL) -> pd.DataFrame:
    """Detainers issued by month, and those of them that were ever declined.

    Parameters
    ----------
    summary
        What `summarise` gave. Detainers without a credible prepare date are left out.
    minimum_cell
        The smallest count shown.

    Returns
    -------
    pandas.DataFrame
        In order of `month` (first day): `detainers`, `declined` (Int64, NA where hidden).
    """
    counts = summary["outcomes"].dropna(subset="month")
    declined = counts["lift_reason_group"].eq(DECLINED).fillna(False)
    table = (
        counts.assign(declined=counts["detainers"].where(declined, 0))
        .groupby("month", as_index=False)[["detainers", "declined"]]
        .sum()
    )
    return protect(table, "detainers", ["declined"], minimum_cell)


def by_agency(summary: Summary, minimum_cell: int = MINIMUM_CELL) -> pd.DataFrame:
    """Detainers by facility, and the share of them that was declined.

    Parameters
    ----------
    summary
        What `summarise` gave.
    minimum_cell
        The smallest count shown.

    Returns
    -------
    pandas.DataFrame
        Most detainers first, then by name those whose count is hidden, since their order would
        tell of it: `facility_code`, `facility`, `state`, `detainers`, `declined` (Int64),
        `share_declined` (Float64, from 0 to 1); NA where hidden.
    """
    order = ["detainers", "facility", "facility_code", "state"]
    shown = protect(summary["agencies"], "detainers", ["declined"], minimum_cell)
    shown = shown.sort_values(order, ascending=[False, True, True, True], ignore_index=True)
    return shown.assign(share_declined=shown["declined"] / shown["detainers"])


def active(summary: Summary, minimum_cell: int = MINIMUM_CELL) -> pd.DataFrame:
    """Detainers active at the end of each day.

    A detainer is active from the day it is issued until it ends. Where a reason is recorded and
    no date (in most layouts), it counts as ended at once in `lowest` and as never ended in
    `highest`; without a reason it counts as active in both.

    Parameters
    ----------
    summary
        What `summarise` gave.
    minimum_cell
        The smallest count shown, and the smallest change between two days that are shown.

    Returns
    -------
    pandas.DataFrame
        One row a day from the first issue to the last: `day`, `lowest`, `highest` (Int64, NA where
        hidden).
    """
    flows = summary["flows"].set_index("day").sort_index()
    days = pd.date_range(flows.index.min(), flows.index[flows["issued"] > 0].max(), name="day")
    flows = flows.reindex(days, fill_value=0)
    highest = (flows["issued"] - flows["ended"]).cumsum()
    stocks = pd.DataFrame({"lowest": highest - flows["undated"].cumsum(), "highest": highest})
    small = (stocks > 0) & (stocks < minimum_cell)
    hidden = ~shown_days(flows.to_numpy(), minimum_cell) | small.any(axis=1)
    return stocks.astype("Int64").mask(hidden).reset_index()
