"""The results on issuing itself: each number under its name, with unit, inputs and method."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers import coverage, evidence, interrupted, issuance
from helpers.interrupted import Fit
from helpers.issuance_results import as_ratio, put_each, slug
from helpers.results import Results
from helpers.withheld_results import OF_WEEKLY

STEPS = {"step_1": "order", "step_2": "memoranda"}
"""What the steps of the national series are called."""

_SPAN = 13
PERIODS = {
    "before_order": f"the {_SPAN} whole weeks before the executive order",
    "between": "the whole weeks between the executive order and the first memorandum",
    "after_memoranda": f"the {_SPAN} whole weeks after the last memorandum",
}
"""Periods about the dates, in words."""

NEWEY_WEST = "errors by Newey and West"
"""What the variant with these errors is called."""

_CAVEAT = (
    "The order, the change of government, the season and the field offices act on one series: a "
    "step is not the effect of one of them."
)
_ERRORS = "errors for dispersion and first-order autocorrelation, by moments"


def put_means(
    results: Results,
    weeks: pd.DataFrame,
    order: pd.Timestamp,
    memoranda: pd.Series,
    dates: Sequence[str],
) -> None:
    """Put the mean of the whole weeks before, between and after the dates.

    Parameters
    ----------
    results
        The results.
    weeks
        The series, as `helpers.interrupted` takes it.
    order, memoranda
        Dates of the executive order, and of the memoranda.
    dates
        What these dates rest on, as inputs.
    """
    before = weeks[weeks["end"] <= order].tail(_SPAN)
    between = weeks[weeks["start"].gt(order) & weeks["end"].le(memoranda.min())]
    after = weeks[weeks["start"] > memoranda.max()].head(_SPAN)
    halved = "weeks that two releases feed halved"
    rows = {
        name: (found["count"].mean(), f"mean of {words}; {halved}")
        for (name, words), found in zip(PERIODS.items(), (before, between, after), strict=True)
    }
    about: dict[str, Any] = {"unit": "detainers per week", "inputs": [*OF_WEEKLY, *dates]}
    put_each(results, "issuance.national.", rows, **about)


def put_three_weeks(
    results: Results, weeks: pd.DataFrame, reported: pd.DataFrame, records: pd.DataFrame
) -> None:
    """Put the sum of the series' three weeks that share all days but one with the reports' three.

    Parameters
    ----------
    results
        The results.
    weeks
        The series: `start` and `count`.
    reported, records
        As from `helpers.issuance.report_weeks` and `report_records`.
    """
    first, last = evidence.REPORT_WEEKS[0].split("/")[0], evidence.REPORT_WEEKS[-1].split("/")[1]
    within = weeks["start"].between(first, last)
    for name, value, inputs, words in (
        ("three_weeks", weeks.loc[within, "count"].sum(), OF_WEEKLY, "the series' three weeks"),
        (
            "three_weeks_reported",
            reported["issued"].sum(),
            issuance.inputs(records, ["issued"]),
            "the three weekly reports",
        ),
    ):
        results.put(
            f"issuance.national.{name}",
            value,
            unit="detainers",
            inputs=inputs,
            method=f"detainers issued in {words}; the weeks' bounds differ by a day",
        )


def put_steps(results: Results, fitted: Fit, dates: Sequence[str]) -> None:
    """Put the steps of the national series as chosen, and how much its weeks vary.

    Parameters
    ----------
    results, dates
        As in `put_means`.
    fitted
        The chosen fit.
    """
    inputs = [*OF_WEEKLY, *dates]
    for term, name in STEPS.items():
        results.put(
            f"issuance.national.step_at_{name}",
            **as_ratio(fitted.ratio(term)),
            inputs=inputs,
            method=f"weeks from 2015 to 2017: step at the {name}, quasi-Poisson regression with "
            f"trend, change of trend, season and holidays; {_ERRORS}",
            caveat=_CAVEAT,
        )
    results.put(
        "issuance.national.slope_change",
        **as_ratio(fitted.ratio("slope")),
        inputs=inputs,
        method="change of the trend at the order, as a ratio a year; the same regression",
        caveat=_CAVEAT,
    )
    about: dict[str, Any] = {"unit": "ratio", "inputs": inputs}
    row = {"dispersion": (fitted.dispersion, "variance of the weeks over that of Poisson counts")}
    put_each(results, "issuance.national.", row, decimals=1, **about)
    rows = {
        "correlation": (fitted.correlation, "correlation of a week's residual and the next"),
        "detectable_at_memoranda": (
            fitted.detectable("step_2"),
            "smallest rise at the memoranda that the same regression finds with power 0.8",
        ),
    }
    put_each(results, "issuance.national.", rows, decimals=2, **about)


def put_variants(results: Results, fits: Mapping[str, Fit], dates: Sequence[str]) -> None:
    """Put the steps of the national series under other models.

    Parameters
    ----------
    results, dates
        As in `put_means`.
    fits
        The fits by what is different, in words.
    """
    for words, fitted in fits.items():
        said = [_CAVEAT, *([coverage.caveat("newey_west")] if words == NEWEY_WEST else [])]
        for term, name in STEPS.items():
            results.put(
                f"issuance.national.variants.{slug(words)}.{name}",
                **as_ratio(fitted.ratio(term)),
                inputs=[*OF_WEEKLY, *dates],
                method=f"as issuance.national.step_at_{name}, but: {words}",
                tolerance=1e-4,
                caveat="\n".join(said),
            )


def put_dates(results: Results, profile: pd.DataFrame, dates: Sequence[str]) -> None:
    """Put the dates at which one step fits the national series best.

    Parameters
    ----------
    results, dates
        As in `put_means`.
    profile
        As from `helpers.interrupted.profile`; dates are first days of weeks.
    """
    compatible = profile.loc[profile["compatible"], "date"]
    for name, date, words in (
        ("first_fitting_date", compatible.min(), "first"),
        ("last_fitting_date", compatible.max(), "last"),
    ):
        results.put(
            f"issuance.national.{name}",
            f"{date.day} {date:%B %Y}",
            unit="date",
            inputs=[*OF_WEEKLY, *dates],
            method=f"{words} start of a week within half a year of the order at which one step, "
            "with a change of trend, fits as well as the best by the quasi-likelihood ratio at 5%",
            caveat="The set of dates is approximate, and too narrow as weeks are correlated.",
        )


def put_placebos(
    results: Results, fitted: Fit, others: pd.DataFrame, order: pd.Timestamp, dates: Sequence[str]
) -> None:
    """Put the rank of each step among the placebo dates, all and before the order alone.

    Parameters
    ----------
    results, dates
        As in `put_means`.
    fitted
        The chosen fit.
    others
        As from `helpers.interrupted.placebos`.
    order
        Date of the first step.
    """
    inputs = [*OF_WEEKLY, *dates]
    before = others[others["date"] < order]
    for suffix, found, words in (("", others, "all"), ("_before", before, "those before")):
        count = {f"placebos{suffix}": (len(found), f"placebo dates: {words}")}
        put_each(results, "issuance.national.", count, unit="dates", inputs=inputs)
        for term, name in STEPS.items():
            step = fitted.estimates[term]
            larger = int((found[term].abs() >= abs(step)).sum())
            rank = f"{words} placebo dates, at which the same model moved in time gives a step"
            rows = {f"larger_than_{name}{suffix}": (larger, f"{rank} at least as large")}
            put_each(results, "issuance.national.", rows, unit="dates", inputs=inputs)
            results.put(
                f"issuance.national.placebo_p_{name}{suffix}",
                interrupted.placebo_p(step, found[term]),
                unit="share",
                inputs=inputs,
                method=f"share of {rank} at least as large, the true date counted in",
                decimals=3,
                caveat="Neighbouring dates share most of their weeks, and some are dates of other "
                "changes of policy: a rank, and a p-value only if the dates are alike.",
            )


def put_levels(results: Results, breaks: Sequence[pd.Timestamp], fits: Mapping[str, Fit]) -> None:
    """Put the months in which Travis County's level changed, and by how much.

    Parameters
    ----------
    results
        The results.
    breaks
        First month of each new level.
    fits
        The fits by the name of their model: `quasi_poisson` and `negative_binomial`.
    """
    inputs = ["series:travis_monthly_2006_2016"]
    results.put(
        "issuance.travis.breaks",
        " and ".join(f"{month:%B %Y}" for month in breaks).replace(" and ", ", ", len(breaks) - 2),
        unit="months",
        inputs=inputs,
        method="first months of new levels: best division into levels of a year or more (Anscombe "
        "1948), as many as a penalty by Zhang and Siegmund (2007) allows",
    )
    for model, fitted in fits.items():
        for number, month in enumerate(breaks, start=1):
            results.put(
                f"issuance.travis.{model}.ratio_{number}",
                **as_ratio(fitted.ratio(f"step_{number}")),
                inputs=inputs,
                method=f"level from {month:%B %Y} over the one before; {model.replace('_', ' ')} "
                f"regression with season; {_ERRORS}",
                tolerance=1e-4,
                caveat="The month was chosen for its step, so that the interval is too narrow.",
            )
        results.put(
            f"issuance.travis.{model}.dispersion",
            fitted.dispersion,
            unit="ratio",
            inputs=inputs,
            method="variance of the months over that of the model",
            decimals=1,
            tolerance=1e-4,
        )


def put_months(results: Results, months: pd.DataFrame) -> None:
    """Put the yearly and monthly bookings between which Travis County's series moves.

    Parameters
    ----------
    results
        The results.
    months
        As from `helpers.series.monthly_periods`.
    """
    counts = months.set_index("start")["count"].astype(int)
    by_year = counts.groupby(counts.index.year).agg(["sum", "size"])
    years = by_year.loc[by_year["size"].eq(12), "sum"]
    since_peak = counts[counts.index.year > years.idxmax()]
    later = since_peak[since_peak.idxmin() :]
    rows = {
        "peak_year": (int(years.max()), f"sum of the months of {years.idxmax()}"),
        "last_whole_year": (int(years.iloc[-1]), f"sum of the months of {years.index[-1]}"),
    }
    for name, found, month, words in (
        ("lowest_month", since_peak, since_peak.idxmin(), "the lowest since the peak"),
        ("highest_month_after", later, later.idxmax(), "the highest since the lowest"),
        ("highest_month", counts, counts.idxmax(), "the highest of all"),
    ):
        rows[name] = int(found[month]), f"{month:%B %Y}, {words}"
    about: dict[str, Any] = {"unit": "bookings with a detainer"}
    about["inputs"] = ["series:travis_monthly_2006_2016"]
    put_each(results, "issuance.travis.bookings_in_", rows, **about)
