import datetime as dt
import math
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.anova import anova_lm

from counted import EARLY, LATE, by_choice
from helpers import datapackage, evidence, growth, multiverse
from helpers.multiverse import CHOICES

OTHER = replace(
    EARLY, choice="other", value=200, low=200, high=200, quantity="other", entry="place"
)
AGAIN = replace(EARLY, choice="again", label="the same number, printed by somebody else")
PRINTED = replace(EARLY, choice="printed", value=120, low=115, high=125)


@pytest.fixture(scope="module")
def table(root):
    return datapackage.load("growth_counts", root)


@pytest.fixture(scope="module")
def both(table, ledger):
    return [growth.counts(table, ledger, role) for role in ("baseline", "endpoint")]


# Counts


def test_the_chosen_count_comes_first_and_replaces_the_one_of_its_name():
    chosen = OTHER.on(dt.date(2018, 1, 1))
    counts = multiverse.led_by(chosen, by_choice(EARLY, OTHER, PRINTED))
    assert list(counts) == ["other", "early", "printed"]
    assert counts["other"] is chosen


def test_readings_of_one_quantity_become_one_count_with_the_range_of_all():
    merged = multiverse.by_quantity(by_choice(PRINTED, EARLY, OTHER))
    assert list(merged) == ["jails, early", "other"]
    first = merged["jails, early"]
    assert (first.choice, first.value, first.low, first.high) == ("printed", 120, 90, 125)
    assert merged["other"] == OTHER


# Pairs


def test_a_number_printed_twice_of_one_quantity_makes_one_pair():
    pairs = multiverse.pairs(by_choice(AGAIN, EARLY, OTHER), by_choice(LATE))
    assert pairs["baseline"].tolist() == ["other", "again"]
    same_number = replace(OTHER, value=100)
    assert len(multiverse.pairs(by_choice(EARLY, same_number), by_choice(LATE))) == 2


def test_a_pair_has_the_growth_between_its_counts():
    (row,) = multiverse.pairs(by_choice(EARLY), by_choice(LATE)).itertuples()
    found = growth.growth(EARLY, LATE)
    assert (row.factor, row.factor_low, row.factor_high) == (4, 400 / 110, 400 / 90)
    rates = (row.annual_rate, row.annual_rate_low, row.annual_rate_high)
    assert growth.Range(*rates) == found.annual_rate
    assert row.like_for_like
    assert row.same_criterion


def test_pairs_of_the_study_are_in_order_and_none_is_alike_in_unit_and_criterion(both):
    pairs = multiverse.pairs(*both)
    assert pairs["factor"].is_monotonic_increasing
    assert not pairs.duplicated(["quantity", "factor"]).any()
    assert pairs["like_for_like"].any()
    assert not pairs["same_criterion"].any()


# Grid


def test_the_grid_is_balanced_and_agrees_with_the_growth_of_each_pair(both):
    crossed = multiverse.grid(*both)
    assert not crossed.duplicated(list(CHOICES)).any()
    assert len(crossed) == crossed[list(CHOICES)].nunique().prod()
    readings = [name for name in CHOICES if not name.endswith("count")]
    used = crossed[crossed[readings].eq(multiverse.AS_USED).all(axis=1)]
    baselines, endpoints = both
    assert len(used) == len(baselines) * len(endpoints)
    for row in used.itertuples():
        found = growth.growth(baselines[row.earlier_count], endpoints[row.later_count])
        assert row.factor == found.factor.value
        assert row.log_factor == pytest.approx(math.log(row.factor), abs=1e-12)
        assert row.annual_rate == pytest.approx(found.annual_rate.value, rel=1e-12)


def test_the_ends_of_the_grid_are_the_ends_of_the_ranges():
    crossed = multiverse.grid(by_choice(EARLY), by_choice(LATE))
    found = growth.growth(EARLY, LATE)
    for column, whole in (("factor", found.factor), ("annual_rate", found.annual_rate)):
        assert crossed[column].min() == pytest.approx(whole.low, rel=1e-12)
        assert crossed[column].max() == pytest.approx(whole.high, rel=1e-12)


