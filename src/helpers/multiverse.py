"""Every defensible way to count: the specification curve, and which choice moves it.

A multiverse is the set of analyses that reasonable people could have made of one question
(Steegen, Tuerlinckx, Gelman and Vanpaemel 2016, Perspectives on Psychological Science 11: 702);
drawn in order it is a specification curve (Simonsohn, Simmons and Nelson 2020, Nature Human
Behaviour 4: 1208).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.growth import DAYS_PER_YEAR, Count, annual_rate, growth

AS_USED = "as used"

CHOICES = (
    "earlier_count",
    "earlier_value",
    "earlier_day",
    "later_count",
    "later_value",
    "later_day",
)
"""What is chosen in a specification, as columns of `grid`."""

_READINGS = ["earlier_value", "earlier_day", "later_value", "later_day"]


def led_by(chosen: Count, counts: Mapping[str, Count]) -> dict[str, Count]:
    """Return counts by choice with the chosen one first, in place of the count of its name."""
    others = {name: count for name, count in counts.items() if name != chosen.choice}
    return {chosen.choice: chosen, **others}


def by_quantity(counts: Mapping[str, Count]) -> dict[str, Count]:
    """Return one count a quantity: its first reading, with the range of values and days of all.

    Parameters
    ----------
    counts
        Counts by choice; several can be readings of one quantity.

    Returns
    -------
    dict
        Counts by quantity, in order of their first readings.
    """
    groups: dict[str, list[Count]] = {}
    for count in counts.values():
        groups.setdefault(count.quantity, []).append(count)
    return {
        quantity: replace(
            readings[0],
            low=min(count.low for count in readings),
            high=max(count.high for count in readings),
            date_low=min(count.date_low for count in readings),
            date_high=max(count.date_high for count in readings),
            inputs=tuple(dict.fromkeys(item for count in readings for item in count.inputs)),
        )
        for quantity, readings in groups.items()
    }


def pairs(baselines: Mapping[str, Count], endpoints: Mapping[str, Count]) -> pd.DataFrame:
    """Return the growth of every different pair of an earlier and a later count.

    Two choices that read the same number from the same quantity are one pair, under the name of
    the first.

    Returns
    -------
    pandas.DataFrame
        One row a pair, by factor: `baseline`, `endpoint` (choices), `baseline_label`,
        `endpoint_label`, `quantity` (of the earlier count), `like_for_like` (whether an entry
        stands for the same in both), `same_criterion`, `factor`, `factor_low`, `factor_high`
        (ratios), `annual_rate`, `annual_rate_low`, `annual_rate_high` (share a year).
    """
    different: dict[tuple[str, float], Count] = {}
    for count in baselines.values():
        different.setdefault((count.quantity, count.value), count)
    rows = []
    for base in different.values():
        for end in endpoints.values():
            found = growth(base, end)
            rows.append(
                {
                    "baseline": base.choice,
                    "endpoint": end.choice,
                    "baseline_label": base.label,
                    "endpoint_label": end.label,
                    "quantity": base.quantity,
                    "like_for_like": base.entry == end.entry,
                    "same_criterion": base.criterion == end.criterion,
                    "factor": found.factor.value,
                    "factor_low": found.factor.low,
                    "factor_high": found.factor.high,
                    "annual_rate": found.annual_rate.value,
                    "annual_rate_low": found.annual_rate.low,
                    "annual_rate_high": found.annual_rate.high,
                }
            )
    return pd.DataFrame(rows).sort_values(["factor", "baseline"], ignore_index=True)


def grid(baselines: Mapping[str, Count], endpoints: Mapping[str, Count]) -> pd.DataFrame:
    """Return the growth under every combination of counts, values and days.

    Each count is read at three values (as used, lowest, highest of the published ones and their
    rounding) and on three days (as used, earliest, latest), so that the combinations are
    balanced: every reading of one choice meets every reading of the others once.

    Returns
    -------
    pandas.DataFrame
        One row a combination: the columns of `CHOICES` (`earlier_count` and `later_count` name
        choices, the others readings), `earlier_quantity`, `earlier_criterion`,
        `earlier_places`, `earlier_date`, `later_places`, `later_date`, `like_for_like`, and
        `factor` (ratio), `log_factor`, `annual_rate` (share a year).
    """
    earlier = pd.concat([_readings(count, "earlier") for count in baselines.values()])
    later = pd.concat([_readings(count, "later") for count in endpoints.values()])
    crossed = earlier.merge(later, how="cross")
    factor = crossed["later_places"] / crossed["earlier_places"]
    years = (crossed["later_date"] - crossed["earlier_date"]).dt.days / DAYS_PER_YEAR
    return crossed.assign(
        like_for_like=crossed["earlier_entry"] == crossed["later_entry"],
        factor=factor,
        log_factor=np.log(factor),
        annual_rate=annual_rate(factor, years),
    )


def distinct(crossed: pd.DataFrame) -> pd.DataFrame:
    """Return the different specifications of a grid, each once, by annual rate.

    Combinations that join the same two numbers of the same two quantities on the same two days
    are one specification, whatever the readings are called; the one with most readings as used
    stands for it.

    Parameters
    ----------
    crossed
        A `grid`.
    """
    read_otherwise = crossed[_READINGS].ne(AS_USED).sum(axis=1)
    numbers_and_days = [
        f"{end}_{what}" for end in ("earlier", "later") for what in ("quantity", "places", "date")
    ]
    return (
        crossed.loc[read_otherwise.sort_values(kind="stable").index]
        .drop_duplicates(numbers_and_days)
        .sort_values("annual_rate", kind="stable", ignore_index=True)
    )


def explained(crossed: pd.DataFrame, outcome: str, by: Sequence[str]) -> float:
    """Return the share of an outcome's variance that lies between groups of specifications.

    The variance of the group means over the whole variance: with one choice the first-order
    index of Sobol' (2001, Mathematics and Computers in Simulation 55: 271) for choices made
    evenly and independently, and the share of the sum of squares in analysis of variance.

    Parameters
    ----------
    crossed
        Specifications, one a row.
    outcome
        Column of the outcome.
    by
        Columns whose values make the groups.

    Raises
    ------
    ValueError
        If the outcome is the same in every specification.
    """
    whole = crossed[outcome].var(ddof=0)
    if whole == 0:
        raise ValueError(f"{outcome} is the same in every specification")
    means = crossed.groupby(list(by))[outcome].transform("mean")
    return float(means.var(ddof=0) / whole)


def variance_shares(
    crossed: pd.DataFrame, outcome: str, choices: Sequence[str] = CHOICES
) -> pd.DataFrame:
    """Return how much of an outcome's variance each choice moves.

    The variance over a balanced grid splits into a part for each choice alone and parts for
    choices acting together (functional analysis of variance; Saltelli et al. 2008, Global
    Sensitivity Analysis: The Primer, sections 1.2 and 4.5). Every reading of a choice has the
    same weight.

    Parameters
    ----------
    crossed
        A balanced grid: every combination of the choices once.
    outcome
        Column of the outcome.
    choices
        Two or more columns of choices.

    Returns
    -------
    pandas.DataFrame
        One row a choice: `choice`, `alone` (first-order share), `total` (with all interactions
        it takes part in; totals can add to more than 1). What `alone` leaves of 1 is interaction.

    Raises
    ------
    ValueError
        If the grid is not balanced, or the outcome does not vary.
    """
    choices = list(choices)
    levels = crossed[choices].nunique()
    if crossed.duplicated(choices).any() or len(crossed) != levels.prod():
        raise ValueError(f"not every combination of {', '.join(choices)} occurs once")
    rest = {choice: [other for other in choices if other != choice] for choice in choices}
    return pd.DataFrame(
        {
            "choice": choices,
            "alone": [explained(crossed, outcome, [choice]) for choice in choices],
            "total": [1 - explained(crossed, outcome, rest[choice]) for choice in choices],
        }
    )


def _readings(count: Count, end: str) -> pd.DataFrame:
    """Return the readings of a count, values crossed with days, as used first."""
    values = {AS_USED: count.value, "lowest": count.low, "highest": count.high}
    days = {AS_USED: count.date, "earliest": count.date_low, "latest": count.date_high}
    rows = [
        {
            "count": count.choice,
            "quantity": count.quantity,
            "criterion": count.criterion,
            "entry": count.entry,
            "value": value,
            "places": values[value],
            "day": day,
            "date": pd.Timestamp(days[day]),
        }
        for value in values
        for day in days
    ]
    return pd.DataFrame(rows).add_prefix(f"{end}_")
