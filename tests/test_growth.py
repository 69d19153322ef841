import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counted import EARLY, LATE
from helpers import datapackage, evidence, growth


@pytest.fixture(scope="module")
def table(root):
    return datapackage.load("growth_counts", root)


def test_a_fourfold_rise_in_four_years_doubles_every_two():
    found = growth.growth(EARLY, LATE)
    assert found.factor.value == 4
    assert found.annual_rate.value == pytest.approx(math.sqrt(2) - 1, rel=1e-3)
    assert found.doubling_years.value == pytest.approx(2, rel=1e-3)


def test_compounding_the_rate_over_the_years_gives_the_factor_back():
    found = growth.growth(EARLY, LATE)
    years = (LATE.date - EARLY.date).days / 365.25
    compounded = (1 + found.annual_rate.value) ** years
    assert compounded == pytest.approx(found.factor.value, rel=1e-12)


def test_ranges_hold_every_value_inside_the_ranges_of_counts_and_dates():
    found = growth.growth(EARLY, LATE)
    for value in (90, 97, 110):
        for date in (EARLY.date_low, EARLY.date, EARLY.date_high):
            inside = growth.growth(replace(EARLY.on(date), value=value), LATE)
            for whole, part in zip(
                (found.factor, found.annual_rate, found.doubling_years),
                (inside.factor, inside.annual_rate, inside.doubling_years),
                strict=True,
            ):
                assert whole.low - 1e-12 <= part.value <= whole.high + 1e-12


def test_a_falling_count_has_no_doubling_time_and_a_negative_rate():
    found = growth.growth(
        replace(EARLY, value=500, low=500, high=500), replace(LATE, value=400, low=400, high=400)
    )
    assert found.annual_rate.value < 0
    assert found.doubling_years == growth.Range(None, None, None)


def test_a_count_that_may_not_have_grown_has_no_longest_doubling_time():
    found = growth.growth(replace(EARLY, high=500), LATE)
    assert found.doubling_years.value == pytest.approx(2, rel=1e-3)
    assert found.doubling_years.high is None


def test_a_date_given_exactly_has_no_uncertainty():
    day = dt.date(2017, 2, 3)
    dated = EARLY.on(day)
    assert (dated.date_low, dated.date, dated.date_high) == (day, day, day)
    assert EARLY.on(None) is EARLY


def test_growth_into_the_past_is_refused():
    with pytest.raises(ValueError, match="is not before"):
        growth.growth(LATE, EARLY)


def test_growth_from_nothing_is_refused():
    with pytest.raises(ValueError, match="positive"):
        growth.growth(replace(EARLY, value=0, low=0), LATE)


@given(st.floats(1, 1e6), st.floats(1, 1e6), st.integers(200, 20_000))
def test_the_point_lies_in_its_range(earlier, later, days):
    first = replace(EARLY, value=earlier, low=earlier * 0.9, high=earlier * 1.1)
    last = LATE.on(first.date_high + dt.timedelta(days))
    found = growth.growth(first, replace(last, value=later, low=later, high=later))
    for measure in (found.factor, found.annual_rate):
        slack = 1e-9 * abs(measure.value) + 1e-12
        assert measure.low - slack <= measure.value <= measure.high + slack


def test_the_headline_is_463_over_118(ledger, table):
    first = growth.counts(table, ledger, "baseline")["listed_week_1"]
    last = growth.counts(table, ledger, "endpoint")["refusing"]
    found = growth.growth(first, last)
    assert found.factor == growth.Range(463 / 118, 463 / 118, 463 / 117)
    # Frozen: 463 jails on 2021-09-01 over 118 places on 2017-02-03.
    assert found.annual_rate.value == pytest.approx(0.348254, abs=5e-7)
    assert found.doubling_years.value == pytest.approx(2.319689, abs=5e-7)


def test_rows_of_one_choice_add_up(ledger, table):
    both = growth.counts(table, ledger, "endpoint")["refusing_or_limited"]
    assert both.value == 463 + 156
    assert len(both.inputs) == 2


