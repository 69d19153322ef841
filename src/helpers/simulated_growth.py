"""Simulated counts and specifications with a known growth, for `counters` and `multiverse`."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.random import Generator

from helpers import counters, multiverse
from helpers.validation import COSTLY_NO_TARGET, Replication, Scenario, log_error

NOISE = 0.3
"""Standard deviation of the log of a count about the course of its counter."""

SPREAD = 0.1
"""Standard deviation of the counters' own rates, logs a year, under stress."""

_LEVELS = {"earlier": 10, "value": 3, "later": 2}
_DIGITS = 12  # beyond, exact answers differ by rounding alone


def scenarios(points: pd.DataFrame, annual_rate: float) -> list[Scenario]:
    """Return the scenarios of growth.

    Parameters
    ----------
    points
        As from `helpers.counters.repeated`: the counters and times of what is drawn.
    annual_rate
        True rate, share a year.
    """
    levels = " by ".join(map(str, _LEVELS.values()))
    return [
        _pooled("rate", points, annual_rate),
        _range("range", points, annual_rate, "pooled_rate.range"),
        _range("range_differ", points, annual_rate, "pooled_rate.stress_rates_differ", SPREAD),
        Scenario(
            "variance_shares",
            f"a grid of {levels} readings, two choices acting together; error: largest of a share",
            _variance_shares,
        ),
    ]


def _pooled(name: str, points: pd.DataFrame, annual_rate: float) -> Scenario:
    def replicate(rng: Generator) -> Mapping[str, Replication]:
        found = counters.pooled_rate(_drawn(rng, points, annual_rate))
        return {"pooled_rate.model": Replication(log_error(1 + found, 1 + annual_rate))}

    return Scenario(name, _words(points), replicate)


def _range(
    name: str, points: pd.DataFrame, annual_rate: float, asked: str, spread: float = 0.0
) -> Scenario:
    """Return a scenario of the range over the rates without each counter."""

    def replicate(rng: Generator) -> Mapping[str, Replication]:
        others = counters.without_each(_drawn(rng, points, annual_rate, spread)).values()
        return {asked: Replication(covered=min(others) <= annual_rate <= max(others))}

    return Scenario(name, _words(points, spread), replicate, COSTLY_NO_TARGET)


def _drawn(
    rng: Generator, points: pd.DataFrame, annual_rate: float, spread: float = 0.0
) -> pd.DataFrame:
    """Return the points with other numbers of places, about courses of the counters' own."""
    who, names = pd.factorize(points["counter"])
    level = np.log(points["places"]).groupby(who).transform("mean")
    rates = np.log1p(annual_rate) + spread * rng.standard_normal(len(names))
    course = level + rates[who] * (points["years"] - points["years"].mean())
    return points.assign(places=np.exp(course + NOISE * rng.standard_normal(len(points))))


def _words(points: pd.DataFrame, spread: float = 0.0) -> str:
    own = f"rates of their own, spread {spread:g}" if spread else "one rate"
    return (
        f"{points['counter'].nunique()} counters with {len(points)} counts, {own}, noise {NOISE:g}"
    )


def _variance_shares(rng: Generator) -> Mapping[str, Replication]:
    """Draw a grid from effects that add up to 0, whose variances are the parts of the whole."""
    shape = tuple(_LEVELS.values())
    alone = [effect - effect.mean() for effect in map(rng.standard_normal, shape)]
    joint = rng.standard_normal(shape[:2])
    joint -= joint.mean(axis=0) + joint.mean(axis=1, keepdims=True) - joint.mean()
    outcome = joint[..., np.newaxis] + np.add.outer(np.add.outer(*alone[:2]), alone[2])
    parts = np.array([effect.var() for effect in (*alone, joint)])
    rows = [(*place, value) for place, value in np.ndenumerate(outcome)]
    grid = pd.DataFrame(rows, columns=[*_LEVELS, "growth"])
    found = multiverse.variance_shares(grid, "growth", list(_LEVELS))
    true = np.column_stack([parts[:3], parts[:3] + parts[3] * np.array([1, 1, 0])]) / parts.sum()
    errors = (found[["alone", "total"]].to_numpy() - true).ravel()
    return {"variance_shares.model": Replication(round(float(max(errors, key=abs)), _DIGITS))}
