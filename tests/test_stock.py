import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import ages, rates, stock

counts_by_week = st.lists(st.integers(0, 40), min_size=3, max_size=40).filter(
    lambda counts: sum(counts[:1]) > 0
)
bases = pytest.mark.parametrize("base", [1, 2])


@pytest.fixture(scope="module")
def travis(in_travis):
    return in_travis("all")


def of_counts(counts):
    return np.arange(len(counts)), np.array(counts)


@given(counts_by_week)
def test_the_density_is_the_least_mean_of_the_largest_means(counts):
    # The classical formula of a decreasing fit: min over starts of max over ends of the mean.
    found = stock.decreasing_density(*of_counts(counts))
    kept = np.trim_zeros(counts, "b")
    slow = [
        min(
            max(np.mean(kept[first : last + 1]) for last in range(week, len(kept)))
            for first in range(week + 1)
        )
        for week in range(len(kept))
    ]
    assert found["density"].to_numpy()[: len(kept)] * sum(counts) == pytest.approx(slow)


@given(counts_by_week, st.sampled_from([1, 2]))
def test_the_cumulative_density_is_the_least_concave_line_above_the_counts(counts, base):
    found = stock.decreasing_density(*of_counts(counts), base)
    knots = [0, *range(base, len(counts) + 1)]
    height = np.append(0, np.cumsum(counts))[knots] / sum(counts)
    line = np.append(0, found["density"].cumsum())[knots]
    chords = np.full(len(knots), -np.inf)
    for left in range(len(knots)):
        for right in range(left + 1, len(knots)):
            x = np.array(knots[left : right + 1])
            share = (x - x[0]) / (x[-1] - x[0])
            chord = height[left] + share * (height[right] - height[left])
            chords[left : right + 1] = np.maximum(chords[left : right + 1], chord)
    assert line == pytest.approx(chords, abs=1e-9)


@given(counts_by_week, st.sampled_from([1, 2]))
def test_the_density_never_rises_and_adds_up_to_one(counts, base):
    found = stock.decreasing_density(*of_counts(counts), base)
    assert found["density"].diff().dropna().le(1e-12).all()
    assert found["density"].sum() == pytest.approx(1)
    assert found["surviving"][:base].tolist() == [1.0] * base
    assert found["detainers"].tolist() == counts


COMING = {1: 2, 10: 1}


def test_an_invented_jail_holds_its_inflow_times_its_stays():
    stays = stock.invented_stays(COMING, look=15.5, shown=22)
    present = stays[stays["present"]]
    assert present["stays"].value_counts().to_dict() == {10: 10, 1: 2}
    assert (present["comes"] <= 15.5).all()
    assert (present["leaves"] > 15.5).all()
    assert stays["leaves"].gt(0).all()
    later = stays[stays["comes"].between(3, 4, inclusive="left")]
    assert later["stays"].value_counts().to_dict() == {1: 2, 10: 1}


def test_ages_by_way_are_those_of_the_stays_of_an_invented_jail():
    weeks = np.arange(0, 11, 0.25)
    ways = stock.ages_by_way(COMING, weeks)
    assert ways.loc[0, "whole_stock"] == ways.loc[0, "at_release"] == 1
    assert ways["on_receipt"].eq(0).all()
    # Looked at many times, the times so far of those present.
    stays = stock.invented_stays(COMING, look=0, shown=60)
    looks = np.arange(20, 40, 0.01)
    comes, leaves = (stays[end].to_numpy()[:, np.newaxis] for end in ("comes", "leaves"))
    ages_so_far = (looks - comes)[(comes <= looks) & (leaves > looks)]
    slow = [(ages_so_far > week).mean() for week in weeks]
    assert ways["whole_stock"].to_numpy() == pytest.approx(slow, abs=0.01)
    full = np.repeat(list(COMING), list(COMING.values()))
    assert ways["at_release"].tolist() == [(full > week).mean() for week in weeks]


def test_counts_that_fall_are_their_own_density():
    found = stock.decreasing_density([0, 1, 2, 3], [8, 4, 3, 1])
    assert found["density"].tolist() == [0.5, 0.25, 0.1875, 0.0625]
    assert found["surviving"].tolist() == [1, 0.5, 0.375, 0.125]
    pooled = stock.decreasing_density([0, 1, 2, 3], [8, 4, 3, 1], base=2)
    assert pooled["surviving"].tolist() == [1, 1, 0.5, 1 / 6]


def test_stays_are_recovered_from_a_large_steady_stock():
    # People come evenly; who is present on one day has stayed so far, and not longer.
    draw = np.random.default_rng(6)
    came = draw.uniform(0, 400, size=2_000_000)
    stay = np.where(draw.random(len(came)) < 0.6, 3.0, draw.exponential(20, len(came)))
    weeks = np.floor(came[stay > came]).astype(int)
    found = stock.decreasing_density(weeks, np.ones(len(weeks)))["surviving"]

    def mean_share(week):
        short = 0.6 * np.clip(3 - week, 0, 1)
        return short + 0.4 * 20 * (np.exp(-week / 20) - np.exp(-(week + 1) / 20))

    for week in (1, 4, 10, 30):
        truth = mean_share(week) / mean_share(0)
        error = math.sqrt(truth * (1 + truth) / (5_000 * mean_share(0)))
        # A flat stretch pools some weeks, which helps; at a drop it may borrow a neighbour.
        assert found[week] == pytest.approx(truth, abs=5 * error)


