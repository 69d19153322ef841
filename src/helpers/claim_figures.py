"""Comparisons of published figures that settle claims of the press, as results ready to be put."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers import evidence, growth, issuance, series
from helpers.evidence import Date, Fact, Ledger

Figures = dict[str, dict[str, Any]]

TABLES = ("growth_counts", "listed_jurisdictions_2017", "weekly_detainers")
"""Tables of data/ that the comparisons need beside the evidence."""

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

NAMED_STATES = ("co", "fl", "ma", "mn", "nm", "tx", "va", "wa", "dc")
"""States that article 003 names beside New York and California for the second week."""

NAMED_RECENT = (
    ("Baltimore", "MD"),
    ("Tulare", "CA"),
    ("Ithaca", "NY"),
    ("Travis County", "TX"),
    ("Iowa City, Johnson County", "IA"),
    ("Boulder County", "CO"),
)
"""Places that article 003 says declared themselves since January 2017."""

_WEEK_1, _WEEK_2, _ = evidence.REPORT_WEEKS
_TRAVIS = "us-tx:travis_county"
_ICE = "ICE weekly report"
_WEEKS_AFTER = 13
_LISTED = "series:listed_jurisdictions_2017"

_WEEKLY = "as published for the week"
_IN_COUNTY = "detainers issued to agencies in the county, first week"
_IN_STATE = "entries of the first list in the state"
_DECLARED = "as a newspaper prints it from a declaration of 2021"
_SERIOUS = "TRAC's share of detainers on persons in the most serious class of offences"
_AS_PUBLISHED = {
    "week_1.issued": ("detainers_issued", "us", _WEEK_1, _WEEKLY),
    "week_1.declined": ("detainers_declined", "us", _WEEK_1, _WEEKLY),
    "week_2.issued": ("detainers_issued", "us", _WEEK_2, _WEEKLY),
    "week_1.issued_clark": ("detainers_issued", TEN_COUNTIES[0], _WEEK_1, _IN_COUNTY),
    "week_1.issued_nassau": ("detainers_issued", TEN_COUNTIES[1], _WEEK_1, _IN_COUNTY),
    "week_1.issued_cook": ("detainers_issued", TEN_COUNTIES[2], _WEEK_1, _IN_COUNTY),
    "week_1.european_citizens": (
        "european_citizens_among_declined",
        "us",
        _WEEK_1,
        "persons with a European citizenship among the declined, as a reader counted",
    ),
    "week_1.charged_only": (
        "declined_with_charge_only",
        "us",
        _WEEK_1,
        "persons in the list of declined detainers with a charge and no conviction named",
    ),
    "listed_week_1.pennsylvania": ("listed_jurisdictions", "us-pa", _WEEK_1, _IN_STATE),
    "listed_week_1.new_jersey": ("listed_jurisdictions", "us-nj", _WEEK_1, _IN_STATE),
    "jails_refusing": ("noncooperative_jails", "us", "declaration of 2021", _DECLARED),
    "jails_limited": ("limited_cooperation_jails", "us", "declaration of 2021", _DECLARED),
    "active_detainers": ("active_detainers", "us", "lodged since 2018, active in 2021", _DECLARED),
    "level_1_percent": ("share_level1_offence", "us", "2007-10-01/2011-11-30", _SERIOUS),
    "serious_percent": ("share_meeting_stated_goal_max", "us", "2011-10-01/2013-01-31", _SERIOUS),
}
"""Series, place, period and meaning of the figures that are used as they were published."""


def figures(ledger: Ledger, tables: Mapping[str, pd.DataFrame]) -> Figures:
    """Return the comparisons by name, without the prefix `claims.`.

    Parameters
    ----------
    ledger
        The ledger; its policy picks the figures.
    tables
        The tables of `TABLES` by name.

    Returns
    -------
    dict
        Arguments of `helpers.results.Results.put` by name: `value`, `unit`, `inputs`, `method`,
        `interval` (what the value can be, or None), `level` (None), `decimals`, `caveat`.
    """
    return {
        **_as_published(ledger),
        **_lists(ledger, tables["growth_counts"], tables["listed_jurisdictions_2017"]),
        **_ten_counties(ledger),
        **_week_1(ledger),
        **_issue_dates(ledger),
        **_later_weeks(ledger),
        **_publication(ledger),
        **_fair(ledger),
        **_national(ledger, tables["weekly_detainers"]),
    }


def _figure(
    value: float | list[float],
    unit: str,
    rests_on: Sequence[Fact | Date | str],
    method: str,
    decimals: int = 0,
    interval: tuple[float, float] | None = None,
    caveat: str | None = None,
) -> dict[str, Any]:
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


def _as_published(ledger: Ledger) -> Figures:
    found = {}
    for name, (quantity, place, window, method) in _AS_PUBLISHED.items():
        fact = evidence.pick(ledger, quantity, place, window)
        decimals = 1 if fact.unit.startswith("percent") else 0
        found[name] = _figure(fact.value, fact.unit, [fact], method, decimals)
    return found


def _lists(ledger: Ledger, growth_counts: pd.DataFrame, listed: pd.DataFrame) -> Figures:
    """Figures on the lists of places."""
    found = {}
    counts = growth.counts(growth_counts, ledger, "baseline")
    for week in (1, 2):
        count = counts[f"listed_week_{week}"]
        found[f"listed_week_{week}"] = _figure(
            count.value,
            "jurisdictions",
            [*count.inputs, "series:growth_counts"],
            f"entries of the list of week {week}; range of published counts and rounding",
            interval=(count.low, count.high) if count.low < count.high else None,
        )
    enacted = listed.set_index(["jurisdiction", "state"])["date_enacted"]
    first_list = enacted[listed["listed_week_1"].eq("yes").to_numpy()]
    in_2017 = enacted.loc[list(NAMED_RECENT)].str.fullmatch(r"2017-\d\d.*").sum()
    return found | {
        "listed_week_1.enacted_after_ithaca": _figure(
            int(first_list.gt(enacted["Ithaca", "NY"]).sum()),
            "jurisdictions",
            [_LISTED, "fact:A209"],
            "known entries of the first list enacted in a later month than Ithaca's",
            caveat=f"A date is known for {first_list.ne('').sum()} of the {len(first_list)} "
            "entries known by name, which are not all; the copy of the table that was read is "
            "sorted by date, newest first.",
        ),
        "listed.declared_since_january": _figure(
            [int(in_2017), len(NAMED_RECENT)],
            "places",
            [_LISTED],
            f"of {len(NAMED_RECENT)} places named, those enacted in a month of 2017 by a copy of "
            "ICE's table, and all",
        ),
    }


def _ten_counties(ledger: Ledger) -> Figures:
    """Figures on the ten counties of the first report's table."""
    counties = [evidence.pick(ledger, "detainers_issued", name, _WEEK_1) for name in TEN_COUNTIES]
    total = evidence.pick(
        ledger, "sectionI_total_top10", "group:ten_jurisdictions_of_section_i", _WEEK_1
    )
    issued = evidence.pick(ledger, "detainers_issued", "us", _WEEK_1)
    declined = evidence.pick(ledger, "detainers_declined", "us", _WEEK_1)
    travis = evidence.pick(ledger, "detainers_declined", _TRAVIS, _WEEK_1, basis=_ICE)
    withdrawn = evidence.published(ledger, "correction_sectionI_records", window=_WEEK_1)
    withdrawn = withdrawn[withdrawn["place_id"].isin(TEN_COUNTIES)].drop_duplicates("place_id")
    withdrawn_facts = ["fact:" + name for name in withdrawn["fact_id"]]
    elsewhere = declined.value - travis.value
    return {
        "week_1.top_ten_share": _figure(
            total.value / issued.value,
            "share",
            [total, issued],
            "detainers issued to the ten listed counties over all issued",
            decimals=4,
        ),
        "week_1.top_ten_share_corrected": _figure(
            (total.value - withdrawn["value"].sum()) / issued.value,
            "share",
            [total, issued, *withdrawn_facts],
            "the same without the counties whose figures ICE withdrew",
            decimals=4,
        ),
        "week_1.ten_counties_standing": _figure(
            len(TEN_COUNTIES) - len(withdrawn),
            "counties",
            withdrawn_facts,
            "counties of the table whose figures ICE did not withdraw",
        ),
        "week_1.ten_named_over_total": _figure(
            sum(fact.value for fact in counties) / total.value,
            "ratio",
            [*counties, total],
            "sum of the detainers issued to the ten counties named over the total of the table",
            decimals=3,
        ),
        "week_1.issued_above_clark": _figure(
            sum(fact.value > counties[0].value for fact in counties),
            "counties",
            counties,
            "counties of the table with more detainers issued than Clark County, Nevada",
        ),
        "week_1.outside_travis_over_travis": _figure(
            elsewhere / travis.value,
            "ratio",
            [declined, travis],
            "declined outside Travis County, the most that any other county can have, over those "
            "in it, as ICE first counted",
            decimals=2,
        ),
        "week_1.declined_outside_travis_over_top_ten": _figure(
            elsewhere / total.value,
            "ratio",
            [declined, travis, total],
            "declined detainers outside Travis County, which is not among the ten, over the "
            "figures of the ten counties",
            decimals=2,
        ),
    }