def test_a_rounded_baseline_carries_its_rounding(ledger, table):
    about = growth.counts(table, ledger, "baseline")["about_120"]
    assert (about.low, about.value, about.high) == (115, 120, 125)


@pytest.mark.parametrize("policy", evidence.POLICIES)
def test_counts_exist_under_every_source_policy(policy, table):
    ledger = evidence.load(policy)
    for role in ("baseline", "endpoint"):
        for count in growth.counts(table, ledger, role).values():
            assert 0 < count.low <= count.value <= count.high
            assert count.date_low <= count.date <= count.date_high


def test_a_changed_fact_changes_the_factor(ledger, table):
    facts = ledger.facts.copy()
    facts.loc[facts["fact_id"].eq("A028"), "value"] = 200.0
    changed = replace(ledger, facts=facts)
    first = growth.counts(table, changed, "baseline")["listed_week_1"]
    last = growth.counts(table, changed, "endpoint")["refusing"]
    assert growth.growth(first, last).factor.value == 463 / 200


# What moves the growth of one pair


def test_one_at_a_time_the_ranges_lie_within_that_of_all_together():
    parts = growth.one_at_a_time(EARLY, LATE.on(dt.date(2021, 1, 1)))
    whole = parts.pop("all together")
    assert whole == growth.growth(EARLY, LATE)
    for part in parts.values():
        assert part.annual_rate.value == whole.annual_rate.value
        assert whole.annual_rate.low <= part.annual_rate.low
        assert part.annual_rate.high <= whole.annual_rate.high


def test_one_at_a_time_only_what_is_named_varies():
    last = replace(LATE, date_low=dt.date(2020, 7, 1), date_high=dt.date(2021, 7, 1))
    parts = growth.one_at_a_time(EARLY, last)
    values = parts["published values and rounding"]
    assert (values.factor.low, values.factor.high) == (400 / 110, 400 / 90)
    first, later = parts["day of the earlier count"], parts["day of the later count"]
    assert first.factor == later.factor == growth.Range(4, 4, 4)
    # From 2016-07-01 to 2021-01-01 and from 2017-01-01 to 2021-07-01 are both 1,642 or 1,645 days.
    assert first.annual_rate.low == pytest.approx(4 ** (365.25 / 1645) - 1, rel=1e-12)
    assert later.annual_rate.low == pytest.approx(4 ** (365.25 / 1642) - 1, rel=1e-12)


def test_even_draws_lie_in_the_ranges_and_have_the_mean_of_uniform_ones():
    draws = 100_000
    factors, rates = growth.even_draws(EARLY, LATE, 1, draws)
    found = growth.growth(EARLY, LATE)
    assert found.factor.low <= factors.min() <= factors.max() <= found.factor.high
    assert found.annual_rate.low <= rates.min() <= rates.max() <= found.annual_rate.high
    # 1/factor is uniform on 90/400 to 110/400; four standard errors of its mean.
    inverse = 1 / factors
    spread = (110 - 90) / 400 / math.sqrt(12 * draws)
    assert inverse.mean() == pytest.approx(0.25, abs=4 * spread)


def test_even_draws_of_exact_counts_are_the_growth_itself():
    exact = replace(EARLY.on(EARLY.date), low=100, high=100)
    factors, rates = growth.even_draws(exact, LATE, 1, 10)
    assert np.allclose(factors, 4, rtol=1e-12)
    assert np.allclose(rates, growth.growth(exact, LATE).annual_rate.value, rtol=1e-12)


def test_even_draws_are_the_same_under_one_seed_and_differ_under_another():
    first, again, other = (growth.even_draws(EARLY, LATE, seed, 5)[1] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).all()


def test_counts_that_may_be_of_one_day_are_refused():
    touching = EARLY.on(dt.date(2017, 2, 3)), LATE.on(dt.date(2017, 2, 3))
    with pytest.raises(ValueError, match="is not before"):
        growth.growth(*touching)
