"""How long ago the people whose detainers were declined had been booked, in whole weeks."""

import datetime as dt

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

GROUPS = {
    "released_by_policy": ("declined", "declined_then_reinstated_with_warrant"),
    "still_declined": ("declined",),
    "reinstated": ("declined_then_reinstated_with_warrant",),
    "accepted": ("accepted",),
    "all": ("declined", "declined_then_reinstated_with_warrant", "accepted"),
}
"""Outcomes of the table `travis_stock_2017_02_01` that make each group of detainers."""

COUNTED = dt.date(2017, 2, 1)
"""Day on which Travis County's sheets count the weeks since booking."""

FEW = 11
"""Detainers below this number describe few persons: no quantile may rest on fewer."""


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
    counts = rows.groupby("weeks_since_booking")["detainers"].sum()
    return counts.rename_axis("weeks").reset_index().astype(int)


def by_week(weeks: ArrayLike, counts: ArrayLike) -> NDArray[np.int64]:
    """Return the number of detainers in every week from 0 to the last.

    Parameters
    ----------
    weeks
        Completed weeks, any order; a week may occur more than once.
    counts
        Number of detainers of each; or an array of such rows, one a sample.

    Returns
    -------
    numpy.ndarray
        Shape (..., last week + 1): the position is the week.

    Raises
    ------
    ValueError
        If a week is negative, or a sample is empty.
    """
    week, number = np.asarray(weeks, dtype=int), np.asarray(counts, dtype=int)
    if not number.size or not number.sum(axis=-1).all():
        raise ValueError("there are no detainers to count")
    if week.min() < 0:
        raise ValueError(f"{week.min()} completed weeks: a week is 0 or more")
    return number @ (week[:, np.newaxis] == np.arange(week.max() + 1))


def grouped_median(weeks: ArrayLike, counts: ArrayLike) -> float:
    """Return the median of times known in whole weeks.

    A time of w completed weeks lies in [w, w + 1); within the week that holds the median, times
    are taken as evenly spread (Yule 1911, An Introduction to the Theory of Statistics, ch. VII).
    The value is that of Python's `statistics.median_grouped` at the mid-points w + 1/2.
    Where half the times lie before weeks without any, every time in those weeks would do, and the
    value is their end.

    Parameters
    ----------
    weeks, counts
        As in `by_week`.

    Returns
    -------
    float
        The median in weeks.

    Raises
    ------
    ValueError
        If there is nothing to count.
    """
    return float(_grouped_medians(by_week(weeks, counts)[np.newaxis])[0])


