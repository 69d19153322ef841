"""The results of the issuance study: each number under its name, with unit, inputs and method."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers import coverage, evidence, issuance, rates, withheld
from helpers.rates import RateRatio
from helpers.results import Results, Value

ONE_SOURCE = (
    "Week 3 rests on one source. It says that the detainers issued went to the few jurisdictions "
    "it lists; they are read as the national number, which stood in that place in the reports "
    "before. For the declinations no second source was found."
)
NONE_PUBLISHED = "No such records of this week were published; none are counted."
PARTS = ["reported", "travis", "state_jail", "withdrawn"]
"""Columns of the weeks that a number after the chosen steps rests on."""

OF_STEPS = [f"parameter:{name}" for name in issuance.STEPS]
POLICY = "parameter:source_policy"


def slug(words: str) -> str:
    """Return words as part of a result's name."""
    return re.sub(r"[^a-z0-9]+", "_", words.lower())


def put_each(
    results: Results,
    prefix: str,
    rows: Mapping[str, tuple[Value, str]],
    **about: Any,  # noqa: ANN401
) -> None:
    """Put values, each with its method, under names that begin with a prefix.

    Parameters
    ----------
    results
        The results.
    prefix
        Beginning of the names, with its last dot or underscore.
    rows
        Value and method by the rest of the name.
    **about
        What `Results.put` is told of each: unit, inputs, decimals, caveat.
    """
    for name, (value, method) in rows.items():
        results.put(f"{prefix}{name}", value, method=method, **about)


def as_ratio(ratio: RateRatio) -> dict[str, Any]:
    """Return a ratio as `Results.put` takes it: value, unit, 95% interval and decimals."""
    interval = ratio.low, ratio.high
    about = {"unit": "ratio", "level": 0.95, "decimals": 2}
    return {"value": ratio.value, "interval": interval, **about}


def put_weeks(results: Results, records: pd.DataFrame, weeks: pd.DataFrame) -> None:
    """Put what was published on each week, and its declinations split into parts.

    Parameters
    ----------
    results
        The results.
    records, weeks
        As from `helpers.issuance.report_records` and `report_weeks`.
    """
    made_of = {
        "other": ["reported", "travis", "withdrawn"],
        "withdrawn": ["reported", "withdrawn"],
        "state_jail": ["reported", "state_jail"],
        "county": ["travis", "state_jail"],
    }
    split = issuance.parts(weeks)
    for week, found in weeks.iterrows():
        about: dict[str, Any] = {"caveat": ONE_SOURCE if week == 3 else None}
        published = f"nationwide in week {week}, as published"
        for name, part in (("issued", "issued"), ("declined", "reported")):
            results.put(
                f"issuance.{name}.week_{week}",
                found[part],
                unit="detainers",
                inputs=issuance.inputs(records, [part], [week]),
                method=f"detainers {name} {published}",
                **about,
            )
        results.put(
            f"issuance.travis.share_week_{week}",
            found["travis"] / found["reported"],
            unit="share",
            inputs=issuance.inputs(records, ["reported", "travis"], [week]),
            method="Travis County's records, with the state jail's, over declinations as published",
            decimals=2,
            **about,
        )
        for part, columns in made_of.items():
            corrected = part in ("withdrawn", "state_jail")
            results.put(
                f"issuance.parts.week_{week}.{part}",
                split.at[week, part],
                unit="declinations",
                inputs=issuance.inputs(records, columns, [week]),
                method=f"week {week}'s declinations as published, split without overlap: {part}",
                caveat=NONE_PUBLISHED if corrected and not split.at[week, part] else None,
            )
    results.put(
        "issuance.week_1.outside_travis",
        weeks.at[1, "reported"] - weeks.at[1, "travis"],
        unit="declinations",
        inputs=issuance.inputs(records, ["reported", "travis"], [1]),
        method="week 1's declinations as published, less Travis County's with the state jail's",
    )


def put_timing(results: Results, dates: pd.DataFrame, inputs: Sequence[str]) -> None:
    """Put how the weeks lie to the first memorandum.

    Parameters
    ----------
    results
        The results.
    dates
        As from `helpers.issuance.timeline`.
    inputs
        What the dates of the memoranda rest on.
    """
    by_event = dates.groupby("event")
    memorandum = by_event.get_group("Memoranda: department, ICE")["start"].min()
    ends = by_event.get_group("Weeks reported on")["end"]
    before = int((ends < memorandum).sum())
    days = (memorandum - ends.max()).days
    for name, value, unit, words in (
        ("weeks_before", before, "weeks", "reported weeks whose last day comes before the first"),
        ("days_to", days, "days", "days from the last day of week 3 to the first"),
    ):
        row = {f"{name}_memoranda": (value, f"{words} memorandum")}
        put_each(results, "issuance.timing.", row, unit=unit, inputs=inputs)


