"""Comparisons of published figures that settle claims of the press, as results ready to be put."""

from collections.abc import Mapping

import pandas as pd

from helpers import claim_first_report, evidence, growth, series
from helpers.claim_first_report import TEN_COUNTIES, Figures, figure
from helpers.evidence import Ledger

TABLES = ("growth_counts", "listed_jurisdictions_2017", "weekly_detainers")
"""Tables of data/ that the comparisons need beside the evidence."""

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
        **claim_first_report.figures(ledger),
        **_later_weeks(ledger),
        **_publication(ledger),
        **_fair(ledger),
        **_national(ledger, tables["weekly_detainers"]),
    }


def _as_published(ledger: Ledger) -> Figures:
    found = {}
    for name, (quantity, place, window, method) in _AS_PUBLISHED.items():
        fact = evidence.pick(ledger, quantity, place, window)
        decimals = 1 if fact.unit.startswith("percent") else 0
        found[name] = figure(fact.value, fact.unit, [fact], method, decimals)
    return found


def _lists(ledger: Ledger, growth_counts: pd.DataFrame, listed: pd.DataFrame) -> Figures:
    """Figures on the lists of places."""
    found = {}
    counts = growth.counts(growth_counts, ledger, "baseline")
    for week in (1, 2):
        count = counts[f"listed_week_{week}"]
        found[f"listed_week_{week}"] = figure(
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
        "listed_week_1.enacted_after_ithaca": figure(
            int(first_list.gt(enacted["Ithaca", "NY"]).sum()),
            "jurisdictions",
            [_LISTED, "fact:A209"],
            "known entries of the first list enacted in a later month than Ithaca's",
            caveat=f"A date is known for {first_list.ne('').sum()} of the {len(first_list)} "
            "entries known by name, which are not all; the copy of the table that was read is "
            "sorted by date, newest first.",
        ),
        "listed.declared_since_january": figure(
            [int(in_2017), len(NAMED_RECENT)],
            "places",
            [_LISTED],
            f"of {len(NAMED_RECENT)} places named, those enacted in a month of 2017 by a copy of "
            "ICE's table, and all",
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
        "week_2.declined_by_state": figure(
            total, "detainers", by_state, "sum of the declined by state"
        ),
        "week_2.new_york_california_share": figure(
            two / total,
            "share",
            by_state,
            "refusals in New York and California over the sum of all states",
            decimals=3,
        ),
        "week_2.named_states": figure(
            int(named.sum()),
            "states",
            by_state,
            f"of the {len(NAMED_STATES)} states named, those with a refusal, the District of "
            "Columbia counted as a state",
        ),
        "week_2.states": figure(
            len(states), "states", by_state, "states with a refusal in the second week"
        ),
    }
    for what, weeks in (("issued", issued), ("declined", declined)):
        found[f"{what}_later_over_week_1"] = figure(
            [fact.value / weeks[0].value for fact in weeks[1:]],
            "ratio",
            weeks,
            f"detainers {what} in the second and in the third week over those of the first",
            decimals=2,
            caveat="The third report rests on one source.",
        )
    return found


def _publication(ledger: Ledger) -> Figures:
    """Figures on days: of the order, of the reports and of what they say."""
    order = evidence.pick_date(ledger, "event_date:executive_order_13768")
    first, second = (
        evidence.pick_date(ledger, "report_release_date", window=week)
        for week in (_WEEK_1, _WEEK_2)
    )
    suspended = evidence.pick_date(ledger, "event_date:weekly_report_suspended")
    told = evidence.published(ledger, "issuance_policy_text", window=_WEEK_1)
    week_2_end = pd.Timestamp(_WEEK_2.partition("/")[2])
    return {
        "order_days_into_2017": figure(
            (order.value - pd.Timestamp(2016, 12, 31)).days,
            "days",
            [order],
            "day of the year 2017 on which Executive Order 13768 was signed",
        ),
        "report_1.days_after_monday": figure(
            first.value.weekday(), "days", [first], "from a Monday to the first report"
        ),
        "report_1.days_to_suspension": figure(
            (suspended.value - first.value).days,
            "days",
            [first, suspended],
            "from the first report to the suspension of the weekly report",
        ),
        "report_2.days_after_week": figure(
            (second.value - week_2_end).days,
            "days",
            [second],
            "from the last day of the second week to the publication of the report on it",
        ),
        "report_2.days_to_instruction": figure(
            (first.value - second.value).days,
            "days",
            [*("fact:" + told["fact_id"]), first, second],
            "from the second report to the first, whose text says that offices had been told to "
            "issue again; negative: it said so before",
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
        "fair_2018_over_2016": figure(
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
        "issued_after_memoranda_over_before": figure(
            after["detainers"].mean() / weekly.loc[before, "detainers"].mean(),
            "ratio",
            ["series:weekly_detainers", order, *memoranda],
            f"mean of the {_WEEKS_AFTER} whole weeks after the memoranda over that of the whole "
            "weeks between the executive order and them; weeks that two releases feed halved",
            decimals=3,
        )
    }
