"""Detainers not issued: how many a week, judged by places that later received more."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers import evidence


def days(window: str) -> int:
    """Return the number of days of a period given as `2016-01-01/2016-12-31`, both included."""
    start, end = map(pd.Timestamp, window.split("/"))
    return int((end - start).days) + 1


def national_growth(weekly: pd.DataFrame, before: str, after: str) -> float:
    """Return detainers a week nationwide in one period over those in an earlier one.

    Parameters
    ----------
    weekly
        As from `helpers.series.weekly_issued`; only weeks wholly within a period count.
    before, after
        Periods such as `2016-01-01/2016-12-31`.

    Raises
    ------
    ValueError
        If a period holds no week of the series.
    """
    means = []
    for window in (before, after):
        start, end = map(pd.Timestamp, window.split("/"))
        first, last = weekly["week_start"], weekly["week_start"] + pd.Timedelta(days=6)
        means.append(float(weekly.loc[first.ge(start) & last.le(end), "detainers"].mean()))
        if math.isnan(means[-1]):
            raise ValueError(f"period {window} holds no whole week of the series")
    return means[1] / means[0]


def places(
    ledger: evidence.Ledger, table: pd.DataFrame, weekly: pd.DataFrame, assumptions: pd.DataFrame
) -> pd.DataFrame:
    """Set what each place received in an earlier period against a later one.

    Parameters
    ----------
    ledger
        The ledger.
    table
        Table `withheld_places`.
    weekly
        As from `helpers.series.weekly_issued`.
    assumptions
        Table `assumptions`, by `assumption`.

    Returns
    -------
    pandas.DataFrame
        The table, one row a place, with `before` and `after` (received a week), `before_at_most`
        (whether `before` is an upper bound), `before_fact`, `after_fact`; `growth` (national,
        between the same periods), `scaled` (`before` times it), `ratio_of_ratios` (`after` over
        `scaled`); `withheld` and `withheld_high` (a week, beyond national growth and beyond none);
        `share`, `share_low`, `share_high` (declined, as assumed; missing where the place is not
        added up).

    Raises
    ------
    helpers.evidence.EvidenceError
        If a count is missing.
    """
    found = pd.DataFrame([row | _counts(ledger, row) for row in table.to_dict("records")])
    windows = found[["before_window", "after_window"]].itertuples(index=False)
    found["growth"] = [national_growth(weekly, *window) for window in windows]
    found["scaled"] = found["growth"] * found["before"]
    found["ratio_of_ratios"] = found["after"] / found["scaled"]
    found["withheld"] = withheld(found, found["growth"])
    found["withheld_high"] = withheld(found, 1.0)
    for column, end in (("share", "value"), ("share_low", "low"), ("share_high", "high")):
        found[column] = found["declined_share"].map(assumptions[end])
    return found


def withheld(found: pd.DataFrame, growth: ArrayLike) -> pd.Series:
    """Return the rise beyond growth: after, less before scaled by growth, not below 0.

    It is what was withheld in the earlier period if all of that rise is issuing resumed.

    Parameters
    ----------
    found
        As from `places`.
    growth
        Growth that the place would have seen in any case, one number or one a place; 1 for none.
    """
    return (found["after"] - np.asarray(growth) * found["before"]).clip(lower=0)


def tornado(added: pd.DataFrame, other_growths: Sequence[pd.Series]) -> pd.DataFrame:
    """Vary one assumption on the declinations avoided at a time.

    Parameters
    ----------
    added
        As from `places`: the places that are added up.
    other_growths
        `growth` of these places under other readings of the national series.

    Returns
    -------
    pandas.DataFrame
        One row an assumption: `assumption`, `low` and `high` (declinations avoided a week), the
        widest range first.
    """

    def avoided(growth: ArrayLike, share: pd.Series) -> float:
        return float((withheld(added, growth) * share).sum())

    growth, share = added["growth"], added["share"]
    total = avoided(growth, share)
    ends = {
        "the rise is resumption: all, or none": [0.0, total],
        "growth elsewhere: national, or none": [total, avoided(1.0, share)],
        "counting of overlapping weeks": [avoided(other, share) for other in other_growths],
    }
    for name, rows in added.groupby("declined_share", sort=False):
        place = str(name).removeprefix("issuance_declined_share_").replace("_", " ").title()
        ends[f"share declined in {place}"] = [
            avoided(growth, share.where(~added.index.isin(rows.index), added[end]))
            for end in ("share_low", "share_high")
        ]
    for row in added.index:
        ends[f"without {added.at[row, 'place']}"] = [
            avoided(growth, share.where(added.index != row, 0.0)),
            total,
        ]
    table = pd.DataFrame(
        [{"assumption": name, "low": min(pair), "high": max(pair)} for name, pair in ends.items()]
    )
    widest = (table["low"] - table["high"]).sort_values(kind="stable").index
    return table.loc[widest].reset_index(drop=True)


def _counts(ledger: evidence.Ledger, row: dict) -> dict:
    before, after = (
        evidence.pick(ledger, row["series"], row["place_id"], row[f"{when}_window"])
        for when in ("before", "after")
    )
    return {
        "before": 7 * before.value / days(row["before_window"]),
        "after": 7 * after.value / days(row["after_window"]),
        "before_at_most": math.isinf(before.low),
        "before_fact": before.input,
        "after_fact": after.input,
    }
