import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from helpers import fixed_effects

ROWS, COLUMNS = 5, 12


@pytest.fixture(scope="module")
def table():
    """Counts, exposure and regressors of a table, and two samples of it."""
    rng = np.random.default_rng(11)
    regressors = np.stack([rng.integers(2, size=(ROWS, COLUMNS)), rng.normal(size=(ROWS, COLUMNS))])
    exposure = rng.uniform(1, 3, size=(ROWS, COLUMNS))
    log_mean = rng.normal(size=(ROWS, 1)) + rng.normal(size=COLUMNS) + 1
    log_mean = log_mean + 0.5 * regressors[0] - 0.2 * regressors[1]
    counts = rng.poisson(exposure * np.exp(log_mean))
    samples = np.ones((2, ROWS, COLUMNS))
    samples[1] = rng.uniform(size=(ROWS, COLUMNS)) < 0.8
    return counts, samples, exposure, regressors


def dummies():
    rows = np.repeat(np.eye(ROWS), COLUMNS, axis=0)
    columns = np.tile(np.eye(COLUMNS), (ROWS, 1))
    return np.hstack([rows, columns[:, 1:]])


def by_statsmodels(counts, sample, exposure, regressors):
    design = np.hstack([regressors.reshape(len(regressors), -1).T, dummies()])
    used = sample.ravel() > 0
    model = sm.GLM(
        counts.ravel()[used],
        design[used],
        family=sm.families.Poisson(),
        exposure=exposure.ravel()[used],
    ).fit(tol=1e-14, maxiter=100)
    level = np.exp(design[:, len(regressors) :] @ model.params[len(regressors) :])
    return model.params[: len(regressors)], level.reshape(ROWS, COLUMNS)


def test_coefficients_and_levels_are_those_of_statsmodels(table):
    found = fixed_effects.fit(*table)
    counts, samples, exposure, regressors = table
    for sample, coefficients, levels in zip(
        samples, found.coefficients, found.levels(), strict=True
    ):
        expected = by_statsmodels(counts, sample, exposure, regressors)
        assert coefficients == pytest.approx(expected[0], abs=1e-9)
        assert levels == pytest.approx(expected[1], rel=1e-8)


def test_samples_fitted_together_are_as_those_fitted_alone(table):
    counts, samples, exposure, regressors = table
    together = fixed_effects.fit(*table)
    for position, sample in enumerate(samples):
        alone = fixed_effects.fit(counts, sample[np.newaxis], exposure, regressors)
        assert together.coefficients[position] == pytest.approx(alone.coefficients[0], abs=1e-10)
        assert together.levels()[position] == pytest.approx(alone.levels()[0], rel=1e-9)


def test_a_table_of_row_times_column_is_fitted_exactly_and_continued_outside_the_sample():
    levels = np.outer([1, 5, 20], [2, 1, 3, 0.5])
    sample = np.ones((1, 3, 4))
    sample[0, 2, 3] = sample[0, 0, 1] = 0
    found = fixed_effects.fit(levels, sample)
    assert found.levels()[0] == pytest.approx(levels)


@given(st.integers(0, 10_000))
def test_fitted_counts_add_up_to_those_seen_in_each_row_and_column(seed):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.uniform(0.5, 4, size=(ROWS, COLUMNS)))
    levels = fixed_effects.fit(counts, np.ones((1, ROWS, COLUMNS))).levels()[0]
    for axis in (0, 1):
        assert levels.sum(axis) == pytest.approx(counts.sum(axis), abs=1e-6)


def test_a_row_or_column_without_counts_has_level_0_and_changes_nothing(table):
    counts, samples, exposure, regressors = table
    emptied = counts.copy()
    emptied[2], emptied[:, 3] = 0, 0
    found = fixed_effects.fit(emptied, samples, exposure, regressors)
    left = np.delete(np.arange(ROWS), 2), np.delete(np.arange(COLUMNS), 3)
    alone = fixed_effects.fit(*(of[..., left[0], :][..., left[1]] for of in (emptied, *table[1:])))
    assert found.coefficients == pytest.approx(alone.coefficients, abs=1e-9)
    assert not found.levels()[:, 2].any()
    assert not found.levels()[:, :, 3].any()


def test_what_has_no_finite_or_no_unique_estimate_is_refused(table):
    counts, samples, exposure, regressors = table
    never_seen = (counts == 0)[np.newaxis]
    twice = np.stack([regressors[0], regressors[0]])
    for of in (never_seen, twice):
        with pytest.raises(ValueError, match="no unique finite estimate"):
            fixed_effects.fit(counts, samples, exposure, of)
