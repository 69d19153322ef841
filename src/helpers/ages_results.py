"""The results of the study of ages: each number under its name, with unit, inputs and method."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers import ages, bounds, censored, coverage, lifetimes
from helpers.evidence import Fact
from helpers.results import Results

STOCK, POLICY = "series:travis_stock_2017_02_01", "parameter:source_policy"
NAMES = {group: f"ages.{group}" for group in ages.GROUPS} | {"released_by_policy": "ages.travis"}
"""Beginning of the names of each group's results."""

WORDS = {group: group.replace("_", " ") for group in ages.GROUPS} | {"all": "in custody"}
"""What each group of detainers is called."""

_OF_BOOKING = (
    "Time since booking: an upper bound of the detainer's age, "
    "unless the detainer is of an earlier booking."
)


def put_group(
    results: Results, group: str, rows: pd.DataFrame, booked_before: Sequence[Fact], seed: int
) -> None:
    """Put size, median and share booked before 2017 of a group of Travis County's detainers.

    Parameters
    ----------
    results
        The results.
    group
        One of `helpers.ages.GROUPS`.
    rows
        As from `helpers.ages.travis_group`.
    booked_before
        Figures that add up to those booked before 2017, by date of booking.
    seed
        Seed of the bootstrap.
    """
    name, of_group = NAMES[group], (rows["weeks"], rows["detainers"])
    size, before = int(rows["detainers"].sum()), round(sum(fact.value for fact in booked_before))
    results.put(
        f"{name}.n",
        size,
        unit="detainers",
        inputs=[STOCK],
        method=f"sum over weeks; Travis County, 1 February 2017, {WORDS[group]}",
    )
    results.put(
        f"{name}.median_weeks",
        ages.grouped_median(*of_group),
        unit="weeks since booking",
        interval=ages.median_interval(*of_group, seed),
        level=0.95,
        inputs=[STOCK, f"simulation:{seed}"],
        method="median of whole weeks, each week's times evenly spread; "
        "bootstrap percentile interval",
        decimals=1,
        caveat=f"{_OF_BOOKING}\n{coverage.caveat('grouped_median')}",
    )
    results.put(
        f"{name}.share_booked_before_2017",
        before / size,
        unit="share",
        interval=ages.share_interval(before, size),
        level=0.95,
        inputs=[*(fact.input for fact in booked_before), POLICY, f"result:{name}.n"],
        method="booked before 1 January 2017, counted from the county's sheets, over all; exact "
        "binomial (Clopper-Pearson) interval, for the process that fills the jail",
        decimals=3,
        caveat=f"{_OF_BOOKING}\n{coverage.caveat('share_interval')}",
    )
    results.put(
        f"{name}.booked_before_2017_possible",
        list(ages.booked_between(*of_group, dt.date.min, dt.date(2016, 12, 31), ages.COUNTED)),
        unit="detainers",
        inputs=[STOCK],
        method="fewest and most booked before 1 January 2017 that whole weeks allow",
    )


def put_nine_in_ten(results: Results, rows: pd.DataFrame) -> None:
    """Put the weeks within which nine in ten of those released by policy had been booked."""
    results.put(
        "ages.travis.weeks_90_percent",
        ages.weeks_within(rows["weeks"], rows["detainers"], 0.9),
        unit="weeks since booking",
        inputs=[STOCK],
        method="fewest whole weeks within which at least 90% had been booked; not given for "
        "smaller groups, where it would be the time of few persons",
        caveat=_OF_BOOKING,
    )


def family_name(group: str, family: str) -> str:
    """Return the beginning of the names of the results of a fitted family."""
    return f"{NAMES[group]}.{family.lower().replace('-', '_')}"


def put_fits(results: Results, group: str, table: pd.DataFrame, seed: int) -> None:
    """Put the best distribution of a group, and each family's median and goodness of fit.

    Parameters
    ----------
    results, group, seed
        As in `put_group`.
    table
        As from `helpers.censored.compare`.
    """
    results.put(
        f"{NAMES[group]}.best_distribution",
        censored.best(table),
        unit="distribution",
        inputs=[STOCK],
        method="interval-censored maximum likelihood on whole weeks; smallest AIC of four families",
        caveat="Of the times since booking of a stock, which are not the stays of those who come.",
    )
    for found in table.itertuples():
        _put_fit(results, family_name(group, found.family), found._asdict(), seed)


def _put_fit(results: Results, name: str, found: Mapping[str, Any], seed: int) -> None:
    resampled = [STOCK, f"simulation:{seed}"]
    of_family = f"of the {found['family']} distribution fitted to whole weeks"
    results.put(
        f"{name}.median_weeks",
        found["median"],
        unit="weeks since booking",
        interval=(found["low"], found["high"]),
        level=0.95,
        inputs=resampled,
        method=f"median {of_family}; bootstrap percentile interval",
        decimals=1,
        tolerance=1e-5,
        caveat=f"Right only so far as the family is.\n{coverage.caveat('fitted_median')}",
    )
    results.put(
        f"{name}.aic_difference",
        found["behind"],
        unit="AIC",
        inputs=[STOCK],
        method=f"AIC {of_family}, less the smallest of four families",
        decimals=1,
        tolerance=1e-5,
    )
    results.put(
        f"{name}.best_share",
        found["best_share"],
        unit="share of bootstrap samples",
        inputs=resampled,
        method="how often the family has the smallest AIC of four",
        decimals=2,
        tolerance=0.02,
    )
    results.put(
        f"{name}.goodness_p_value",
        found["p_value"],
        unit="probability",
        inputs=resampled,
        method="likelihood-ratio G on classes of at least five expected detainers; parametric "
        "bootstrap",
        decimals=3,
        tolerance=0.02,
    )
    if np.isfinite(found["shape"]):
        results.put(
            f"{name}.shape",
            found["shape"],
            unit="shape (log-normal: standard deviation of the logarithm)",
            inputs=[STOCK],
            method=f"shape {of_family}; maximum likelihood",
            decimals=2,
            tolerance=1e-5,
        )


