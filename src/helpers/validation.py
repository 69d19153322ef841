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

from helpers.rates import RateRatio

LEVEL = 0.95
"""Nominal level of every interval."""

ALPHA = 0.05
"""A test rejects where its p-value is below this."""

REACH = float(norm.isf((1 - LEVEL) / 2))
"""Standard errors from the middle of a normal interval of that level to its ends."""

DIGITS = 9
"""Digits to which two programs are compared; beyond, they differ by rounding."""

PROFILES = {"short": 25, "full": 1_000}
"""Data sets of a scenario by profile."""

COSTLY_NO_TARGET = 0.2
"""Share of a profile's data sets that is drawn where each takes long and there is no target."""

DRAWS = 79
"""Bootstrap samples of each simulated data set, far fewer than the study draws of its only one."""

FEW_DRAWS_LEVEL = 1 - 2 * ((1 - LEVEL) / 2 * (DRAWS + 1) - 1) / (DRAWS - 1)
"""Level to ask of `helpers.ages.percentile_interval` for `LEVEL` from so few draws.

With B draws the ends belong at the ranks (B + 1) a and (B + 1)(1 - a) (Davison and Hinkley 1997,
Bootstrap Methods and their Application, section 5.2.1); quantiles interpolated over B - 1 gaps lie
inside them, by nothing that matters where B is large.
"""

_MEASURES = {
    "model": {"covered": ("coverage", LEVEL), "error": ("bias", 0.0)},
    "bounds": {"covered": ("coverage", 1.0)},
    "range": {"covered": ("coverage", math.nan)},
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
    """A way to draw data with a known truth, and what estimators make of each data set.

    Attributes
    ----------
    name
        Name of the way, with its own random numbers.
    words
        What is drawn, for readers.
    replicate
        Draws one data set; returns replications by `ESTIMATOR.SETTING`. The setting is `model`
        (the estimator's assumptions hold), `null` (and there is no effect), `power` (and there
        is one) or `stress_VIOLATION` (an assumption fails). `bounds` should hold the truth in
        every data set; a `range` promises nothing. All but stress may have a suffix.
    share
        Data sets drawn, as a share of the profile's: less than 1 where each takes long.
    """

    name: str
    words: str
    replicate: Callable[[Generator], Mapping[str, Replication]]
    share: float = 1.0


def log_error(value: float, truth: float) -> float:
    """Return the error of a positive estimate on the log scale, near the relative error."""
    return math.log(value / truth)


def judge(found: RateRatio, truth: float) -> Replication:
    """Return what a ratio with its interval and p-value (of a ratio of 1) says of the truth."""
    covered = found.low <= truth <= found.high
    return Replication(log_error(found.value, truth), covered, found.p_value < ALPHA)


def judge_each(
    asked: Iterable[str], estimate: Callable[[str], RateRatio], truth: float
) -> dict[str, Replication]:
    """Return `judge` of every `ESTIMATOR.SETTING`, each estimator estimating once.

    Parameters
    ----------
    asked
        Estimators and their settings.
    estimate
        Gives an estimator's ratio by its name.
    truth
        The true ratio.
    """
    name = {each: each.partition(".")[0] for each in asked}
    judged = {of: judge(estimate(of), truth) for of in dict.fromkeys(name.values())}
    return {each: judged[of] for each, of in name.items()}


def simulate(scenario: Scenario, replications: int, seed: int) -> dict[str, pd.DataFrame]:
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
    dict of pandas.DataFrame
        By `ESTIMATOR.SETTING`: one row a data set, columns as the fields of `Replication`,
        missing where there is none.
    """
    streams = np.random.SeedSequence([seed, *scenario.name.encode()]).spawn(replications)
    found = [scenario.replicate(np.random.default_rng(stream)) for stream in streams]
    return {
        asked: pd.DataFrame(
            [each[asked] for each in found], columns=Replication._fields, dtype=float
        )
        for asked in found[0]
    }


def summarise(asked: str, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return what the outcomes of an estimator in a setting say.

    Parameters
    ----------
    asked
        `ESTIMATOR.SETTING`; the setting names the measures. A stress setting has the share
        covered, else the share rejected, else the mean error; beside a share, the mean error has
        the suffix `_bias`.
    outcomes
        As from `simulate`.

    Returns
    -------
    pandas.DataFrame
        One row a measure: `estimator`, `setting`, `measure`, `of` (the outcome behind it),
        `value`, `standard_error`, `low` and `high` (95% Monte Carlo interval: Wilson 1927,
        Journal of the American Statistical Association 22: 209, for a share), `nominal` (missing
        where there is no target), `replications`.

    Raises
    ------
    ValueError
        If the setting is unknown or has no outcome that it asks for.
    """
    estimator, _, setting = asked.partition(".")
    kind, _, suffix = setting.partition("_")
    given = [name for name in ("covered", "rejected", "error") if outcomes[name].notna().all()]
    measures = {
        of: ("_".join(filter(None, [measure, suffix])), nominal)
        for of, (measure, nominal) in _MEASURES.get(kind, {}).items()
        if of in given
    }
    if kind == "stress" and given:
        measures = {given[0]: (setting, math.nan)}
        if "error" in given[1:]:
            measures["error"] = (f"{setting}_bias", math.nan)
    if not measures:
        raise ValueError(f"{asked}: the setting is unknown, or has no outcome to measure")
    rows = [
        {
            "estimator": estimator,
            "setting": setting,
            "measure": measure,
            "of": of,
            **(_mean(outcomes[of]) if of == "error" else _share(outcomes[of])),
            "nominal": nominal,
            "replications": len(outcomes),
        }
        for of, (measure, nominal) in measures.items()
    ]
    return pd.DataFrame(rows)


def study(scenarios: Iterable[Scenario], replications: int, seed: int) -> pd.DataFrame:
    """Simulate every scenario and put what they say into one table.

    Parameters
    ----------
    scenarios
        What to draw.
    replications
        Number of data sets of a scenario whose share is 1.
    seed
        Seed of the random numbers.

    Returns
    -------
    pandas.DataFrame
        Rows as from `summarise`, with `words` of the scenario; an estimator's rows together.
    """
    tables = [
        summarise(asked, outcomes).assign(words=each.words)
        for each in scenarios
        for asked, outcomes in simulate(each, round(each.share * replications), seed).items()
    ]
    found = pd.concat(tables, ignore_index=True)
    together = np.argsort(pd.factorize(found["estimator"])[0], kind="stable")
    return found.iloc[together].reset_index(drop=True)


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
    low, high = mean - REACH * error, mean + REACH * error
    return {"value": mean, "standard_error": error, "low": low, "high": high}
