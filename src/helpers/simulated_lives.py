"""Simulated stocks of active detainers with a known mean life, for `lifetimes`."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.random import Generator

from helpers import lifetimes
from helpers.validation import Replication, Scenario, log_error


def scenarios(weeks: pd.DataFrame, mean_days: float, assumed: pd.DataFrame) -> list[Scenario]:
    """Return the scenarios of a stock of active detainers, inverted as if lives were exponential.

    Parameters
    ----------
    weeks
        Detainers issued, as from `helpers.lifetimes.lodged`.
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
    in_stock = age >= 0
    closing = lifetimes.surviving(np.maximum(age, 0), truth, shape)
    active = np.where(in_stock, never_closed + (1 - never_closed) * closing, 0).mean(axis=1)

    def replicate(rng: Generator) -> Mapping[str, Replication]:
        stock = float(rng.binomial(issued, active).sum())
        found = lifetimes.mean_life(weeks, stock)
        return {f"mean_life.{setting}": Replication(log_error(found, truth))}

    return Scenario(f"mean_life_{setting}", words, replicate)
