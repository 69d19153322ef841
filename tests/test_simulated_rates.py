import math

import numpy as np
import pytest

from helpers import simulated_rates, validation

DECLINED, ISSUED = [55, 45, 55], [3083, 2825, 2868]
SEED, NUMBER = 5, 300


@pytest.fixture(scope="module")
def value():
    """Measures by `ESTIMATOR.MEASURE`, of few data sets."""
    found = validation.study(simulated_rates.scenarios(DECLINED, ISSUED), NUMBER, SEED)
    return found.set_index(found["estimator"] + "." + found["measure"])["value"]


def within(share):
    return 3 * math.sqrt(share * (1 - share) / NUMBER)


@pytest.mark.parametrize("dispersion", [1, 2, 4])
def test_counts_have_the_mean_and_the_dispersion_asked_for(dispersion):
    rng, n = np.random.default_rng(1), 40_000
    drawn = simulated_rates.counts(rng, np.full((n, 2), [50.0, 20.0]), dispersion)
    assert drawn.mean(axis=0) == pytest.approx([50, 20], abs=4 * math.sqrt(50 * dispersion / n))
    # The variance of a sample variance is near 2 var^2 / n; a heavy tail adds a little.
    assert drawn.var(axis=0) / [50, 20] == pytest.approx(dispersion, rel=6 * math.sqrt(2 / n))


def test_the_exact_interval_covers_and_its_test_keeps_the_level(value):
    assert value["rate_ratio.coverage"] >= 0.95 - within(0.95)
    assert value["rate_ratio.false_positive_rate"] <= 0.05 + within(0.05)


def test_the_dispersed_interval_covers_where_its_dispersion_is_right(value):
    assert value["dispersed_rate_ratio.coverage"] == pytest.approx(0.95, abs=within(0.95))
    assert value["dispersed_rate_ratio.stress_dispersion_4"] < 0.9


def test_the_ratio_is_right_on_average(value):
    assert value["rate_ratio.bias"] == pytest.approx(
        0, abs=3 * math.sqrt((1 / 55 + 1 / 45) / NUMBER)
    )


def test_dispersion_costs_the_exact_interval_coverage_and_the_tests_their_level(value):
    of = "stress_dispersion_"
    assert value["rate_ratio.coverage"] > value[f"rate_ratio.{of}2"] > value[f"rate_ratio.{of}4"]
    for test in ("homogeneity", "exact_homogeneity"):
        alarms = (
            value[f"{test}.false_positive_rate"],
            value[f"{test}.{of}2"],
            value[f"{test}.{of}4"],
        )
        assert alarms[0] <= 0.05 + within(0.05)
        assert alarms[0] + 0.1 < alarms[1] < alarms[2] - 0.1


def test_the_exact_test_and_the_chi_square_nearly_agree_on_the_same_data(value):
    for measure in ("false_positive_rate", "power", "stress_dispersion_4"):
        two = [value[f"{test}.{measure}"] for test in ("homogeneity", "exact_homogeneity")]
        assert two[0] == pytest.approx(two[1], abs=0.05)


def test_allowing_for_dispersion_costs_power(value):
    exact, wide = (value[f"{name}.power"] for name in ("rate_ratio", "dispersed_rate_ratio"))
    assert exact > wide > 0.3


def test_frozen_values():
    names = {s.name: s for s in simulated_rates.scenarios(DECLINED, ISSUED)}
    found = validation.simulate(names["rates_seen_2"], 1, SEED)
    assert {asked: each["error"].item() for asked, each in found.items()} == pytest.approx(
        {
            "rate_ratio.stress_dispersion_2": 0.20067069546215124,
            "dispersed_rate_ratio.model": 0.2006706954621507,
        }
    )
