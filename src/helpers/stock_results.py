"""The results of stock and flow: each number under its name, with unit, inputs and method."""

import datetime as dt

import numpy as np
import pandas as pd

from helpers import ages, coverage, stock
from helpers.ages_results import STOCK
from helpers.results import Results

MONTHLY = "series:travis_monthly_2006_2016"

_IF_STEADY = (
    "Holds for steady inflow and stays; the county's own monthly bookings contradict that "
    "(ages.cohort_summer_2016): stays were longer."
)


def put_flow(results: Results, rows: pd.DataFrame) -> None:
    """Put stays and inflow as a steady stock would have them, on a base of one week and of two.

    Parameters
    ----------
    results
        The results.
    rows
        All detainers in custody, as from `helpers.ages.travis_group`.
    """
    present = rows["weeks"], rows["detainers"]
    for base, name in ((1, "ages.flow"), (2, "ages.flow_two_weeks")):
        median, *median_ends = stock.median_stay(*present, base)
        mean, *mean_ends = stock.mean_stay(*present, base)
        on_base = f"base: {'week 0' if base == 1 else 'weeks 0 and 1 pooled'}"
        results.put(
            f"{name}.median_weeks",
            median,
            unit="completed weeks",
            interval=median_ends,
            level=0.95,
            inputs=[STOCK],
            method="first week that at most half of stays reach, S(a) = g(a)/g(0), Grenander "
            f"estimator on all in custody, {on_base}; exact interval from blocks of four weeks",
            caveat=f"{_IF_STEADY}\n{coverage.caveat('median_stay')}",
        )
        results.put(
            f"{name}.mean_weeks",
            mean,
            unit="weeks",
            interval=mean_ends,
            level=0.95,
            inputs=[STOCK],
            method=f"stock over weekly inflow (Little 1961), {on_base}; exact binomial interval",
            decimals=1,
            caveat=f"{_IF_STEADY}\n{coverage.caveat('mean_stay')}",
        )
        results.put(
            f"{name}.inflow_per_week",
            rows["detainers"].sum() / mean,
            unit="detainers a week",
            inputs=[STOCK],
            method=f"those in custody booked in the first weeks, a week; {on_base}",
            decimals=1,
        )
    mean_age = np.average(rows["weeks"] + 0.5, weights=rows["detainers"])
    results.put(
        "ages.flow.stock_mean_weeks",
        mean_age,
        unit="weeks since booking",
        inputs=[STOCK],
        method="mean time so far of all in custody, at mid-weeks",
        decimals=1,
    )
    results.put(
        "ages.flow.full_stay_of_present_weeks",
        2 * mean_age,
        unit="weeks",
        inputs=["result:ages.flow.stock_mean_weeks"],
        method="mean full stay of those present: twice the mean time so far in a steady stock (Cox "
        "1962)",
        decimals=1,
        caveat=_IF_STEADY,
    )


def put_cohort(
    results: Results,
    name: str,
    rows: pd.DataFrame,
    months: pd.DataFrame,
    first: dt.date,
    last: dt.date,
) -> None:
    """Put how many of those booked in some months were still held on the day of the count.

    Parameters
    ----------
    results, rows
        As in `put_flow`.
    name
        Beginning of the names.
    months
        As from `helpers.series.travis_months`.
    first, last
        First and last day of the months.
    """
    present = rows["weeks"], rows["detainers"]
    booked = months[months["month"].between(str(first), str(last))]
    bookings = int(booked["detainers"].sum())
    held = ages.booked_between(*present, first, last, ages.COUNTED)
    reaching = [stock.decreasing_density(*present, base)["surviving"] for base in (1, 2)]
    if_steady = [stock.share_held(surviving, booked, ages.COUNTED) for surviving in reaching]
    those = f"bookings with a detainer, {first} to {last}"
    results.put(
        f"{name}.bookings_per_week",
        7 * bookings / ((last - first).days + 1),
        unit="detainers a week",
        inputs=[MONTHLY],
        method=those,
        decimals=1,
    )
    results.put(
        f"{name}.share_still_held",
        [number / bookings for number in held],
        unit="share",
        inputs=[MONTHLY, STOCK],
        method="in custody on 1 February 2017, fewest and most that whole weeks allow, over "
        f"{those}",
        decimals=3,
        caveat="Two counts of the county: a detainer lodged after the monthly count was made is "
        "in the stock only, which makes the share too high.",
    )
    results.put(
        f"{name}.share_if_steady",
        if_steady,
        unit="share",
        inputs=[MONTHLY, STOCK],
        method="share of those bookings that would still be held by the Grenander estimator under "
        "a steady stock; base week 0, and weeks 0 and 1 pooled",
        decimals=3,
    )
