"""From a stock to the flow: how long stays are, by how long those present have stayed."""

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from helpers.ages import by_week, share_interval


def invented_stays(coming: Mapping[int, int], look: float, shown: int) -> pd.DataFrame:
    """Return the stays in an invented jail to which as many people come every week.

    Parameters
    ----------
    coming
        People who come each week, evenly over it, by the whole weeks for which they stay.
    look
        Time at which we look who is present, in weeks.
    shown
        Weeks shown; stays that end before week 0 are left out.

    Returns
    -------
    pandas.DataFrame
        One row a stay, by arrival: `comes`, `stays`, `leaves` (weeks), `present` (at the look).
    """
    lengths = [stay for stay, people in coming.items() for _ in range(people)]
    came = [
        (week + part / len(lengths), stay)
        for week in range(-max(lengths), shown)
        for part, stay in enumerate(lengths)
    ]
    stays = pd.DataFrame(came, columns=["comes", "stays"])
    stays = stays.assign(leaves=stays["comes"] + stays["stays"]).query("leaves > 0")
    present = stays["comes"].le(look) & stays["leaves"].gt(look)
    return stays.assign(present=present).reset_index(drop=True)


def ages_by_way(coming: Mapping[int, int], weeks: ArrayLike) -> pd.DataFrame:
    """Return the share of declined detainers older than given weeks, by the way of declining.

    Each detainer is issued on the day of booking, in the jail of `invented_stays`.

    Parameters
    ----------
    coming
        As in `invented_stays`.
    weeks
        Ages in weeks, the first 0.

    Returns
    -------
    pandas.DataFrame
        One row an age: `weeks`, `on_receipt`, `at_release` (full stays), `whole_stock` (times so
        far of those present on a day).
    """
    age, people = np.asarray(weeks, dtype=float), np.array(list(coming.values()))
    left = np.clip(np.subtract.outer(list(coming), age), 0, None)
    return pd.DataFrame(
        {
            "weeks": age,
            "on_receipt": 0.0,
            "at_release": people @ (left > 0) / people.sum(),
            "whole_stock": people @ left / (people @ left[:, 0]),
        }
    )


def decreasing_density(weeks: ArrayLike, counts: ArrayLike, base: int = 1) -> pd.DataFrame:
    """Return the decreasing density of times known in whole weeks that fits best.

    With a steady inflow the times that those present have stayed have a density in proportion to
    the share of stays that last longer (Cox 1962, Renewal Theory, ch. 5), so it never rises. The
    maximum-likelihood estimate under that condition alone is the slope of the least concave
    majorant of the cumulative counts (Grenander 1956, Skandinavisk Aktuarietidskrift 39: 125),
    which is the antitonic regression of the weekly counts.

    Parameters
    ----------
    weeks, counts
        As in `helpers.ages.by_week`, of a stock.
    base
        First weeks taken together, against which the survivors are counted.

    Returns
    -------
    pandas.DataFrame
        One row a week from 0 to the last: `weeks`, `detainers`, `density` (share of the stock a
        week), `surviving` (share of stays that reach the week: its density over that of the base;
        1 within the base).
    """
    tally = by_week(weeks, counts)
    width = np.array([base] + [1] * (len(tally) - base))
    height = np.add.reduceat(tally, np.append(0, np.arange(base, len(tally)))) / width
    fitted = isotonic_regression(height, weights=width, increasing=False).x
    density = np.repeat(fitted, width) / tally.sum()
    return pd.DataFrame(
        {
            "weeks": np.arange(len(tally)),
            "detainers": tally,
            "density": density,
            "surviving": density / density[0],
        }
    )


