"""Effect of the issuance policy: weekly declinations step by step, and detainers not issued."""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from helpers import evidence, rates

STEPS = ("exclude_travis", "apply_withdrawals", "reattribute_state_jail")
"""The steps from the declinations as published to those compared."""

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
        One row a combination (8): the three steps, `week_1` to `week_3` (counts), `ratio`, `low`,
        `high` and `p_value` (week 2 against week 1), `homogeneity` (chi-square p-value of three
        weeks) and `homogeneity_exact` (missing where a dispersion is given).
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
        rows.append([*chosen, *counts, two.value, two.low, two.high, two.p_value, three, exact])
    tests = ["ratio", "low", "high", "p_value", "homogeneity", "homogeneity_exact"]
    return pd.DataFrame(rows, columns=[*STEPS, *(f"week_{week}" for week in weeks.index), *tests])


def days(window: str) -> int:
    """Return the number of days of a period given as `2016-01-01/2016-12-31`, both included."""
    start, end = map(pd.Timestamp, window.split("/"))
    return int((end - start).days) + 1


def national_growth(weekly: pd.DataFrame, before: str, after: str) -> float:
    """Return detainers a week nationwide in one period over those in an earlier one.

    Parameters
    ----------
    weekly
        As from `helpers.series.weekly_issued`; only weeks wholly within a period count.
    before, after
        Periods such as `2016-01-01/2016-12-31`.

    Raises
    ------
    ValueError
        If a period holds no week of the series.
    """
    means = []
    for window in (before, after):
        start, end = map(pd.Timestamp, window.split("/"))
        first, last = weekly["week_start"], weekly["week_start"] + pd.Timedelta(days=6)
        means.append(float(weekly.loc[first.ge(start) & last.le(end), "detainers"].mean()))
        if math.isnan(means[-1]):
            raise ValueError(f"period {window} holds no whole week of the series")
    return means[1] / means[0]


def withheld_places(ledger: evidence.Ledger, table: pd.DataFrame) -> pd.DataFrame:
    """Find the counts of requests received in an earlier and a later period.

    Parameters
    ----------
    ledger
        The ledger.
    table
        Table `withheld_places`.

    Returns
    -------
    pandas.DataFrame
        The table with `before` and `after` (received a week in the earlier and in the later
        period), `before_at_most` (whether the earlier count is an upper bound), `before_fact` and
        `after_fact`.

    Raises
    ------
    helpers.evidence.EvidenceError
        If a count is missing.
    """
    rows = []
    for row in table.to_dict("records"):
        before, after = (
            evidence.pick(ledger, row["series"], row["place_id"], row[f"{when}_window"])
            for when in ("before", "after")
        )
        found = {
            "before": 7 * before.value / days(row["before_window"]),
            "after": 7 * after.value / days(row["after_window"]),
            "before_at_most": math.isinf(before.low),
            "before_fact": before.input,
            "after_fact": after.input,
        }
        rows.append(row | found)
    return pd.DataFrame(rows)


def withheld(places: pd.DataFrame, growth: ArrayLike) -> pd.Series:
    """Return the rise beyond growth: after, less before scaled by growth, not below 0.

    It is what was withheld in the earlier period if all of that rise is issuing resumed.

    Parameters
    ----------
    places
        As from `withheld_places`.
    growth
        Growth that the place would have seen in any case, one number or one a place; 1 for none.
    """
    return (places["after"] - np.asarray(growth) * places["before"]).clip(lower=0)


def tornado(
    places: pd.DataFrame, growth: pd.Series, other_growths: Sequence[pd.Series]
) -> pd.DataFrame:
    """Vary one assumption on the declinations avoided at a time.

    Parameters
    ----------
    places
        As from `withheld_places`, with `share`, `share_low` and `share_high` declined.
    growth
        National growth of issuing for each place, the central choice.
    other_growths
        The same under other readings of the national series.

    Returns
    -------
    pandas.DataFrame
        One row an assumption: `assumption`, `low` and `high` (declinations avoided a week), the
        widest range first.
    """

    def avoided(growth: ArrayLike, share: str) -> pd.Series:
        return withheld(places, growth) * places[share]

    central = avoided(growth, "share")
    total = float(central.sum())
    ends = {
        "share declined there": [avoided(growth, f"share_{end}").sum() for end in ("low", "high")],
        "growth elsewhere: national, or none": [total, avoided(1.0, "share").sum()],
        "counting of overlapping weeks": [avoided(other, "share").sum() for other in other_growths],
    }
    for place, amount in zip(places["place"], central, strict=True):
        ends[f"without {place}"] = [total - amount, total]
    table = pd.DataFrame(
        [{"assumption": name, "low": min(pair), "high": max(pair)} for name, pair in ends.items()]
    )
    widest = (table["low"] - table["high"]).sort_values(kind="stable").index
    return table.loc[widest].reset_index(drop=True)


def _weeks_of_own_count(records: pd.DataFrame) -> pd.Series:
    own_count = records["part"].eq("travis") & records["basis"].ne(_ICE_REPORT)
    return records.loc[own_count, "week"]


def _corrections(
    ledger: evidence.Ledger, part: str, series: str, window: str
) -> list[tuple[str, str, str]]:
    places = evidence.published(ledger, series, window=window)["place_id"].unique()
    return [(part, series, place) for place in places]
