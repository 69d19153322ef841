import math

import pytest

from helpers import simulated_ages, validation

SEED, NUMBER = 5, 200
ERROR = math.sqrt(0.95 * 0.05 / NUMBER)


@pytest.fixture(scope="module")
def scenarios():
    return simulated_ages.scenarios(180, 50, 31, 10.4, 0.73)


@pytest.fixture(scope="module")
def value(scenarios):
    """Measures by `ESTIMATOR.MEASURE`, of few data sets."""
    found = validation.study(scenarios, NUMBER, SEED)
    return found.set_index(found["estimator"] + "." + found["measure"])["value"]


@pytest.mark.parametrize("estimator", ["grouped_median", "share_interval", "median_ratio"])
def test_intervals_cover_a_known_truth(value, estimator):
    assert value[f"{estimator}.coverage"] == pytest.approx(0.95, abs=3 * ERROR)


def test_the_median_is_right_on_average(value):
    # The median of n exponential times has a relative standard error of 1 / (log(2) sqrt(n)).
    reach = 4 / (math.log(2) * math.sqrt(180 * NUMBER))
    assert value["grouped_median.bias"] == pytest.approx(0, abs=reach)


@pytest.mark.parametrize("estimator", ["grouped_median", "share_interval"])
def test_people_booked_in_pairs_halve_what_an_interval_rests_on(value, estimator):
    # A 95% interval narrower by the root of 2 holds the truth in 83.4% of cases.
    error = math.sqrt(0.834 * 0.166 / NUMBER)
    assert value[f"{estimator}.stress_pairs"] == pytest.approx(0.834, abs=3 * error + 0.02)


def test_the_band_holds_the_whole_curve_more_often_than_it_promises(value):
    assert value["cumulative_band.coverage"] >= 0.95 - ERROR
    assert value["cumulative_band.stress_pairs"] < 0.9


def test_two_groups_that_are_alike_are_told_apart_seldom_and_others_often(value):
    assert value["equality_test.false_positive_rate"] <= 0.05 + 3 * ERROR
    assert value["equality_test.power"] > 0.7


def test_bounds_hold_the_truth_in_every_data_set(value):
    assert value["distribution_bounds.coverage"] == 1


def test_frozen_values(scenarios):
    first = {
        asked: found["error"].item()
        for scenario in scenarios
        for asked, found in validation.simulate(scenario, 1, SEED).items()
        if asked.endswith(".model") and found["error"].notna().all()
    }
    assert first == pytest.approx(
        {
            "grouped_median.model": 0.10673319946979852,
            "share_interval.model": -0.003048782849358593,
            "median_ratio.model": 0.4855078157817008,
        }
    )