def test_distinct_specifications_are_those_that_differ_in_a_number_or_a_day():
    crossed = multiverse.grid(by_choice(EARLY, AGAIN, PRINTED), by_choice(LATE))
    curve = multiverse.distinct(crossed)
    # 90, 100, 110 and 115, 120, 125 on three days each, to one exact number on one day.
    assert len(curve) == 6 * 3
    assert set(curve["earlier_count"]) == {"early", "printed"}
    assert curve["annual_rate"].is_monotonic_increasing
    assert set(curve["later_value"]) == set(curve["later_day"]) == {"as used"}


def test_a_number_that_one_choice_reads_as_used_stands_under_its_name():
    low = replace(EARLY, choice="low", value=90, low=90, high=90)
    curve = multiverse.distinct(multiverse.grid(by_choice(EARLY, low), by_choice(LATE)))
    ninety = curve[curve["earlier_places"].eq(90)]
    assert set(ninety["earlier_count"]) == {"low"}
    assert set(ninety["earlier_value"]) == {"as used"}


def test_a_day_of_the_users_own_is_in_the_curve():
    day = dt.date(2018, 3, 1)
    counts = multiverse.led_by(EARLY.on(day), by_choice(EARLY, PRINTED))
    curve = multiverse.distinct(multiverse.grid(counts, by_choice(LATE)))
    assert pd.Timestamp(day) in set(curve["earlier_date"])


@pytest.mark.parametrize("policy", evidence.POLICIES)
def test_the_source_policy_chooses_within_the_curve_and_does_not_change_it(
    policy, both, table, ledger
):
    other = replace(ledger, policy=policy)
    counts = [growth.counts(table, other, role) for role in ("baseline", "endpoint")]
    rates = [
        set(multiverse.distinct(multiverse.grid(*of))["annual_rate"].round(12))
        for of in (both, counts)
    ]
    assert rates[0] == rates[1]


def test_every_choice_of_baseline_endpoint_and_day_is_marked_once(both):
    baselines, endpoints = both
    days = [(None, None), (dt.date(2017, 6, 1), dt.date(2021, 3, 1))]
    for first, last, (day, later_day) in product(baselines, endpoints, days):
        chosen = baselines[first].on(day), endpoints[last].on(later_day)
        found = growth.growth(*chosen)
        counts = [multiverse.led_by(c, of) for c, of in zip(chosen, both, strict=True)]
        pairs = multiverse.pairs(*counts)
        marked = pairs[pairs["baseline"].eq(first) & pairs["endpoint"].eq(last)]
        assert marked["factor"].tolist() == [found.factor.value]
        curve = multiverse.distinct(multiverse.grid(*counts))
        readings = [name for name in CHOICES if not name.endswith("count")]
        used = curve[curve[readings].eq(multiverse.AS_USED).all(axis=1)]
        marked = used[used["earlier_count"].eq(first) & used["later_count"].eq(last)]
        assert marked["annual_rate"].tolist() == pytest.approx([found.annual_rate.value])


# Shares of variance


def crossed_frame(*levels, outcome):
    names = "abcde"[: len(levels)]
    frame = pd.DataFrame(product(*(range(n) for n in levels)), columns=list(names))
    return frame.assign(y=outcome(frame)), list(names)


def test_an_additive_outcome_has_shares_that_are_the_variances_of_its_parts():
    effects = {"a": np.array([0.0, 3.0]), "b": np.array([1.0, 2.0, 6.0]), "c": np.array([5.0, 5.0])}
    frame, names = crossed_frame(
        2, 3, 2, outcome=lambda f: sum(e[f[name]] for name, e in effects.items())
    )
    shares = multiverse.variance_shares(frame, "y", names).set_index("choice")
    variances = {name: effect.var() for name, effect in effects.items()}
    for name, variance in variances.items():
        expected = variance / sum(variances.values())
        assert shares.loc[name, "alone"] == pytest.approx(expected, abs=1e-12)
        assert shares.loc[name, "total"] == pytest.approx(expected, abs=1e-12)


