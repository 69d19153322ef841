"""Simulated times of known families, for the interval-censored fits of `censored`."""

from collections.abc import Mapping

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from helpers import ages, censored
from helpers.validation import (
    ALPHA,
    COSTLY_NO_TARGET,
    DRAWS,
    FEW_DRAWS_LEVEL,
    Replication,
    Scenario,
    log_error,
)

_WEEKS = 520  # ten years; the share beyond is added to the last week


def scenarios(weeks: ArrayLike, counts: ArrayLike, few: int) -> list[Scenario]:
    """Return the scenarios of fitted medians and of the test of fit.

    Parameters
    ----------
    weeks, counts
        The sample whose fits are the truth, as in `helpers.ages.by_week`.
    few
        Detainers of a small group.
    """
    n = int(np.sum(counts))
    weibull, log_normal, gamma = (
        censored.fit(weeks, counts, family) for family in ("Weibull", "log-normal", "gamma")
    )
    rare = COSTLY_NO_TARGET
    return [
        _interval("fit", weibull, n, "model", tested="null"),
        _interval("fit_few", weibull, few, "model_small"),
        _interval("fit_pairs", weibull, n, "stress_pairs", rare, together=2),
        _interval("fit_wrong", log_normal, n, "stress_wrong_family", rare, tested="power"),
        _point("fit_log_normal", log_normal, n, "model_log_normal"),
        _point("fit_gamma", gamma, n, "model_gamma"),
    ]


def _interval(
    name: str,
    truth: censored.Fit,
    n: int,
    setting: str,
    share: float = 1.0,
    *,
    tested: str = "",
    together: int = 1,
) -> Scenario:
    """Return a scenario of a fitted Weibull distribution, its median's interval and its fit."""

    def replicate(rng: Generator) -> Mapping[str, Replication]:
        tally, week = drawn(rng, truth, n, together)
        seeds = rng.integers(2**32, size=2).tolist()
        median = censored.fit(week, tally, "Weibull").median
        refits = censored.fit(week, ages.resampled(tally, seeds[0], DRAWS), "Weibull").median
        low, high = ages.percentile_interval(refits, FEW_DRAWS_LEVEL)
        error = log_error(float(median), float(truth.median))
        covered = bool(low <= truth.median <= high)
        judged = {f"fitted_median.{setting}": Replication(error, covered)}
        if tested:
            _, p_value = censored.goodness(week, tally, "Weibull", seeds[1], DRAWS)
            judged[f"goodness.{tested}"] = Replication(rejected=p_value < ALPHA)
        return judged

    return Scenario(name, f"{_words(truth, n, together)}, fitted as Weibull", replicate, share)


def _point(name: str, truth: censored.Fit, n: int, setting: str) -> Scenario:
    """Return a scenario of another family, too slow to be fitted to a thousand bootstraps."""

    def replicate(rng: Generator) -> Mapping[str, Replication]:
        found = censored.fit(*drawn(rng, truth, n)[::-1], truth.family)
        error = log_error(float(found.median), float(truth.median))
        return {f"fitted_median.{setting}": Replication(error)}

    return Scenario(name, f"{_words(truth, n)}, fitted as {truth.family}", replicate)


def _words(truth: censored.Fit, n: int, together: int = 1) -> str:
    pairs = ", booked in pairs" if together == 2 else ""
    return f"{n} {truth.family} times in whole weeks, median {truth.median:.1f}{pairs}"


def drawn(
    rng: Generator, truth: censored.Fit, n: int, together: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw times of a fitted family, known in whole weeks.

    Parameters
    ----------
    rng
        Source of random numbers.
    truth
        The family and its parameters.
    n
        Number of times.
    together
        How many detainers share each time.

    Returns
    -------
    tally, week : numpy.ndarray
        The number in each week up to the last, and the weeks.
    """
    shares = censored.expected_shares(truth.parameters, truth.family, _WEEKS)
    tally = together * rng.multinomial(n // together, shares)
    week = np.arange(tally.nonzero()[0].max() + 1)
    return tally[week], week
