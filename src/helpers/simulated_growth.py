"""Simulated counts and specifications with a known growth, for `counters` and `multiverse`."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.random import Generator

from helpers import counters, multiverse
from helpers.validation import COSTLY, COSTLY_NO_TARGET, Replication, Scenario, log_error

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
        _pooled(points, annual_rate, 0),
        _pooled(points, annual_rate, SPREAD),
        Scenario(
            "variance_shares",
            f"a grid of {levels} readings, two choices acting together; error: largest of a share",
            _variance_shares,
            COSTLY,
        ),
    ]


def _pooled(points: pd.DataFrame, annual_rate: float, spread: float) -> Scenario:
    who, names = pd.factorize(points["counter"])
    level = np.log(points["places"]).groupby(who).transform("mean").to_numpy()
    years = points["years"].to_numpy()

    def replicate(rng: Generator) -> Mapping[str, Replication]:
        rates = np.log1p(annual_rate) + spread * rng.standard_normal(len(names))
        noise = NOISE * rng.standard_normal(len(points))
        places = np.exp(level + rates[who] * (years - years.mean()) + noise)
        drawn = points.assign(places=places)
        found = counters.pooled_rate(drawn)
        others = counters.without_each(drawn).values()
        covered = min(others) <= annual_rate <= max(others)
        error = log_error(1 + found, 1 + annual_rate)
        if spread:
            return {"pooled_rate.stress_rates_differ": Replication(error, covered)}
        return {
            "pooled_rate.model": Replication(error),
            "pooled_rate.range": Replication(covered=covered),
        }

    own = f"rates of their own, spread {spread:g}" if spread else "one rate"
    words = f"{len(names)} counters with {len(points)} counts, {own}, noise {NOISE:g}"
    return Scenario(
        f"counters_{spread:g}", words, replicate, COSTLY_NO_TARGET if spread else COSTLY
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
