import math

import numpy as np
import pytest

from helpers import simulated_rates, validation

DECLINED, ISSUED, SEED = [55, 45, 55], [3083, 2825, 2868], 5
SCENARIOS = {(s.estimator, s.setting): s for s in simulated_rates.scenarios(DECLINED, ISSUED)}


def value(estimator, setting, measure=None, number=300):
    scenario = SCENARIOS[estimator, setting]
    found = validation.summarise(scenario, validation.simulate(scenario, number, SEED))
    return found.set_index("measure").loc[measure or setting, "value"]


def within(share, number=300):
    return 3 * math.sqrt(share * (1 - share) / number)


@pytest.mark.parametrize("dispersion", [1, 2, 4])
def test_counts_have_the_mean_and_the_dispersion_asked_for(dispersion):
    rng, n = np.random.default_rng(1), 40_000
    drawn = simulated_rates.counts(rng, np.full((n, 2), [50.0, 20.0]), dispersion)
    assert drawn.mean(axis=0) == pytest.approx([50, 20], abs=4 * math.sqrt(50 * dispersion / n))
    # The variance of a sample variance is near 2 var^2 / n; a heavy tail adds a little.
    assert drawn.var(axis=0) / [50, 20] == pytest.approx(dispersion, rel=6 * math.sqrt(2 / n))


def test_the_exact_interval_covers_and_its_test_keeps_the_level():
    assert value("rate_ratio", "model", "coverage") >= 0.95 - within(0.95)
    assert value("rate_ratio", "null", "false_positive_rate") <= 0.05 + within(0.05)


def test_the_dispersed_interval_covers_where_its_dispersion_is_right():
    coverage = value("dispersed_rate_ratio", "model", "coverage")
    assert coverage == pytest.approx(0.95, abs=within(0.95))


def test_stress_grows_with_the_dispersion():
    model, two, four = (
        value("rate_ratio", setting, measure)
        for setting, measure in (
            ("model", "coverage"),
            ("stress_dispersion_2", None),
            ("stress_dispersion_4", None),
        )
    )
    assert model > two > four
    for test in ("homogeneity", "exact_homogeneity"):
        number = 40 if test == "exact_homogeneity" else 300
        right = value(test, "null", "false_positive_rate", number)
        assert value(test, "stress_dispersion_4", number=number) > right + 0.2


def test_a_difference_of_half_is_found_more_often_than_a_false_one():
    for (estimator, setting), scenario in SCENARIOS.items():
        if setting == "power" and not scenario.costly:
            alarms = value(estimator, "null", "false_positive_rate")
            assert value(estimator, "power", "power") > alarms + 0.3


def test_without_a_difference_the_truth_is_a_ratio_of_one():
    found = validation.simulate(SCENARIOS["rate_ratio", "null"], 300, SEED)
    assert found["error"].mean() == pytest.approx(0, abs=3 * math.sqrt((1 / 54 + 1 / 50) / 300))


def test_frozen_values():
    first = [
        validation.simulate(SCENARIOS[key], 1, SEED)["error"].item()
        for key in (("rate_ratio", "model"), ("dispersed_rate_ratio", "stress_dispersion_4"))
    ]
    assert first == pytest.approx([-0.19522496162986241, -0.058190938454137885])