@bases
def test_limits_are_those_of_the_exact_ratio_of_two_counts(travis, base):
    ends = stock.surviving_interval(*travis, base).set_index("weeks")
    tally = np.append(ages.by_week(*travis), [0] * 4)
    first = tally[:base].sum()
    for week in (base, 7, 20, 60, 120):
        start = max(week - 3, base)
        before, after = tally[start : week + 1].sum(), tally[week : week + 4].sum()
        high = rates.rate_ratio([first, before], [base, week + 1 - start]).high
        low = rates.rate_ratio([first, after], [base, 4]).low
        assert ends.loc[week, "high"] == pytest.approx(min(high, 1))
        assert ends.loc[week, "low"] == pytest.approx(low)


STAYS = {
    "exponential": lambda week: np.exp(-week / 12),
    "short and long": lambda week: 0.6 * np.exp(-week / 2) + 0.4 * np.exp(-week / 25),
    "all alike": lambda week: (week < 10) * 1.0,
}


def shares_of_a_steady_stock(surviving):
    fine = (np.arange(150 * 50) + 0.5) / 50
    weekly = surviving(fine).reshape(150, 50).sum(axis=1)
    return weekly / weekly.sum()


@bases
@pytest.mark.parametrize("stays", STAYS)
def test_intervals_hold_the_truth_in_at_least_95_of_100_stocks(stays, base):
    shares = shares_of_a_steady_stock(STAYS[stays])
    truth = shares / shares[:base].mean()
    middle = base + int((truth[base:] <= 0.5).argmax())
    draw, weeks = np.random.default_rng(14), np.arange(150)
    held = {"week": 0, "median": 0, "mean": 0}
    for _ in range(150):
        counts = draw.multinomial(230, shares)
        ends = stock.surviving_interval(weeks, counts, base).set_index("weeks").loc[8]
        held["week"] += ends["low"] <= truth[8] + 1e-12 and truth[8] <= ends["high"] + 1e-12
        _, low, high = stock.median_stay(weeks, counts, base)
        held["median"] += low <= middle <= high
        _, low, high = stock.mean_stay(weeks, counts, base)
        held["mean"] += low <= 1 / shares[:base].mean() <= high
    assert min(held.values()) / 150 >= 0.95 - 2 * math.sqrt(0.05 * 0.95 / 150)


def test_half_of_stays_reach_the_weeks_before_the_median():
    median, low, high = stock.median_stay([0, 1, 2, 3], [100, 80, 50, 10])
    assert median == 2
    assert low <= 2 <= high


def test_a_stock_in_which_most_stay_to_the_end_has_no_median():
    with pytest.raises(ValueError, match="their median is not seen"):
        stock.median_stay([0, 1, 2], [10, 9, 8])


def test_the_mean_stay_is_the_stock_over_the_inflow():
    assert stock.mean_stay([0, 1, 2], [20, 15, 5])[0] == 2
    mean, low, high = stock.mean_stay([0, 1, 2], [20, 15, 5], base=2)
    assert mean == pytest.approx(2 * 40 / 35)
    assert (2 / high, 2 / low) == pytest.approx(ages.share_interval(35, 40))


def test_share_held_weighs_the_weeks_by_bookings():
    surviving = pd.Series([1.0, 0.5, 0.25])
    months = pd.DataFrame({"month": [pd.Timestamp(2015, 2, 1)], "detainers": [9]})
    # The last day of February is in week 0, and two weeks of it are beyond all.
    found = stock.share_held(surviving, months, dt.date(2015, 2, 28))
    assert found == pytest.approx((1 + 0.5 + 0.25 + 0) / 4)
    later = pd.DataFrame(
        {"month": pd.to_datetime(["2015-02-01", "2014-11-01"]), "detainers": [1, 3]}
    )
    assert stock.share_held(surviving, later, dt.date(2015, 2, 28)) == pytest.approx(found / 4)


def test_travis_flow_holds_its_frozen_values(travis):
    found = stock.decreasing_density(*travis)
    assert found["surviving"][[1, 2, 10, 30]].tolist() == pytest.approx([0.75, 0.45, 0.35, 0.14])
    assert stock.median_stay(*travis) == (2, 1, 20)
    assert stock.median_stay(*travis, base=2) == (4, 2, 20)
    assert stock.mean_stay(*travis) == pytest.approx((11.5, 7.627637, 18.544183), rel=1e-6)


@bases
def test_no_block_reaches_into_the_base(base):
    counts = np.append(np.repeat(1_000, base), [100, 50, 20, 10])
    ends = stock.surviving_interval(np.arange(base + 4), counts, base).set_index("weeks")
    for blocks, before in enumerate((100, 150, 170)):
        high = rates.rate_ratio([1_000 * base, before], [base, blocks + 1]).high
        assert ends.loc[base + blocks, "high"] == pytest.approx(high)


def test_who_leaves_as_one_looks_is_gone_and_who_comes_then_is_there():
    stays = stock.invented_stays(COMING, look=15, shown=22)
    assert stays[stays["present"]]["stays"].value_counts().to_dict() == {10: 10, 1: 2}
    assert not stays[stays["leaves"].eq(15)]["present"].any()
