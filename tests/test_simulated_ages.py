import datetime as dt
import math

import pytest

from helpers import ages, datapackage, series, simulated_ages, validation

SEED, NUMBER = 5, 200


@pytest.fixture(scope="module")
def weeks(root):
    issued = series.weekly_issued(datapackage.load("weekly_detainers", root))
    return ages.lodged(issued, dt.date(2017, 12, 31), dt.date(2021, 9, 1))


@pytest.fixture(scope="module")
def scenarios(root, weeks):
    assumed = datapackage.load("assumptions", root).set_index("assumption")
    return [
        *simulated_ages.booked(180, 31, 10.4, 0.73),
        *simulated_ages.active(weeks, 415, assumed),
    ]


@pytest.fixture(scope="module")
def value(scenarios):
    """Measures by `ESTIMATOR.MEASURE`, of few data sets."""
    found = validation.study(scenarios, NUMBER, SEED)
    return found.set_index(found["estimator"] + "." + found["measure"])["value"]


def test_the_median_is_found_and_its_interval_covers(value):
    error = math.sqrt(0.95 * 0.05 / NUMBER)
    assert value["grouped_median.coverage"] == pytest.approx(0.95, abs=3 * error)
    # The median of n exponential times has a relative standard error of 1 / (log(2) sqrt(n)).
    reach = 4 / (math.log(2) * math.sqrt(180 * NUMBER))
    assert value["grouped_median.bias"] == pytest.approx(0, abs=reach)


@pytest.mark.parametrize("estimator", ["grouped_median", "share_interval"])
def test_people_booked_in_pairs_halve_what_an_interval_rests_on(value, estimator):
    # A 95% interval narrower by the root of 2 holds the truth in 83.4% of cases.
    error = math.sqrt(0.834 * 0.166 / NUMBER)
    assert value[f"{estimator}.stress_pairs"] == pytest.approx(0.834, abs=3 * error + 0.02)


def test_the_exact_interval_of_a_share_covers(value):
    error = math.sqrt(0.95 * 0.05 / NUMBER)
    assert value["share_interval.coverage"] >= 0.95 - 3 * error


def test_the_stock_inversion_finds_the_mean_life_it_was_made_with(value):
    assert value["mean_life.bias"] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("violation", ["never_closed", "more_issued", "any_day"])
def test_what_leaves_more_open_makes_the_mean_life_too_long(value, violation):
    assert value[f"mean_life.stress_{violation}"] > 0


@pytest.mark.parametrize(("end", "shape"), [("low", 0.5), ("high", 2.0)])
def test_the_stress_of_a_shape_is_what_the_inversion_makes_of_the_expected_stock(
    value, weeks, end, shape
):
    stock = float(weeks["detainers"] @ ages.surviving(weeks["age_days"], 415, shape))
    expected = math.log(ages.mean_life(weeks, stock) / 415)
    assert value[f"mean_life.stress_shape_{end}"] == pytest.approx(expected, abs=2e-3)


def test_frozen_values(scenarios):
    first = {}
    for scenario in scenarios:
        for asked, found in validation.simulate(scenario, 1, SEED).items():
            if asked.endswith(".model"):
                first[asked] = found["error"].item()
    assert first == pytest.approx({})
