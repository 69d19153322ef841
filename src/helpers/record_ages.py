"""How long detainers of individual records lasted, where the records have the day of their end.

Ages are whole days from the day of issue. A detainer that was open when the records end is
censored: its life is longer than what was seen of it. The share still open after so many days is
that of Kaplan and Meier (1958, Journal of the American Statistical Association 53: 457), its band
that of Hall and Wellner (1980, Biometrika 67: 133), both as statsmodels has them.

Days are shown only where no count between two of them, before the first or after the last, is
small: `helpers.disclosure.shown_days`. Every number below is of such a day.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from helpers.disclosure import MINIMUM_CELL, protect, shown_days
from helpers.records import summaries
from helpers.records.columns import DECLINED

if TYPE_CHECKING:
    import duckdb

FATES = {
    "declined": "ended as declined, on a known day",
    "ended": "ended otherwise, on a known day",
    "open": "open at the end of the records",
    "undated": "ended, day unknown",
    "backwards": "end dated before issue",
    "repeated": "likely repeats of another row",
    "unissued": "day of issue unknown",
}
"""What becomes of each row, and how it is called; lives are those of the first three."""

Days = NDArray[np.int64]


@dataclass(frozen=True)
class Lives:
    """Detainers by age at their end, or at the end of the records.

    Attributes
    ----------
    until
        The end of the records: the latest day from which on `minimum_cell` detainers were issued.
        So a few mistyped years do not move it, and it is the day of no one row.
    counts
        Rows by fate: one row each of `FATES`, with `fate` and `detainers`.
    by_age
        Detainers by `days` from 0 on: `declined`, `ended` and `open`, as in `FATES`, and `undated`,
        by their age at the end of the records.
    """

    until: dt.date
    counts: pd.DataFrame
    by_age: pd.DataFrame

    @property
    def ends_and_open(self) -> tuple[Days, Days]:
        """Detainers that ended on a known day, and that were open, by age from 0 days on."""
        ends = self.by_age["declined"] + self.by_age["ended"]
        return ends.to_numpy(), self.by_age["open"].to_numpy()


def lives(database: "duckdb.DuckDBPyConnection", minimum_cell: int = MINIMUM_CELL) -> Lives | None:
    """Count detainers by age.

    Parameters
    ----------
    database
        With the view `records` of `helpers.records.connect`.
    minimum_cell
        The smallest count shown.

    Returns
    -------
    Lives or None
        None where fewer than `minimum_cell` detainers have a day of issue.
    """
    days = summaries.span(database, minimum_cell)
    if days is None:
        return None
    until = days[1]
    found = database.execute(_FATE, {"until": until}).df()
    of_fate = found.groupby("fate")["detainers"].sum().reindex(list(FATES), fill_value=0)
    aged = found.dropna(subset="days").astype({"days": int})
    by_age = aged.pivot_table("detainers", "days", "fate", aggfunc="sum", fill_value=0)
    ages = range(int(by_age.index.max()) + 1) if len(by_age) else []
    by_age = by_age.reindex(index=ages, columns=["declined", "ended", "open", "undated"])
    return Lives(
        until=until,
        counts=of_fate.astype("int64").reset_index(),
        by_age=by_age.fillna(0).astype("int64").rename_axis("days").reset_index(),
    )


_FATE = f"""
WITH fated AS (
    SELECT detainer_prepare_date AS issued, detainer_lift_date AS lifted, CASE
        WHEN detainer_prepare_date IS NULL THEN 'unissued'
        WHEN duplicate_later THEN 'repeated'
        WHEN detainer_lift_date < detainer_prepare_date THEN 'backwards'
        WHEN detainer_lift_date > $until THEN 'open'
        WHEN detainer_lift_date IS NULL AND lift_reason IS NULL THEN 'open'
        WHEN detainer_lift_date IS NULL THEN 'undated'
        WHEN lift_reason_group = '{DECLINED}' THEN 'declined'
        ELSE 'ended' END AS fate
    FROM records
)
SELECT fate, count(*)::BIGINT AS detainers, CASE
    WHEN fate IN ('declined', 'ended') THEN date_diff('day', issued, lifted)
    WHEN fate IN ('open', 'undated') THEN greatest(date_diff('day', issued, $until), 0) END AS days
