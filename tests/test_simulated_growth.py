import math

import pytest

from helpers import counters, simulated_growth, validation

SEED, NUMBER = 5, 100


@pytest.fixture(scope="module")
def points(ledger):
    return counters.repeated(counters.panel(ledger))


@pytest.fixture(scope="module")
def value(points):
    """Measures by `ESTIMATOR.MEASURE`, of few data sets."""
    found = validation.study(simulated_growth.scenarios(points, 0.2), NUMBER, SEED)
    return found.set_index(found["estimator"] + "." + found["measure"])["value"]


def test_one_rate_of_all_counters_is_found(points, value):
    own = points["years"] - points.groupby("counter")["years"].transform("mean")
    error = simulated_growth.NOISE / math.sqrt((own**2).sum())
    assert value["pooled_rate.bias"] == pytest.approx(0, abs=4 * error / math.sqrt(NUMBER))


def test_the_range_without_each_counter_is_no_confidence_interval(value):
    assert value["pooled_rate.coverage"] < 0.8


def test_the_parts_of_a_known_variance_are_found_exactly(value):
    assert value["variance_shares.bias"] == 0
