"""Compare rates of rare events: exact tests for Poisson counts, and allowance for dispersion."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

# Enumerated probabilities that are equal on paper differ in the last digits.
_EQUAL = 1 + 1e-7


@dataclass(frozen=True)
class RateRatio:
    """Rate of the second period over that of the first, its interval and two-sided p-value."""

    value: float
    low: float
    high: float
    p_value: float


def rate_ratio(counts: ArrayLike, exposures: ArrayLike, level: float = 0.95) -> RateRatio:
    """Compare two Poisson rates exactly.

    Given the total, the second count is binomial with the share of the second exposure under
    equal rates (Przyborowski and Wilenski 1940, Biometrika 31:313). The interval is that of
    Clopper and Pearson (1934, Biometrika 26:404) for the binomial share, turned into a ratio; the
    p-value adds up the outcomes no likelier than the one seen. The two can disagree at the edge.

    Parameters
    ----------
    counts
        Two whole numbers, not both 0.
    exposures
        Two positive numbers; only their ratio matters.
    level
        Confidence level of the interval.

    Returns
    -------
    RateRatio
        Second over first; infinite where the first count is 0.

    Raises
    ------
    ValueError
        If counts or exposures are not as described.
    """
    (first, second), (at_first, at_second) = _checked(counts, exposures, 2)
    test = stats.binomtest(int(second), int(first + second), at_second / (at_first + at_second))
    interval = test.proportion_ci(level, method="exact")
    value, low, high = (
        math.inf if share >= 1 else float(share / (1 - share) * at_first / at_second)
        for share in (second / (first + second), interval.low, interval.high)
    )
    return RateRatio(value, low, high, float(test.pvalue))


def dispersed_rate_ratio(
    counts: ArrayLike, exposures: ArrayLike, dispersion: float, level: float = 0.95
) -> RateRatio:
    """Compare two rates whose counts vary more than Poisson counts do.

    Normal approximation on the log scale, variance `dispersion` times that of Poisson counts
    (quasi-likelihood: McCullagh and Nelder 1989, Generalized Linear Models, section 6.2.3).

    Parameters
    ----------
    counts, exposures, level
        As in `rate_ratio`; both counts positive.
    dispersion
        Variance of the counts over their mean.

    Raises
    ------
    ValueError
        If a count or the dispersion is not positive.
    """
    (first, second), (at_first, at_second) = _checked(counts, exposures, 2)
    if min(first, second, dispersion) <= 0:
        raise ValueError("two positive counts and a positive dispersion are needed")
    log_ratio = math.log(second / at_second) - math.log(first / at_first)
    error = math.sqrt(dispersion * (1 / first + 1 / second))
    reach = float(stats.norm.isf((1 - level) / 2)) * error
    low, high = math.exp(log_ratio - reach), math.exp(log_ratio + reach)
    p_value = 2 * float(stats.norm.sf(abs(log_ratio) / error))
    return RateRatio(math.exp(log_ratio), low, high, p_value)


def homogeneity(counts: ArrayLike, exposures: ArrayLike, dispersion: float = 1.0) -> float:
    """Return the chi-square p-value of equal rates in all periods.

    Pearson's statistic against counts shared out by exposure, divided by the dispersion.

    Parameters
    ----------
    counts, exposures
        One whole number and one positive number a period; two periods or more.
    dispersion
        Variance of the counts over their mean; 1 for Poisson counts.

    Raises
    ------
    ValueError
        If counts or exposures are not as described.
    """
    seen, exposed = _checked(counts, exposures)
    expected = seen.sum() * exposed / exposed.sum()
    statistic = float(((seen - expected) ** 2 / expected).sum())
    return float(stats.chi2.sf(statistic / dispersion, len(seen) - 1))


def exact_homogeneity(counts: ArrayLike, exposures: ArrayLike) -> float:
    """Return the exact p-value of equal Poisson rates in all periods.

    Given the total, the counts are multinomial with the shares of the exposures. Every way to
    divide the total is enumerated; the p-value adds up those no likelier than the one seen
    (Freeman and Halton 1951, Biometrika 38:141). With two periods this is `rate_ratio`'s test.

    Parameters
    ----------
    counts, exposures
        As in `homogeneity`. The work grows as total to the power of periods less one.

    Raises
    ------
    ValueError
        If counts or exposures are not as described.
    """
    seen, exposed = _checked(counts, exposures)
    sizes = np.arange(seen.sum() + 1)
    # Each period's term of the log-probability of a division, by the count that it gets.
    terms = np.outer(np.log(exposed / exposed.sum()), sizes) - special.gammaln(sizes + 1)
    terms[-1] += special.gammaln(len(sizes))
    own = terms[range(len(seen)), seen.astype(int)].sum()
    probability = np.exp(_over_divisions(terms))
    return min(1.0, float(probability[probability <= np.exp(own) * _EQUAL].sum()))


def _checked(
    counts: ArrayLike, exposures: ArrayLike, periods: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    seen, exposed = np.asarray(counts, dtype=float), np.asarray(exposures, dtype=float)
    if seen.ndim != 1 or seen.shape != exposed.shape or len(seen) < 2:
        raise ValueError("one count and one exposure a period are needed, two periods or more")
    if periods and len(seen) != periods:
        raise ValueError(f"{len(seen)} periods given, {periods} are compared")
    if (seen < 0).any() or (seen % 1).any() or not seen.any():
        raise ValueError(f"counts {seen.tolist()}: whole numbers, not all 0, are needed")
    if not (np.isfinite(exposed) & (exposed > 0)).all():
        raise ValueError(f"exposures {exposed.tolist()}: positive numbers are needed")
    return seen, exposed


def _over_divisions(terms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum over periods of each one's term, for every way to divide the total.

    One row of `terms` a period; its columns are the counts from 0 to the total.
    """
    sums, left = np.zeros(1), np.array([terms.shape[1] - 1])
    for of_period in terms[:-1]:
        ways = left + 1
        given = np.arange(ways.sum()) - np.repeat(np.cumsum(ways) - ways, ways)
        sums = np.repeat(sums, ways) + of_period[given]
        left = np.repeat(left, ways) - given
    return sums + terms[-1][left]
