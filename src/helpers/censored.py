"""Distributions fitted to times known in whole weeks, by interval-censored maximum likelihood."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainc, gammaincc, gammainccinv, gammaln, ndtr, xlogy

from helpers.ages import by_week, percentile_interval, resampled

Array = NDArray[np.float64]


class Family(NamedTuple):
    """A family of positive distributions in standard form, of scale 1.

    Attributes
    ----------
    reached, surviving, density, median
        Share within a time and beyond it, density at it, and median; functions of the time and
        the shape.
    shapes
        Number of shape parameters.
    """

    reached: Callable[..., Array]
    surviving: Callable[..., Array]
    density: Callable[..., Array]
    median: Callable[..., Any]
    shapes: int = 1


FAMILIES = {
    "exponential": Family(
        lambda time: -np.expm1(-time),
        lambda time: np.exp(-time),
        lambda time: np.exp(-time),
        lambda: math.log(2),
        shapes=0,
    ),
    "Weibull": Family(
        lambda time, shape: -np.expm1(-(time**shape)),
        lambda time, shape: np.exp(-(time**shape)),
        lambda time, shape: shape * time ** (shape - 1) * np.exp(-(time**shape)),
        lambda shape: math.log(2) ** (1 / shape),
    ),
    "log-normal": Family(
        lambda time, sigma: ndtr(np.log(time) / sigma),
        lambda time, sigma: ndtr(-np.log(time) / sigma),
        lambda time, sigma: (
            np.exp(-((np.log(time) / sigma) ** 2) / 2) / (math.sqrt(2 * math.pi) * sigma * time)
        ),
        lambda sigma: 1.0,
    ),
    "gamma": Family(
        lambda time, shape: gammainc(shape, time),
        lambda time, shape: gammaincc(shape, time),
        lambda time, shape: np.exp(xlogy(shape - 1, time) - time - gammaln(shape)),
        lambda shape: gammainccinv(shape, 0.5),
    ),
}
"""Families by name (Johnson, Kotz and Balakrishnan 1994, Continuous Univariate Distributions 1)."""

_EXPECTED = 5
_DIFFERENCE, _LONGEST, _CLOSE, _ROUNDS = 1e-5, 1.0, 1e-7, 200
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Fit:
    """A family fitted to one sample, or to many.

    Attributes
    ----------
    family
        One of `FAMILIES`.
    parameters
        Scale in weeks, then shape where the family has one: shape (..., parameters).
    log_likelihood
        Of each sample, without the multinomial constant: shape (...).
    """

    family: str
    parameters: Array
    log_likelihood: Array

    @property
    def aic(self) -> Array:
        """Twice the number of parameters less twice the log-likelihood (Akaike 1974)."""
        return 2 * self.parameters.shape[-1] - 2 * self.log_likelihood

    @property
    def median(self) -> Array:
        """Median in weeks."""
        scale, *shapes = np.moveaxis(self.parameters, -1, 0)
        return scale * FAMILIES[self.family].median(*shapes)


def fit(weeks: ArrayLike, counts: ArrayLike, family: str) -> Fit:
    """Fit a family to times of which only the completed weeks are known.

    A time of w completed weeks has the probability S(w) - S(w + 1), so that the counts are
    multinomial; this is the likelihood of interval-censored times (Lindsey and Ryan 1998,
    Statistics in Medicine 17: 219). It is maximised by Fisher scoring on the logarithms of the
    parameters, for all samples at once: `scipy.stats` fits the same model to one sample at a time
    in 10 to 50 milliseconds, and the bootstrap needs thousands.

    Parameters
    ----------
    weeks, counts
        As in `helpers.ages.by_week`.
    family
        One of `FAMILIES`.

    Raises
    ------
    ValueError
        If the family is unknown, or a sample has no maximum: its times lie in too few weeks.
    """
    if family not in FAMILIES:
        raise ValueError(f"distribution {family!r}: allowed are {', '.join(FAMILIES)}")
    return _fit(_with_later(by_week(weeks, counts)), family)


def expected_shares(parameters: Array, family: str, weeks: int) -> Array:
    """Return the probability of each week from 0 on, and last that of all later weeks.

    Parameters
    ----------
    parameters, family
        As in `Fit`.
    weeks
        Number of single weeks.

    Returns
    -------
    numpy.ndarray
        Shape (..., weeks + 1); each row adds up to 1.
    """
    scale, *shapes = np.moveaxis(np.asarray(parameters)[..., np.newaxis], -2, 0)
    ends, form = np.arange(1.0, weeks + 1) / scale, FAMILIES[family]
    reached = form.reached(ends, *shapes)
    early = np.diff(reached, prepend=0.0, append=1.0)
    late = -np.diff(form.surviving(ends, *shapes), prepend=1.0, append=0.0)
    # A difference of two numbers near 1 has few digits, so each side of the median has its own.
    return np.where(np.append(reached < 0.5, np.zeros_like(scale, bool), axis=-1), early, late)


def goodness(
    weeks: ArrayLike, counts: ArrayLike, family: str, seed: int, replications: int = 999
) -> tuple[float, float]:
    """Test whether a fitted family can have given the sample.

    Neighbouring weeks are pooled until at least five detainers are expected in each class, and
    G = 2 sum O log(O / E) compares observed with expected numbers. As the parameters are fitted
    to weeks and not to classes, G is not distributed as chi-square (Chernoff and Lehmann 1954,
    Annals of Mathematical Statistics 25: 579); its distribution is found by drawing samples from
    the fit and fitting each anew (Stute, Gonzalez Manteiga and Presedo Quindimil 1993, Metrika
    40: 243).

    Parameters
    ----------
    weeks, counts, family
        As in `fit`, of one sample.
    seed
        Seed of the random numbers.
    replications
        Number of samples drawn.

    Returns
    -------
    tuple of float
        G, and the p-value: the share of all samples, the observed among them, whose G is at least
        as large.
    """
    tally, parameters = by_week(weeks, counts), fit(weeks, counts, family).parameters
    shares = expected_shares(parameters, family, len(tally))
    drawn = np.random.default_rng(seed).multinomial(tally.sum(), shares, size=replications)
    refitted = _fit(drawn, family, parameters).parameters
    expected = tally.sum() * expected_shares(np.vstack([parameters, refitted]), family, len(tally))
    starts = _classes(expected[0])
    seen = np.add.reduceat(np.vstack([_with_later(tally), drawn]), starts, axis=1)
    g = 2 * xlogy(seen, seen / np.add.reduceat(expected, starts, axis=1)).sum(axis=1)
    return float(g[0]), float((g >= g[0]).mean())


def compare(
    weeks: ArrayLike, counts: ArrayLike, seed: int, replications: int = 999, level: float = 0.95
) -> pd.DataFrame:
    """Fit all families to one sample, and say how well each fits.

    Detainers are resampled for the percentile interval of each median, and to see how often each
    family has the smallest AIC (Efron and Tibshirani 1993, An Introduction to the Bootstrap,
    ch. 13).

    Parameters
    ----------
    weeks, counts
        As in `helpers.ages.by_week`, of one sample.
    seed
        Seed of the random numbers.
    replications
        Number of resamples, and of samples in `goodness`.
    level
        Confidence level of the medians' intervals.

    Returns
    -------
    pandas.DataFrame
        One row a family, the smallest AIC first: `family`, `scale`, `shape` (NaN for the
        exponential), `aic`, `behind` (AIC less the smallest), `best_share` (of the resamples),
        `median`, `low`, `high` (weeks), `g`, `p_value`.
    """
    samples = resampled(by_week(weeks, counts), seed, replications)
    rows, aics = [], []
    for family in FAMILIES:
        found, refits = fit(weeks, counts, family), _fit(_with_later(samples), family)
        scale, shape = np.append(found.parameters, np.nan)[:2]
        one = {"family": family, "scale": scale, "shape": shape, "aic": float(found.aic)}
        one["median"] = float(found.median)
        one["low"], one["high"] = percentile_interval(refits.median, level)
        one["g"], one["p_value"] = goodness(weeks, counts, family, seed, replications)
        rows.append(one)
        aics.append(refits.aic)
    table = pd.DataFrame(rows)
    wins = np.bincount(np.argmin(aics, axis=0), minlength=len(table))
    table = table.assign(behind=table["aic"] - table["aic"].min(), best_share=wins / replications)
    return table.sort_values("aic", ignore_index=True)


def best(table: pd.DataFrame, near: float = 2.0) -> str:
    """Name the family of the smallest AIC, and all that are nearly as good.

    Parameters
    ----------
    table
        As from `compare`.
    near
        Difference of AIC up to which another has substantial support (Burnham and Anderson 2002,
        Model Selection and Multimodel Inference, section 2.6).
    """
    first, *others = table.loc[table["behind"].le(near), "family"]
    return f"{first}; within {near:g} of its AIC: {', '.join(others) or 'none'}"


def cumulative_shares(table: pd.DataFrame, weeks: int) -> pd.DataFrame:
    """Return the share of times within so many weeks that each fitted family expects.

    Parameters
    ----------
    table
        As from `compare`.
    weeks
        Last week.

    Returns
    -------
    pandas.DataFrame
        One row a week from 0 to the last, one column a family.
    """
    found = {}
    for row in table.itertuples():
        parameters = np.array([row.scale, row.shape])[: FAMILIES[row.family].shapes + 1]
        shares = expected_shares(parameters, row.family, weeks)
        found[row.family] = np.append(0, shares[:-1].cumsum())
    return pd.DataFrame(found)


def _with_later(tally: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add a column of all later weeks, in which nobody was seen."""
    return np.concatenate([tally, np.zeros_like(tally[..., :1])], axis=-1)


