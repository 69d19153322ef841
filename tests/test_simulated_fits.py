import math

import numpy as np
import pytest

from helpers import censored, simulated_fits, validation

SEED, NUMBER = 5, 100
WEEKS, COUNTS = np.arange(60), np.round(12 * np.exp(-np.arange(60) / 15)).astype(int)


@pytest.fixture(scope="module")
def value():
    """Measures by `ESTIMATOR.MEASURE`, of few data sets."""
    found = validation.study(simulated_fits.scenarios(WEEKS, COUNTS, 31), NUMBER, SEED)
    return found.set_index(found["estimator"] + "." + found["measure"])["value"]


def test_the_interval_of_the_right_family_s_median_covers(value):
    error = math.sqrt(0.95 * 0.05 / NUMBER)
    assert value["fitted_median.coverage"] == pytest.approx(0.95, abs=3 * error)


@pytest.mark.parametrize("bias", ["bias", "bias_log_normal", "bias_gamma"])
def test_the_median_of_the_right_family_is_right_on_average(value, bias):
    # A fitted median is at least as good as the sample's, whose error is near 1 / (log(2) sqrt(n)).
    reach = 3 / (math.log(2) * math.sqrt(COUNTS.sum() * NUMBER))
    assert value[f"fitted_median.{bias}"] == pytest.approx(0, abs=reach)


def test_the_wrong_family_is_off_and_the_test_of_fit_sees_it(value):
    assert value["fitted_median.stress_wrong_family_bias"] > 0.05
    assert value["fitted_median.stress_wrong_family"] < 0.9
    assert value["goodness.power"] > value["goodness.false_positive_rate"] + 0.2


def test_times_are_drawn_from_the_fitted_family():
    truth = censored.fit(WEEKS, COUNTS, "Weibull")
    tally, week = simulated_fits.drawn(np.random.default_rng(1), truth, 100_000)
    again = censored.fit(week, tally, "Weibull")
    assert again.parameters == pytest.approx(truth.parameters, rel=0.02)
    pairs, _ = simulated_fits.drawn(np.random.default_rng(1), truth, 1_000, together=2)
    assert pairs.sum() == 1_000
    assert (pairs % 2 == 0).all()
