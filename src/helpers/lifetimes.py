"""How long a detainer stays active: the life that leaves the stock of detainers still active."""

import datetime as dt
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import gamma, gammaincc

MEAN_LIVES = (1.0, 100_000.0)
"""Shortest and longest mean active life that is looked for, in days."""


def lodged(issued: pd.DataFrame, since: dt.date, as_of: dt.date) -> pd.DataFrame:
    """Return the detainers issued from one day to another, by week.

    Parameters
    ----------
    issued
        Detainers a week, as from `helpers.series.weekly_issued`.
    since, as_of
        Weeks count whose first day is neither before `since` nor after `as_of`.

    Returns
    -------
    pandas.DataFrame
        One row a week in order: `week_start`, `detainers`, `age_days` (from the first day of the
        week to `as_of`).

    Raises
    ------
    ValueError
        If there is no such week, or one is missing.
    """
    first, last = pd.Timestamp(since), pd.Timestamp(as_of)
    rows = issued[issued["week_start"].between(first, last)]
    # A missing week would be read as a week without a detainer.
    if rows.empty or list(rows["week_start"]) != list(pd.date_range(first, last, freq="W-SUN")):
        raise ValueError(f"the weekly series has no unbroken weeks from {since} to {as_of}")
    age = (last - rows["week_start"]).dt.days
    return rows[["week_start", "detainers"]].assign(age_days=age).reset_index(drop=True)


def surviving(age_days: Sequence[float], mean_days: float, shape: float = 1.0) -> np.ndarray:
    """Return the share of detainers still active at given ages, for a Weibull active life.

    The share is exp(-(age / scale)^shape) with scale = mean / Gamma(1 + 1/shape); shape 1 is the
    exponential (Johnson, Kotz and Balakrishnan 1994, Continuous Univariate Distributions 1).

    Parameters
    ----------
    age_days
        Ages in days, not negative.
    mean_days
        Mean active life in days.
    shape
        Below 1 the rate of closing falls with age, above 1 it rises.

    Returns
    -------
    numpy.ndarray
        One share for each age.
    """
    scale = mean_days / gamma(1 + 1 / shape)
    return np.exp(-((np.asarray(age_days, dtype=float) / scale) ** shape))


def median_life(mean_days: float, shape: float = 1.0) -> float:
    """Return the age in days by which half of the detainers are closed, for a Weibull life."""
    return float(mean_days / gamma(1 + 1 / shape) * math.log(2) ** (1 / shape))


def share_beyond(age_days: float, mean_days: float, shape: float = 1.0) -> float:
    """Return the share of the mean life that lies beyond an age, for a Weibull active life.

    It is the integral of `surviving` from the age on, over the mean: what a mean owes to ages
    that nobody has observed.
    """
    scale = mean_days / gamma(1 + 1 / shape)
    return float(gammaincc(1 / shape, (age_days / scale) ** shape))


def mean_life(
    weeks: pd.DataFrame,
    active: float,
    shape: float = 1.0,
    issued_factor: float = 1.0,
    day_in_week: float = 0.0,
    never_closed: float = 0.0,
) -> float:
    """Return the mean active life that leaves the known number of detainers active.

    Each week's detainers survive as in `surviving`; the mean is that at which the survivors of
    all weeks add up to the stock. It exists and is unique, because longer lives leave more.

    Parameters
    ----------
    weeks
        As from `lodged`.
    active
        Detainers of those weeks still active.
    shape
        Shape of the Weibull life.
    issued_factor
        Factor on every week's detainers.
    day_in_week
        Days from the start of a week on which its detainers are taken to be issued.
    never_closed
        Share of detainers that nobody ever closes; the life is that of the others.

    Returns
    -------
    float
        Mean life in days.

    Raises
    ------
    ValueError
        If no mean within `MEAN_LIVES` leaves so many.
    """
    issued = issued_factor * weeks["detainers"].to_numpy(float)
    age = np.clip(weeks["age_days"].to_numpy(float) - day_in_week, 0, None)

    def left(mean: float) -> float:
        closing = float(issued @ surviving(age, mean, shape))
        return never_closed * float(issued.sum()) + (1 - never_closed) * closing

    fewest, most = (left(mean) for mean in MEAN_LIVES)
    if not fewest <= active <= most:
        raise ValueError(
            f"{active:,.0f} active detainers cannot be reproduced: of {issued.sum():,.0f} issued, "
            f"mean lives of {MEAN_LIVES[0]:g} to {MEAN_LIVES[1]:,.0f} days leave "
            f"{fewest:,.0f} to {most:,.0f}"
        )
    return float(brentq(lambda mean: left(mean) - active, *MEAN_LIVES, xtol=1e-9))


def life_sensitivity(
    issued: pd.DataFrame, active: float, choices: Mapping[str, Sequence[Any]]
) -> pd.DataFrame:
    """Return mean and median active life under every combination of choices.

    Parameters
    ----------
    issued
        As in `lodged`.
    active
        Detainers still active.
    choices
        Values, the central one first, of `since` and `as_of` of `lodged`, and of any of the
        parameters `shape`, `issued_factor`, `day_in_week` and `never_closed` of `mean_life`.

    Returns
    -------
    pandas.DataFrame
        One row a combination, the central one first: the choices, `changed` (how many are not
        central), `mean_days`, `median_days`.
    """
    days = itertools.product(choices["since"], choices["as_of"])
    weeks = {(since, as_of): lodged(issued, since, as_of) for since, as_of in days}
    rows = []
    for values in itertools.product(*choices.values()):
        chosen = dict(zip(choices, values, strict=True))
        of_life = {name: chosen[name] for name in choices if name not in ("since", "as_of")}
        mean = mean_life(weeks[chosen["since"], chosen["as_of"]], active, **of_life)
        changed = sum(chosen[name] != central[0] for name, central in choices.items())
        median = median_life(mean, chosen.get("shape", 1.0))
        rows.append({**chosen, "changed": changed, "mean_days": mean, "median_days": median})
    return pd.DataFrame(rows)