def put_comparison(
    results: Results, released: pd.DataFrame, accepted: pd.DataFrame, seed: int
) -> None:
    """Put how the accepted detainers differ from those released by policy.

    Parameters
    ----------
    results, seed
        As in `put_group`.
    released, accepted
        Both groups, as from `helpers.ages.travis_group`.
    """
    both = released["weeks"], accepted["weeks"]
    sizes = released["detainers"], accepted["detainers"]
    gap, p_value = ages.equality_test(both, sizes, seed)
    ratio, *ends = ages.median_ratio(both, sizes, seed)
    name, drawn = "ages.travis.against_accepted", [STOCK, f"simulation:{seed}"]
    results.put(
        f"{name}.largest_gap",
        gap,
        unit="share",
        inputs=[STOCK],
        method="largest difference of the cumulative shares, released by policy against accepted, "
        "at a whole week",
        decimals=2,
    )
    results.put(
        f"{name}.p_value",
        p_value,
        unit="probability",
        inputs=drawn,
        method="permutation test of the largest gap, 9,999 random divisions",
        decimals=3,
        tolerance=0.02,
        caveat="Chance is not the rival explanation: the policy divided the detainers by offence.",
    )
    results.put(
        f"{name}.median_ratio",
        ratio,
        unit="ratio",
        interval=ends,
        level=0.95,
        inputs=drawn,
        method="median weeks of the accepted over that of those released by policy; bootstrap "
        "percentile interval, groups drawn independently",
        decimals=2,
        caveat=coverage.caveat("grouped_median"),
    )


def put_possible(
    results: Results,
    parts: pd.DataFrame,
    whole: int,
    until: Mapping[str, dt.date],
    inputs: Sequence[str],
) -> None:
    """Put what share of all declined in week 1 may have been issued until given days.

    Parameters
    ----------
    results
        The results.
    parts, whole
        As in `helpers.bounds.distribution_bounds`, parts from `issued_part`.
    until
        Last days by the end of the result's name.
    inputs
        What the parts were made from.
    """
    days = [day.toordinal() for day in until.values()]
    found = bounds.distribution_bounds(parts, whole, days, ends=("first", "last"))
    for (name, day), ends in zip(until.items(), found.itertuples(), strict=True):
        results.put(
            f"ages.week_1.share_issued_{name}_possible",
            [ends.low, ends.high],
            unit="share",
            inputs=inputs,
            method=f"lowest and highest share of all declined in week 1 issued by {day} that the "
            "published figures allow (worst-case bounds)",
            decimals=3,
            caveat="No estimate: everything between the two is as good.",
        )


def put_lives(
    results: Results,
    lives: pd.DataFrame,
    weeks: pd.DataFrame,
    in_words: str,
    inputs: Sequence[str],
) -> None:
    """Put the active life that leaves the stock, with its range over assumptions.

    Parameters
    ----------
    results
        The results.
    lives
        As from `helpers.lifetimes.life_sensitivity`, with the column `shape`.
    weeks
        As from `helpers.lifetimes.lodged`, of the central case.
    in_words
        What the central life is called.
    inputs
        What the lives were made from.
    """
    central = lives.iloc[0]
    for name, column in (("mean_days", "mean_days"), ("half_life_days", "median_days")):
        results.put(
            f"ages.active.{name}",
            central[column],
            unit="days",
            interval=(lives[column].min(), lives[column].max()),
            inputs=inputs,
            method=f"{in_words} that leaves the stock, as a newspaper quotes the declaration, of "
            f"those issued weekly from {central['since']}, aged to {central['as_of']}; range over "
            f"all {len(lives)} combinations of shape, issuing, day of issue, first day, day of the "
            "count and share never closed (the life is then that of the others), as in "
            "data/judgements/assumptions.csv",
            caveat="One stock fixes one number, not the shape of the distribution: the range is "
            "over stated assumptions and is no confidence interval.",
        )
    results.put(
        "ages.active.mean_beyond_data",
        lifetimes.share_beyond(weeks["age_days"].max(), central["mean_days"], central["shape"]),
        unit="share",
        inputs=["result:ages.active.mean_days", *inputs],
        method="share of the mean life beyond the oldest detainer counted",
        decimals=2,
    )
    results.put(
        "ages.active.sensitivity_combinations",
        len(lives),
        unit="combinations",
        inputs=inputs,
        method="number of combinations of assumptions",
    )
