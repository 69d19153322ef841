"""Comparisons of the figures of ICE's first weekly report, which settle claims of the press."""

import math
from collections.abc import Sequence
from typing import Any

from helpers import evidence, issuance
from helpers.evidence import Date, Fact, Ledger

Figures = dict[str, dict[str, Any]]

TEN_COUNTIES = (
    "us-nv:clark_county",
    "us-ny:nassau_county",
    "us-il:cook_county",
    "us-ia:montgomery_county",
    "us-wa:snohomish_county",
    "us-ny:franklin_county",
    "us-or:washington_county",
    "us-fl:alachua_county",
    "us-ia:franklin_county",
    "us-pa:franklin_county",
)
"""Counties of the first report's table, in the order in which article 002 names them."""

WEEK = evidence.REPORT_WEEKS[0]
"""The period of the report."""

_TRAVIS = "us-tx:travis_county"
_ICE = "ICE weekly report"


def figures(ledger: Ledger) -> Figures:
    """Return the comparisons by name, each as from `figure`; the ledger's policy picks."""
    return {**_ten_counties(ledger), **_corrections(ledger), **_issue_dates(ledger)}


def figure(
    value: float | list[float],
    unit: str,
    rests_on: Sequence[Fact | Date | str],
    method: str,
    decimals: int = 0,
    interval: tuple[float, float] | None = None,
    caveat: str | None = None,
) -> dict[str, Any]:
    """Return what `helpers.results.Results.put` is told of a comparison.

    Parameters
    ----------
    value, unit, method, decimals, caveat
        As in `Results.put`.
    rests_on
        The figures behind it, or names of inputs.
    interval
        What the value can be; no confidence interval.
    """
    inputs = [item if isinstance(item, str) else item.input for item in rests_on]
    return {
        "value": value,
        "unit": unit,
        "inputs": [*inputs, "parameter:source_policy"],
        "method": method,
        "interval": interval,
        "level": None,
        "decimals": decimals,
        "caveat": caveat,
    }


def _ten_counties(ledger: Ledger) -> Figures:
    """Figures on the ten counties of the first report's table."""
    counties = [evidence.pick(ledger, "detainers_issued", name, WEEK) for name in TEN_COUNTIES]
    total = evidence.pick(
        ledger, "sectionI_total_top10", "group:ten_jurisdictions_of_section_i", WEEK
    )
    issued = evidence.pick(ledger, "detainers_issued", "us", WEEK)
    declined = evidence.pick(ledger, "detainers_declined", "us", WEEK)
    travis = evidence.pick(ledger, "detainers_declined", _TRAVIS, WEEK, basis=_ICE)
    withdrawn = evidence.published(ledger, "correction_sectionI_records", window=WEEK)
    withdrawn = withdrawn[withdrawn["place_id"].isin(TEN_COUNTIES)].drop_duplicates("place_id")
    withdrawn_facts = ["fact:" + name for name in withdrawn["fact_id"]]
    elsewhere = declined.value - travis.value
    return {
        "week_1.top_ten_share": figure(
            total.value / issued.value,
            "share",
            [total, issued],
            "detainers issued to the ten listed counties over all issued",
            decimals=4,
        ),
        "week_1.top_ten_share_corrected": figure(
            (total.value - withdrawn["value"].sum()) / issued.value,
            "share",
            [total, issued, *withdrawn_facts],
            "the same without the counties whose figures ICE withdrew",
            decimals=4,
        ),
        "week_1.ten_counties_standing": figure(
            len(TEN_COUNTIES) - len(withdrawn),
            "counties",
            withdrawn_facts,
            "counties of the table whose figures ICE did not withdraw",
        ),
        "week_1.ten_named_over_total": figure(
            sum(fact.value for fact in counties) / total.value,
            "ratio",
            [*counties, total],
            "sum of the detainers issued to the ten counties named over the total of the table",
            decimals=3,
        ),
        "week_1.issued_above_clark": figure(
            sum(fact.value > counties[0].value for fact in counties),
            "counties",
            counties,
            "counties of the table with more detainers issued than Clark County, Nevada",
        ),
        "week_1.declined_outside_travis_over_top_ten": figure(
            elsewhere / total.value,
            "ratio",
            [declined, travis, total],
            "declined detainers outside Travis County, which is not among the ten, over the "
            "figures of the ten counties",
            decimals=2,
        ),
    }


def _corrections(ledger: Ledger) -> Figures:
    """Figures on the corrections to the first report."""
    declined = evidence.pick(ledger, "detainers_declined", "us", WEEK)
    by_ice = evidence.pick(ledger, "detainers_declined", _TRAVIS, WEEK, basis=_ICE)
    by_county = evidence.pick(ledger, "detainers_declined", _TRAVIS, WEEK, basis="as quoted")
    records = issuance.report_records(ledger)
    corrected = records[records["week"].eq(1) & records["part"].isin(["withdrawn", "state_jail"])]
    return {
        "week_1.travis_ice_less_county": figure(
            by_ice.value - by_county.value,
            "records",
            [by_ice, by_county],
            "Travis County's refusals as ICE first counted them, less those the sheriff's office "
            "read in the report after the correction",
        ),
        "week_1.corrected_share": figure(
            corrected["value"].sum() / declined.value,
            "share",
            [*("fact:" + corrected["fact"]), declined],
            "records withdrawn or credited to another place, over all declined",
            decimals=3,
        ),
    }


def _issue_dates(ledger: Ledger) -> Figures:
    """Figures on when the declined detainers of the first report had been issued."""
    months = [
        evidence.pick_date(ledger, "earliest_issue_month", place, WEEK) for place in ("us", _TRAVIS)
    ]
    earliest = min(date.value for date in months)
    declined = evidence.pick(ledger, "detainers_declined", "us", WEEK)
    travis = evidence.pick(ledger, "detainers_declined", _TRAVIS, WEEK, basis=_ICE)
    share = evidence.pick(ledger, "travis_declined_issued_before_2017_share", _TRAVIS, WEEK)
    before = math.ceil(share.low / 100 * travis.value)
    since = math.ceil((1 - share.high / 100) * travis.value)
    return {
        "week_1.months_before_february_2014": figure(
            12 * (2014 - earliest.year) + 2 - earliest.month,
            "months",
            months,
            f"from the earliest month of issue quoted from the report, {earliest:%B %Y}, to "
            "February 2014",
        ),
        "week_1.older_than_a_year_share": figure(
            [0.0, 1 - since / declined.value],
            "share",
            [declined, travis, share],
            "least and most that what is published allows: none is counted, and all but Travis "
            "County's issued in 2017 can be",
            decimals=2,
        ),
        "week_1.issued_in_week_at_most": figure(
            declined.value - before,
            "detainers",
            [declined, travis, share],
            "most of the declined detainers that can be among those issued in the week: all less "
            "Travis County's issued before 2017",
        ),
    }
