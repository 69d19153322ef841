import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers import validation
from helpers.validation import Replication, Scenario

SEED = 3


def mean_of_normals(rng):
    """The t interval of the mean of ten normal values: covers in exactly 95% of all cases."""
    drawn = rng.normal(5, 2, 10)
    low, high = stats.t.interval(0.95, 9, drawn.mean(), stats.sem(drawn))
    return Replication(
        drawn.mean() - 5, low <= 5 <= high, stats.ttest_1samp(drawn, 5).pvalue < 0.05
    )


def scenario(setting="model", replicate=mean_of_normals, estimator="mean"):
    return Scenario(estimator, setting, "ten normal values", replicate)


def outcomes(number, **columns):
    """Outcomes of which the named ones are given."""
    fixed = scenario(replicate=lambda rng: Replication(**columns))
    return validation.simulate(fixed, number, SEED)


def measured(setting, found):
    table = validation.summarise(scenario(setting), found)
    return table.set_index("measure")


def test_an_estimator_with_known_coverage_bias_and_false_positives_is_found_to_have_them():
    found = validation.simulate(scenario(), 1_500, SEED)
    model, null = measured("model", found), measured("null", found)
    error = math.sqrt(0.95 * 0.05 / 1_500)
    assert model.loc["coverage", "value"] == pytest.approx(0.95, abs=4 * error)
    assert null.loc["false_positive_rate", "value"] == pytest.approx(0.05, abs=4 * error)
    assert model.loc["bias", "value"] == pytest.approx(0, abs=4 * 2 / math.sqrt(10 * 1_500))
    assert model.loc["bias", "standard_error"] == pytest.approx(2 / math.sqrt(15_000), rel=0.08)


def test_more_data_sets_leave_the_first_ones_as_they_were():
    few, many = (validation.simulate(scenario(), number, SEED) for number in (5, 12))
    assert many.head(5).equals(few)
    assert many["error"].is_unique


def test_seed_estimator_and_setting_each_give_other_data():
    def first(seed=SEED, **kwargs):
        return validation.simulate(scenario(**kwargs), 1, seed)["error"].item()

    assert len({first(), first(seed=4), first(setting="null"), first(estimator="other")}) == 4


def test_the_order_of_scenarios_changes_no_outcome():
    both = [scenario(), scenario("null")]
    ahead, back = (validation.study(each, 20, 10, SEED) for each in (both, both[::-1]))
    by = ["setting", "measure"]
    assert ahead.sort_values(by, ignore_index=True).equals(back.sort_values(by, ignore_index=True))


def test_a_costly_scenario_gets_its_own_number_of_data_sets():
    costly = Scenario("slow", "null", "", mean_of_normals, costly=True)
    found = validation.study([scenario(), costly], 7, 2, SEED)
    assert found.groupby("estimator")["replications"].unique().to_dict() == {
        "mean": [7],
        "slow": [2],
    }


@given(st.integers(0, 60), st.integers(1, 60))
def test_the_interval_of_a_share_is_scipy_s_wilson_interval(count, more):
    n = count + more
    drawn = iter([True] * count + [False] * more)
    found = validation.simulate(
        scenario(replicate=lambda rng: Replication(covered=next(drawn))), n, SEED
    )
    row = measured("model", found).loc["coverage"]
    expected = stats.binomtest(count, n).proportion_ci(0.95, method="wilson")
    assert row["value"] == count / n
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_error_of_a_mean_is_that_of_scipy():
    found = validation.simulate(scenario(), 50, SEED)
    row = measured("model", found).loc["bias"]
    assert row["value"] == pytest.approx(np.mean(found["error"]))
    assert row["standard_error"] == pytest.approx(stats.sem(found["error"]))
    expected = stats.norm.interval(0.95, row["value"], row["standard_error"])
    assert (row["low"], row["high"]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("setting", "given", "measures"),
    [
        ("model", {"error": 0.0, "covered": True}, {"coverage": 0.95, "bias": 0}),
        ("model_small", {"covered": True, "rejected": True}, {"coverage_small": 0.95}),
        ("null", {"covered": True, "rejected": False}, {"false_positive_rate": 0.05}),
        ("power_half", {"error": 0.0, "rejected": True}, {"power_half": None}),
        ("stress_pairs", {"error": 0.0, "covered": True, "rejected": True}, {"stress_pairs": None}),
    ],
)
def test_the_setting_names_what_is_measured_and_its_target(setting, given, measures):
    nominal = measured(setting, outcomes(3, **given))["nominal"]
    assert {name: None if math.isnan(at) else at for name, at in nominal.items()} == measures


@pytest.mark.parametrize(
    ("given", "of"),
    [
        ({"error": 1.0, "covered": False, "rejected": True}, "covered"),
        ({"error": 1.0, "rejected": True}, "rejected"),
        ({"error": 1.0}, "error"),
    ],
)
def test_a_stress_test_shows_coverage_else_rejection_else_error(given, of):
    assert measured("stress_x", outcomes(3, **given))["of"].to_list() == [of]


@pytest.mark.parametrize("setting", ["modle", "null", "stress_x"])
def test_a_setting_without_an_outcome_is_refused(setting):
    with pytest.raises(ValueError, match=f"'{setting}' of mean"):
        validation.summarise(scenario(setting), outcomes(3))


def test_an_outcome_that_is_missing_now_and_then_is_no_measure():
    drawn = iter([True, None])
    found = validation.simulate(
        scenario(replicate=lambda rng: Replication(covered=next(drawn))), 2, SEED
    )
    with pytest.raises(ValueError, match="no outcome"):
        validation.summarise(scenario(), found)


@pytest.mark.parametrize(
    ("low", "high", "reading"),
    [(0.94, 0.96, "as nominal"), (0.951, 0.96, "above"), (0.9, 0.949, "below")],
)
def test_a_measure_is_as_nominal_where_its_interval_holds_the_nominal_value(low, high, reading):
    assert validation.against_nominal({"low": low, "high": high, "nominal": 0.95}) == reading


@pytest.mark.parametrize(
    ("ours", "theirs", "digits"),
    [
        (1.0, 1.0, 9),
        (0, 0, 9),
        (1.0, 1.0 + 1e-13, 9),
        (1.0, 1.0005, 3),
        (-2.0, 2.0, 0),
        (1.0, 9.0, 0),
    ],
)
def test_agreement_is_counted_in_significant_digits(ours, theirs, digits):
    assert validation.agreeing_digits(ours, theirs) == digits
    assert validation.agreeing_digits(theirs, ours) == digits


@given(st.floats(1e-9, 1e9), st.integers(1, 8), st.floats(1e-6, 1e6))
def test_agreement_does_not_depend_on_the_unit(value, digits, unit):
    other = value * (1 + 0.5 * 10.0**-digits)
    assert validation.agreeing_digits(value, other) == digits
    assert validation.agreeing_digits(value * unit, other * unit) == digits


def test_an_error_on_the_log_scale_is_near_the_relative_one():
    assert validation.log_error(10.1, 10) == pytest.approx(0.01, abs=1e-4)
    assert validation.log_error(7, 7) == 0
