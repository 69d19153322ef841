"""Interrupted time series of counts: steps at given dates, placebo dates, and breaks in the data.

A series is a frame of `periods`, one row a period in order: `start` (its first day), `end` (the
day after its last) and `count` (events in it; a number, whole or halved).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import ruptures
import statsmodels.api as sm
from numpy.polynomial.polynomial import polyval
from numpy.typing import ArrayLike, NDArray
from pandas.tseries.holiday import USFederalHolidayCalendar
from scipy import linalg, optimize, stats

from helpers.rates import RateRatio

_YEAR = np.timedelta64(8766, "h")  # 365.25 days
_LARGEST_CORRELATION = 0.98
_HOLIDAYS = USFederalHolidayCalendar()  # one calendar keeps what it has worked out


@dataclass(frozen=True)
class Fit:
    """A log-linear regression of counts.

    Attributes
    ----------
    estimates, covariance
        Of each term, on the log scale.
    means
        Fitted count of each period.
    dispersion
        Variance of the counts over that of the model; 1 for Poisson counts.
    correlation
        Of the residuals of one period and the next.
    degrees
        Periods less terms.
    """

    estimates: pd.Series
    covariance: pd.DataFrame
    means: pd.Series
    dispersion: float
    correlation: float
    degrees: int

    def ratio(self, term: str, level: float = 0.95) -> RateRatio:
        """Return what one unit of a term multiplies the count by: t interval and p-value."""
        log_ratio, error = self.estimates[term], math.sqrt(self.covariance.at[term, term])
        reach = stats.t.isf((1 - level) / 2, self.degrees) * error
        p_value = 2 * float(stats.t.sf(abs(log_ratio) / error, self.degrees))
        low, high = math.exp(log_ratio - reach), math.exp(log_ratio + reach)
        return RateRatio(math.exp(log_ratio), low, high, p_value)

    def detectable(self, term: str, power: float = 0.8, level: float = 0.95) -> float:
        """Return the smallest ratio above 1 that a two-sided test finds with a given power."""
        quantiles = stats.t.isf((1 - level) / 2, self.degrees) + stats.norm.ppf(power)
        return math.exp(quantiles * math.sqrt(self.covariance.at[term, term]))


def terms(
    periods: pd.DataFrame,
    dates: Sequence[pd.Timestamp],
    *,
    trend: bool = True,
    harmonics: int = 2,
    holidays: bool = True,
) -> pd.DataFrame:
    """Return the terms of a segmented regression on the log scale.

    Steps, slopes and seasons as in Bernal, Cummins and Gasparrini (2017, International Journal of
    Epidemiology 46:348). A period that holds a date belongs to its step by the share of days from
    the date on, so that no period has to be cut or left out.

    Parameters
    ----------
    periods
        The series.
    dates
        Dates of the steps, in order.
    trend
        Whether there is a trend in time, and a change of it from the first date on.
    harmonics
        Pairs of sine and cosine waves in a year; 0 for no season.
    holidays
        Whether to count a period's federal holidays, when offices are closed.

    Returns
    -------
    pandas.DataFrame
        One row a period: `constant`; `step_1`, ... (0 before, 1 after); `trend` and `slope` (years
        since the first date; `slope` is 0 before it); `sine_1`, `cosine_1`, ...; `holidays`.
    """
    start, end = periods["start"].to_numpy(), periods["end"].to_numpy()
    found = {"constant": np.ones(len(periods))}
    found |= _interruption(start, end, [date.to_datetime64() for date in dates], trend)
    found |= _season(periods, harmonics)
    if holidays:
        closed = _HOLIDAYS.holidays(start.min(), end.max()).to_numpy()
        found["holidays"] = np.searchsorted(closed, end) - np.searchsorted(closed, start)
    return pd.DataFrame(found, index=periods.index, dtype=float)


def fit(counts: ArrayLike, of_terms: pd.DataFrame, alpha: float = 0.0) -> Fit:
    """Fit a quasi-Poisson regression, with errors for dispersion and autocorrelation.

    The estimates are those of a Poisson regression and need only the mean to be right. Their
    errors allow for a variance that is a multiple of the mean and for residuals that follow an
    autoregression of first order (Zeger 1988, Biometrika 75:621). Dispersion and correlation are
    found by moments, set equal to what they are expected to be after the terms have been fitted
    (Worsley et al. 2002, NeuroImage 15:1): without that correction both are too small, and so are
    the errors of a step that few periods bear on.

    Parameters
    ----------
    counts
        One number a period, not negative.
    of_terms
        As from `terms`.
    alpha
        Above 0 for a negative binomial regression (NB2), whose variance is the mean plus alpha
        times its square.
    """
    fitted = _glm(counts, of_terms, alpha)
    rest, means = fitted.resid_pearson, fitted.fittedvalues
    root = of_terms.to_numpy() * np.sqrt(means / (1 + alpha * means))[:, None]
    bread = linalg.inv(root.T @ root)
    dispersion, correlation = _moments(rest, np.eye(len(rest)) - root @ bread @ root.T)
    meat = root.T @ linalg.toeplitz(correlation ** np.arange(len(rest))) @ root
    names = of_terms.columns
    return Fit(
        pd.Series(fitted.params, index=names),
        pd.DataFrame(dispersion * bread @ meat @ bread, index=names, columns=names),
        pd.Series(means, index=of_terms.index),
        dispersion,
        correlation,
        int(fitted.df_resid),
    )


def newey_west(counts: ArrayLike, of_terms: pd.DataFrame, lags: int | None = None) -> Fit:
    """Fit as `fit` does, with errors by Newey and West (1987, Econometrica 55:703).

    They assume no form of variance or correlation, and take both from the residuals of the few
    periods that a term bears on. Where those are very few, as between two steps a month apart, the
    residuals are small because the step was fitted to them, and so are the errors.

    Parameters
    ----------
    counts, of_terms
        As in `fit`.
    lags
        Periods over which errors are correlated; None for 4 (n / 100)^(2/9), rounded down (Newey
        and West 1994, Review of Economic Studies 61:631).
    """
    if lags is None:
        lags = int(4 * (len(of_terms) / 100) ** (2 / 9))
    errors = {"maxlags": lags, "use_correction": True}
    robust = _glm(counts, of_terms, cov_type="HAC", cov_kwds=errors).cov_params()
    names = of_terms.columns
    return replace(
        fit(counts, of_terms), covariance=pd.DataFrame(robust, index=names, columns=names)
    )


def negative_binomial_alpha(counts: ArrayLike, of_terms: pd.DataFrame) -> float:
    """Return the alpha of `fit` that makes the counts likeliest (NB2)."""
    full = sm.NegativeBinomial(np.asarray(counts), of_terms.to_numpy())
    return float(full.fit(disp=0, maxiter=500).params[-1])


def projected(
    fitted: Fit, of_terms: pd.DataFrame, without: Sequence[str], level: float = 0.95
) -> pd.DataFrame:
    """Return the mean of each period with some terms set to 0, such as the steps or the season.

    Returns
    -------
    pandas.DataFrame
        One row a period: `mean`, and its interval `low`, `high` (of the mean, not of a count).
    """
    rows = of_terms.assign(**dict.fromkeys(without, 0.0))
    log_mean = rows @ fitted.estimates
    error = np.sqrt(((rows @ fitted.covariance) * rows).sum(axis=1))
    reach = stats.t.isf((1 - level) / 2, fitted.degrees) * error
    ends = {"mean": log_mean, "low": log_mean - reach, "high": log_mean + reach}
    return pd.DataFrame({name: np.exp(values) for name, values in ends.items()})


def profile(
    periods: pd.DataFrame, candidates: Sequence[pd.Timestamp], level: float = 0.95
) -> pd.DataFrame:
    """Fit the terms of one date, every candidate in turn.

    Parameters
    ----------
    periods
        The series.
    candidates
        Dates to try.
    level
        Confidence level of the compatible dates, by the quasi-likelihood ratio: approximate, and
        too few where periods are correlated.

    Returns
    -------
    pandas.DataFrame
        One row a date: `date`, `loss` (deviance over the lowest, divided by the dispersion of the
        best fit), `compatible` (whether the loss is within the chi-square quantile).
    """
    fits = [_glm(periods["count"], terms(periods, [date])) for date in candidates]
    best = min(fits, key=lambda fitted: float(fitted.deviance))
    deviances = np.array([fitted.deviance for fitted in fits])
    loss = (deviances - best.deviance) / (best.pearson_chi2 / best.df_resid)
    within = loss <= stats.chi2.ppf(level, 1)
    return pd.DataFrame({"date": list(candidates), "loss": loss, "compatible": within})


def placebos(
    history: pd.DataFrame,
    dates: Sequence[pd.Timestamp],
    window: tuple[pd.Timestamp, pd.Timestamp],
) -> pd.DataFrame:
    """Fit the same model with its dates and its window moved together to other times.

    A placebo in time (Abadie, Diamond and Hainmueller 2015, American Journal of Political Science
    59:495): how large is the step at other dates? Windows that hold a true date are left out.

    Parameters
    ----------
    history
        A longer series, of equal periods.
    dates
        The true dates of the steps, in order.
    window
        First day of the model's own series, and the day after its last.

    Returns
    -------
    pandas.DataFrame
        One row a move by whole periods, in order of time: `date` (the first date, moved),
        `step_1`, ... (log ratios). Neighbours share most of their data.
    """
    start, end = history["start"].to_numpy(), history["end"].to_numpy()
    counts = history["count"].to_numpy()
    rest = terms(history, [], trend=False).to_numpy()
    at = np.array([date.to_datetime64() for date in dates])
    opens, closes = (day.to_datetime64() for day in window)
    own = start[np.searchsorted(start, at[0], side="right") - 1]
    rows = []
    for move in start - own:
        first, last = opens + move, closes + move
        holds_true_date = first < at[-1] and last > at[0]
        if holds_true_date or first < start[0] or last > end[-1]:
            continue
        inside = (start >= first) & (end <= last)
        steps = _interruption(start[inside], end[inside], at + move, trend=True)
        matrix = np.column_stack([*steps.values(), rest[inside]])
        rows.append([pd.Timestamp(at[0] + move), *_glm(counts[inside], matrix).params[: len(at)]])
    return pd.DataFrame(rows, columns=["date", *(f"step_{n}" for n in range(1, len(at) + 1))])


def placebo_p(step: float, others: ArrayLike) -> float:
    """Return the share of steps at least as large in size, the true one counted among them.

    A p-value if the true date could as well be any placebo date (Phipson and Smyth 2010,
    Statistical Applications in Genetics and Molecular Biology 9:39); else a rank.

    Parameters
    ----------
    step
        The log ratio at the true date.
    others
        Those at the placebo dates.
    """
    sizes = np.abs(np.asarray(others, dtype=float))
    return float((1 + (sizes >= abs(step)).sum()) / (1 + sizes.size))


def breaks(counts: ArrayLike, shortest: int = 12, most: int = 6) -> list[int]:
    """Find where the level of a series of counts changes.

    The best division into levels by least squares, on the scale that makes the variance of
    Poisson counts constant (Anscombe 1948, Biometrika 35:246). Of the most breaks, one is given
    up at a time until that would raise the sum of squares by more than 3 s log n, the leading term
    of Zhang and Siegmund (2007, Biometrics 63:22). s is the long-run variance about the levels,
    that of an autoregression of first order. A description, not a test: in a series without a
    break whose periods are closely correlated, it can find some.

    Parameters
    ----------
    counts
        One number a period, in order.
    shortest
        Fewest periods of one level: a year or more, or a season can pass for a level.
    most
        Most breaks looked for.

    Returns
    -------
    list of int
        Positions of the first period of each new level; none if the level does not change.
    """
    stable = 2 * np.sqrt(np.asarray(counts, dtype=float) + 3 / 8)
    search = ruptures.Dynp(model="l2", min_size=shortest, jump=1).fit(stable)
    most = min(most, len(stable) // shortest - 1)
    divisions = [[], *(search.predict(number)[:-1] for number in range(1, most + 1))]
    rests = [_about_levels(stable, division) for division in divisions]
    for number in range(most, 0, -1):
        fewer, rest = rests[number - 1], rests[number]
        penalty = 3 * _long_run_variance(rest, number + 1) * math.log(len(stable))
        if fewer @ fewer - rest @ rest > penalty:
            return [int(position) for position in divisions[number]]
    return []


def _interruption(
    start: NDArray[Any], end: NDArray[Any], dates: ArrayLike, trend: bool
) -> dict[str, NDArray[np.float64]]:
    at = np.asarray(dates, dtype="datetime64[us]")
    found = {
        f"step_{number}": np.clip((end - date) / (end - start), 0, 1)
        for number, date in enumerate(at, start=1)
    }
    if trend:
        years = (start + (end - start) / 2 - at[0]) / _YEAR
        found |= {"trend": years, "slope": np.clip(years, 0, None)}
    return found


def _season(periods: pd.DataFrame, harmonics: int) -> dict[str, NDArray[np.float64]]:
    middle = periods["start"] + (periods["end"] - periods["start"]) / 2
    angle = (2 * math.pi * middle.dt.day_of_year / 365.25).to_numpy()
    waves = (("sine", np.sin), ("cosine", np.cos))
    return {f"{name}_{n}": of(n * angle) for n in range(1, harmonics + 1) for name, of in waves}


def _glm(counts: ArrayLike, matrix: ArrayLike, alpha: float = 0.0, **errors: Any) -> Any:  # noqa: ANN401
    family = sm.families.NegativeBinomial(alpha=alpha) if alpha else sm.families.Poisson()
    return sm.GLM(np.asarray(counts), np.asarray(matrix), family=family).fit(**errors)


def _moments(rest: NDArray[np.float64], residual_maker: NDArray[np.float64]) -> tuple[float, float]:
    """Return dispersion and correlation whose expected residual moments are those seen."""
    # Sums over pairs of periods by their distance: each moment is a polynomial in the correlation.
    period = np.arange(len(rest))
    apart = np.abs(np.subtract.outer(period, period)).ravel()
    size = np.bincount(apart, residual_maker.ravel())
    neighbours = np.bincount(apart, (residual_maker[:-1].T @ residual_maker[1:]).ravel())
    seen = rest[1:] @ rest[:-1] / (rest @ rest)

    def gap(correlation: float) -> float:
        return float(polyval(correlation, neighbours) / polyval(correlation, size) - seen)

    low, high = -_LARGEST_CORRELATION, _LARGEST_CORRELATION
    if gap(low) * gap(high) < 0:
        correlation = float(optimize.brentq(gap, low, high, xtol=1e-12))
    else:
        correlation = low if abs(gap(low)) < abs(gap(high)) else high
    return float(rest @ rest / polyval(correlation, size)), correlation


def _about_levels(values: NDArray[np.float64], positions: Sequence[int]) -> NDArray[np.float64]:
    return np.concatenate([part - part.mean() for part in np.split(values, positions)])


def _long_run_variance(rest: NDArray[np.float64], levels: int) -> float:
    carried = float(rest[1:] @ rest[:-1] / (rest @ rest))
    return float(rest @ rest / (len(rest) - levels) * (1 + carried) / (1 - carried))