def median_interval(
    weeks: ArrayLike,
    counts: ArrayLike,
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
        As in `by_week`.
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
    samples = resampled(by_week(weeks, counts), seed, replications)
    return percentile_interval(_grouped_medians(samples), level)


def resampled(
    tally: NDArray[np.int64], seed: int | np.random.SeedSequence, replications: int
) -> NDArray[np.int64]:
    """Return bootstrap samples of weekly counts, one a row, as large as the original."""
    size = int(tally.sum())
    return np.random.default_rng(seed).multinomial(size, tally / size, size=replications)


def percentile_interval(values: NDArray[np.float64], level: float = 0.95) -> tuple[float, float]:
    """Return the ends that cut off equal shares of bootstrap values at both sides."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def share_interval(part: ArrayLike, whole: ArrayLike, level: float = 0.95) -> tuple:
    """Return the exact interval of a share (Clopper and Pearson 1934, Biometrika 26: 404-413).

    Parameters
    ----------
    part, whole
        Detainers with the property, and all: whole numbers, or arrays of them.
    level
        Confidence level; never less, often more, is reached.

    Returns
    -------
    tuple
        Low and high end, shares between 0 and 1: numbers, or arrays as given.
    """
    inside, outside = np.asarray(part), np.asarray(whole) - part
    tail = (1 - level) / 2
    # Beta quantiles; at the edges, where a parameter would be 0, the end is that of the range.
    low = betaincinv(np.maximum(inside, 1), outside + 1, tail)
    high = betaincinv(inside + 1, np.maximum(outside, 1), 1 - tail)
    return np.where(inside > 0, low, 0.0)[()], np.where(outside > 0, high, 1.0)[()]


def cumulative(weeks: ArrayLike, counts: ArrayLike, level: float = 0.95) -> pd.DataFrame:
    """Return the share of detainers booked within so many weeks, at every whole week.

    At a whole week the share is known exactly, in between it is not: times are known in whole
    weeks. The interval at each week is that of `share_interval`, and such intervals hold one by
    one. The band holds for all times at once (Dvoretzky, Kiefer and Wolfowitz 1956, Annals of
    Mathematical Statistics 27: 642; with the constant of Massart 1990, Annals of Probability 18:
    1269); where times are known in whole weeks only, it holds with more than its level.

    Parameters
    ----------
    weeks, counts
        As in `by_week`.
    level
        Confidence level of each interval, and of the band.

    Returns
    -------
    pandas.DataFrame
        One row a week from 0 to the last: `weeks` (less than so many since booking),
        `detainers`, `share`, `low`, `high`, `band_low`, `band_high`.
    """
    below = np.concatenate([[0], by_week(weeks, counts).cumsum()])
    share = below / below[-1]
    low, high = share_interval(below, below[-1], level)
    reach = np.sqrt(np.log(2 / (1 - level)) / (2 * below[-1]))
    ends = {
        "low": low,
        "high": high,
        "band_low": np.maximum(share - reach, 0),
        "band_high": np.minimum(share + reach, 1),
    }
    found = pd.DataFrame(
        {"weeks": np.arange(len(below)), "detainers": below, "share": share, **ends}
    )
    # Nobody is held for less than no time: the first row is a definition, not an estimate.
    found.loc[0, list(ends)] = 0.0
    return found


def without_few(curve: pd.DataFrame) -> pd.DataFrame:
    """Return the cumulative shares up to the last week beyond which `FEW` detainers are left."""
    return curve[curve["detainers"].le(curve["detainers"].iloc[-1] - FEW)]


def weeks_within(weeks: ArrayLike, counts: ArrayLike, share: float) -> int:
    """Return the fewest whole weeks within which at least a share of detainers was booked.

    Parameters
    ----------
    weeks, counts
        As in `by_week`.
    share
        Above 0, below 1.

    Returns
    -------
    int
        Whole weeks: at least the share lies below it, and less than the share a week before.

    Raises
    ------
    ValueError
        If fewer than `FEW` detainers lie beyond: the answer would be the time of few persons.
    """
    reached = by_week(weeks, counts).cumsum()
    week = int((reached >= share * reached[-1]).argmax())
    if (beyond := reached[-1] - reached[week]) < FEW:
        raise ValueError(f"a share of {share:g} leaves {beyond} detainers beyond, fewer than {FEW}")
    return week + 1


def booked_between(
    weeks: ArrayLike, counts: ArrayLike, first: dt.date, last: dt.date, as_of: dt.date
) -> tuple[int, int]:
    """Return how many can have been booked from one day to another, as far as whole weeks tell.

    With w completed weeks on `as_of`, booking lies 7w to 7w + 6 days back.

    Parameters
    ----------
    weeks, counts
        As in `by_week`.
    first, last, as_of
        The days in question, both included, and the day on which weeks were counted.

    Returns
    -------
    tuple of int
        Fewest (whose every possible day is among them) and most (some possible day is).
    """
    tally = by_week(weeks, counts)
    latest = 7 * np.arange(len(tally))
    nearest, farthest = (as_of - last).days, (as_of - first).days
    surely = (latest >= nearest) & (latest + 6 <= farthest)
    possibly = (latest + 6 >= nearest) & (latest <= farthest)
    return int(tally[surely].sum()), int(tally[possibly].sum())


def equality_test(
    weeks: tuple[ArrayLike, ArrayLike],
    counts: tuple[ArrayLike, ArrayLike],
    seed: int,
    replications: int = 9_999,
) -> tuple[float, float]:
    """Test that two groups have one distribution of times, by dividing them anew at random.

    The statistic is the largest gap between the two cumulative shares at a whole week (Smirnov
    1939); its distribution is that over random divisions of all detainers into groups of these
    sizes, so that ties cost nothing. The observed division counts as one of them (Phipson and
    Smyth 2010, Statistical Applications in Genetics and Molecular Biology 9: 39).

    Parameters
    ----------
    weeks, counts
        Of each group, as in `by_week`.
    seed
        Seed of the random divisions.
    replications
        Number of divisions drawn.

    Returns
    -------
    tuple of float
        The largest gap, and the p-value.
    """
    both = by_week(np.concatenate(weeks), np.concatenate(counts))
    one = by_week(np.append(weeks[0], len(both) - 1), np.append(counts[0], 0))
    draw = np.random.default_rng(seed)
    ones = draw.multivariate_hypergeometric(both, one.sum(), size=replications)
    samples = np.vstack([one, ones]).cumsum(axis=1)
    all_shares = samples / one.sum() - (both.cumsum() - samples) / (both.sum() - one.sum())
    gaps = np.abs(all_shares).max(axis=1)
    # Gaps that are equal on paper differ in the last digits.
    return float(gaps[0]), float((gaps >= gaps[0] - 1e-12).mean())


def median_ratio(
    weeks: tuple[ArrayLike, ArrayLike],
    counts: tuple[ArrayLike, ArrayLike],
    seed: int,
    replications: int = 10_000,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """Return the second group's grouped median over the first's, with a bootstrap interval.

    Parameters
    ----------
    weeks, counts
        Of each group, as in `by_week`.
    seed, replications, level
        As in `median_interval`; the groups are drawn independently.

    Returns
    -------
    tuple of float
        The ratio, and low and high end of its percentile interval.
    """
    tallies = [by_week(*group) for group in zip(weeks, counts, strict=True)]
    first, second = (_grouped_medians(tally[np.newaxis])[0] for tally in tallies)
    seeds = np.random.SeedSequence(seed).spawn(2)
    drawn = [
        _grouped_medians(resampled(tally, own, replications))
        for tally, own in zip(tallies, seeds, strict=True)
    ]
    return float(second / first), *percentile_interval(drawn[1] / drawn[0], level)


def _grouped_medians(samples: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the grouped median of each row of weekly counts."""
    half = samples.sum(axis=1) / 2
    reached = samples.cumsum(axis=1)
    at = (reached > half[:, np.newaxis]).argmax(axis=1)
    row = np.arange(len(samples))
    inside = samples[row, at]
    before = reached[row, at] - inside
    return at + (half - before) / inside
