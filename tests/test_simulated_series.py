import math

import numpy as np
import pandas as pd
import pytest

from helpers import datapackage, series, simulated_series, validation

SEED, NUMBER = 5, 100
DATES = [pd.Timestamp(2017, 1, 25), pd.Timestamp(2017, 2, 20)]


@pytest.fixture(scope="module")
def history(root):
    return series.weekly_periods(series.weekly_issued(datapackage.load("weekly_detainers", root)))


@pytest.fixture(scope="module")
def national(history):
    return history[history["start"].between("2015-01-01", "2017-12-24")]


@pytest.fixture(scope="module")
def value(national):
    """Measures by `ESTIMATOR.MEASURE`, of few data sets."""
    found = validation.study(simulated_series.scenarios(national, DATES), NUMBER, SEED)
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
    error = math.sqrt(0.95 * 0.05 / NUMBER)
    assert value["interrupted_series.coverage"] >= 0.95 - 3 * error
    assert value["interrupted_series.false_positive_rate"] <= 0.05 + 3 * error
    assert value["newey_west.coverage"] < 0.9


def test_both_errors_belong_to_one_estimate(value):
    assert value["newey_west.bias"] == pytest.approx(value["interrupted_series.bias"], rel=1e-6)


def test_a_step_is_found_more_often_than_a_false_one(value):
    power, alarms = (value[f"interrupted_series.{of}"] for of in ("power", "false_positive_rate"))
    assert power > alarms + 0.3


def test_a_date_like_all_others_seldom_ranks_among_the_largest(history, national):
    found = simulated_series.placebo_ranks(history, national, DATES, 40, SEED)
    assert len(found) == 40
    # Of 40 dates 7 or more are among the largest 5% in one of 400 cases.
    assert found["rejected"].sum() <= 6
    # None at all would be in one of eight cases.
    assert found["rejected"].sum() >= 1
