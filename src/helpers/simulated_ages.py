"""Simulated ages of detainers with a known truth, for the estimators of `ages`."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.random import Generator

from helpers import ages
from helpers.validation import Replication, Scenario, log_error

DRAWS = 1_000
"""Bootstrap samples of each simulated data set; the study draws more of its only one."""


def booked(n: int, few: int, median_weeks: float, share: float) -> list[Scenario]:
    """Return the scenarios of detainers by whole weeks since booking.

    Parameters
    ----------
    n, few
        Detainers of a group, and of a small one.
    median_weeks
        Median of the times since booking, which are exponential.
    share
        Share of detainers booked before a day.
    """
    return [
        _median("model", n, median_weeks),
        _median("model_small", few, median_weeks),
        _median("stress_pairs", n, median_weeks, together=2),
        _share("model", n, share),
        _share("stress_pairs", n, share, together=2),
    ]


def active(weeks: pd.DataFrame, mean_days: float, assumed: pd.DataFrame) -> list[Scenario]:
    """Return the scenarios of a stock of active detainers, inverted as if lives were exponential.

    Parameters
    ----------
    weeks
        Detainers issued, as from `helpers.ages.lodged`.
    mean_days
        True mean life of the detainers that are closed.
    assumed
        Table `assumptions`, indexed by `assumption`; its ends are the violations.
    """
    most = {name: assumed.at[f"ages_{name}", "high"] for name in ("issued_factor", "never_closed")}
    shapes = assumed.loc["ages_shape", ["low", "high"]]
    same = "all detainers of a week issued on its first day"
    return [
        _life("model", f"exponential lives, {same}", weeks, mean_days),
        _life("stress_any_day", "issued on any day of the week", weeks, mean_days, days=7),
        *(
            _life(f"stress_shape_{end}", f"Weibull lives of shape {k:g}", weeks, mean_days, shape=k)
            for end, k in shapes.items()
        ),
        _life(
            "stress_never_closed",
            f"{most['never_closed']:.0%} never closed",
            weeks,
            mean_days,
            never_closed=most["never_closed"],
        ),
        _life(
            "stress_more_issued",
            f"{most['issued_factor'] - 1:.0%} more issued than the series has",
            weeks,
            mean_days,
            issued_factor=most["issued_factor"],
        ),
    ]


def _median(setting: str, n: int, truth: float, together: int = 1) -> Scenario:
    def replicate(rng: Generator) -> Mapping[str, Replication]:
        times = rng.exponential(truth / math.log(2), n // together)
        held, tally = np.floor(times).astype(int).tolist(), [together] * len(times)
        low, high = ages.median_interval(held, tally, int(rng.integers(2**32)), DRAWS)
        error = log_error(ages.grouped_median(held, tally), truth)
        return {f"grouped_median.{setting}": Replication(error, low <= truth <= high)}

    words = f"exponential times in whole weeks, median {truth:.1f}, of {_group(n, together)}"
    return Scenario(f"grouped_median_{setting}", words, replicate)


def _share(setting: str, n: int, truth: float, together: int = 1) -> Scenario:
    def replicate(rng: Generator) -> Mapping[str, Replication]:
        drawn = n // together
        part, whole = together * int(rng.binomial(drawn, truth)), together * drawn
        low, high = ages.share_interval(part, whole)
        error = log_error(part / whole, truth)
        return {f"share_interval.{setting}": Replication(error, low <= truth <= high)}

    words = f"a share of {truth:.0%} among {_group(n, together)}"
    return Scenario(f"share_interval_{setting}", words, replicate)


def _group(n: int, together: int) -> str:
    return f"{n} detainers" + (", booked in pairs" if together == 2 else "")


def _life(
    setting: str,
    words: str,
    weeks: pd.DataFrame,
    truth: float,
    *,
    shape: float = 1.0,
    never_closed: float = 0.0,
    issued_factor: float = 1.0,
    days: int = 1,
) -> Scenario:
    age = weeks["age_days"].to_numpy()[:, np.newaxis] - np.arange(days)
    issued = np.rint(issued_factor * weeks["detainers"].to_numpy()).astype(int)
    # The last week can reach beyond the day of the count; what is issued then is not in the stock.
    left = np.where(age >= 0, ages.surviving(np.maximum(age, 0), truth, shape), 0)
    share = never_closed + (1 - never_closed) * left.mean(axis=1)

    def replicate(rng: Generator) -> Mapping[str, Replication]:
        stock = float(rng.binomial(issued, share).sum())
        found = ages.mean_life(weeks, stock)
        return {f"mean_life.{setting}": Replication(log_error(found, truth))}

    return Scenario(f"mean_life_{setting}", words, replicate)
