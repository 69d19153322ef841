import numpy as np
import pytest
from scipy.special import gamma

from helpers import simulated_stock, validation

SEED, NUMBER = 5, 200


@pytest.fixture(scope="module")
def value():
    """Measures by `ESTIMATOR.MEASURE`, of few data sets."""
    found = validation.study(simulated_stock.scenarios(230, 12.0), NUMBER, SEED)
    return found.set_index(found["estimator"] + "." + found["measure"])["value"]


def test_the_share_that_reaches_a_week_is_the_mean_of_its_moments():
    scale = 12 / gamma(1 + 1 / simulated_stock.SHAPE)
    moments = np.arange(0, 30, 1e-3) + 5e-4
    beyond = np.exp(-((moments / scale) ** simulated_stock.SHAPE)).reshape(30, -1).mean(axis=1)
    assert simulated_stock.reaching(12.0)[:30] == pytest.approx(beyond, rel=1e-4)
    assert simulated_stock.reaching(12.0).sum() == pytest.approx(12, rel=1e-3)


def test_exact_limits_of_a_decreasing_density_over_cover(value):
    assert value["surviving_share.coverage"] >= 0.95
    assert value["median_stay.coverage"] >= 0.95


def test_the_mean_stay_is_too_long_by_those_who_leave_within_a_week(value):
    first = simulated_stock.reaching(12.0)[0]
    # The log of an inverse count of mean m is too high by 1 / 2m.
    expected = -np.log(first) + first * 12 / 230 / 2
    assert value["mean_stay.bias"] == pytest.approx(expected, abs=0.06)


def test_a_first_week_without_detainers_makes_stays_too_long_and_a_rising_inflow_makes_them_short(
    value,
):
    for name in ("surviving_share", "median_stay", "mean_stay"):
        assert value[f"{name}.stress_first_week_unseen_bias"] > value[f"{name}.bias"] + 0.2
    assert value["mean_stay.stress_rising_inflow_bias"] < value["mean_stay.bias"] - 0.1
