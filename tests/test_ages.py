import datetime as dt
import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from helpers import ages, datapackage, evidence

NEW_YEAR, COUNTED = dt.date(2017, 1, 1), dt.date(2017, 2, 1)

weekly_counts = st.dictionaries(st.integers(0, 150), st.integers(1, 40), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def stock(root):
    return datapackage.load("travis_stock_2017_02_01", root)


def before(weeks, counts, day):
    """Fewest and most booked before a day."""
    last = day - dt.timedelta(days=1)
    return ages.booked_between(weeks, counts, dt.date.min, last, COUNTED)


def test_groups_of_travis_add_up(in_travis):
    sizes = {group: in_travis(group)[1].sum() for group in ages.GROUPS}
    assert sizes == {
        "released_by_policy": 180,
        "still_declined": 149,
        "reinstated": 31,
        "accepted": 50,
        "all": 230,
    }


def test_an_unknown_group_is_refused_with_the_known_ones(stock):
    with pytest.raises(ValueError, match=r"'refused'.*still_declined"):
        ages.travis_group(stock, "refused")


def test_counts_by_week_stand_at_their_week_for_one_sample_and_for_many():
    assert ages.by_week([3, 0, 3], [2, 5, 1]).tolist() == [5, 0, 0, 3]
    assert ages.by_week([1, 0], [[2, 5], [0, 4]]).tolist() == [[5, 2], [4, 0]]


def test_a_negative_week_is_refused():
    with pytest.raises(ValueError, match="-1 completed weeks"):
        ages.by_week([0, -1], [1, 1])


def test_an_empty_sample_among_others_is_refused():
    with pytest.raises(ValueError, match="no detainers"):
        ages.by_week([0, 1], [[1, 2], [0, 0]])


def test_median_of_one_week_is_its_middle():
    assert ages.grouped_median([7], [11]) == 7.5


def test_median_splits_the_week_that_holds_it():
    # Four of ten lie before week 2, so one of its four is still needed for half.
    assert ages.grouped_median([0, 1, 2, 9], [3, 1, 4, 2]) == 2.25


@given(weekly_counts)
def test_median_is_that_of_the_standard_library(tally):
    spread = [week + 0.5 for week, count in tally.items() for _ in range(count)]
    found = ages.grouped_median(list(tally), list(tally.values()))
    assert found == pytest.approx(statistics.median_grouped(spread))


@given(weekly_counts, st.randoms(use_true_random=False))
def test_median_lies_in_the_data_and_ignores_order(tally, random):
    pairs = list(tally.items())
    found = ages.grouped_median(*zip(*pairs, strict=True))
    random.shuffle(pairs)
    assert ages.grouped_median(*zip(*pairs, strict=True)) == found
    assert min(tally) <= found <= max(tally) + 1


@given(weekly_counts, st.integers(1, 60))
def test_median_moves_with_the_weeks(tally, shift):
    counts = list(tally.values())
    later = ages.grouped_median([week + shift for week in tally], counts)
    assert later == pytest.approx(ages.grouped_median(list(tally), counts) + shift)


@given(weekly_counts, st.integers(0, 29), st.integers(1, 60))
def test_median_never_falls_when_a_detainer_is_older(tally, which, shift):
    times = sorted(week for week, count in tally.items() for _ in range(count))
    older = list(times)
    older[which % len(times)] += shift
    ones = [1] * len(times)
    assert ages.grouped_median(older, ones) >= ages.grouped_median(times, ones)


def test_counts_may_be_split_over_rows():
    assert ages.grouped_median([3, 1, 3], [2, 4, 5]) == ages.grouped_median([1, 3], [4, 7])


def test_nothing_has_no_median():
    with pytest.raises(ValueError, match="no detainers"):
        ages.grouped_median([], [])


def test_bootstrap_interval_agrees_with_drawing_detainers_one_by_one(in_travis):
    rows = in_travis("accepted")
    times = np.repeat(rows[0], rows[1])
    draw = np.random.default_rng(5)
    slow = []
    for _ in range(3_000):
        drawn = [float(time) + 0.5 for time in draw.choice(times, len(times))]
        slow.append(statistics.median_grouped(drawn))
    low, high = ages.median_interval(*rows, seed=1)
    assert (low, high) == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=1.0)