def surviving_interval(
    weeks: ArrayLike, counts: ArrayLike, base: int = 1, block: int = 4, level: float = 0.95
) -> pd.DataFrame:
    """Return exact intervals of the share of stays that reach each week, in a steady stock.

    A density that never rises is at most its mean over the weeks before, and at least its mean
    over the weeks after; so the share that reaches a week is bounded by the mean of a block of
    weeks that ends there, and one that begins there, over the mean of the base. Given their sum,
    the counts of a block and of the base are binomial, which gives exact limits (Clopper and
    Pearson 1934; confidence limits of a monotone density from its means over blocks: Hengartner
    and Stark 1995, Annals of Statistics 23: 525). They hold in samples of any size and wherever
    the density is flat, where the bootstrap of the Grenander estimator is inconsistent (Kosorok
    2008, IMS Collections 1: 282; Sen, Banerjee and Woodroofe 2010, Annals of Statistics 38: 1953).
    The price is width.

    Parameters
    ----------
    weeks, counts
        As in `helpers.ages.by_week`, of a stock.
    base
        As in `decreasing_density`.
    block
        Weeks of a block, fixed beforehand; blocks never reach into the base.
    level
        Confidence level of each interval; they hold week by week.

    Returns
    -------
    pandas.DataFrame
        One row a week from `base` to the last: `weeks`, `low`, `high`.
    """
    tally = by_week(weeks, counts)
    week = np.arange(base, len(tally))
    reached = np.concatenate([[0], tally.cumsum(), np.repeat(tally.sum(), block)])
    start = np.maximum(week - block + 1, base)
    before, after = reached[week + 1] - reached[start], reached[week + block] - reached[week]
    first = int(reached[base])
    high = _ratio(share_interval(before, before + first, level)[1], base / (week + 1 - start))
    low = _ratio(share_interval(after, after + first, level)[0], base / block)
    return pd.DataFrame({"weeks": week, "low": low, "high": np.minimum(high, 1)})


def median_stay(
    weeks: ArrayLike, counts: ArrayLike, base: int = 1, block: int = 4, level: float = 0.95
) -> tuple[int, int, int]:
    """Return the completed weeks that at most half of stays reach, in a steady stock.

    Parameters
    ----------
    weeks, counts, base, block, level
        As in `surviving_interval`, whose limits at one half are inverted for the interval.

    Returns
    -------
    tuple of int
        The first week that at most half of stays reach, and low and high end of its interval.

    Raises
    ------
    ValueError
        If more than half reach the last week.
    """
    reaching = decreasing_density(weeks, counts, base)["surviving"]
    ends = surviving_interval(weeks, counts, base, block, level)
    if reaching.iloc[-1] > 0.5:
        raise ValueError("more than half of stays reach the last week: their median is not seen")
    # A week can be the median unless so few reach it, or so many the one before, that half is out.
    allowed = ends["low"].le(0.5) & ends["high"].shift(fill_value=1.0).ge(0.5)
    possible = ends.loc[allowed, "weeks"]
    return int(reaching.le(0.5).idxmax()), int(possible.min()), int(possible.max())


def mean_stay(
    weeks: ArrayLike, counts: ArrayLike, base: int = 1, level: float = 0.95
) -> tuple[float, float, float]:
    """Return the mean stay of those who come, in a steady stock: stock over weekly inflow.

    The inflow is that of the base (Little 1961, Operations Research 9: 383). Those who leave
    within the base are missed, so the mean is too long by the share of them.

    Parameters
    ----------
    weeks, counts, base
        As in `decreasing_density`.
    level
        Confidence level.

    Returns
    -------
    tuple of float
        Weeks, with low and high end of the exact interval (that of the base's share).
    """
    tally = by_week(weeks, counts)
    first, whole = tally[:base].sum(), tally.sum()
    low, high = share_interval(first, whole, level)
    return base * float(whole / first), base / float(high), base / float(low)


def share_held(surviving: pd.Series, bookings: pd.DataFrame, as_of: dt.date) -> float:
    """Return the share of those booked in given months that is still held on a later day.

    Parameters
    ----------
    surviving
        Share of stays that reach each week from 0 on, as from `decreasing_density`.
    bookings
        One row a month: `month` (first day), `detainers`, evenly spread over its days.
    as_of
        The day.
    """
    held = []
    for month in bookings["month"]:
        days = pd.date_range(month, periods=month.days_in_month)
        weeks = (pd.Timestamp(as_of) - days).days // 7
        held.append(surviving.reindex(weeks, fill_value=0.0).mean())
    return float(np.average(held, weights=bookings["detainers"]))


def _ratio(share: NDArray[np.float64], scale: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ratio of two means from the share of one count in the sum of both."""
    with np.errstate(divide="ignore"):  # a share of 1 has no upper limit
        return share / (1 - share) * scale
