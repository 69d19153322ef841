"""Counts of places made up for tests."""

import datetime as dt
from dataclasses import replace

from helpers.growth import Count

EARLY = Count(
    choice="early",
    label="an early count",
    value=100,
    low=90,
    high=110,
    date=dt.date(2017, 1, 1),
    date_low=dt.date(2016, 7, 1),
    date_high=dt.date(2017, 7, 1),
    unit_counted="jail",
    criterion="called non-cooperative",
    entry="facility or agency",
    quantity="jails, early",
    inputs=("fact:A001",),
)
LATE = replace(
    EARLY,
    choice="late",
    value=400,
    low=400,
    high=400,
    date=dt.date(2021, 1, 1),
    date_low=dt.date(2021, 1, 1),
    date_high=dt.date(2021, 1, 1),
    quantity="jails, late",
    inputs=("fact:A002",),
)


def by_choice(*counts):
    return {count.choice: count for count in counts}
