"""Simulated weekly series with a known step, for the estimators of `interrupted`."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import lfilter

from helpers import interrupted
from helpers.validation import ALPHA, COSTLY_NO_TARGET, Replication, Scenario, judge_each

STEP = 1.25
"""Ratio at the last date where power is measured."""

CORRELATION = 0.8
"""Of neighbouring weeks, under stress."""

DRIFT = 0.04
"""Standard deviation of the weekly changes of the log level, a random walk, under stress."""

APART = 13
"""Weeks between dates of one simulated series that are ranked: their steps are hardly related."""

_FITS = {"interrupted_series": interrupted.fit, "newey_west": interrupted.newey_west}
_BURN_IN = 100


def scenarios(periods: pd.DataFrame, dates: Sequence[pd.Timestamp]) -> list[Scenario]:
    """Return the scenarios of a step at the last of several dates.

    What is drawn has the means that the series is found to have, but for that step, and its
    dispersion and correlation.

    Parameters
    ----------
    periods
        The series, as in `helpers.interrupted`.
    dates
        Dates of the steps, in order.
    """
    terms = interrupted.terms(periods, dates)
    step = f"step_{len(dates)}"
    found = interrupted.fit(periods["count"], terms)
    level = terms @ found.estimates.where(terms.columns != step, 0.0)
    carried = float(found.correlation or 0)

    def drawn(
        name: str,
        asked: Sequence[str],
        truth: float = 1.0,
        correlation: float = carried,
        drift: float = 0.0,
        share: float = COSTLY_NO_TARGET,
    ) -> Scenario:
        means = np.exp(level + np.log(truth) * terms[step]).to_numpy()

        def replicate(rng: Generator) -> Mapping[str, Replication]:
            walk = np.exp(np.cumsum(drift * rng.standard_normal(len(means))))
            counted = counts(rng, means * walk, found.dispersion, correlation)
            return judge_each(asked, lambda name: _FITS[name](counted, terms).ratio(step), truth)

        words = (
            f"{len(means)} weeks, a last step of {truth:g}, dispersion {found.dispersion:.0f}, "
            f"correlation {correlation:.2f}" + f", drifting by {drift:.0%} a week" * (drift > 0)
        )
        return Scenario(f"series_{name}", words, replicate, share)

    both = [f"{name}.{setting}" for name in _FITS for setting in ("model", "null")]
    return [
        drawn("no_step", both, share=1.0),
        drawn("step", ["interrupted_series.power"], truth=STEP),
        drawn("correlated", ["interrupted_series.stress_correlation"], correlation=CORRELATION),
        drawn("drifting", ["interrupted_series.stress_drift"], drift=DRIFT),
    ]


def placebo_ranks(
    history: pd.DataFrame,
    national: pd.DataFrame,
    dates: Sequence[pd.Timestamp],
    number: int,
    seed: int,
) -> pd.DataFrame:
    """Return whether the step at dates like all others ranks among the largest 5% of placebos.

    Steady series are drawn in place of the history, with the dispersion and the correlation that
    the series was found to have. In each, dates `APART` weeks apart are in turn taken for the
    true one; the others are its placebos, but for those whose window holds it.

    Parameters
    ----------
    history
        The longer series among whose dates the true ones are ranked.
    national, dates
        The series itself and the dates of its steps, as in `scenarios`.
    number
        Number of dates to rank.
    seed
        Seed of the random numbers.

    Returns
    -------
    pandas.DataFrame
        One row a date, columns as from `helpers.validation.simulate`.
    """
    found = interrupted.fit(national["count"], interrupted.terms(national, dates))
    window = national["start"].iloc[0], national["end"].iloc[-1]
    lead, rest = dates[0] - window[0], window[1] - dates[0]
    level = np.full(len(history), national["count"].mean())
    rng = np.random.default_rng(seed)
    ranks: list[Replication] = []
    while len(ranks) < number:
        drawn = counts(rng, level, found.dispersion, float(found.correlation or 0))
        steps = interrupted.placebos(history.assign(count=drawn), dates, window)
        at, size = steps["date"], steps[f"step_{len(dates)}"]
        for date, step in zip(at[::APART], size[::APART], strict=True):
            others = size[(at - lead > date) | (at + rest < date)]
            ranks.append(Replication(rejected=interrupted.placebo_p(step, others) < ALPHA))
    return pd.DataFrame(ranks[:number], columns=Replication._fields, dtype=float)


def counts(
    rng: Generator, means: NDArray[np.float64], dispersion: float, correlation: float
) -> NDArray[np.float64]:
    """Draw large counts of given means, dispersion and correlation of neighbours.

    Rounded normal numbers that follow an autoregression of first order; none below 0.

    Parameters
    ----------
    rng
        Source of random numbers.
    means
        One a period, far above the dispersion.
    dispersion
        Variance over mean.
    correlation
        Between a period and the next, in standard deviations.
    """
    noise = np.sqrt(1 - correlation**2) * rng.standard_normal(_BURN_IN + len(means))
    normal = lfilter([1], [1, -correlation], noise)[_BURN_IN:]
    return np.maximum(np.rint(means + np.sqrt(dispersion * means) * normal), 0)
