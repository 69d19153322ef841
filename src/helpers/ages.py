"""How old detainers are when they are declined, and how long they stay active."""

import datetime as dt
import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import gamma
from scipy.stats import binomtest

GROUPS = {
    "released_by_policy": ("declined", "declined_then_reinstated_with_warrant"),
    "still_declined": ("declined",),
    "reinstated": ("declined_then_reinstated_with_warrant",),
    "accepted": ("accepted",),
    "all": ("declined", "declined_then_reinstated_with_warrant", "accepted"),
}
"""Outcomes of the table `travis_stock_2017_02_01` that make each group of detainers."""

MEAN_LIVES = (1.0, 100_000.0)
"""Shortest and longest mean active life that is looked for, in days."""


def travis_group(stock: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return a group of Travis County's detainers by whole weeks since booking.

    Parameters
    ----------
    stock
        Table `travis_stock_2017_02_01`.
    group
        One of `GROUPS`.

    Returns
    -------
    pandas.DataFrame
        One row a week that occurs, in order: `weeks` (completed weeks since booking), `detainers`.

    Raises
    ------
    ValueError
        If the group is unknown.
    """
    if group not in GROUPS:
        raise ValueError(f"group {group!r}: allowed are {', '.join(GROUPS)}")
    rows = stock[stock["outcome"].isin(GROUPS[group])]
    counts = rows.groupby("weeks_since_booking")["detainers"].sum().astype(int)
    return counts.rename_axis("weeks").reset_index()


def grouped_median(weeks: Sequence[int], counts: Sequence[int]) -> float:
    """Return the median of times known in whole weeks.

    A time of w completed weeks lies in [w, w + 1); within the week that holds the median, times
    are taken as evenly spread (Yule 1911, An Introduction to the Theory of Statistics, ch. VII).
    The value is that of Python's `statistics.median_grouped` at the mid-points w + 1/2.

    Parameters
    ----------
    weeks
        Completed weeks, any order; a week may occur more than once.
    counts
        Number of detainers of each.

    Returns
    -------
    float
        The median in weeks.

    Raises
    ------
    ValueError
        If there is nothing to count.
    """
    lower, tally = _tally(weeks, counts)
    return float(_grouped_medians(lower, tally[np.newaxis])[0])


def median_interval(
    weeks: Sequence[int],
    counts: Sequence[int],
    seed: int,
    replications: int = 10_000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return a bootstrap interval of the grouped median.

    As many detainers as there are, drawn with replacement, have multinomial weekly counts; the
    interval is the percentile interval (Efron and Tibshirani 1993, An Introduction to the
    Bootstrap, ch. 13).

    Parameters
    ----------
    weeks, counts
        As in `grouped_median`.
    seed
        Seed of the random numbers.
    replications
        Number of samples drawn.
    level
        Confidence level.

    Returns
    -------
    tuple of float
        Low and high end in weeks.
    """
    lower, tally = _tally(weeks, counts)
    size = int(tally.sum())
    samples = np.random.default_rng(seed).multinomial(size, tally / size, size=replications)
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(_grouped_medians(lower, samples), ends)
    return float(low), float(high)


def share_interval(part: int, whole: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share (Clopper and Pearson 1934, Biometrika 26: 404-413).

    Parameters
    ----------
    part, whole
        Detainers with the property, and all.
    level
        Confidence level; never less, often more, is reached.

    Returns
    -------
    tuple of float
        Low and high end, shares between 0 and 1.
    """
    found = binomtest(part, whole).proportion_ci(level, method="exact")
    return float(found.low), float(found.high)


def cumulative(weeks: Sequence[int], counts: Sequence[int], level: float = 0.95) -> pd.DataFrame:
    """Return the share of detainers booked within so many weeks, at every whole week.

    At a whole week the share is known exactly, in between it is not: times are known in whole
    weeks. The interval at each week is that of `share_interval`; the intervals hold one by one,
    not for all weeks at once.

    Parameters
    ----------
    weeks, counts
        As in `grouped_median`.
    level
        Confidence level of each interval.

    Returns
    -------
    pandas.DataFrame
        One row a week from 0 to the last: `weeks` (less than so many since booking),
        `detainers`, `share`, `low`, `high`.
    """
    lower, tally = _tally(weeks, counts)
    edges = np.arange(lower.max() + 2)
    below = [int(tally[lower < edge].sum()) for edge in edges]
    whole = int(tally.sum())
    # Nobody is held for less than no time: the first row is a definition, not an estimate.
    ends = [(0.0, 0.0), *(share_interval(part, whole, level) for part in below[1:])]
    return pd.DataFrame(
        {
            "weeks": edges,
            "detainers": below,
            "share": np.array(below) / whole,
            "low": [low for low, _ in ends],
            "high": [high for _, high in ends],
        }
    )


def weeks_within(weeks: Sequence[int], counts: Sequence[int], share: float) -> int:
    """Return the fewest whole weeks within which at least a share of detainers was booked.

    Parameters
    ----------
    weeks, counts
        As in `grouped_median`.
    share
        Above 0, at most 1. Near 1 the answer is the time of one person.

    Returns
    -------
    int
        Whole weeks: at least the share lies below it, and less than the share a week before.
    """
    lower, tally = _tally(weeks, counts)
    reached = tally.cumsum() >= share * tally.sum()
    return int(lower[reached.argmax()]) + 1


def booked_before(
    weeks: Sequence[int], counts: Sequence[int], day: dt.date, as_of: dt.date
) -> tuple[int, int]:
    """Return how many can have been booked before a day, as far as whole weeks tell.

    With w completed weeks on `as_of`, booking lies 7w to 7w + 6 days back; it was before `day`
    if that is more days than from `day` to `as_of`.

    Parameters
    ----------
    weeks, counts
        As in `grouped_median`.
    day, as_of
        The day in question, and the day on which weeks were counted.

    Returns
    -------
    tuple of int
        Fewest (whose every possible day is before `day`) and most (some possible day is).
    """
    lower, tally = _tally(weeks, counts)
    needed = (as_of - day).days + 1
    fewest = tally[7 * lower >= needed].sum()
    most = tally[7 * lower + 6 >= needed].sum()
    return int(fewest), int(most)


def lodged(issued: pd.DataFrame, since: dt.date, as_of: dt.date) -> pd.DataFrame:
    """Return the detainers issued from one day to another, by week.

    Parameters
    ----------
    issued
        Detainers a week, as from `helpers.series.weekly_issued`.
    since, as_of
        Weeks count whose first day is neither before `since` nor after `as_of`.

    Returns
    -------
    pandas.DataFrame
        One row a week in order: `week_start`, `detainers`, `age_days` (from the first day of the
        week to `as_of`).

    Raises
    ------
    ValueError
        If there is no such week, or one is missing.
    """
    first, last = pd.Timestamp(since), pd.Timestamp(as_of)
    rows = issued[issued["week_start"].between(first, last)]
    # A missing week would be read as a week without a detainer.
    if rows.empty or list(rows["week_start"]) != list(pd.date_range(first, last, freq="W-SUN")):
        raise ValueError(f"the weekly series has no unbroken weeks from {since} to {as_of}")
    age = (last - rows["week_start"]).dt.days
    return rows[["week_start", "detainers"]].assign(age_days=age).reset_index(drop=True)


def surviving(age_days: Sequence[float], mean_days: float, shape: float = 1.0) -> np.ndarray:
    """Return the share of detainers still active at given ages, for a Weibull active life.

    The share is exp(-(age / scale)^shape) with scale = mean / Gamma(1 + 1/shape); shape 1 is the
    exponential (Johnson, Kotz and Balakrishnan 1994, Continuous Univariate Distributions 1).

    Parameters
    ----------
    age_days
        Ages in days, not negative.
    mean_days
        Mean active life in days.
    shape
        Below 1 the rate of closing falls with age, above 1 it rises.

    Returns
    -------
    numpy.ndarray
        One share for each age.
    """
    scale = mean_days / gamma(1 + 1 / shape)
    return np.exp(-((np.asarray(age_days, dtype=float) / scale) ** shape))


def median_life(mean_days: float, shape: float = 1.0) -> float:
    """Return the age in days by which half of the detainers are closed, for a Weibull life."""
    return float(mean_days / gamma(1 + 1 / shape) * math.log(2) ** (1 / shape))


def mean_life(
    weeks: pd.DataFrame,
    active: float,
    shape: float = 1.0,
    issued_factor: float = 1.0,
    day_in_week: float = 0.0,
    never_closed: float = 0.0,
) -> float:
    """Return the mean active life that leaves the known number of detainers active.

    Each week's detainers survive as in `surviving`; the mean is that at which the survivors of
    all weeks add up to the stock. It exists and is unique, because longer lives leave more.

    Parameters
    ----------
    weeks
        As from `lodged`.
    active
        Detainers of those weeks still active.
    shape
        Shape of the Weibull life.
    issued_factor
        Factor on every week's detainers.
    day_in_week
        Days from the start of a week on which its detainers are taken to be issued.
    never_closed
        Share of detainers that nobody ever closes; the life is that of the others.

    Returns
    -------
    float
        Mean life in days.

    Raises
    ------
    ValueError
        If no mean within `MEAN_LIVES` leaves so many.
    """
    issued = issued_factor * weeks["detainers"].to_numpy(float)
    age = np.clip(weeks["age_days"].to_numpy(float) - day_in_week, 0, None)

    def left(mean: float) -> float:
        closing = float(issued @ surviving(age, mean, shape))
        return never_closed * float(issued.sum()) + (1 - never_closed) * closing

    fewest, most = (left(mean) for mean in MEAN_LIVES)
    if not fewest <= active <= most:
        raise ValueError(
            f"{active:,.0f} active detainers cannot be reproduced: of {issued.sum():,.0f} issued, "
            f"mean lives of {MEAN_LIVES[0]:g} to {MEAN_LIVES[1]:,.0f} days leave "
            f"{fewest:,.0f} to {most:,.0f}"
        )
    return float(brentq(lambda mean: left(mean) - active, *MEAN_LIVES, xtol=1e-9))


def life_sensitivity(
    issued: pd.DataFrame,
    active: float,
    since: dt.date,
    as_of: dt.date,
    choices: Mapping[str, Sequence[float]],
) -> pd.DataFrame:
    """Return mean and median active life under every combination of choices.

    Parameters
    ----------
    issued, since, as_of
        As in `lodged`.
    active
        Detainers still active.
    choices
        Values, the central one first, of `as_of_shift` (days added to `as_of`) and of the
        parameters `shape`, `issued_factor`, `day_in_week` and `never_closed` of `mean_life`.

    Returns
    -------
    pandas.DataFrame
        One row a combination, the central one first: the choices, `changed` (how many are not
        central), `mean_days`, `median_days`.
    """
    rows = []
    for values in itertools.product(*choices.values()):
        chosen = dict(zip(choices, values, strict=True))
        of_life = {name: value for name, value in chosen.items() if name != "as_of_shift"}
        weeks = lodged(issued, since, as_of + dt.timedelta(days=chosen["as_of_shift"]))
        mean = mean_life(weeks, active, **of_life)
        changed = sum(chosen[name] != central[0] for name, central in choices.items())
        median = median_life(mean, chosen["shape"])
        rows.append({**chosen, "changed": changed, "mean_days": mean, "median_days": median})
    return pd.DataFrame(rows)


def _tally(weeks: Sequence[int], counts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct weeks in order, with the number of each."""
    lower, place = np.unique(np.asarray(weeks, dtype=int), return_inverse=True)
    tally = np.bincount(place, weights=np.asarray(counts, dtype=float)).astype(int)
    if not tally.sum():
        raise ValueError("there are no detainers to count")
    return lower, tally


def _grouped_medians(lower: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Return the grouped median of each row of weekly counts."""
    half = samples.sum(axis=1) / 2
    reached = samples.cumsum(axis=1)
    at = (reached > half[:, np.newaxis]).argmax(axis=1)
    row = np.arange(len(samples))
    inside = samples[row, at]
    before = reached[row, at] - inside
    return lower[at] + (half - before) / inside
