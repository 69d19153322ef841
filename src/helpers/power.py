"""Smallest effects on declinations that tests of given size and power would show."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

_LARGEST = np.log(1000)  # up to which a log ratio is looked for
_TAIL = 1e-12  # probability of the totals left out of a sum


def exact_power(first: float, second: float, level: float = 0.05) -> float:
    """Return the power of the exact test that two Poisson counts have one mean.

    Given their total n, the second count is binomial; under equal means its share is 1/2, and the
    test (that of `helpers.rates.rate_ratio` with equal exposures) refuses equal counts at both
    ends. The total is Poisson, so that the power is a sum over n.

    Parameters
    ----------
    first, second
        True means.
    level
        Largest p-value that counts as a finding.
    """
    lowest, highest = stats.poisson.ppf([_TAIL, 1 - _TAIL], first + second)
    total = np.arange(lowest, highest + 1)
    edge = stats.binom.ppf(level / 2, total, 0.5)
    edge -= stats.binom.cdf(edge, total, 0.5) > level / 2
    share = second / (first + second)
    refused = stats.binom.cdf(edge, total, share) + stats.binom.cdf(edge, total, 1 - share)
    return float(stats.poisson.pmf(total, first + second) @ refused)


def two_weeks(
    expected: float, dispersion: float = 1.0, *, power: float = 0.8, level: float = 0.05
) -> tuple[float, float]:
    """Return the weakest fall and rise between two weeks that the exact test would show.

    Counts of dispersion d are taken to come in batches of d: they tell as much as counts 1/d as
    large of single declinations.

    Parameters
    ----------
    expected
        Count expected in the first week; both weeks have one exposure.
    dispersion
        Variance of the counts over their mean, 1 or more.
    power, level
        Probability of a p-value of at most `level`.

    Returns
    -------
    tuple of float
        Ratios of the second week's mean to the first's, below and above 1.

    Raises
    ------
    ValueError
        If a number is out of range, or the count too small for any fall to be shown.
    """
    _check(expected, dispersion, power, level)
    batches = expected / dispersion

    def lacks(log_ratio: float) -> float:
        return power - exact_power(batches, batches * np.exp(log_ratio), level)

    if lacks(-_LARGEST) > 0:
        raise ValueError(
            f"{batches:g} declinations expected: not even a fall to nothing would be shown"
        )
    ends = (optimize.brentq(lacks, 0, end) for end in (-_LARGEST, _LARGEST))
    fall, rise = (float(np.exp(end)) for end in ends)
    return fall, rise


def staggered(offices: int, weeks: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return a plain design: half of the offices have stopped, and resume one after another.

    Resumptions are spread evenly over the middle half of the weeks.

    Returns
    -------
    tuple of numpy.ndarray
        `untreated` and `treated`, offices by weeks, as in `helpers.panel.Cells`.
    """
    resume = np.full(offices, np.inf)
    resume[: offices // 2] = np.round(weeks * np.linspace(0.25, 0.75, offices // 2))
    treated = np.arange(weeks) >= resume[:, np.newaxis]
    return ~treated, treated


def panel(
    means: ArrayLike,
    untreated: NDArray[np.bool_],
    treated: NDArray[np.bool_],
    dispersion: float = 1.0,
    *,
    power: float = 0.8,
    level: float = 0.05,
) -> float:
    """Return the smallest rise that `helpers.panel.imputed` would show.

    An effect r, the same everywhere, is estimated on the log scale with variance d (1 / (r m) + v),
    where m are the declinations expected after resumption without it, d the dispersion, and v the
    variance that the estimated levels of offices and weeks bring in (delta method). It is shown
    with the power asked for if log r is the sum of two quantiles of Student's t times the
    standard error (Bloom 1995, Evaluation Review 19:547). The jackknife's variance exceeds the
    true one: of a mean of n offices by n / (n - 1), less (G - 1) / G over all G; n is taken to be
    the number of offices that resumed, or of the others, whichever is smaller.

    Parameters
    ----------
    means
        Declinations expected had no office resumed, offices by weeks or one number.
    untreated, treated
        As in `helpers.panel.Cells`.
    dispersion
        Variance of the counts over their mean, 1 or more.
    power, level
        Probability of a p-value of at most `level`.

    Raises
    ------
    ValueError
        If a number is out of range, fewer than two offices resumed or never did, or not even a
        thousandfold rise would be shown.
    """
    expected = np.broadcast_to(np.asarray(means, dtype=float), treated.shape)
    _check(expected[untreated | treated].min(), dispersion, power, level)
    offices = len(expected)
    resumed = int(treated.any(axis=1).sum())
    group = min(resumed, offices - resumed)
    if group < 2:
        raise ValueError("two offices that resumed and two that never did are needed")
    inflation = group / (group - 1) * (offices - 1) / offices
    reach = float(
        stats.t.isf(level / 2, offices - 1) * np.sqrt(inflation) + stats.t.ppf(power, offices - 1)
    )
    after = float((expected * treated).sum())
    of_levels = level_variance(expected, untreated, treated)

    def lacks(log_ratio: float) -> float:
        variance = dispersion * (np.exp(-log_ratio) / after + of_levels)
        return reach * np.sqrt(variance) - log_ratio

    if lacks(_LARGEST) > 0:
        raise ValueError("not even a thousandfold rise would be shown")
    return float(np.exp(optimize.brentq(lacks, 0, _LARGEST)))


def level_variance(
    means: NDArray[np.float64], untreated: NDArray[np.bool_], treated: NDArray[np.bool_]
) -> float:
    """Return the variance of the log of the declinations expected after resumption without it.

    That is, of the sum over treated cells of levels estimated from Poisson counts in untreated
    ones, by the delta method with the information of office and week effects.

    Parameters
    ----------
    means
        Declinations expected had no office resumed, offices by weeks.
    untreated, treated
        As in `helpers.panel.Cells`.
    """
    told, asked = means * untreated, means * treated
    of_weeks, gradient = told.sum(axis=0), [asked.sum(axis=axis) / asked.sum() for axis in (1, 0)]
    share = np.divide(told, of_weeks, out=np.zeros_like(told), where=of_weeks > 0)
    by_weeks = np.divide(
        gradient[1] ** 2, of_weeks, out=np.zeros_like(of_weeks), where=of_weeks > 0
    )
    # The weeks are eliminated; a constant moved from weeks to offices leaves the rest singular.
    by_offices = gradient[0] - share @ gradient[1]
    information = np.diag(told.sum(axis=1)) - share @ told.T
    inverse = np.linalg.pinv(information, hermitian=True)
    return float(by_offices @ inverse @ by_offices + by_weeks.sum())


def _check(expected: float, dispersion: float, power: float, level: float) -> None:
    if not (expected > 0 and dispersion >= 1 and 0 < level < power < 1):
        raise ValueError(
            f"expected {expected:g}, dispersion {dispersion:g}, power {power:g}, level {level:g}: "
            "a positive count, a dispersion from 1 on and 0 < level < power < 1 are needed"
        )