FROM fated GROUP BY ALL
"""


def grid(by_age: pd.DataFrame, minimum_cell: int = MINIMUM_CELL) -> Days:
    """Return the days on which declined, ended and open detainers may be shown; possibly none.

    Where few detainers in all were declined, they count as ended, and cannot be shown apart.
    """
    flows = by_age[["declined", "ended", "open"]].to_numpy()
    if flows[:, 0].sum() < minimum_cell:
        flows = np.column_stack([flows[:, :2].sum(axis=1), flows[:, 2]])
    return by_age["days"].to_numpy()[shown_days(flows, minimum_cell)]


def with_later_days(by_age: pd.DataFrame, days: Days, minimum_cell: int = MINIMUM_CELL) -> Days:
    """Return the days of `grid`, and those after its last on which all ends may be shown as one.

    Declined detainers are few and mostly young: of the old ones a small count would be left on any
    day, and nothing could be shown of the others' later lives, either.
    """
    later = by_age[by_age["days"] > days[-1]] if len(days) else by_age
    flows = np.column_stack([later["declined"] + later["ended"], later["open"]])
    return np.concatenate([days, later["days"].to_numpy()[shown_days(flows, minimum_cell)]])


def survival(ends: Days, censored: Days) -> SurvfuncRight:
    """Return the estimate of Kaplan and Meier.

    Parameters
    ----------
    ends, censored
        Detainers that ended, and that were last seen open, by age: 0 days, 1 day and so on.
    """
    age = np.arange(len(ends))
    # One entry a detainer: with weights, statsmodels 0.15 gives no error of the share.
    time = np.concatenate([np.repeat(age, ends), np.repeat(age, censored)])
    return SurvfuncRight(time, np.repeat([1, 0], [ends.sum(), censored.sum()]))


def curve(found: SurvfuncRight, days: Days) -> pd.DataFrame:
    """Return the share still open after given days, with its simultaneous 95% band.

    Returns
    -------
    pandas.DataFrame
        One row a day: `days`, `still_open`, `low`, `high`. Once none is open the band has no
        width by its formula, and is not given.
    """
    last = found.surv_prob > 0
    low, high = (np.full(len(last), np.nan) for _ in range(2))
    with np.errstate(divide="ignore", invalid="ignore"):  # the band at a share of 0
        low[last], high[last] = (end[last] for end in found.simultaneous_cb())
    at = np.searchsorted(found.surv_times, days, side="right")
    columns = {"still_open": (1.0, found.surv_prob), "low": (1.0, low), "high": (1.0, high)}
    shares = {name: np.concatenate([[first], rest])[at] for name, (first, rest) in columns.items()}
    return pd.DataFrame({"days": days, **shares})


@dataclass(frozen=True)
class Quantile:
    """A day by which a share of detainers has ended, with a 95% interval; None: not in the records.

    All are of the grid: a day is the first at or after its estimate, the low end the last at or
    before it (0 where there is none).
    """

    days: int | None
    low: int
    high: int | None


def quantile(found: SurvfuncRight, share: float, days: Days) -> Quantile:
    """Return the day by which a share has ended, with its interval.

    The interval is pointwise, by log(-log): Brookmeyer and Crowley (1982, Biometrics 38: 29). With
    many detainers it can lie between two days; then it is the day itself.
    """
    value = found.quantile(share)
    with np.errstate(divide="ignore", invalid="ignore"):  # at shares of 0 and 1
        low, high = found.quantile_ci(share)
    if np.isnan(low):
        low = high = value
    return _on_grid(value, low, high, days)


def share_ended(by_age: pd.DataFrame, days: Days) -> pd.Series:
    """Return the share of declined detainers that were at most so many days old, by day."""
    ended = by_age["declined"].cumsum() / by_age["declined"].sum()
    return ended.set_axis(by_age["days"]).loc[days]


def exact_quantile(by_age: pd.DataFrame, share: float, days: Days) -> Quantile:
    """Return the age that a share of declined detainers did not exceed, with its interval.

    The interval is by order statistics, as scipy has it: of the process, were weeks like these
    drawn again.
    """
    ages = np.repeat(by_age["days"].to_numpy(), by_age["declined"])
    found = stats.quantile_test(ages, p=share).confidence_interval(0.95)
    return _on_grid(np.quantile(ages, share, method="inverted_cdf"), found.low, found.high, days)


def medians_whatever_undated(found: Lives, days: Days) -> tuple[Quantile, Quantile]:
    """Return the median life if those undated ended at once, and if they outlasted the records."""
    ends, censored = found.ends_and_open
    undated = found.by_age["undated"].to_numpy()
    at_once = ends + np.where(np.arange(len(ends)) == 0, undated.sum(), 0)
    pairs = ((at_once, censored), (ends, censored + undated))
    first, last = (quantile(survival(*pair), 0.5, days) for pair in pairs)
    return first, last


def shown_counts(counts: pd.DataFrame, minimum_cell: int = MINIMUM_CELL) -> pd.DataFrame:
    """Return rows by fate, small counts hidden; `fate` in words, those of no row left out."""
    some = counts[counts["detainers"] > 0].reset_index(drop=True)
    return protect(some, "detainers", minimum_cell=minimum_cell)


def _on_grid(value: float, low: float, high: float, days: Sequence[int] | Days) -> Quantile:
    grid = np.asarray(days)

    def at_or_after(day: float) -> int | None:
        later = grid[grid >= day]  # none is, where the day is not a number
        return int(later[0]) if len(later) else None

    before = grid[grid <= low]
    return Quantile(at_or_after(value), int(before[-1]) if len(before) else 0, at_or_after(high))
