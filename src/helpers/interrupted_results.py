"""The results on issuing itself: each number under its name, with unit, inputs and method."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers import interrupted
from helpers.interrupted import Fit
from helpers.issuance_results import as_ratio, put_each, slug
from helpers.results import Results
from helpers.withheld_results import OF_WEEKLY

STEPS = {"step_1": "order", "step_2": "memoranda"}
"""What the steps of the national series are called."""

_CAVEAT = (
    "The order, the change of government, the season and the field offices act on one series: a "
    "step is not the effect of one of them."
)
_ERRORS = "errors for dispersion and first-order autocorrelation, by moments"


def put_means(
    results: Results, weeks: pd.DataFrame, periods: Mapping[str, str], dates: Sequence[str]
) -> None:
    """Put the mean of the weeks of each period.

    Parameters
    ----------
    results
        The results.
    weeks
        One row a week: `count`, and `period` (a key of `periods`, or missing).
    periods
        What each period is, in words.
    dates
        The dates that part the periods, as inputs.
    """
    means = weeks.groupby("period")["count"].mean()
    halved = "weeks that two releases feed halved"
    rows = {name: (means[name], f"mean of {words}; {halved}") for name, words in periods.items()}
    about: dict[str, Any] = {"unit": "detainers per week", "inputs": [*OF_WEEKLY, *dates]}
    put_each(results, "issuance.national.", rows, **about)


def put_steps(results: Results, fits: Mapping[str, Fit], dates: Sequence[str]) -> None:
    """Put the steps of the national series under each way to model it, the chosen one first.

    Parameters
    ----------
    results, dates
        As in `put_means`.
    fits
        The fits by what is different, in words; the first is the chosen one.
    """
    chosen, *others = fits
    fitted, inputs = fits[chosen], [*OF_WEEKLY, *dates]
    for term, name in STEPS.items():
        results.put(
            f"issuance.national.step_at_{name}",
            **as_ratio(fitted.ratio(term)),
            inputs=inputs,
            method=f"weeks from 2015 to 2017: step at the {name}, quasi-Poisson regression with "
            f"trend, change of trend, season and holidays; {_ERRORS}",
            caveat=_CAVEAT,
        )
        for words in others:
            results.put(
                f"issuance.national.variants.{slug(words)}.{name}",
                **as_ratio(fits[words].ratio(term)),
                inputs=inputs,
                method=f"as issuance.national.step_at_{name}, but: {words}",
                tolerance=1e-4,
                caveat=_CAVEAT,
            )
    results.put(
        "issuance.national.slope_change",
        **as_ratio(fitted.ratio("slope")),
        inputs=inputs,
        method="change of the trend at the order, as a ratio a year; the same regression",
        caveat=_CAVEAT,
    )
    rows = {
        "dispersion": (fitted.dispersion, "variance of the weeks over that of Poisson counts"),
        "correlation": (fitted.correlation, "correlation of a week's residual and the next"),
        "detectable_at_memoranda": (
            fitted.detectable("step_2"),
            "smallest rise at the memoranda that the same regression finds with power 0.8",
        ),
    }
    put_each(results, "issuance.national.", rows, unit="ratio", inputs=inputs, decimals=2)


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
        ", ".join(f"{month:%B %Y}" for month in breaks),
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
