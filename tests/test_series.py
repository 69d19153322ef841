import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import datapackage, series


@pytest.fixture(scope="module")
def weekly(root):
    return datapackage.load("weekly_detainers", root)


@pytest.fixture(scope="module")
def travis(root):
    return datapackage.load("travis_monthly_2006_2016", root)


def weeks(*rows):
    """Weeks from (start, detainers, overlap)."""
    frame = pd.DataFrame(rows, columns=["week_start", "detainers", "overlap"])
    frame["week_start"] = pd.to_datetime(frame["week_start"])
    return frame.astype({"detainers": "Int64"})


HAND_MADE = weeks(
    ("2017-01-15", 400, "full"),
    ("2017-01-01", 100, "none"),
    ("2017-01-08", 250, "partial"),
    ("2017-01-22", 401, "full"),
)


def test_overlapping_weeks_are_halved_and_partial_weeks_dropped_in_order_of_time():
    issued = series.weekly_issued(HAND_MADE)
    assert issued["week_start"].dt.day.tolist() == [1, 15, 22]
    assert issued["detainers"].tolist() == [100, 200, 200.5]
    assert issued["halved"].tolist() == [False, True, True]
    assert issued.index.tolist() == [0, 1, 2]


@pytest.mark.parametrize("factor", [1.9, 2.05])
def test_another_factor_divides_the_overlapping_weeks_alone(factor):
    issued = series.weekly_issued(HAND_MADE, factor)
    assert issued["detainers"].tolist() == [100, 400 / factor, 401 / factor]


@pytest.mark.parametrize("factor", [0, -1])
def test_a_factor_that_is_not_positive_is_refused(factor):
    with pytest.raises(ValueError, match=f"overlap_factor = {factor}: a positive number"):
        series.weekly_issued(HAND_MADE, factor)


@given(st.floats(0.1, 10))
def test_the_total_is_that_of_the_rows_over_how_often_they_count(factor):
    total = series.weekly_issued(HAND_MADE, factor)["detainers"].sum()
    assert total == pytest.approx(100 + 801 / factor)


def test_the_table_given_is_left_as_it_was(weekly):
    before = weekly.copy()
    series.weekly_issued(weekly)
    pd.testing.assert_frame_equal(weekly, before)


def test_the_real_weeks_are_whole_sundays_without_the_partial_ones(weekly):
    issued = series.weekly_issued(weekly)
    assert len(issued) == 942 - 8
    assert issued["halved"].sum() == 471
    assert issued["week_start"].is_monotonic_increasing
    assert issued["week_start"].is_unique
    assert issued["week_start"].dt.day_name().eq("Sunday").all()
    assert issued["detainers"].dtype == "float64"


def test_halved_weeks_agree_with_what_ice_reported_in_three_weeks_of_2017(weekly):
    # Sundays to Saturdays against ICE's Saturdays to Fridays: sums may be held together, not weeks.
    issued = series.weekly_issued(weekly).set_index("week_start")["detainers"]
    counted = issued["2017-01-29":"2017-02-12"]
    assert len(counted) == 3
    assert counted.sum() == pytest.approx(3083 + 2825 + 2868, rel=0.02)


def test_months_without_a_booking_are_zero_and_partial_months_dropped():
    months = series.travis_months(
        pd.DataFrame(
            {
                "month": ["2006-09", "2006-11", "2007-02", "2007-03"],
                "detainers": pd.array([3, 1, 4, 9], dtype="Int64"),
                "complete": ["yes", "yes", "yes", "no"],
            }
        )
    )
    assert months["month"].dt.strftime("%Y-%m").tolist() == [
        "2006-09", "2006-10", "2006-11", "2006-12", "2007-01", "2007-02",
    ]  # fmt: skip
    assert months["detainers"].tolist() == [3, 0, 1, 0, 0, 4]


def test_the_real_months_have_every_booking_once(travis):
    months = series.travis_months(travis)
    assert months["month"].iloc[[0, -1]].dt.strftime("%Y-%m").tolist() == ["2006-09", "2016-09"]
    assert len(months) == 121
    whole = travis["complete"].eq("yes")
    assert (~whole).sum() == 1
    assert months["detainers"].sum() == travis.loc[whole, "detainers"].sum()
    assert months["detainers"].eq(0).sum() == 121 - whole.sum() > 0


def test_adoptions_add_up_month_by_month():
    table = series.adoptions(pd.DataFrame({"date_enacted": ["2014-05", "2011-09", "2014-05"]}))
    assert table["month"].tolist() == [pd.Timestamp(2011, 9, 1), pd.Timestamp(2014, 5, 1)]
    assert table["adopted"].tolist() == [1, 2]
    assert table["cumulative"].tolist() == [1, 3]


def test_the_real_adoptions_end_at_all_policies(root):
    table = series.adoptions(datapackage.load("policies_2008_2015", root))
    assert table["cumulative"].iloc[-1] == table["adopted"].sum() == 166
    assert table["month"].is_monotonic_increasing
    assert table["cumulative"].is_monotonic_increasing


def test_adoptions_agree_with_the_published_running_totals(root, ledger):
    table = series.adoptions(datapackage.load("policies_2008_2015", root))
    facts = ledger.facts[ledger.facts["series"].eq("jurisdictions_with_detainer_limit_cumulative")]
    published = facts.set_index(facts["period_end"].dt.to_period("M"))["value"]
    ours = table.set_index(table["month"].dt.to_period("M"))["cumulative"]
    assert len(published) > 15
    assert ours.loc[published.index].tolist() == published.tolist()


def test_periods_run_to_the_next_one_and_partial_weeks_leave_a_gap(travis):
    weeks = series.weekly_periods(series.weekly_issued(HAND_MADE))
    assert ((weeks["end"] - weeks["start"]).dt.days == 7).all()
    assert weeks["count"].tolist() == [100, 200, 200.5]
    months = series.monthly_periods(series.travis_months(travis))
    assert months["end"].iloc[:-1].tolist() == months["start"].iloc[1:].tolist()
    assert months["count"].dtype == "float64"