def put_comparison(
    results: Results,
    prefix: str,
    records: pd.DataFrame,
    weeks: pd.DataFrame,
    counts: Sequence[int],
    *,
    parts: Sequence[str],
    method: str,
    steps: Sequence[str] = (),
    caveat: str | None = None,
) -> None:
    """Put the counts of the weeks, their rates, and the tests of equal rates, under a prefix.

    Parameters
    ----------
    results, records, weeks
        As in `put_weeks`.
    prefix
        `issuance.raw` or `issuance.adjusted`.
    counts
        Declinations of the three weeks.
    parts, steps
        What the counts rest on: columns of `weeks`, and inputs for the steps taken.
    method
        What the counts are.
    caveat
        Of the comparison of two weeks.
    """
    issued = weeks["issued"].to_numpy()

    def made_from(*of_weeks: int, estimator: str | None = None) -> dict[str, Any]:
        found = issuance.inputs(records, ["issued", *parts], of_weeks)
        of_test = coverage.caveat(estimator) if estimator else None
        said = filter(None, (ONE_SOURCE if 3 in of_weeks else caveat, of_test))
        return {"inputs": [*found, *steps], "caveat": "\n".join(said) or None}

    for week, count, scale in zip(weeks.index, counts, issued, strict=True):
        of_week = f"week {week}: {method}"
        about = made_from(week) | {"caveat": ONE_SOURCE if week == 3 else None}
        results.put(f"{prefix}.week_{week}", count, unit="declinations", method=of_week, **about)
        results.put(
            f"{prefix}.rate_week_{week}",
            1000 * count / scale,
            unit="declinations per 1,000 detainers issued",
            method=f"{of_week}, over detainers issued",
            decimals=1,
            **about,
        )
    two = rates.rate_ratio(counts[:2], issued[:2])
    results.put(
        f"{prefix}.rate_ratio",
        **as_ratio(two),
        **made_from(1, 2, estimator="rate_ratio"),
        method=f"{method}: week 2 over week 1, per detainer issued; exact interval (Clopper and "
        "Pearson 1934 on the conditional binomial of Przyborowski and Wilenski 1940), dispersion 1",
    )
    tests = {
        "p_value": (
            two.p_value,
            "weeks 1 and 2, exact conditional binomial test, by likelihood",
            made_from(1, 2, estimator="rate_ratio"),
        ),
        "homogeneity_p_value": (
            rates.homogeneity(counts, issued),
            "three weeks, chi-square test",
            made_from(1, 2, 3, estimator="homogeneity"),
        ),
        "homogeneity_exact_p_value": (
            rates.exact_homogeneity(counts, issued),
            "three weeks, exact test by enumeration (Freeman and Halton 1951)",
            made_from(1, 2, 3, estimator="exact_homogeneity"),
        ),
    }
    for name, (p_value, test, about) in tests.items():
        results.put(
            f"{prefix}.{name}",
            p_value,
            unit="p-value",
            method=f"{method}: equal rates per detainer issued; {test}; dispersion 1",
            decimals=3,
            **about,
        )


def put_fall(results: Results, records: pd.DataFrame, weeks: pd.DataFrame) -> None:
    """Put the fall from week 1 to week 2, and what it is made of."""
    (first, second), (scale, new_scale) = weeks["reported"].iloc[:2], weeks["issued"].iloc[:2]
    published = issuance.inputs(records, ["issued", "reported"], [1, 2])
    fall = first - second, "declinations of week 1 less those of week 2, as published"
    expected = first * new_scale / scale, "week 1's declinations times the ratio of issued"
    rows = {"fall": fall, "expected_week_2": expected}
    put_each(results, "issuance.raw.", rows, unit="declinations", inputs=published)
    split = issuance.parts(weeks)
    all_parts = ["reported", "travis", "withdrawn"]
    made_of = {
        "travis": (weeks["travis"], ["travis"], "Travis County's records, with the state jail's"),
        "withdrawn": (split["withdrawn"], ["withdrawn"], "records ICE withdrew"),
        "other": (split["other"], all_parts, "all other records"),
    }
    for name, (amounts, columns, words) in made_of.items():
        results.put(
            f"issuance.fall.{name}",
            amounts[1] - amounts[2],
            unit="declinations",
            inputs=issuance.inputs(records, columns, [1, 2]),
            method=f"{words}: week 1 less week 2",
        )
    results.put(
        "issuance.fall.other_share",
        results.value("issuance.fall.other") / (first - second),
        unit="share",
        inputs=issuance.inputs(records, all_parts, [1, 2]),
        method="fall outside Travis County, the state jail and the withdrawn records, over the "
        "whole fall from week 1 to week 2",
        decimals=3,
    )


def put_records_behind(results: Results, ledger: evidence.Ledger, records: pd.DataFrame) -> None:
    """Put what is published on the records of week 1, and a year's mean for scale."""
    withdrawn = records[records["part"].eq("withdrawn")]
    moved = withdrawn["place_id"].isin(["us-tx:williamson_county", "us-tx:bastrop_county"])
    for name, found, words in (
        ("records", withdrawn, "records that ICE withdrew"),
        ("moved", withdrawn[moved], "withdrawn records of Williamson and Bastrop counties"),
    ):
        results.put(
            f"issuance.withdrawn.{name}",
            found["value"].sum(),
            unit="records",
            inputs=[*("fact:" + found["fact"]), POLICY],
            method=words,
        )
    other_days = evidence.pick(
        ledger, "travis_declines_not_dated_feb1", "us-tx:travis_county", evidence.REPORT_WEEKS[0]
    )
    results.put(
        "issuance.travis.not_policy_day",
        other_days.value,
        unit="records",
        inputs=[other_days.input, POLICY],
        method="Travis County's week 1 records not dated 1 February, as the press counted them",
    )
    year = "2016-01-01/2016-12-31"
    in_2016 = evidence.pick(ledger, "detainers_declined", window=year)
    results.put(
        "issuance.declined.mean_2016",
        7 * in_2016.value / withheld.days(year),
        unit="declinations per week",
        inputs=[in_2016.input, POLICY],
        method="declinations of 2016, ICE's figure to a newspaper, over the weeks of the year",
        caveat="The source does not say whether the year is a calendar or a fiscal one.",
    )
