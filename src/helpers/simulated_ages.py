"""Simulated times since booking with a known truth, for the estimators of `ages` and `bounds`."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from helpers import ages, bounds
from helpers.validation import ALPHA, DRAWS, FEW_DRAWS_LEVEL, Replication, Scenario, log_error

DIVISIONS = 199
"""Random divisions of each simulated data set in the test of two groups."""

TIMES = 2.0
"""Median of the second group over that of the first, where they differ."""

_FEW = (DRAWS, FEW_DRAWS_LEVEL)
_EQUAL = 1e-12  # shares that are equal on paper differ in the last digits
_LIMITS = (3, 10, 30)  # weeks at which the parts of a partly known distribution meet


def scenarios(n: int, other: int, few: int, median_weeks: float, share: float) -> list[Scenario]:
    """Return the scenarios of exponential times since booking, known in whole weeks.

    Parameters
    ----------
    n, other, few
        Detainers of a group, of another one, and of a small one.
    median_weeks
        Median of the times of the first.
    share
        Share of detainers booked before a day.
    """
    return [
        _one("ages", n, median_weeks, "model"),
        _one("ages_few", few, median_weeks, "model_small"),
        _one("ages_pairs", n, median_weeks, "stress_pairs", together=2),
        _share("share", n, share, "model"),
        _share("share_pairs", n, share, "stress_pairs", together=2),
        _two("two_alike", n, other, median_weeks, 1.0, "null"),
        _two("two_differ", n, other, median_weeks, TIMES, "power"),
        _bounds(n, median_weeks),
    ]


def _held(rng: Generator, n: int, median: float) -> NDArray[np.int64]:
    """Draw completed weeks."""
    return np.floor(rng.exponential(median / math.log(2), n)).astype(int)


def _within(weeks: NDArray[np.float64], median: float) -> NDArray[np.float64]:
    """Return the true share of times below given weeks."""
    return -np.expm1(-math.log(2) * weeks / median)


def _one(name: str, n: int, median: float, setting: str, together: int = 1) -> Scenario:
    def replicate(rng: Generator) -> Mapping[str, Replication]:
        held = _held(rng, n // together, median)
        tally = np.full(len(held), together)
        low, high = ages.median_interval(held, tally, int(rng.integers(2**32)), *_FEW)
        error = log_error(ages.grouped_median(held, tally), median)
        found = {f"grouped_median.{setting}": Replication(error, low <= median <= high)}
        if setting == "model_small":
            return found
        curve = ages.cumulative(held, tally)
        true = _within(curve["weeks"].to_numpy(), median)
        inside = curve["band_low"].le(true) & curve["band_high"].ge(true)
        return found | {f"cumulative_band.{setting}": Replication(covered=bool(inside.all()))}

    words = f"exponential times in whole weeks, median {median:.1f}, of {_group(n, together)}"
    return Scenario(name, words, replicate)


def _share(name: str, n: int, truth: float, setting: str, together: int = 1) -> Scenario:
    def replicate(rng: Generator) -> Mapping[str, Replication]:
        drawn = n // together
        part, whole = together * int(rng.binomial(drawn, truth)), together * drawn
        low, high = ages.share_interval(part, whole)
        error = log_error(part / whole, truth)
        return {f"share_interval.{setting}": Replication(error, bool(low <= truth <= high))}

    return Scenario(name, f"a share of {truth:.0%} among {_group(n, together)}", replicate)


def _group(n: int, together: int) -> str:
    return f"{n} detainers" + (", booked in pairs" if together == 2 else "")


def _two(name: str, n: int, other: int, median: float, truth: float, setting: str) -> Scenario:
    """Return a scenario of two groups; where they differ, their ratio is estimated too."""

    def replicate(rng: Generator) -> Mapping[str, Replication]:
        held = _held(rng, n, median), _held(rng, other, truth * median)
        ones = np.ones(n, dtype=int), np.ones(other, dtype=int)
        seeds = rng.integers(2**32, size=2).tolist()
        _, p_value = ages.equality_test(held, ones, seeds[0], DIVISIONS)
        found = {f"equality_test.{setting}": Replication(rejected=p_value < ALPHA)}
        if setting == "null":
            return found
        ratio, low, high = ages.median_ratio(held, ones, seeds[1], *_FEW)
        judged = Replication(log_error(ratio, truth), low <= truth <= high)
        return found | {"median_ratio.model": judged}

    words = f"{n} and {other} exponential times, medians in a ratio of {truth:g}"
    return Scenario(name, words, replicate)


def _bounds(n: int, median: float) -> Scenario:
    """Return a scenario of a distribution of which only the sizes of parts are known, nearly."""
    at = np.arange(80)
    ends = np.array([0, *_LIMITS, math.inf])

    def replicate(rng: Generator) -> Mapping[str, Replication]:
        held = _held(rng, n, median)
        inside = np.histogram(held, ends)[0]
        spared = rng.integers(0, 3, size=(2, len(inside)))
        parts = pd.DataFrame(
            {
                "fewest": np.maximum(inside - spared[0], 0),
                "most": inside + spared[1],
                "lowest": ends[:-1],
                "highest": ends[1:] - 1,
            }
        )
        found = bounds.distribution_bounds(parts, n, at)
        true = np.searchsorted(np.sort(held), at, side="right") / n
        covered = found["low"].le(true + _EQUAL) & found["high"].ge(true - _EQUAL)
        return {"distribution_bounds.bounds": Replication(covered=bool(covered.all()))}

    words = f"{n} times, of which the numbers in {len(ends) - 1} parts are known to within two"
    return Scenario("bounds", words, replicate)
