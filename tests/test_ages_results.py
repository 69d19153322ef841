import datetime as dt

import numpy as np
import pandas as pd
import pytest

from helpers import (
    ages,
    bounds,
    censored,
    coverage,
    datapackage,
    evidence,
    lifetimes,
    series,
    stock,
)
from helpers import ages_results as of_ages
from helpers import stock_results as of_stock
from helpers.evidence import Fact
from helpers.results import Results

WEEK_1 = dt.date(2017, 1, 28), dt.date(2017, 2, 3)


@pytest.fixture
def results():
    return Results("02_detainer_age")


@pytest.fixture(scope="module")
def rows(root):
    held = datapackage.load("travis_stock_2017_02_01", root)
    return {group: ages.travis_group(held, group) for group in ages.GROUPS}


def booked(value):
    return Fact("T009", value, value, value, "detainers", f"{value:g}")


def test_a_share_counted_by_date_is_over_the_sheets_and_may_rest_on_two_figures(results, rows):
    of_ages.put_group(results, "all", rows["all"], [booked(131.0), booked(41.0)], seed=1)
    assert results.value("ages.all.n") == 230
    assert results.value("ages.all.share_booked_before_2017") == 172 / 230
    assert results.value("ages.all.booked_before_2017_possible") == [169, 177]
    low, high = results.get("ages.all.median_weeks")["interval"]
    assert low < results.value("ages.all.median_weeks") < high


def test_the_weeks_of_nine_in_ten_are_those_of_the_180(results, rows):
    of_ages.put_nine_in_ten(results, rows["released_by_policy"])
    assert results.value("ages.travis.weeks_90_percent") == 34


def test_each_family_is_put_with_how_often_its_interval_holds(results, rows):
    for group in ("released_by_policy", "reinstated"):
        weeks, counts = rows[group]["weeks"], rows[group]["detainers"]
        table = censored.compare(weeks, counts, seed=1, replications=50)
        of_ages.put_fits(results, group, table, seed=1)
        for found in table.itertuples():
            name = of_ages.family_name(group, found.family)
            assert results.value(f"{name}.median_weeks") == found.median
            assert results.value(f"{name}.aic_difference") == found.behind
            said = results.get(f"{name}.median_weeks")["caveat"].splitlines()
            assert said[-1] == coverage.caveat("fitted_median")
    assert results.value("ages.travis.log_normal.shape") > 0
    assert results.value("ages.travis.best_distribution").startswith("exponential; within 2")
    assert "ages.travis.exponential.shape" not in results._own


def test_the_comparison_is_that_of_accepted_over_released(results, rows):
    of_ages.put_comparison(results, rows["released_by_policy"], rows["accepted"], seed=20170201)
    found = results.get("ages.travis.against_accepted.median_ratio")
    assert found["value"] == pytest.approx(20 / 10.4)
    assert found["interval"][0] > 1
    assert "policy divided" in results.get("ages.travis.against_accepted.p_value")["caveat"]


def test_flow_is_put_on_both_bases_and_with_the_caveat_of_steadiness(results, rows):
    of_stock.put_flow(results, rows["all"])
    assert results.value("ages.flow.inflow_per_week") == pytest.approx(20)
    assert results.value("ages.flow_two_weeks.inflow_per_week") == pytest.approx(17.5)
    for name in ("flow.median_weeks", "flow.mean_weeks", "flow_two_weeks.median_weeks"):
        assert "steady inflow" in results.get(f"ages.{name}")["caveat"]
    assert results.value("ages.flow.full_stay_of_present_weeks") == pytest.approx(
        2 * results.value("ages.flow.stock_mean_weeks")
    )


def test_a_cohort_is_what_is_left_of_its_bookings(results, rows, root):
    months = series.travis_months(datapackage.load("travis_monthly_2006_2016", root))
    first, last = dt.date(2016, 4, 1), dt.date(2016, 9, 30)
    of_stock.put_cohort(results, "ages.cohort", rows["all"], months, first, last)
    bookings = 15 + 23 + 31 + 43 + 61 + 55
    assert results.value("ages.cohort.bookings_per_week") == pytest.approx(7 * bookings / 183)
    assert results.value("ages.cohort.share_still_held") == [60 / bookings, 68 / bookings]
    # The same, day by day: each month's bookings evenly over its days.
    for base, steady in zip((1, 2), results.value("ages.cohort.share_if_steady"), strict=True):
        surviving = stock.decreasing_density(*rows["all"].to_numpy().T, base)["surviving"]
        held = 0.0
        for month in months[months["month"].between("2016-04", "2016-09")].itertuples():
            for day in range(month.month.days_in_month):
                back = (ages.COUNTED - month.month.date()).days - day
                held += month.detainers / month.month.days_in_month * surviving[back // 7]
        assert steady == pytest.approx(held / bookings)


def test_shares_that_may_have_been_issued_are_put_by_their_last_day(results):
    parts = pd.DataFrame(
        [
            bounds.issued_part(7, 8, dt.date(2010, 10, 1), dt.date(2016, 12, 31), WEEK_1),
            bounds.issued_part(2, 3, dt.date(2017, 1, 1), WEEK_1[1], WEEK_1),
        ]
    )
    until = {"before_2017": dt.date(2016, 12, 31), "before_2015": dt.date(2014, 12, 31)}
    of_ages.put_possible(results, parts, 10, until, ["fact:A094"])
    assert results.value("ages.week_1.share_issued_before_2017_possible") == [0.7, 0.8]
    assert results.value("ages.week_1.share_issued_before_2015_possible") == [0, 0.8]


def test_the_life_is_the_central_one_and_its_range_that_of_all(results, ledger, root):
    issued = series.weekly_issued(datapackage.load("weekly_detainers", root))
    since, as_of = dt.date(2017, 12, 31), dt.date(2021, 9, 1)
    choices = {"since": [since], "as_of": [as_of], "shape": [1.0, 0.5], "never_closed": [0, 0.1]}
    active = evidence.pick(
        ledger, "active_detainers", window="lodged since 2018, active in 2021"
    ).value
    lives = lifetimes.life_sensitivity(issued, active, choices)
    weeks = lifetimes.lodged(issued, since, as_of)
    of_ages.put_lives(results, lives, weeks, "An exponential active life", ["fact:D001"])
    mean = results.get("ages.active.mean_days")
    assert mean["value"] == pytest.approx(414.998134, abs=1e-5)
    assert mean["interval"] == [lives["mean_days"].min(), lives["mean_days"].max()]
    assert mean["level"] is None
    assert results.value("ages.active.half_life_days") == pytest.approx(mean["value"] * np.log(2))
    beyond = np.exp(-weeks["age_days"].max() / mean["value"])
    assert results.value("ages.active.mean_beyond_data") == pytest.approx(beyond)
    assert results.value("ages.active.sensitivity_combinations") == 4