def _fit(tally: NDArray[np.int64], family: str, start: Array | None = None) -> Fit:
    """Fit weekly counts whose last column is all later weeks."""
    rows = tally.reshape(-1, tally.shape[-1])
    begin = _start(rows, FAMILIES[family].shapes) if start is None else start
    theta = np.log(np.broadcast_to(begin, (len(rows), begin.shape[-1])))
    shares = _maximise(rows, theta, family)
    of_one = tally.shape[:-1]
    log_likelihood = xlogy(rows, shares).sum(axis=1).reshape(of_one)
    return Fit(family, np.exp(theta).reshape(*of_one, -1), log_likelihood)


def _start(rows: NDArray[np.int64], shapes: int) -> Array:
    """Return where scoring starts: a scale of the mean time, a shape of 1."""
    seen, week = rows > 0, np.arange(rows.shape[1])
    first, last = seen.argmax(axis=1), week[-1] - seen[:, ::-1].argmax(axis=1)
    # In fewer weeks the likelihood grows without end as all times draw together.
    if ((last < 1) | (last - first < 2 * shapes)).any():
        raise ValueError("the likelihood has no maximum: the times lie in too few weeks")
    mean = rows @ (week + 0.5) / rows.sum(axis=1)
    return np.column_stack([mean, *np.ones((shapes, len(mean)))])


