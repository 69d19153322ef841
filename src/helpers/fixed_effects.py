"""Poisson regression with row and column effects, for many samples of one table at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_STEPS, _SMALL = 60, 1e-7  # Newton's steps square the error: the last one leaves about 1e-14


@dataclass(frozen=True)
class Fit:
    """Fits to S samples of a table of R rows and C columns with K regressors.

    Attributes
    ----------
    coefficients
        Of the regressors, S by K.
    rows, columns
        Effects on the log scale, S by R and S by C; minus infinity where a row or column has no
        count in the sample.
    """

    coefficients: Array
    rows: Array
    columns: Array

    def levels(self) -> Array:
        """Return exp(row effect + column effect), S by R by C, outside the samples too."""
        return np.exp(self.rows[:, :, None] + self.columns[:, None, :])


def fit(
    counts: ArrayLike,
    samples: ArrayLike,
    exposure: ArrayLike = 1.0,
    regressors: ArrayLike | None = None,
) -> Fit:
    """Fit a Poisson regression with row and column effects to samples of a table.

    The mean of a cell is its exposure times exp(row effect + column effect + regressors times
    coefficients). The maximum of the likelihood is consistent whatever the distribution of counts
    with such means (Gourieroux, Monfort and Trognon 1984, Econometrica 52:701). It is found by
    Newton's method with the column effects eliminated. statsmodels and pyfixest give the same,
    one sample at a time, in some 0.2 and 0.07 s for 24 rows and 156 columns; a simulation study
    of jackknives needs tens of thousands of fits, which take 0.001 s each here.

    Parameters
    ----------
    counts
        Table of R by C, 0 or more.
    samples
        S by R by C: 1 for cells in the sample, 0 for others.
    exposure
        R by C, positive in the samples.
    regressors
        K by R by C; None for none.

    Raises
    ------
    ValueError
        If an effect or coefficient has no unique finite estimate.
    """
    y = np.asarray(counts, dtype=float)
    x = np.zeros((0, *y.shape)) if regressors is None else np.asarray(regressors, dtype=float)
    weights = np.asarray(samples, dtype=float)
    for axis in (2, 1):
        weights = weights * ((weights * y).sum(axis, keepdims=True) > 0)
    seen: Array = weights * y
    exposed: Array = weights * np.asarray(exposure, dtype=float)
    found = _started(seen, exposed, len(x))
    for _ in range(_STEPS):
        mean = exposed * found.levels() * np.exp(np.einsum("sk,krc->src", found.coefficients, x))
        try:
            steps = _newton(seen - mean, mean, x)
        except np.linalg.LinAlgError:
            break
        found = Fit(found.coefficients + steps[0], found.rows + steps[1], found.columns + steps[2])
        if max(np.abs(step).max(initial=0) for step in steps) < _SMALL:
            return found
    raise ValueError("the Poisson fit has no unique finite estimate: too few counts")


def _started(seen: Array, exposed: Array, regressors: int) -> Fit:
    """Return effects near the maximum without regressors, by scaling rows and columns in turn."""
    columns = np.ones((len(seen), seen.shape[2]))
    for _ in range(3):
        rows = _quotient(seen.sum(2), np.einsum("src,sc->sr", exposed, columns))
        columns = _quotient(seen.sum(1), np.einsum("src,sr->sc", exposed, rows))
    with np.errstate(divide="ignore"):
        return Fit(np.zeros((len(seen), regressors)), np.log(rows), np.log(columns))


def _quotient(part: Array, whole: Array) -> Array:
    """Return part over whole, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _newton(rest: Array, mean: Array, x: Array) -> tuple[Array, Array, Array]:
    """Return Newton's steps of coefficients, rows and columns (Schur complement of the columns)."""
    k, of_columns = len(x), mean.sum(1)[:, None, :]
    score = np.concatenate([np.einsum("src,krc->sk", rest, x), rest.sum(2)], axis=1)
    cross = np.concatenate([np.einsum("src,krc->skc", mean, x), mean], axis=1)
    share = _quotient(cross, np.broadcast_to(of_columns, cross.shape))
    information = _blocks(mean, x) - share @ cross.swapaxes(1, 2)
    step = np.linalg.solve(
        information, (score - np.einsum("spc,sc->sp", share, rest.sum(1)))[..., None]
    )[..., 0]
    columns = _quotient(rest.sum(1), of_columns[:, 0]) - np.einsum("spc,sp->sc", share, step)
    return step[:, :k], step[:, k:], columns


def _blocks(mean: Array, x: Array) -> Array:
    """Return the information of coefficients and rows, made regular.

    Adding a constant to all rows and taking it from all columns changes no mean: the steps whose
    rows add up to 0 are singled out by a term that is 0 for them. Empty rows stay where they are.
    """
    k, of_rows = len(x), mean.sum(2)
    present = (of_rows > 0).astype(float)
    size = of_rows.sum(1) / present.sum(1) ** 2
    information = np.zeros((len(mean), k + mean.shape[1], k + mean.shape[1]))
    information[:, :k, :k] = np.einsum("src,krc,lrc->skl", mean, x, x)
    information[:, :k, k:] = np.einsum("src,krc->skr", mean, x)
    information[:, k:, :k] = information[:, :k, k:].swapaxes(1, 2)
    information[:, k:, k:] = size[:, None, None] * present[:, :, None] * present[:, None, :]
    diagonal = np.arange(k, k + mean.shape[1])
    information[:, diagonal, diagonal] += of_rows + (1 - present)
    return information
