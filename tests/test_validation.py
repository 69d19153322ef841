import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers import validation
from helpers.rates import RateRatio
from helpers.validation import Replication, Scenario

SEED = 3


def mean_of_normals(rng):
    """The t interval of the mean of ten normal values: covers in exactly 95% of all cases."""
    drawn = rng.normal(5, 2, 10)
    low, high = stats.t.interval(0.95, 9, drawn.mean(), stats.sem(drawn))
    return Replication(
        drawn.mean() - 5, low <= 5 <= high, stats.ttest_1samp(drawn, 5).pvalue < 0.05
    )


def scenario(*asked, replicate=mean_of_normals, name="ten", share=1.0):
    def draw(rng):
        found = replicate(rng)
        return dict.fromkeys(asked or ["mean.model"], found)

    return Scenario(name, "ten normal values", draw, share)


def outcomes(number, replicate=mean_of_normals, seed=SEED, **kwargs):
    return validation.simulate(scenario(replicate=replicate, **kwargs), number, seed)["mean.model"]


def measured(setting, found):
    return validation.summarise(f"mean.{setting}", found).set_index("measure")


def test_an_estimator_with_known_coverage_bias_and_false_positives_is_found_to_have_them():
    found = outcomes(1_500)
    model, null = measured("model", found), measured("null", found)
    error = math.sqrt(0.95 * 0.05 / 1_500)
    assert model.loc["coverage", "value"] == pytest.approx(0.95, abs=4 * error)
    assert null.loc["false_positive_rate", "value"] == pytest.approx(0.05, abs=4 * error)
    assert model.loc["bias", "value"] == pytest.approx(0, abs=4 * 2 / math.sqrt(10 * 1_500))
    assert model.loc["bias", "standard_error"] == pytest.approx(2 / math.sqrt(15_000), rel=0.08)


def test_more_data_sets_leave_the_first_ones_as_they_were():
    few, many = outcomes(5), outcomes(12)
    assert many.head(5).equals(few)
    assert many["error"].is_unique


def test_seed_and_name_each_give_other_data():
    found = [outcomes(1), outcomes(1, seed=4), outcomes(1, name="other")]
    assert len({each["error"].item() for each in found}) == 3


def test_estimators_of_one_scenario_see_the_same_data():
    found = validation.simulate(scenario("mean.model", "other.null"), 9, SEED)
    assert found["mean.model"].equals(found["other.null"])


def test_the_order_of_scenarios_changes_no_outcome():
    both = [scenario(), scenario("mean.null", name="other")]
    ahead, back = (validation.study(each, 20, SEED) for each in (both, both[::-1]))
    by = ["setting", "measure"]
    assert ahead.sort_values(by, ignore_index=True).equals(back.sort_values(by, ignore_index=True))


def test_a_table_has_the_rows_of_an_estimator_together_in_the_order_of_scenarios():
    first = scenario("b.model", "a.null")
    found = validation.study([first, scenario("b.power", name="other")], 3, SEED)
    assert [f"{row.estimator}.{row.measure}" for row in found.itertuples()] == [
        "b.coverage",
        "b.bias",
        "b.power",
        "a.false_positive_rate",
    ]
    assert set(found["words"]) == {"ten normal values"}


def test_a_scenario_is_drawn_as_often_as_its_share_says():
    both = [scenario("quick.null"), scenario("slow.null", share=0.3)]
    found = validation.study(both, 7, SEED)
    assert found.set_index("estimator")["replications"].to_dict() == {"quick": 7, "slow": 2}


@given(st.integers(0, 60), st.integers(1, 60))
def test_the_interval_of_a_share_is_scipy_s_wilson_interval(count, more):
    n = count + more
    drawn = iter([True] * count + [False] * more)
    found = outcomes(n, lambda rng: Replication(covered=next(drawn)))
    row = measured("model", found).loc["coverage"]
    expected = stats.binomtest(count, n).proportion_ci(0.95, method="wilson")
    assert row["value"] == count / n
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_error_of_a_mean_is_that_of_scipy():
    found = outcomes(50)
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
        ("bounds", {"covered": True}, {"coverage": 1}),
        ("range", {"covered": True}, {"coverage": None}),
        ("stress_pairs", {"error": 0.0}, {"stress_pairs": None}),
        (
            "stress_pairs",
            {"error": 0.0, "covered": True, "rejected": True},
            {"stress_pairs": None, "stress_pairs_bias": None},
        ),
    ],
)
def test_the_setting_names_what_is_measured_and_its_target(setting, given, measures):
    nominal = measured(setting, outcomes(3, lambda rng: Replication(**given)))["nominal"]
    assert {name: None if math.isnan(at) else at for name, at in nominal.items()} == measures


@pytest.mark.parametrize(
    ("given", "of"),
    [
        ({"error": 1.0, "covered": False, "rejected": True}, "covered"),
        ({"error": 1.0, "rejected": True}, "rejected"),
        ({"error": 1.0}, "error"),
    ],
)
def test_a_stress_test_is_named_for_coverage_else_rejection_else_error(given, of):
    found = outcomes(3, lambda rng: Replication(**given))
    assert measured("stress_x", found).at["stress_x", "of"] == of


@pytest.mark.parametrize("setting", ["modle", "null", "stress_x"])
def test_a_setting_without_an_outcome_is_refused(setting):
    with pytest.raises(ValueError, match=rf"mean\.{setting}: the setting is unknown"):
        measured(setting, outcomes(3, lambda rng: Replication()))


def test_an_outcome_that_is_missing_now_and_then_is_no_measure():
    drawn = iter([True, None])
    found = outcomes(2, lambda rng: Replication(covered=next(drawn)))
    with pytest.raises(ValueError, match="no outcome"):
        measured("model", found)


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


@pytest.mark.parametrize(
    ("low", "high", "p_value", "covered", "rejected"),
    [(0.5, 1.5, 0.3, True, False), (1.1, 3.0, 0.01, True, True), (2.0, 3.0, 0.01, False, True)],
)
def test_a_ratio_is_judged_by_its_interval_and_its_p_value(low, high, p_value, covered, rejected):
    found = validation.judge(RateRatio(1.2, low, high, p_value), 1.5)
    assert found == Replication(math.log(1.2 / 1.5), covered, rejected)


def test_an_estimator_asked_twice_estimates_once():
    calls = []

    def estimate(name):
        calls.append(name)
        return RateRatio(1.0, 0.5, 2.0, 0.9)

    found = validation.judge_each(["a.model", "a.null", "b.null"], estimate, 1.0)
    assert calls == ["a", "b"]
    assert list(found) == ["a.model", "a.null", "b.null"]
    assert set(found.values()) == {Replication(0.0, True, False)}
