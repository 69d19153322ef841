"""Simulated weeks of declinations with known rates, for the tests and intervals of `rates`."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from helpers import rates
from helpers.validation import ALPHA, Replication, Scenario, log_error

ASSUMED = 2.0
"""Dispersion that `dispersed_rate_ratio` is told of."""

POWER_RATIO = 0.5
"""Rate of the later weeks over that of the first, where power is measured."""

_Counts = NDArray[np.int64]
_Means = NDArray[np.float64]


def scenarios(declined: Sequence[float], issued: Sequence[float]) -> list[Scenario]:
    """Return the scenarios of comparing weekly rates.

    Parameters
    ----------
    declined
        Declinations of three weeks, the means of what is drawn.
    issued
        Detainers issued in each week, the exposures.
    """
    seen, exposed = np.asarray(declined, dtype=float), np.asarray(issued, dtype=float)
    equal = seen.sum() * exposed / exposed.sum()
    fewer = equal * [1, POWER_RATIO, POWER_RATIO]
    two, three = partial(_two_weeks, exposed[:2]), partial(_three_weeks, exposed)
    return [
        two("rate_ratio", "model", seen, 1),
        two("rate_ratio", "null", equal, 1),
        two("rate_ratio", "power", fewer, 1),
        two("rate_ratio", "stress_dispersion_2", seen, 2),
        two("rate_ratio", "stress_dispersion_4", seen, 4),
        two("dispersed_rate_ratio", "model", seen, ASSUMED),
        two("dispersed_rate_ratio", "null", equal, ASSUMED),
        two("dispersed_rate_ratio", "power", fewer, ASSUMED),
        two("dispersed_rate_ratio", "stress_dispersion_4", seen, 4),
        *(
            three(name, *setting)
            for name in ("homogeneity", "exact_homogeneity")
            for setting in (
                ("null", equal, 1),
                ("power", fewer, 1),
                ("stress_dispersion_2", equal, 2),
                ("stress_dispersion_4", equal, 4),
            )
        ),
    ]


def counts(rng: Generator, means: _Means, dispersion: float) -> _Counts:
    """Draw counts of given means: Poisson where the dispersion is 1, else negative binomial.

    Parameters
    ----------
    rng
        Source of random numbers.
    means
        One a count.
    dispersion
        Variance over mean, 1 or more.
    """
    if dispersion == 1:
        return rng.poisson(means)
    return rng.negative_binomial(means / (dispersion - 1), 1 / dispersion)


def _two_weeks(
    exposed: _Means, estimator: str, setting: str, means: _Means, dispersion: float
) -> Scenario:
    estimates: dict[str, Callable[..., rates.RateRatio]] = {
        "rate_ratio": rates.rate_ratio,
        "dispersed_rate_ratio": partial(rates.dispersed_rate_ratio, dispersion=ASSUMED),
    }
    first, second = means[:2] / exposed
    truth = second / first

    def replicate(rng: Generator) -> Replication:
        found = estimates[estimator](counts(rng, means[:2], dispersion), exposed)
        covered = found.low <= truth <= found.high
        return Replication(log_error(found.value, truth), covered, found.p_value < ALPHA)

    return Scenario(estimator, setting, _words(means[:2], dispersion), replicate)


def _three_weeks(
    exposed: _Means, estimator: str, setting: str, means: _Means, dispersion: float
) -> Scenario:
    test = {"homogeneity": rates.homogeneity, "exact_homogeneity": rates.exact_homogeneity}

    def replicate(rng: Generator) -> Replication:
        p_value = test[estimator](counts(rng, means, dispersion), exposed)
        return Replication(rejected=p_value < ALPHA)

    costly = estimator == "exact_homogeneity"
    return Scenario(estimator, setting, _words(means, dispersion), replicate, costly)


def _words(means: _Means, dispersion: float) -> str:
    each = " and ".join(f"{mean:.0f}" for mean in means)
    law = "Poisson" if dispersion == 1 else f"dispersion {dispersion:g}"
    return f"weeks with means of {each} declinations, {law}"
