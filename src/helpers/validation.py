"""Whether estimators recover a known truth: simulated data sets, and what they show.

The measures and their Monte Carlo errors are those of Morris, White and Crowther 2019, Statistics
in Medicine 38: 2074.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

LEVEL = 0.95
"""Nominal level of every interval."""

ALPHA = 0.05
"""A test rejects where its p-value is below this."""

DIGITS = 9
"""Digits to which two programs are compared; beyond, they differ by rounding."""

PROFILES = {"short": (100, 20), "full": (2_000, 1_000)}
"""Data sets of a scenario, and of one that is costly, by profile."""

_MEASURES = {
    "model": {"covered": ("coverage", LEVEL), "error": ("bias", 0.0)},
    "null": {"rejected": ("false_positive_rate", ALPHA)},
    "power": {"rejected": ("power", math.nan)},
}
"""What each kind of setting measures: by outcome, a name and the nominal value."""


class Replication(NamedTuple):
    """What an estimator made of one simulated data set; None where it gives no such thing.

    Attributes
    ----------
    error
        Estimate less truth, on the scale that the scenario states.
    covered
        Whether the interval, or the whole band, holds the truth.
    rejected
        Whether the p-value is below 5%.
    """

    error: float | None = None
    covered: bool | None = None
    rejected: bool | None = None


@dataclass(frozen=True)
class Scenario:
    """A way to draw data with a known truth, and what is asked of an estimator there.

    Attributes
    ----------
    estimator
        Name of the estimator.
    setting
        `model` (its assumptions hold), `null` (and there is no effect), `power` (and there is
        one) or `stress_VIOLATION` (an assumption fails); the first three may have a suffix.
    words
        What is drawn, for readers.
    replicate
        Draws one data set and estimates.
    costly
        Whether a data set takes so long that fewer are drawn.
    """

    estimator: str
    setting: str
    words: str
    replicate: Callable[[Generator], Replication]
    costly: bool = False


def log_error(value: float, truth: float) -> float:
    """Return the error of a positive estimate on the log scale, near the relative error."""
    return math.log(value / truth)


def simulate(scenario: Scenario, replications: int, seed: int) -> pd.DataFrame:
    """Draw data sets of a scenario and estimate from each.

    Each data set has a stream of random numbers of its own, made from the seed, the scenario's
    name and the number of the data set: the outcome depends on nothing else, and more data sets
    leave the first ones as they were.

    Parameters
    ----------
    scenario
        What to draw.
    replications
        Number of data sets.
    seed
        Seed of the random numbers.

    Returns
    -------
    pandas.DataFrame
        One row a data set, columns as the fields of `Replication`, missing where there is none.
    """
    name = f"{scenario.estimator}.{scenario.setting}"
    streams = np.random.SeedSequence([seed, *name.encode()]).spawn(replications)
    rows = [scenario.replicate(np.random.default_rng(stream)) for stream in streams]
    return pd.DataFrame(rows, columns=Replication._fields, dtype=float)


def summarise(scenario: Scenario, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return what the outcomes of a scenario say.

    Parameters
    ----------
    scenario
        The scenario; its setting names the measures. A stress setting has one: the share covered,
        else the share rejected, else the mean error.
    outcomes
        As from `simulate`.

    Returns
    -------
    pandas.DataFrame
        One row a measure: `estimator`, `setting`, `words`, `measure`, `of` (the outcome behind
        it), `value`, `standard_error`, `low` and `high` (95% Monte Carlo interval: Wilson 1927,
        Journal of the American Statistical Association 22: 209, for a share), `nominal` (missing
        where there is no target), `replications`.

    Raises
    ------
    ValueError
        If the setting is unknown or has no outcome that it asks for.
    """
    given = [name for name in ("covered", "rejected", "error") if outcomes[name].notna().all()]
    kind, _, suffix = scenario.setting.partition("_")
    measures = {
        of: ("_".join(filter(None, [measure, suffix])), nominal)
        for of, (measure, nominal) in _MEASURES.get(kind, {}).items()
        if of in given
    }
    if kind == "stress" and given:
        measures = {given[0]: (scenario.setting, math.nan)}
    if not measures:
        raise ValueError(f"setting {scenario.setting!r} of {scenario.estimator} has no outcome")
    rows = [
        {
            "measure": measure,
            "of": of,
            **(_mean(outcomes[of]) if of == "error" else _share(outcomes[of])),
            "nominal": nominal,
        }
        for of, (measure, nominal) in measures.items()
    ]
    return pd.DataFrame(rows).assign(
        estimator=scenario.estimator,
        setting=scenario.setting,
        words=scenario.words,
        replications=len(outcomes),
    )


def study(scenarios: Iterable[Scenario], cheap: int, costly: int, seed: int) -> pd.DataFrame:
    """Simulate every scenario and put what they say into one table.

    Parameters
    ----------
    scenarios
        What to draw.
    cheap, costly
        Number of data sets of a scenario, and of one that is costly.
    seed
        Seed of the random numbers.

    Returns
    -------
    pandas.DataFrame
        Rows as from `summarise`, scenario by scenario.
    """
    return pd.concat(
        [
            summarise(each, simulate(each, costly if each.costly else cheap, seed))
            for each in scenarios
        ],
        ignore_index=True,
    )


def against_nominal(row: Mapping[str, float]) -> str:
    """Return whether a measure is `as nominal`, `above` or `below`, given its Monte Carlo interval.

    Where nothing is wrong the interval misses the nominal value one time in twenty.
    """
    if row["low"] > row["nominal"]:
        return "above"
    return "below" if row["high"] < row["nominal"] else "as nominal"


def agreeing_digits(ours: float, theirs: float) -> int:
    """Return to how many significant digits two numbers agree, `DIGITS` at most."""
    if ours == theirs:
        return DIGITS
    relative = abs(ours - theirs) / max(abs(ours), abs(theirs))
    return min(DIGITS, max(0, math.floor(-math.log10(relative))))


def _share(happened: pd.Series) -> dict[str, float]:
    count, n = int(happened.sum()), len(happened)
    low, high = proportion_confint(count, n, alpha=1 - LEVEL, method="wilson")
    share = count / n
    error = math.sqrt(share * (1 - share) / n)
    return {"value": share, "standard_error": error, "low": float(low), "high": float(high)}


def _mean(errors: pd.Series) -> dict[str, float]:
    mean, error = float(errors.mean()), float(errors.std() / math.sqrt(len(errors)))
    reach = float(norm.isf((1 - LEVEL) / 2)) * error
    return {"value": mean, "standard_error": error, "low": mean - reach, "high": mean + reach}
