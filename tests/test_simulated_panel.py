import pytest

from helpers import simulated_panel, validation

SEED, NUMBER = 5, 50


@pytest.fixture(scope="module")
def value():
    """Measures by `ESTIMATOR.MEASURE`, of few data sets."""
    found = validation.study(simulated_panel.scenarios(), NUMBER, SEED)
    return found.set_index(found["estimator"] + "." + found["measure"])["value"]


def test_intervals_cover_and_tests_keep_their_level_under_their_models(value):
    # Of 50 data sets 8 or more miss in one of 500 cases.
    for estimator in ("two_way", "imputed", "event_study"):
        assert value[f"{estimator}.coverage"] >= 43 / 50
        assert value[f"{estimator}.false_positive_rate"] <= 7 / 50


def test_effects_that_differ_and_grow_pull_the_two_way_estimate_down_and_not_the_imputed(value):
    assert value["two_way.stress_effects_differ_bias"] < -0.03
    assert value["imputed.bias"] == pytest.approx(0, abs=0.05)


def test_late_records_pull_the_estimate_towards_no_effect(value):
    assert value["imputed.stress_recorded_late_bias"] < -0.05


def test_a_weak_effect_is_found_more_often_than_a_false_one(value):
    for estimator in ("two_way", "imputed"):
        assert value[f"{estimator}.power"] >= 0.1
