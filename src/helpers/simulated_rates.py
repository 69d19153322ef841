"""Simulated weeks of declinations with known rates, for the tests and intervals of `rates`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from helpers import rates
from helpers.validation import ALPHA, Replication, Scenario, judge_each

ASSUMED = 2.0
"""Dispersion that `dispersed_rate_ratio` is told of."""

POWER_RATIO = 0.5
"""Rate of the later weeks over that of the first, where power is measured."""

_RATIOS: dict[str, Callable[..., rates.RateRatio]] = {
    "rate_ratio": rates.rate_ratio,
    "dispersed_rate_ratio": partial(rates.dispersed_rate_ratio, dispersion=ASSUMED),
}
_Means = NDArray[np.float64]


def scenarios(declined: Sequence[float], issued: Sequence[float]) -> list[Scenario]:
    """Return the scenarios of comparing the rates of three weeks.

    Parameters
    ----------
    declined
        Declinations of three weeks, the means of what is drawn.
    issued
        Detainers issued in each week, the exposures.
    """
    exposed = np.asarray(issued, dtype=float)
    seen = np.asarray(declined, dtype=float)
    equal = seen.sum() * exposed / exposed.sum()
    fewer = equal * [1, POWER_RATIO, POWER_RATIO]
    stress = {2: "stress_dispersion_2", 4: "stress_dispersion_4"}
    of = "dispersed_rate_ratio"
    return [
        _ratios("rates_seen", seen, exposed, 1, ["rate_ratio.model"]),
        _ratios("rates_seen_2", seen, exposed, 2, [f"rate_ratio.{stress[2]}", f"{of}.model"]),
        _ratios("rates_seen_4", seen, exposed, 4, [f"rate_ratio.{stress[4]}", f"{of}.{stress[4]}"]),
        _ratios("rates_equal", equal, exposed, 1, ["rate_ratio.null"]),
        _ratios("rates_equal_2", equal, exposed, 2, [f"{of}.null"]),
        _ratios("rates_halved", fewer, exposed, 1, ["rate_ratio.power"]),
        _ratios("rates_halved_2", fewer, exposed, 2, [f"{of}.power"]),
        _homogeneity("three_rates_equal", equal, exposed, 1, "null"),
        _homogeneity("three_rates_halved", fewer, exposed, 1, "power"),
        _homogeneity("three_rates_equal_2", equal, exposed, 2, stress[2]),
        _homogeneity("three_rates_equal_4", equal, exposed, 4, stress[4]),
    ]


def counts(rng: Generator, means: _Means, dispersion: float) -> NDArray[np.int64]:
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


def _ratios(
    name: str, means: _Means, exposed: _Means, dispersion: float, asked: Sequence[str]
) -> Scenario:
    means, exposed = means[:2], exposed[:2]
    truth = (means[1] / exposed[1]) / (means[0] / exposed[0])

    def replicate(rng: Generator) -> Mapping[str, Replication]:
        drawn = counts(rng, means, dispersion)
        return judge_each(asked, lambda name: _RATIOS[name](drawn, exposed), truth)

    return Scenario(name, _words(means, dispersion), replicate)


def _homogeneity(
    name: str, means: _Means, exposed: _Means, dispersion: float, setting: str
) -> Scenario:
    def replicate(rng: Generator) -> Mapping[str, Replication]:
        drawn = counts(rng, means, dispersion)
        return {
            f"{test.__name__}.{setting}": Replication(rejected=test(drawn, exposed) < ALPHA)
            for test in (rates.homogeneity, rates.exact_homogeneity)
        }

    return Scenario(name, _words(means, dispersion), replicate)


def _words(means: _Means, dispersion: float) -> str:
    *others, last = (f"{mean:.0f}" for mean in means)
    law = "Poisson" if dispersion == 1 else f"dispersion {dispersion:g}"
    return f"weeks with means of {', '.join(others)} and {last} declinations, {law}"
