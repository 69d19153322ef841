"""The three weekly reports: their dates, and their declinations from published to comparable."""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers import evidence, rates

STEPS = ("exclude_travis", "apply_withdrawals", "reattribute_state_jail")
"""The steps from the declinations as published to those compared."""

EVENTS = {
    "Executive order 13768": [("event_date:executive_order_13768", "us", "")],
    "Travis County's policy": [("event_date:travis_policy", "us-tx:travis_county", "")],
    "Memoranda: department, ICE": [("kelly_memo_date", "us", ""), ("albence_memo_date", "us", "")],
    "Instruction to resume": [("resumption_stated_by_officials", "us", evidence.REPORT_WEEKS[0])],
    "Reports published": [("report_release_date", "us", week) for week in evidence.REPORT_WEEKS],
    "Reports suspended": [("event_date:weekly_report_suspended", "us", "")],
}
"""Dated events about the reports: for each its dates in the evidence, as series, place, window."""

_TRAVIS = "us-tx:travis_county"
_ICE_REPORT = "ICE weekly report"
_PARTS = ["issued", "reported", "travis", "state_jail", "withdrawn"]


def report_records(ledger: evidence.Ledger) -> pd.DataFrame:
    """Collect what was published on the three weeks, part by part.

    Returns
    -------
    pandas.DataFrame
        One row a figure: `week` (1 to 3), `part` (`issued` and `reported` as declined nationwide;
        `travis`, declined in Travis County as printed; `state_jail`, records first credited to
        that county; `withdrawn`, records ICE withdrew, a row a place), `place_id`, `value`,
        `fact`, `basis`.

    Raises
    ------
    helpers.evidence.EvidenceError
        If a national or Travis County figure of a week is missing.
    """
    basis = ledger.facts.set_index("fact_id")["basis"]
    rows = []
    for week, window in enumerate(evidence.REPORT_WEEKS, start=1):
        asked = [
            ("issued", "detainers_issued", "us"),
            ("reported", "detainers_declined", "us"),
            ("travis", "detainers_declined", _TRAVIS),
            *_corrections(ledger, "state_jail", "declined_records_corrected", window),
            *_corrections(ledger, "withdrawn", "correction_sectionII_records", window),
        ]
        for part, series, place in asked:
            fact = evidence.pick(ledger, series, place, window)
            cells = (week, part, place, int(fact.value), fact.id, basis[fact.id])
            rows.append(cells)
    return pd.DataFrame(rows, columns=["week", "part", "place_id", "value", "fact", "basis"])


def report_weeks(records: pd.DataFrame) -> pd.DataFrame:
    """Add the figures up by week, Travis County with the state jail's records in every case.

    ICE's report counted the records of the Travis County State Jail as the county's; the county's
    own figure leaves them out. They are added to a figure that is not from ICE's report, so that
    `travis` means the same whichever figure is used.

    Parameters
    ----------
    records
        As from `report_records`.

    Returns
    -------
    pandas.DataFrame
        One row a week (index `week`), whole numbers: `issued`, `reported`, `travis` (of which
        `state_jail`), `withdrawn`; 0 where nothing was published.
    """
    sums = records.pivot_table(
        index="week", columns="part", values="value", aggfunc="sum", fill_value=0
    ).reindex(columns=_PARTS, fill_value=0)
    weeks = _weeks_of_own_count(records)
    sums.loc[weeks, "travis"] += sums.loc[weeks, "state_jail"]
    return sums.rename_axis(columns=None)


def inputs(
    records: pd.DataFrame, parts: Sequence[str], weeks: Sequence[int] = (1, 2, 3)
) -> list[str]:
    """Return what a number made from parts of the weeks rests on, as inputs of a result.

    Parameters
    ----------
    records
        As from `report_records`.
    parts
        Columns of `report_weeks` that the number uses; `travis` brings the state jail's records
        of a week in which they are added to it.
    weeks
        The weeks that it uses.

    Returns
    -------
    list of str
        The facts, then the policy that picks them.
    """
    asked = records["part"].isin(parts)
    if "travis" in parts:
        added = records["week"].isin(_weeks_of_own_count(records))
        asked |= records["part"].eq("state_jail") & added
    facts = records.loc[asked & records["week"].isin(weeks), "fact"]
    return [*("fact:" + facts), "parameter:source_policy"]


def timeline(ledger: evidence.Ledger) -> pd.DataFrame:
    """Return the dates of the policy, of the reports and of the weeks they are on.

    Returns
    -------
    pandas.DataFrame
        One row a date: `event` (a key of `EVENTS`, or `Weeks reported on`), `week` (1 to 3 where
        the date is of a report), `start`, `end` (first and last day), `input` (the date as an
        input of a result; empty for the weeks, which are the reports' own).

    Raises
    ------
    helpers.evidence.EvidenceError
        If a date is missing.
    """
    rows = []
    for event, asked in EVENTS.items():
        for number, (series, place, window) in enumerate(asked, start=1):
            date = evidence.pick_date(ledger, series, place, window)
            week = number if len(asked) == len(evidence.REPORT_WEEKS) else None
            rows.append((event, week, date.value, date.value, date.input))
    for week, window in enumerate(evidence.REPORT_WEEKS, start=1):
        rows.append(("Weeks reported on", week, *map(pd.Timestamp, window.split("/")), ""))
    found = pd.DataFrame(rows, columns=["event", "week", "start", "end", "input"])
    return found.astype({"week": "Int64"})


