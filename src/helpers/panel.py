"""Effect of resumed issuing on declinations, from counts by office and week.

The model: had an office stayed stopped, its expected declinations would be a level of the office
times a level of the week (parallel trends on the scale of ratios: Wooldridge 2023, Econometrics
Journal 26:C31). Issuing is the channel by which resumption acts, so the total effect has no term
for it. With `per_issued`, levels and effect are of declinations per detainer issued instead: that
asks whether a detainer issued became likelier to be declined, not how many more were declined.

Intervals are by the jackknife over offices (CV3: MacKinnon, Nielsen and Webb 2023, Journal of
Applied Econometrics 38:671) with Student's t, one degree of freedom fewer than offices.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers import fixed_effects
from helpers.fixed_effects import Array
from helpers.rates import RateRatio

COLUMNS = {
    "office": "the area of responsibility",
    "week_start": "first day of the week",
    "issued": "detainers issued in the week",
    "declined": "detainers recorded as declined in the week",
    "stopped": "whether the office had stopped issuing to agencies known not to cooperate",
    "resumed": "first day of the first week of resumed issuing; empty where it never stopped",
}
"""Columns of a panel, one row an office and week; `helpers.synthetic.panel` makes one."""

_TAIL = 0.025  # beyond each end of an interval


@dataclass(frozen=True)
class Cells:
    """A panel as tables of offices by weeks; offices without any declination are left out.

    Attributes
    ----------
    declined, exposure
        Declinations, and what they are related to: detainers issued, or 1.
    untreated, treated
        Whether a cell tells the level without resumption (its office has stopped, or never
        stops), or comes after resumption. Neither are the weeks before an office stops, and
        those in which fewer than two offices tell the level.
    since
        Weeks since resumption, negative before; NaN where the office did not resume.
    """

    declined: Array
    exposure: Array
    untreated: NDArray[np.bool_]
    treated: NDArray[np.bool_]
    since: Array


@dataclass(frozen=True)
class EventStudy:
    """Rate ratios by weeks since resumption, and a test of those before it.

    Attributes
    ----------
    ratios
        One row a span of weeks, in order: `first`, `last` (weeks since resumption; negative
        before), `value`, `low`, `high` (95% interval of this ratio), `band_low`, `band_high`
        (of all at once).
    pre_trend_p_value
        That all ratios before resumption are 1 (Bonferroni).
    """

    ratios: pd.DataFrame
    pre_trend_p_value: float


def cells(frame: pd.DataFrame, *, per_issued: bool = False, settling: int = 0) -> Cells:
    """Read a panel.

    Parameters
    ----------
    frame
        Panel with `COLUMNS`, in any order; weeks may be missing.
    per_issued
        Whether declinations are related to detainers issued; weeks with none are left out.
    settling
        First weeks of an office's stop to leave out: where declinations are recorded late, they
        still hold those of detainers issued before, which pull the estimate towards 1.

    Raises
    ------
    ValueError
        If a column is missing, the rows contradict each other, or fewer than two offices resumed
        or can be compared with.
    """
    _check(frame)
    tables = _tables(frame)
    stopped, issued, since = tables["stopped"] == 1, tables["issued"], tables["since"]
    usable = issued > 0 if per_issued else np.isfinite(issued)
    settled = stopped & (stopped.cumsum(axis=1) > settling)
    never = ~stopped.any(axis=1, keepdims=True)
    untreated, treated = usable & (settled | never), usable & (since >= 0)
    compared = untreated.sum(axis=0) >= 2
    declined = np.where((untreated | treated) & compared, tables["declined"], 0)
    some = declined.any(axis=1)
    if (treated & compared)[some].any(axis=1).sum() < 2:
        raise ValueError(
            "the panel needs two offices that resumed, in weeks in which two others had stopped "
            "or never did"
        )
    return Cells(
        declined=declined[some],
        exposure=np.where(usable & per_issued, issued, 1)[some],
        untreated=(untreated & compared)[some],
        treated=(treated & compared)[some],
        since=since[some],
    )


def two_way(panel: Cells) -> RateRatio:
    """Estimate the effect by two-way fixed effects: one ratio for all offices and weeks.

    Poisson regression on office, week, and whether the office has resumed. Where the effect
    differs or grows, offices that resumed earlier serve as controls of later ones although their
    own effect is still changing, and the estimate need not be an average of effects
    (Goodman-Bacon 2021, Journal of Econometrics 225:254).
    """
    samples = _jackknife_samples(panel, panel.untreated | panel.treated)
    resumed = panel.treated[np.newaxis]
    found = fixed_effects.fit(panel.declined, samples, panel.exposure, resumed)
    return _ratio(found.coefficients[:, 0])


def imputed(panel: Cells) -> RateRatio:
    """Estimate the mean effect on offices that resumed, whatever its course.

    Levels of offices and weeks come from cells without resumption alone; they give the
    declinations to be expected after it had the office stayed stopped. The estimate is the sum
    recorded over the sum expected (Borusyak, Jaravel and Spiess 2024, Review of Economic Studies
    91:3253, in the multiplicative form of Wooldridge 2023). Where each office resumes in a week of
    its own it equals Wooldridge's regression with an effect for each office and week.
    """
    return _ratio(_imputed_logs(panel, panel.treated[np.newaxis])[:, 0])


def event_study(panel: Cells, *, before: int = 24, after: int = 40, width: int = 8) -> EventStudy:
    """Estimate the effect by weeks since resumption, and what differs before it.

    After resumption as in `imputed`, each span of weeks for itself. Before it, the spans' ratios
    to all earlier weeks of stop are coefficients of a regression on the cells without resumption
    (so Borusyak, Jaravel and Spiess 2024); 1 throughout if trends are parallel. The band holds
    all ratios at once by Bonferroni's inequality: two dozen offices do not tell the correlation
    of the ratios well enough for a narrower one.

    Parameters
    ----------
    panel
        As from `cells`.
    before, after
        Weeks looked at before and after resumption, multiples of the width.
    width
        Weeks a span.

    Raises
    ------
    ValueError
        If weeks are no multiples, or a span has no declination, or none without some office.
    """
    if min(before, after) < width or before % width or after % width:
        raise ValueError(f"before {before} and after {after}: multiples of {width} are needed")
    first = np.arange(-before, after, width)
    since = panel.since[np.newaxis]
    spans = (since >= first[:, None, None]) & (since < first[:, None, None] + width)
    lead, lag = spans[first < 0] & panel.untreated, spans[first >= 0] & panel.treated
    leads = fixed_effects.fit(
        panel.declined, _jackknife_samples(panel, panel.untreated), panel.exposure, lead
    )
    logs = np.hstack([leads.coefficients, _imputed_logs(panel, lag)])
    value, error, freedom = logs[0], _errors(logs), _freedom(logs)
    p_values = 2 * stats.t.sf(np.abs(value / error), freedom)
    table = {"first": first, "last": first + width - 1, "value": np.exp(value)}
    for name, ratios in (("", 1), ("band_", len(first))):
        reach = stats.t.isf(_TAIL / ratios, freedom) * error
        table |= {f"{name}low": np.exp(value - reach), f"{name}high": np.exp(value + reach)}
    before_p = min(1.0, float(len(lead) * p_values[: len(lead)].min()))
    return EventStudy(pd.DataFrame(table), before_p)


def placebo(frame: pd.DataFrame, weeks: int = 26) -> pd.DataFrame:
    """Return the panel as if issuing had resumed `weeks` earlier, before it really did.

    The weeks from the true resumption on are left out, so that the effect to be found is 1.
    """
    early = frame["resumed"] - pd.Timedelta(weeks=weeks)
    stopped = frame["stopped"] & ~frame["week_start"].ge(early)
    moved = frame.assign(resumed=early, stopped=stopped)
    return moved[~frame["week_start"].ge(frame["resumed"])]


def _check(frame: pd.DataFrame) -> None:
    for name, meaning in COLUMNS.items():
        if name not in frame:
            raise ValueError(f"the panel lacks the column {name!r}: {meaning}")
    for name, kind, words in (
        ("week_start", "M", "dates"),
        ("resumed", "M", "dates"),
        ("stopped", "b", "true and false"),
    ):
        if frame[name].dtype.kind != kind:
            raise ValueError(f"the panel's column {name!r} holds {frame[name].dtype}, not {words}")
    office, week = frame.groupby("office"), frame["week_start"]
    odd = {
        "a count that is missing or below 0": ~frame[["issued", "declined"]].ge(0).all(axis=1),
        "a week twice": frame.duplicated(["office", "week_start"]),
        "a week that begins on another day": (week - week.min()).dt.days % 7 != 0,
        "two weeks of resumption": office["resumed"].transform("nunique", dropna=False) > 1,
        "a week of stop after it resumed": frame["stopped"] & (week >= frame["resumed"]),
        "no week of stop before it resumed": frame["resumed"].notna()
        & ~office["stopped"].transform("any"),
    }
    for said, rows in odd.items():
        if rows.any():
            name, start = frame.loc[rows, ["office", "week_start"]].iloc[0]
            raise ValueError(f"the panel has {said}: {name}, week from {start:%Y-%m-%d}")


def _tables(frame: pd.DataFrame) -> dict[str, Array]:
    """Return counts, stops and weeks since resumption as tables, NaN where a week is missing."""
    office, names = pd.factorize(frame["office"], sort=True)
    week = ((frame["week_start"] - frame["week_start"].min()).dt.days // 7).to_numpy()
    since = (frame["week_start"] - frame["resumed"]).dt.days // 7
    tables = {}
    for name, column in frame[["issued", "declined", "stopped"]].assign(since=since).items():
        tables[str(name)] = np.full((len(names), week.max() + 1), np.nan)
        tables[str(name)][office, week] = column
    return tables


def _jackknife_samples(panel: Cells, sample: NDArray[np.bool_]) -> Array:
    """Return the sample whole, then without each office in turn."""
    offices = len(panel.declined)
    kept = np.vstack([np.ones(offices), 1 - np.eye(offices)])
    return kept[:, :, np.newaxis] * sample


def _imputed_logs(panel: Cells, spans: NDArray[np.bool_]) -> Array:
    """Return log ratios of recorded to imputed declinations, by sample and span."""
    samples = _jackknife_samples(panel, panel.untreated)
    levels = fixed_effects.fit(panel.declined, samples, panel.exposure).levels()
    kept = _jackknife_samples(panel, np.ones_like(panel.treated))
    recorded, expected = (
        np.einsum("src,brc->sb", kept * of, spans.astype(float))
        for of in (panel.declined, panel.exposure * levels)
    )
    if not ((recorded > 0) & (expected > 0)).all():
        raise ValueError("a span of weeks has no declination without some office: widen it")
    return np.log(recorded / expected)


def _errors(logs: Array) -> Array:
    """Return the jackknife's standard errors from estimates whole and without each office."""
    return np.sqrt(_freedom(logs) / (len(logs) - 1) * ((logs[1:] - logs[0]) ** 2).sum(axis=0))


def _freedom(logs: Array) -> int:
    return len(logs) - 2


def _ratio(logs: Array) -> RateRatio:
    """Return a ratio from its log estimated whole and without each office."""
    error, freedom = float(_errors(logs)), _freedom(logs)
    reach = float(stats.t.isf(_TAIL, freedom)) * error
    value, low, high = (float(np.exp(logs[0] + shift)) for shift in (0, -reach, reach))
    return RateRatio(value, low, high, 2 * float(stats.t.sf(abs(logs[0]) / error, freedom)))
