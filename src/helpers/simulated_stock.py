"""Simulated stocks of a jail with known stays, for the estimators of `stock`."""

from collections.abc import Mapping

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import gamma, gammaincc

from helpers import stock
from helpers.validation import COSTLY_NO_TARGET, Replication, Scenario, log_error

SHAPE = 0.7
"""Shape of the Weibull stays: the longer a stay has lasted, the longer it goes on."""

WEEK = 8
"""Week at which the share of stays that reach it is asked for."""

GROWTH = 0.02
"""Growth of the inflow a week, under stress."""

UNSEEN = 0.5
"""Share of those booked within a week who have no detainer yet, under stress."""

_WEEKS = 520


def scenarios(n: int, mean_weeks: float) -> list[Scenario]:
    """Return the scenarios of a stock by completed weeks since booking.

    Parameters
    ----------
    n
        Detainers in the stock.
    mean_weeks
        Mean stay of those who come.
    """
    steady = reaching(mean_weeks)
    rising = steady * np.exp(-GROWTH * np.arange(_WEEKS))
    unseen = steady * np.where(np.arange(_WEEKS) == 0, 1 - UNSEEN, 1)
    stays = f"{n} present, Weibull stays of mean {mean_weeks:.1f} weeks"
    return [
        _stock("model", f"{stays}, steady inflow", n, mean_weeks, steady),
        _stock(
            "stress_rising_inflow", f"{stays}, inflow up {GROWTH:.0%} a week", n, mean_weeks, rising
        ),
        _stock(
            "stress_first_week_unseen",
            f"{stays}, {UNSEEN:.0%} of week 0 unseen",
            n,
            mean_weeks,
            unseen,
        ),
    ]


def reaching(mean: float) -> NDArray[np.float64]:
    """Return the share of stays that reach a time, averaged over each week.

    It is in proportion to the density of a steady stock, whose sum is the mean stay.

    Parameters
    ----------
    mean
        Mean of the Weibull stays, in weeks.
    """
    scale = mean / gamma(1 + 1 / SHAPE)
    beyond = mean * gammaincc(1 / SHAPE, (np.arange(_WEEKS + 1) / scale) ** SHAPE)
    return -np.diff(beyond)


def _stock(setting: str, words: str, n: int, mean: float, density: NDArray[np.float64]) -> Scenario:
    stays = reaching(mean) / reaching(mean)[0]
    true_share, true_median = stays[WEEK], int((stays <= 0.5).argmax())

    def replicate(rng: Generator) -> Mapping[str, Replication]:
        present = np.arange(_WEEKS), rng.multinomial(n, density / density.sum())
        found = stock.decreasing_density(*present)["surviving"][WEEK]
        at = stock.surviving_interval(*present).set_index("weeks").loc[WEEK]
        judged = {
            "surviving_share": (found, at["low"], at["high"], true_share),
            "median_stay": (*stock.median_stay(*present), true_median),
            "mean_stay": (*stock.mean_stay(*present), mean),
        }
        return {
            f"{name}.{setting}": Replication(log_error(value, true), bool(low <= true <= high))
            for name, (value, low, high, true) in judged.items()
        }

    share = 1.0 if setting == "model" else COSTLY_NO_TARGET
    return Scenario(f"stock_{setting}", words, replicate, share)