def _maximise(rows: NDArray[np.int64], theta: Array, family: str) -> Array:
    """Move the logarithms of the parameters, in place, to the maximum; return the shares there."""
    shares = expected_shares(np.exp(theta), family, rows.shape[1] - 1)
    going, last = np.arange(len(rows)), np.zeros_like(theta)
    for _ in range(_ROUNDS):
        step = _scoring_step(rows[going], theta[going], shares[going], family)
        # Where steps go to and fro, half of one lands between.
        back = (step * last[going]).sum(axis=1) < -(last[going] ** 2).sum(axis=1) / 4
        step[back] /= 2
        shares[going] = _climb(rows[going], theta[going], shares[going], step, family)
        theta[going] += step
        last[going] = step
        going = going[np.abs(step).max(axis=1) > _CLOSE]
        if not going.size:
            return shares
    raise ValueError(f"{family}: no maximum found in {len(going)} of {len(rows)} samples")


def _climb(rows: NDArray[np.int64], theta: Array, shares: Array, step: Array, family: str) -> Array:
    """Halve steps, in place, until none lowers its likelihood; return the shares after them."""
    level = xlogy(rows, shares).sum(axis=1)
    while True:
        moved = expected_shares(np.exp(theta + step), family, rows.shape[1] - 1)
        worse = xlogy(rows, moved).sum(axis=1) < level - _ROUNDING
        if not worse.any():
            return moved
        step[worse] /= 2


def _scoring_step(rows: NDArray[np.int64], theta: Array, shares: Array, family: str) -> Array:
    """Return a step of Fisher scoring for each row, in logarithms of the parameters."""
    sure = np.maximum(shares, np.finfo(float).tiny)
    slopes = _slopes(theta, family, rows.shape[1] - 1) / sure[:, np.newaxis]
    score = slopes @ rows[..., np.newaxis]
    weight = rows.sum(axis=1, keepdims=True) * shares
    information = (slopes * weight[:, np.newaxis]) @ slopes.swapaxes(1, 2)
    step = np.linalg.solve(information, score)[..., 0]
    return step / np.maximum(np.abs(step).max(axis=1, keepdims=True) / _LONGEST, 1)


def _slopes(theta: Array, family: str, weeks: int) -> Array:
    """Return the slopes of `expected_shares` in the logarithms of the parameters."""
    scale, *shapes = np.exp(theta).T[..., np.newaxis]
    time = np.arange(1.0, weeks + 1) / scale
    by_scale = -np.diff(time * FAMILIES[family].density(time, *shapes), prepend=0.0, append=0.0)
    by_shape = [
        expected_shares(np.exp(theta + move), family, weeks)
        - expected_shares(np.exp(theta - move), family, weeks)
        for move in _DIFFERENCE * np.eye(theta.shape[1])[1:]
    ]
    return np.stack([by_scale, *(rise / (2 * _DIFFERENCE) for rise in by_shape)], axis=1)


def _classes(expected: Array) -> NDArray[np.int64]:
    """Return the first weeks of classes with at least `_EXPECTED` each."""
    starts, held = [0], 0.0
    for week, number in enumerate(expected):
        if held >= _EXPECTED and expected[week:].sum() >= _EXPECTED:
            starts.append(week)
            held = 0.0
        held += number
    return np.array(starts)