def test_bootstrap_interval_covers_a_known_median():
    truth = 20 * math.log(2)
    draw = np.random.default_rng(11)
    covered = 0
    for seed in range(200):
        held = np.floor(draw.exponential(20, size=180)).astype(int)
        low, high = ages.median_interval(held, np.ones(180), seed=seed, replications=400)
        covered += low <= truth <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_bootstrap_interval_depends_on_its_seed_alone(in_travis):
    rows = in_travis("released_by_policy")
    assert ages.median_interval(*rows, seed=3) == ages.median_interval(*rows, seed=3)
    assert ages.median_interval(*rows, seed=3) != ages.median_interval(*rows, seed=4)


def test_travis_medians_hold_their_frozen_values(in_travis):
    released, accepted = in_travis("released_by_policy"), in_travis("accepted")
    assert ages.grouped_median(*released) == pytest.approx(10.4)
    assert ages.grouped_median(*accepted) == pytest.approx(20.0)
    assert ages.median_interval(*released, seed=20170201) == pytest.approx((8.55556, 13.75), 1e-5)


def test_share_interval_is_the_published_one():
    # Clopper and Pearson's interval for 7 of 20 and for 0 of 10, from tables.
    assert ages.share_interval(7, 20) == pytest.approx((0.1539, 0.5922), abs=5e-5)
    assert ages.share_interval(0, 10) == pytest.approx((0, 0.3085), abs=5e-5)


def test_share_intervals_of_arrays_are_those_of_statsmodels():
    part, whole = np.arange(51), 50
    expected = proportion_confint(part, whole, alpha=0.05, method="beta")
    assert np.allclose(ages.share_interval(part, whole), expected, rtol=1e-12, atol=0)


@given(st.integers(1, 60), st.data())
def test_share_interval_ends_leave_its_tails(whole, data):
    part = data.draw(st.integers(0, whole))

    def chance(p, counts):
        return sum(math.comb(whole, k) * p**k * (1 - p) ** (whole - k) for k in counts)

    low, high = ages.share_interval(part, whole)
    assert low <= part / whole <= high
    if part > 0:
        assert chance(low, range(part, whole + 1)) == pytest.approx(0.025, rel=1e-6)
    if part < whole:
        assert chance(high, range(part + 1)) == pytest.approx(0.025, rel=1e-6)


def test_cumulative_share_counts_from_none_to_all():
    found = ages.cumulative([0, 2], [3, 1])
    assert found["weeks"].tolist() == [0, 1, 2, 3]
    assert found["share"].tolist() == [0, 0.75, 0.75, 1]
    assert found.loc[0, ["low", "high", "band_low", "band_high"]].tolist() == [0, 0, 0, 0]
    assert tuple(found.loc[1, ["low", "high"]]) == ages.share_interval(3, 4)


@settings(max_examples=20)
@given(weekly_counts)
def test_cumulative_share_never_falls_and_lies_in_its_interval(tally):
    found = ages.cumulative(list(tally), list(tally.values()))
    assert found["share"].is_monotonic_increasing
    assert found["low"].le(found["share"]).all()
    assert found["share"].le(found["high"]).all()
    assert found["detainers"].iloc[-1] == sum(tally.values())


