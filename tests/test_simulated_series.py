import math

import numpy as np
import pandas as pd
import pytest

from helpers import datapackage, series, simulated_series, validation

SEED, NUMBER = 5, 200
DATES = [pd.Timestamp(2017, 1, 25), pd.Timestamp(2017, 2, 20)]


@pytest.fixture(scope="module")
def scenarios(root):
    weekly = series.weekly_issued(datapackage.load("weekly_detainers", root))
    national = weekly[weekly["week_start"].between("2015-01-01", "2017-12-24")]
    return simulated_series.scenarios(series.weekly_periods(national), DATES)


@pytest.fixture(scope="module")
def value(scenarios):
    """Measures by `ESTIMATOR.MEASURE`, of few data sets."""
    found = validation.study(scenarios, NUMBER, SEED)
    return found.set_index(found["estimator"] + "." + found["measure"])["value"]


def test_counts_have_the_mean_dispersion_and_correlation_asked_for():
    drawn = simulated_series.counts(np.random.default_rng(1), np.full(40_000, 2000.0), 25, 0.5)
    rest = drawn - 2000
    # Correlated numbers tell as much as a third of independent ones.
    assert rest.mean() == pytest.approx(0, abs=4 * math.sqrt(25 * 2000 * 3 / 40_000))
    assert drawn.var() / 2000 == pytest.approx(25, rel=0.05)
    assert np.corrcoef(rest[1:], rest[:-1])[0, 1] == pytest.approx(0.5, abs=0.02)
    assert (drawn % 1 == 0).all()


def test_errors_that_know_the_correlation_cover_and_newey_west_ones_do_not(value):
    error = math.sqrt(0.95 * 0.05 / (validation.COSTLY * NUMBER))
    assert value["interrupted_series.coverage"] >= 0.95 - 3 * error
    assert value["interrupted_series.false_positive_rate"] <= 0.05 + 3 * error
    assert value["newey_west.coverage"] < 0.9


def test_both_errors_belong_to_one_estimate(value):
    assert value["newey_west.bias"] == pytest.approx(value["interrupted_series.bias"], rel=1e-6)


def test_a_step_is_found_more_often_than_a_false_one(value):
    power, alarms = (value[f"interrupted_series.{of}"] for of in ("power", "false_positive_rate"))
    assert power > alarms + 0.3