def parts(weeks: pd.DataFrame) -> pd.DataFrame:
    """Split each week's declinations as reported into parts that do not overlap.

    Parameters
    ----------
    weeks
        As from `report_weeks`.

    Returns
    -------
    pandas.DataFrame
        One row a week: `other` (all other records), `withdrawn`, `state_jail`, `county`; their
        sum is the number reported.

    Raises
    ------
    ValueError
        If the parts of a week exceed its reported number.
    """
    other = weeks["reported"] - weeks["travis"] - weeks["withdrawn"]
    county = weeks["travis"] - weeks["state_jail"]
    split = weeks[["withdrawn", "state_jail"]].assign(other=other, county=county)
    if (split < 0).any(axis=None):
        raise ValueError(f"parts exceed the declinations reported: {split.to_dict('index')}")
    return split[["other", "withdrawn", "state_jail", "county"]]


def counted(
    weeks: pd.DataFrame,
    *,
    exclude_travis: bool,
    apply_withdrawals: bool,
    reattribute_state_jail: bool,
) -> list[int]:
    """Return each week's declinations after the chosen steps.

    Parameters
    ----------
    weeks
        As from `report_weeks`.
    exclude_travis
        Leave Travis County's records out.
    apply_withdrawals
        Leave out the records ICE withdrew.
    reattribute_state_jail
        Credit the state jail's records to the state jail, so that `exclude_travis` keeps them.
    """
    split = parts(weeks)
    total = split["other"] + (not apply_withdrawals) * split["withdrawn"]
    total += (not exclude_travis) * split["county"]
    total += (not exclude_travis or reattribute_state_jail) * split["state_jail"]
    return [int(count) for count in total]


def waterfall(
    weeks: pd.DataFrame,
    *,
    exclude_travis: bool,
    apply_withdrawals: bool,
    reattribute_state_jail: bool,
) -> pd.DataFrame:
    """Lead each week's declinations from the number reported to the one compared.

    Parameters
    ----------
    weeks, exclude_travis, apply_withdrawals, reattribute_state_jail
        As in `counted`.

    Returns
    -------
    pandas.DataFrame
        One row a week and stage: `week`, `stage` (`reported`, `county`, `state_jail`, `withdrawn`,
        `compared`), `records` (of the part, or reported or compared), `removed` (whether a part is
        left out), `left` (declinations after the stage).
    """
    split = parts(weeks)
    removed = {
        "county": exclude_travis,
        "state_jail": exclude_travis and not reattribute_state_jail,
        "withdrawn": apply_withdrawals,
    }
    rows = []
    for week, of_week in split.iterrows():
        left = int(of_week.sum())
        rows.append((week, "reported", left, False, left))
        for part, leaves in removed.items():
            left -= int(of_week[part]) if leaves else 0
            rows.append((week, part, int(of_week[part]), leaves, left))
        rows.append((week, "compared", left, False, left))
    return pd.DataFrame(rows, columns=["week", "stage", "records", "removed", "left"])


def in_words(exclude_travis: bool, apply_withdrawals: bool, reattribute_state_jail: bool) -> str:
    """Return a combination of steps in words."""
    return ", ".join(
        [
            "Travis out" if exclude_travis else "Travis in",
            "withdrawn out" if apply_withdrawals else "withdrawn in",
            f"state jail {'counted apart' if reattribute_state_jail else 'left with Travis'}",
        ]
    )


def all_steps(
    weeks: pd.DataFrame, exposures: ArrayLike, dispersion: float | None = None
) -> pd.DataFrame:
    """Compare the weeks under every combination of steps.

    Parameters
    ----------
    weeks
        As from `report_weeks`.
    exposures
        One positive number a week, for example the detainers issued; all equal for equal weeks.
    dispersion
        None: the exact tests, for Poisson counts. A number: approximate ones with that dispersion.

    Returns
    -------
    pandas.DataFrame
        One row a combination (8): the three steps, `steps` (in words), `week_1` to `week_3`
        (counts), `ratio`, `low`, `high` and `p_value` (week 2 against week 1), `homogeneity`
        (chi-square p-value of three weeks) and `homogeneity_exact` (missing where a dispersion is
        given).
    """
    exposed = np.asarray(exposures, dtype=float)
    rows = []
    for chosen in product([True, False], repeat=len(STEPS)):
        steps = dict(zip(STEPS, chosen, strict=True))
        counts = counted(weeks, **steps)
        if dispersion is None:
            two = rates.rate_ratio(counts[:2], exposed[:2])
            exact = rates.exact_homogeneity(counts, exposed)
        else:
            two = rates.dispersed_rate_ratio(counts[:2], exposed[:2], dispersion)
            exact = math.nan
        three = rates.homogeneity(counts, exposed, dispersion or 1.0)
        rows.append(
            [
                *chosen,
                in_words(*chosen),
                *counts,
                two.value,
                two.low,
                two.high,
                two.p_value,
                three,
                exact,
            ]
        )
    tests = ["ratio", "low", "high", "p_value", "homogeneity", "homogeneity_exact"]
    counted_weeks = [f"week_{week}" for week in weeks.index]
    return pd.DataFrame(rows, columns=[*STEPS, "steps", *counted_weeks, *tests])


def _weeks_of_own_count(records: pd.DataFrame) -> pd.Series:
    own_count = records["part"].eq("travis") & records["basis"].ne(_ICE_REPORT)
    return records.loc[own_count, "week"]


def _corrections(
    ledger: evidence.Ledger, part: str, series: str, window: str
) -> list[tuple[str, str, str]]:
    places = evidence.published(ledger, series, window=window)["place_id"].unique()
    return [(part, series, place) for place in places]
