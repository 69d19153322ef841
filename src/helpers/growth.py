"""Counts of places that do not cooperate with detainers, and the growth between two of them."""

import datetime as dt
import math
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd

from helpers import evidence
from helpers.evidence import Ledger

DAYS_PER_YEAR = 365.25

_Amount = TypeVar("_Amount", float, np.ndarray, pd.Series)
_Three = tuple[float, float, float]


@dataclass(frozen=True)
class Count:
    """A published count of places at a time, with what its print and date allow.

    Attributes
    ----------
    choice, label
        Name of the choice, and the count in words.
    value, low, high
        Number of places, and the range of published values and their rounding.
    date, date_low, date_high
        Day of the count, and the earliest and latest defensible day.
    unit_counted, criterion
        What one entry is, and what makes a place count.
    entry
        What an entry stands for: `facility or agency`, or `place` with any number of them.
    quantity
        The count of which this is a reading.
    inputs
        The facts behind it, as inputs of a result.
    """

    choice: str
    label: str
    value: float
    low: float
    high: float
    date: dt.date
    date_low: dt.date
    date_high: dt.date
    unit_counted: str
    criterion: str
    entry: str
    quantity: str
    inputs: tuple[str, ...]

    def on(self, date: dt.date | None) -> "Count":
        """Return the count dated exactly `date`; unchanged where `date` is None."""
        if date is None:
            return self
        return replace(self, date=date, date_low=date, date_high=date)


@dataclass(frozen=True)
class Range:
    """A value with the lowest and highest it can be; None where there is no bound."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Growth:
    """Growth between two counts: factor, rate per year (compound) and years to double."""

    factor: Range
    annual_rate: Range
    doubling_years: Range


def counts(table: pd.DataFrame, ledger: Ledger, role: str) -> dict[str, Count]:
    """Return the counts that growth can be measured between.

    Parameters
    ----------
    table
        Table `growth_counts`; rows of one choice add up.
    ledger
        The evidence; its policy picks the value where a row names no fact.
    role
        `baseline` or `endpoint`.

    Returns
    -------
    dict
        Counts by choice, in the table's order.
    """
    rows = table[table["role"].eq(role)]
    return {
        str(choice): _sum([_count(row, ledger) for row in group.to_dict("records")])
        for choice, group in rows.groupby("choice", sort=False)
    }


def growth(baseline: Count, endpoint: Count) -> Growth:
    """Return the growth from one count to another.

    With f the ratio of the counts and t the years between them, the compound annual rate is
    f^(1/t) - 1 and the doubling time t ln 2 / ln f. All three are monotone in each count and
    each date, so the ends of their ranges lie at the ends of the counts' ranges.

    Raises
    ------
    ValueError
        If the baseline is not before the endpoint, or a count is not positive.
    """
    if baseline.date_high >= endpoint.date_low:
        raise ValueError(
            f"baseline {baseline.choice} ({baseline.date_high}) is not before "
            f"endpoint {endpoint.choice} ({endpoint.date_low})"
        )
    if baseline.low <= 0 or endpoint.low <= 0:
        raise ValueError("growth needs positive counts")
    factor = (
        endpoint.value / baseline.value,
        endpoint.low / baseline.high,
        endpoint.high / baseline.low,
    )
    years = _years(baseline.date, endpoint.date)
    spans = (
        _years(baseline.date_high, endpoint.date_low),
        _years(baseline.date_low, endpoint.date_high),
    )
    return Growth(Range(*factor), _rate(factor, years, spans), _doubling(factor, years, spans))


def one_at_a_time(baseline: Count, endpoint: Count) -> dict[str, Growth]:
    """Return the growth when one uncertainty is let vary, the rest as used; then all at once.

    Returns
    -------
    dict
        By what varies: the values (other published ones and rounding), the day of the earlier
        count, the day of the later count, all together.
    """
    first, last = _valued(baseline), _valued(endpoint)
    return {
        "published values and rounding": growth(
            baseline.on(baseline.date), endpoint.on(endpoint.date)
        ),
        "day of the earlier count": growth(first, last.on(last.date)),
        "day of the later count": growth(first.on(first.date), last),
        "all together": growth(baseline, endpoint),
    }


def even_draws(
    baseline: Count, endpoint: Count, seed: int, draws: int = 100_000
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the factor and the annual rate with every uncertain part even over its range.

    Values and days are drawn independently, each uniform between its lowest and highest. That
    is an assumption for comparison with the ranges of `growth`, whose ends need every part at
    its worst at once; it makes no confidence interval, since nothing was sampled.

    Parameters
    ----------
    baseline, endpoint
        The two counts.
    seed
        Seed of the random numbers.
    draws
        Number of draws.

    Returns
    -------
    tuple of numpy.ndarray
        Factors (ratio) and compound annual rates (share a year), shape (draws,) each.
    """
    rng = np.random.default_rng(seed)
    earlier, later = (rng.uniform(count.low, count.high, draws) for count in (baseline, endpoint))
    first, last = (
        rng.uniform(count.date_low.toordinal(), count.date_high.toordinal(), draws)
        for count in (baseline, endpoint)
    )
    factors = later / earlier
    return factors, annual_rate(factors, (last - first) / DAYS_PER_YEAR)


def annual_rate(factor: _Amount, years: _Amount) -> _Amount:
    """Return the compound annual rate, share a year, of a factor reached over so many years."""
    return factor ** (1 / years) - 1


def _count(row: dict, ledger: Ledger) -> Count:
    named = row["fact_id"]
    chosen = (
        evidence.fact(ledger, named)
        if named
        else evidence.pick(ledger, row["series"], window=row["window"])
    )
    spread = [chosen, *(evidence.fact(ledger, name) for name in row["range_facts"].split(";"))]
    return Count(
        choice=row["choice"],
        label=row["label"],
        value=chosen.value,
        low=min(fact.low for fact in spread),
        high=max(fact.high for fact in spread),
        date=row["date"].date(),
        date_low=row["date_low"].date(),
        date_high=row["date_high"].date(),
        unit_counted=row["unit_counted"],
        criterion=row["criterion"],
        entry=row["entry"],
        quantity=row["quantity"],
        inputs=tuple(dict.fromkeys(fact.input for fact in spread)),
    )


def _sum(parts: list[Count]) -> Count:
    first = parts[0]
    return replace(
        first,
        value=sum(part.value for part in parts),
        low=sum(part.low for part in parts),
        high=sum(part.high for part in parts),
        inputs=tuple(dict.fromkeys(item for part in parts for item in part.inputs)),
    )


def _years(start: dt.date, end: dt.date) -> float:
    return (end - start).days / DAYS_PER_YEAR


def _valued(count: Count) -> Count:
    """Return the count at its value alone, its days left open."""
    return replace(count, low=count.value, high=count.value)


def _rate(factor: _Three, years: float, spans: tuple[float, float]) -> Range:
    value, low, high = factor
    ends = [annual_rate(f, t) for f in (low, high) for t in spans]
    return Range(annual_rate(value, years), min(ends), max(ends))


def _doubling(factor: _Three, years: float, spans: tuple[float, float]) -> Range:
    """Years to double; unbounded above where the factor can be 1 or less."""
    value, low, high = factor

    def doubling(f: float, t: float) -> float | None:
        return t * math.log(2) / math.log(f) if f > 1 else None

    return Range(doubling(value, years), doubling(high, spans[0]), doubling(low, spans[1]))