def test_what_acts_together_only_has_no_share_alone_and_all_of_it_in_total():
    frame, names = crossed_frame(2, 2, 3, outcome=lambda f: (f["a"] - 0.5) * (f["b"] - 0.5))
    shares = multiverse.variance_shares(frame, "y", names)
    assert shares["alone"].tolist() == pytest.approx([0, 0, 0], abs=1e-12)
    assert shares["total"].tolist() == pytest.approx([1, 1, 0], abs=1e-12)


@given(st.integers(0, 1000))
def test_shares_alone_add_to_at_most_one_and_totals_to_at_least_one(seed):
    rng = np.random.default_rng(seed)
    frame, names = crossed_frame(3, 2, 4, outcome=lambda f: rng.normal(size=len(f)))
    shares = multiverse.variance_shares(frame, "y", names)
    assert shares["alone"].sum() <= 1 + 1e-9
    assert shares["total"].sum() >= 1 - 1e-9
    assert (shares["total"] >= shares["alone"] - 1e-9).all()


@pytest.mark.parametrize("outcome", ["log_factor", "annual_rate"])
def test_shares_agree_with_the_analysis_of_variance_of_statsmodels(outcome, both):
    choices = ["earlier_count", "earlier_value", "later_count"]
    crossed = multiverse.grid(*(multiverse.by_quantity(counts) for counts in both))
    fixed = ["earlier_day", "later_day", "later_value"]
    frame = crossed[crossed[fixed].eq(multiverse.AS_USED).all(axis=1)]
    shares = multiverse.variance_shares(frame, outcome, choices).set_index("choice")
    model = " * ".join(f"C({choice})" for choice in choices)
    # The saturated model leaves no degree of freedom for tests, which are not asked for.
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = anova_lm(smf.ols(f"{outcome} ~ {model}", frame).fit())["sum_sq"]
    whole = squares.sum()
    for choice in choices:
        term = f"C({choice})"
        with_it = squares[[name for name in squares.index if term in name.split(":")]].sum()
        assert shares.loc[choice, "alone"] == pytest.approx(squares[term] / whole, abs=1e-10)
        assert shares.loc[choice, "total"] == pytest.approx(with_it / whole, abs=1e-10)


def test_days_cannot_move_the_factor_and_the_earlier_count_moves_it_most(both):
    crossed = multiverse.grid(*(multiverse.by_quantity(counts) for counts in both))
    shares = multiverse.variance_shares(crossed, "log_factor").set_index("choice")
    assert shares.loc[["earlier_day", "later_day"], "total"].abs().max() < 1e-12
    assert shares["alone"].idxmax() == "earlier_count"
    # Frozen: nine earlier counts at three values, to 463 or 619 jails.
    assert shares.loc["earlier_count", "alone"] == pytest.approx(0.955865, abs=5e-7)
    between = (math.log(619 / 463) / 2) ** 2 / crossed["log_factor"].var(ddof=0)
    assert shares.loc["later_count", "alone"] == pytest.approx(between, rel=1e-9)


def test_a_grid_with_a_hole_or_a_repeat_is_refused():
    frame, names = crossed_frame(2, 3, outcome=lambda f: f["a"] + f["b"])
    for broken in (frame.iloc[1:], pd.concat([frame, frame.iloc[:1]])):
        with pytest.raises(ValueError, match="not every combination of a, b occurs once"):
            multiverse.variance_shares(broken, "y", names)


def test_an_outcome_that_does_not_vary_is_refused():
    frame, names = crossed_frame(2, 2, outcome=lambda f: 1.0)
    with pytest.raises(ValueError, match="y is the same in every specification"):
        multiverse.variance_shares(frame, "y", names)
