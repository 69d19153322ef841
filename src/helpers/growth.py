"""Counts of places that do not cooperate with detainers, and their growth over time."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from helpers import evidence
from helpers.evidence import Ledger

DAYS_PER_YEAR = 365.25

COUNTERS = {
    ("listed_jurisdictions", "ICE weekly report"): "ICE weekly list",
    ("jurisdictions_with_noncompliance_policy", "as quoted"): "ICE list of 2014, via CIS",
    ("municipalities_that_declined_any", "as quoted"): "ICE, declined in FY2016",
    ("noncooperative_jails", "as quoted"): "ICE declaration, jails",
    ("jurisdictions_with_a_decline", "as quoted"): "DHS OIG, declined 2014-2017",
    ("agencies_with_a_decline", "TRAC"): "TRAC, agencies",
    ("sanctuary_jurisdictions_cis", "as quoted"): "CIS",
    ("sanctuary_jurisdictions_fair", "as quoted"): "FAIR",
    ("sanctuary_entries_ojjpac", "as quoted"): "OJJPAC",
    ("counties_not_holding_on_detainers_ilrc", "as quoted"): "ILRC, counties",
    ("sanctuary_jurisdictions_dhs", "as quoted"): "DHS",
    ("sanctuary_jurisdictions_doj", "as quoted"): "DOJ",
}
"""Who stands behind each published count of non-cooperating places, by series and basis."""


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
    factor = Range(
        endpoint.value / baseline.value, endpoint.low / baseline.high, endpoint.high / baseline.low
    )
    years = _years(baseline.date, endpoint.date)
    spans = (
        _years(baseline.date_high, endpoint.date_low),
        _years(baseline.date_low, endpoint.date_high),
    )
    return Growth(factor, _rate(factor, years, spans), _doubling(factor, years, spans))


def specifications(baselines: Mapping[str, Count], endpoints: Mapping[str, Count]) -> pd.DataFrame:
    """Return the growth of every combination of a baseline and an endpoint.

    Returns
    -------
    pandas.DataFrame
        One row a combination, by factor: `baseline`, `endpoint` (choices), `baseline_label`,
        `endpoint_label`, `unit` (what the two count), `factor`, `factor_low`, `factor_high`
        (ratios), `annual_rate` (share a year).
    """
    rows = []
    for base in baselines.values():
        for end in endpoints.values():
            found = growth(base, end)
            rows.append(
                {
                    "baseline": base.choice,
                    "endpoint": end.choice,
                    "baseline_label": base.label,
                    "endpoint_label": end.label,
                    "unit": f"{base.unit_counted} to {end.unit_counted}",
                    "factor": found.factor.value,
                    "factor_low": found.factor.low,
                    "factor_high": found.factor.high,
                    "annual_rate": found.annual_rate.value,
                }
            )
    return pd.DataFrame(rows).sort_values(["factor", "baseline"], ignore_index=True)


def panel(ledger: Ledger) -> pd.DataFrame:
    """Return every published national count of non-cooperating places, one a row.

    Of several figures for one count and period, the ledger's policy picks one.

    Returns
    -------
    pandas.DataFrame
        By counter and time: `counter`, `start`, `end` (dates of the period), `places`,
        `qualifier`, `unit`, `definition`, `fact_id`.
    """
    facts = ledger.facts
    counter = pd.Series(
        [COUNTERS.get(key) for key in zip(facts["series"], facts["basis"], strict=True)],
        index=facts.index,
    )
    national = facts["place_level"].isin(["country", "group"]) & facts["value"].notna()
    rows = facts[counter.notna() & national]
    quantities = rows[["series", "place_id", "window", "breakdown", "basis"]].drop_duplicates()
    picked = [evidence.pick(ledger, *key).id for key in quantities.itertuples(index=False)]
    chosen = rows[rows["fact_id"].isin(picked)]
    return pd.DataFrame(
        {
            "counter": counter[chosen.index],
            "start": chosen["period_start"],
            "end": chosen["period_end"],
            "places": chosen["value"],
            "qualifier": chosen["qualifier"],
            "unit": chosen["unit"],
            "definition": chosen["definition"],
            "fact_id": chosen["fact_id"],
        }
    ).sort_values(["counter", "end"], ignore_index=True)


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


def _rate(factor: Range, years: float, spans: tuple[float, float]) -> Range:
    def rate(f: float | None, t: float) -> float:
        return float(f or math.nan) ** (1 / t) - 1

    ends = [rate(f, t) for f in (factor.low, factor.high) for t in spans]
    return Range(rate(factor.value, years), min(ends), max(ends))


def _doubling(factor: Range, years: float, spans: tuple[float, float]) -> Range:
    """Years to double; unbounded above where the factor can be 1 or less."""

    def doubling(f: float | None, t: float) -> float | None:
        return t * math.log(2) / math.log(f) if f is not None and f > 1 else None

    return Range(
        doubling(factor.value, years),
        doubling(factor.high, spans[0]),
        doubling(factor.low, spans[1]),
    )
