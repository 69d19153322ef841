import datetime as dt
import math

import pytest

from helpers import datapackage, lifetimes, series, simulated_lives, validation

SEED, NUMBER = 5, 50


@pytest.fixture(scope="module")
def weeks(root):
    issued = series.weekly_issued(datapackage.load("weekly_detainers", root))
    return lifetimes.lodged(issued, dt.date(2017, 12, 31), dt.date(2021, 9, 1))


@pytest.fixture(scope="module")
def value(root, weeks):
    """Measures by `ESTIMATOR.MEASURE`, of few data sets."""
    assumed = datapackage.load("assumptions", root).set_index("assumption")
    found = validation.study(simulated_lives.scenarios(weeks, 415, assumed), NUMBER, SEED)
    return found.set_index(found["estimator"] + "." + found["measure"])["value"]


def test_the_stock_inversion_finds_the_mean_life_it_was_made_with(value):
    assert value["mean_life.bias"] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("violation", ["never_closed", "more_issued", "any_day"])
def test_what_leaves_more_open_makes_the_mean_life_too_long(value, violation):
    assert value[f"mean_life.stress_{violation}"] > 0


@pytest.mark.parametrize(("end", "shape"), [("low", 0.5), ("high", 2.0)])
def test_the_stress_of_a_shape_is_what_the_inversion_makes_of_the_expected_stock(
    value, weeks, end, shape
):
    stock = float(weeks["detainers"] @ lifetimes.surviving(weeks["age_days"], 415, shape))
    expected = math.log(lifetimes.mean_life(weeks, stock) / 415)
    assert value[f"mean_life.stress_shape_{end}"] == pytest.approx(expected, abs=2e-3)
