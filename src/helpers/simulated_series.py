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

WINDOW, MOVES = 104, 10
"""Weeks of a window among placebo dates, and moves of it to either side; the study has more."""

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
        _placebo(dates, float(periods["count"].mean()), found.dispersion, carried),
    ]


def _placebo(
    dates: Sequence[pd.Timestamp], mean: float, dispersion: float, correlation: float
) -> Scenario:
    """Return a scenario of a steady series, in which the true dates are like any others."""
    half, whole = pd.Timedelta(weeks=WINDOW // 2), pd.Timedelta(weeks=WINDOW + MOVES)
    start = pd.Series(pd.date_range(dates[0] - whole, dates[-1] + whole, freq="7D", unit="us"))
    history = pd.DataFrame({"start": start, "end": start + pd.Timedelta(weeks=1)})
    window = dates[0] - half, dates[0] + half
    own = history["start"].ge(window[0]) & history["end"].le(window[1])
    terms = interrupted.terms(history[own], dates)
    step = f"step_{len(dates)}"

    def replicate(rng: Generator) -> Mapping[str, Replication]:
        drawn = history.assign(
            count=counts(rng, np.full(len(start), mean), dispersion, correlation)
        )
        true = interrupted.fit(drawn.loc[own, "count"], terms).estimates[step]
        others = interrupted.placebos(drawn, dates, window)[step]
        return {
            "placebo_rank.null": Replication(rejected=interrupted.placebo_p(true, others) < ALPHA)
        }

    words = f"a steady series, a window of {WINDOW} weeks and about {2 * MOVES} placebo dates"
    return Scenario("series_placebo", words, replicate)


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