@pytest.mark.parametrize("size", [31, 180])
def test_the_band_reaches_little_farther_than_the_exact_one_of_continuous_times(size):
    found = ages.cumulative([0, 9], [size // 2, size - size // 2]).iloc[1]
    assert found["band_low"] > 0
    assert found["band_high"] < 1
    exact = stats.kstwo.isf(0.05, size)
    for reach in (found["share"] - found["band_low"], found["band_high"] - found["share"]):
        assert exact < reach < 1.03 * exact


def test_the_band_holds_everywhere_in_at_least_95_of_100_samples():
    draw = np.random.default_rng(17)
    held = 0
    for _ in range(400):
        found = ages.cumulative(np.floor(draw.exponential(15, 60)), np.ones(60))
        truth = 1 - np.exp(-found["weeks"] / 15)
        held += (found["band_low"].le(truth) & found["band_high"].ge(truth))[:-1].all()
    assert held / 400 >= 0.95 - 2 * math.sqrt(0.05 * 0.95 / 400)


def test_a_curve_without_few_ends_where_eleven_are_left():
    curve = ages.cumulative([0, 1, 2, 9], [30, 20, 5, 6])
    assert ages.without_few(curve)["weeks"].tolist() == [0, 1, 2]
    assert ages.without_few(curve)["detainers"].iloc[-1] == 50


def test_a_share_is_reached_in_the_first_whole_week_that_holds_it():
    # Three quarters lie below week 1, all but the last twelve below week 3.
    assert ages.weeks_within([2, 0, 9], [3, 45, 12], 0.75) == 1
    assert ages.weeks_within([2, 0, 9], [3, 45, 12], 0.76) == 3


@given(weekly_counts, st.floats(0.01, 0.99))
def test_weeks_within_are_enough_and_one_less_is_not(tally, share):
    more = tally | {200: 10_000}
    found = ages.weeks_within(list(more), list(more.values()), share * sum(tally.values()) / 20_000)
    below = [sum(n for week, n in more.items() if week < end) for end in (found - 1, found)]
    assert below[0] < share * sum(tally.values()) / 20_000 * sum(more.values()) <= below[1]


def test_a_quantile_that_rests_on_few_persons_is_refused():
    with pytest.raises(ValueError, match="leaves 10 detainers beyond, fewer than 11"):
        ages.weeks_within([0, 5], [90, 10], 0.9)
    assert ages.weeks_within([0, 5], [90, 11], 0.5) == 1


def test_weeks_within_hold_their_frozen_value(in_travis):
    assert ages.weeks_within(*in_travis("released_by_policy"), 0.9) == 34


@pytest.mark.parametrize(
    ("week", "fewest", "most"),
    [(3, 0, 0), (4, 0, 1), (5, 1, 1)],  # 21 to 27 days, 28 to 34, 35 to 41; 32 are needed
)
def test_booking_before_new_year_follows_from_the_days_of_a_week(week, fewest, most):
    assert before([week], [1], NEW_YEAR) == (fewest, most)


def test_a_day_exactly_a_week_back_splits_between_weeks():
    day = COUNTED - dt.timedelta(days=7)
    assert before([0, 1, 2], [5, 7, 9], day) == (9, 16)
    assert before([0, 1, 2], [5, 7, 9], day + dt.timedelta(1)) == (16, 16)


@given(st.lists(st.integers(0, 800), min_size=1), st.integers(0, 800))
def test_booking_bounds_hold_the_true_count(days_held, days_back):
    day = COUNTED - dt.timedelta(days=days_back)
    held = [days // 7 for days in days_held]
    fewest, most = before(held, [1] * len(held), day)
    truth = sum(COUNTED - dt.timedelta(days=days) < day for days in days_held)
    assert fewest <= truth <= most


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("released_by_policy", "released_by_policy_booked_before_2017"),
        ("still_declined", "still_released_booked_before_2017"),
        ("reinstated", "reinstated_booked_before_2017"),
        ("accepted", "accepted_booked_before_2017"),
    ],
)
def test_published_counts_by_booking_date_fit_the_whole_weeks(in_travis, ledger, group, name):
    day = "2017-02-01/2017-02-01"
    counted = evidence.pick(ledger, name, "us-tx:travis_county", day)
    fewest, most = before(*in_travis(group), NEW_YEAR)
    assert fewest <= counted.value <= most


@given(st.lists(st.integers(0, 800), min_size=1), st.integers(0, 800), st.integers(0, 300))
def test_bookings_between_two_days_hold_the_true_count(days_held, days_back, length):
    last = COUNTED - dt.timedelta(days=days_back)
    first = last - dt.timedelta(days=length)
    held = [days // 7 for days in days_held]
    fewest, most = ages.booked_between(held, [1] * len(held), first, last, COUNTED)
    truth = sum(first <= COUNTED - dt.timedelta(days=days) <= last for days in days_held)
    assert fewest <= truth <= most


def test_a_window_of_one_whole_week_counts_that_week_alone():
    first, last = COUNTED - dt.timedelta(days=13), COUNTED - dt.timedelta(days=7)
    assert ages.booked_between([0, 1, 2], [5, 7, 9], first, last, COUNTED) == (7, 7)
    assert ages.booked_between([0, 1, 2], [5, 7, 9], first, first, COUNTED) == (0, 7)


def two_groups(in_travis):
    pairs = [in_travis(group) for group in ("released_by_policy", "accepted")]
    return tuple(zip(*pairs, strict=True))


def test_largest_gap_and_p_value_agree_with_permuting_detainers_one_by_one(in_travis):
    weeks, counts = two_groups(in_travis)
    times = [np.repeat(*group) for group in zip(weeks, counts, strict=True)]
    edge = np.arange(1, 130)

    def gap(one, other, axis):
        shares = [(x[..., np.newaxis] < edge).mean(axis=-2) for x in (one, other)]
        return np.abs(shares[0] - shares[1]).max(axis=-1)

    slow = stats.permutation_test(
        times,
        gap,
        vectorized=True,
        n_resamples=2_000,
        batch=500,
        alternative="greater",
        rng=np.random.default_rng(2),
    )
    found, p_value = ages.equality_test(weeks, counts, seed=1)
    assert found == pytest.approx(stats.ks_2samp(*times).statistic) == pytest.approx(slow.statistic)
    assert p_value == pytest.approx(slow.pvalue, abs=4 * math.sqrt(0.01 / 2_000))


def test_equal_groups_are_seldom_told_apart_and_different_ones_often():
    draw = np.random.default_rng(3)
    found = {1.0: 0, 3.0: 0}
    for factor in found:
        for seed in range(150):
            weeks = np.floor(draw.exponential(15, 90)), np.floor(draw.exponential(15 * factor, 40))
            sizes = np.ones(90), np.ones(40)
            found[factor] += ages.equality_test(weeks, sizes, seed, replications=199)[1] <= 0.05
    assert found[1.0] / 150 <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 150)
    assert found[3.0] / 150 > 0.9


def test_the_largest_possible_gap_is_as_rare_as_its_divisions():
    # Of the 20 ways to divide six detainers into halves, two set the three youngest apart.
    found, p_value = ages.equality_test(([0, 1, 2], [5, 6, 7]), ([1] * 3, [1] * 3), seed=4)
    assert found == 1
    assert p_value == pytest.approx(0.1, abs=4 * math.sqrt(0.1 * 0.9 / 10_000))


def test_ratio_of_medians_is_that_of_the_two_and_its_interval_covers(in_travis):
    weeks, counts = two_groups(in_travis)
    ratio, low, high = ages.median_ratio(weeks, counts, seed=20170201)
    medians = [ages.grouped_median(*group) for group in zip(weeks, counts, strict=True)]
    assert ratio == pytest.approx(medians[1] / medians[0])
    assert (ratio, low, high) == pytest.approx((1.923077, 1.256410, 2.840174), rel=1e-6)
    draw = np.random.default_rng(9)
    covered = 0
    for seed in range(200):
        drawn = np.floor(draw.exponential(15, 180)), np.floor(draw.exponential(30, 50))
        _, low, high = ages.median_ratio(drawn, (np.ones(180), np.ones(50)), seed, 400)
        covered += low <= 2 <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_the_equality_test_holds_its_frozen_values(in_travis):
    found, p_value = ages.equality_test(*two_groups(in_travis), seed=20170201)
    assert found == pytest.approx(11 / 45)
    assert p_value == pytest.approx(0.0096, abs=2e-4)