def _week_1(ledger: Ledger) -> Figures:
    """Figures on the corrections to the first report."""
    declined = evidence.pick(ledger, "detainers_declined", "us", _WEEK_1)
    by_ice = evidence.pick(ledger, "detainers_declined", _TRAVIS, _WEEK_1, basis=_ICE)
    by_county = evidence.pick(ledger, "detainers_declined", _TRAVIS, _WEEK_1, basis="as quoted")
    records = issuance.report_records(ledger)
    corrected = records[records["week"].eq(1) & records["part"].isin(["withdrawn", "state_jail"])]
    return {
        "week_1.travis_ice_less_county": _figure(
            by_ice.value - by_county.value,
            "records",
            [by_ice, by_county],
            "Travis County's refusals as ICE first counted them, less those the sheriff's office "
            "read in the report after the correction",
        ),
        "week_1.corrected_share": _figure(
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
        evidence.pick_date(ledger, "earliest_issue_month", place, _WEEK_1)
        for place in ("us", _TRAVIS)
    ]
    earliest = min(date.value for date in months)
    declined = evidence.pick(ledger, "detainers_declined", "us", _WEEK_1)
    travis = evidence.pick(ledger, "detainers_declined", _TRAVIS, _WEEK_1, basis=_ICE)
    share = evidence.pick(ledger, "travis_declined_issued_before_2017_share", _TRAVIS, _WEEK_1)
    before = math.ceil(share.low / 100 * travis.value)
    since = math.ceil((1 - share.high / 100) * travis.value)
    return {
        "week_1.months_before_february_2014": _figure(
            12 * (2014 - earliest.year) + 2 - earliest.month,
            "months",
            months,
            f"from the earliest month of issue quoted from the report, {earliest:%B %Y}, to "
            "February 2014",
        ),
        "week_1.older_than_a_year_share": _figure(
            [0.0, 1 - since / declined.value],
            "share",
            [declined, travis, share],
            "least and most that what is published allows: none is counted, and all but Travis "
            "County's issued in 2017 can be",
            decimals=2,
        ),
        "week_1.issued_in_week_at_most": _figure(
            declined.value - before,
            "detainers",
            [declined, travis, share],
            "most of the declined detainers that can be among those issued in the week: all less "
            "Travis County's issued before 2017",
        ),
    }


def _later_weeks(ledger: Ledger) -> Figures:
    """Figures of the second and third report."""
    issued, declined = (
        [evidence.pick(ledger, f"detainers_{what}", "us", week) for week in evidence.REPORT_WEEKS]
        for what in ("issued", "declined")
    )
    states = evidence.published(ledger, "detainers_declined", window=_WEEK_2)
    states = states[states["place_level"].eq("state")].set_index("place_id")
    by_state = ["fact:" + name for name in states["fact_id"]]
    two, total = states.loc[["us-ny", "us-ca"], "value"].sum(), states["value"].sum()
    named = states.index.isin([f"us-{state}" for state in NAMED_STATES])
    found = {
        "week_2.declined_by_state": _figure(
            total, "detainers", by_state, "sum of the declined by state"
        ),
        "week_2.new_york_california_share": _figure(
            two / total,
            "share",
            by_state,
            "refusals in New York and California over the sum of all states",
            decimals=3,
        ),
        "week_2.named_states": _figure(
            int(named.sum()),
            "states",
            by_state,
            f"of the {len(NAMED_STATES)} states named, those with a refusal, the District of "
            "Columbia counted as a state",
        ),
        "week_2.states": _figure(
            len(states), "states", by_state, "states with a refusal in the second week"
        ),
    }
    for what, weeks in (("issued", issued), ("declined", declined)):
        found[f"{what}_later_over_week_1"] = _figure(
            [fact.value / weeks[0].value for fact in weeks[1:]],
            "ratio",
            weeks,
            f"detainers {what} in the second and in the third week over those of the first",
            decimals=2,
            caveat="The third report rests on one source.",
        )
    return found


def _publication(ledger: Ledger) -> Figures:
    """Figures on days: of the order, the reports and what officials said."""
    order = evidence.pick_date(ledger, "event_date:executive_order_13768")
    first, second = (
        evidence.pick_date(ledger, "report_release_date", window=week)
        for week in (_WEEK_1, _WEEK_2)
    )
    suspended = evidence.pick_date(ledger, "event_date:weekly_report_suspended")
    told = evidence.pick_date(ledger, "resumption_stated_by_officials", window=_WEEK_1)
    week_2_end = pd.Timestamp(_WEEK_2.partition("/")[2])
    return {
        "order_days_into_2017": _figure(
            (order.value - pd.Timestamp(2016, 12, 31)).days,
            "days",
            [order],
            "day of the year 2017 on which Executive Order 13768 was signed",
        ),
        "report_1.days_after_monday": _figure(
            first.value.weekday(), "days", [first], "from a Monday to the first report"
        ),
        "report_1.days_to_suspension": _figure(
            (suspended.value - first.value).days,
            "days",
            [first, suspended],
            "from the first report to the suspension of the weekly report",
        ),
        "report_2.days_after_week": _figure(
            (second.value - week_2_end).days,
            "days",
            [second],
            "from the last day of the second week to the publication of the report on it",
        ),
        "report_2.days_to_resumption": _figure(
            (told.value - second.value).days,
            "days",
            [told, second],
            "from the report on the second week to the day on which officials said that issuing "
            "had resumed; negative: they said so before",
            caveat="The day of the instruction itself was not published.",
        ),
    }


def _fair(ledger: Ledger) -> Figures:
    """Growth of the one counter with a count before and after January 2017."""
    late, early = (
        evidence.pick(ledger, "sanctuary_jurisdictions_fair", "us", window)
        for window in ("2018-04-01/2018-04-01", "2016-01-01/2016-12-31")
    )
    return {
        "fair_2018_over_2016": _figure(
            late.value / early.value,
            "ratio",
            [late, early],
            "places that FAIR counted in April 2018 over those it counted in 2016",
            decimals=2,
        )
    }


def _national(ledger: Ledger, weekly_detainers: pd.DataFrame) -> Figures:
    """Detainers issued nationwide after the memoranda and before them."""
    order = evidence.pick_date(ledger, "event_date:executive_order_13768")
    memoranda = [evidence.pick_date(ledger, f"{who}_memo_date") for who in ("kelly", "albence")]
    weekly = series.weekly_issued(weekly_detainers)
    start, end = weekly["week_start"], weekly["week_start"] + pd.Timedelta(days=6)
    before = start.gt(order.value) & end.lt(min(memo.value for memo in memoranda))
    after = weekly[start.gt(max(memo.value for memo in memoranda))].head(_WEEKS_AFTER)
    return {
        "issued_after_memoranda_over_before": _figure(
            after["detainers"].mean() / weekly.loc[before, "detainers"].mean(),
            "ratio",
            ["series:weekly_detainers", order, *memoranda],
            f"mean of the {_WEEKS_AFTER} whole weeks after the memoranda over that of the whole "
            "weeks between the executive order and them; weeks that two releases feed halved",
            decimals=3,
        )
    }
