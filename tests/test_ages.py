import datetime as dt
import itertools
import math
import statistics

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import ages, datapackage, evidence, series
from helpers.parameters import Ages

SINCE, AS_OF = dt.date(2017, 12, 31), dt.date(2021, 9, 1)
NEW_YEAR, COUNTED = dt.date(2017, 1, 1), dt.date(2017, 2, 1)

weekly_counts = st.dictionaries(st.integers(0, 150), st.integers(1, 40), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def stock(root):
    return datapackage.load("travis_stock_2017_02_01", root)


@pytest.fixture(scope="module")
def issued(root):
    return series.weekly_issued(datapackage.load("weekly_detainers", root))


@pytest.fixture(scope="module")
def weeks(issued):
    return ages.lodged(issued, SINCE, AS_OF)


def in_travis(stock, group):
    rows = ages.travis_group(stock, group)
    return rows["weeks"], rows["detainers"]


def edges(parameter):
    """First and last day that the parameter allows."""
    limits = Ages.model_fields[parameter].metadata
    return [
        next(getattr(limit, end) for limit in limits if hasattr(limit, end)) for end in ("ge", "le")
    ]


def steady(number_of_weeks, detainers):
    starts = pd.date_range("2018-01-07", periods=number_of_weeks, freq="W-SUN")
    return pd.DataFrame({"week_start": starts, "detainers": float(detainers)})


def test_groups_of_travis_add_up(stock):
    sizes = {group: in_travis(stock, group)[1].sum() for group in ages.GROUPS}
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


def test_bootstrap_interval_agrees_with_drawing_detainers_one_by_one(stock):
    rows = in_travis(stock, "accepted")
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


def test_bootstrap_interval_depends_on_its_seed_alone(stock):
    rows = in_travis(stock, "released_by_policy")
    assert ages.median_interval(*rows, seed=3) == ages.median_interval(*rows, seed=3)
    assert ages.median_interval(*rows, seed=3) != ages.median_interval(*rows, seed=4)


def test_travis_medians_hold_their_frozen_values(stock):
    released, accepted = in_travis(stock, "released_by_policy"), in_travis(stock, "accepted")
    assert ages.grouped_median(*released) == pytest.approx(10.4)
    assert ages.grouped_median(*accepted) == pytest.approx(20.0)
    assert ages.median_interval(*released, seed=20170201) == pytest.approx((8.55556, 13.75), 1e-5)


def test_share_interval_is_the_published_one():
    # Clopper and Pearson's interval for 7 of 20 and for 0 of 10, from tables.
    assert ages.share_interval(7, 20) == pytest.approx((0.1539, 0.5922), abs=5e-5)
    assert ages.share_interval(0, 10) == pytest.approx((0, 0.3085), abs=5e-5)


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
    assert found.loc[0, ["low", "high"]].tolist() == [0, 0]
    assert tuple(found.loc[1, ["low", "high"]]) == ages.share_interval(3, 4)


@settings(max_examples=20)
@given(weekly_counts)
def test_cumulative_share_never_falls_and_lies_in_its_interval(tally):
    found = ages.cumulative(list(tally), list(tally.values()))
    assert found["share"].is_monotonic_increasing
    assert found["low"].le(found["share"]).all()
    assert found["share"].le(found["high"]).all()
    assert found["detainers"].iloc[-1] == sum(tally.values())


def test_a_share_is_reached_in_the_first_whole_week_that_holds_it():
    # Three of four below week 1, all below week 3.
    assert ages.weeks_within([2, 0], [1, 3], 0.75) == 1
    assert ages.weeks_within([2, 0], [1, 3], 0.76) == 3


@given(weekly_counts, st.floats(0.01, 1))
def test_weeks_within_are_enough_and_one_less_is_not(tally, share):
    found = ages.weeks_within(list(tally), list(tally.values()), share)
    below = [sum(n for week, n in tally.items() if week < end) for end in (found - 1, found)]
    assert below[0] < share * sum(tally.values()) <= below[1]


def test_weeks_within_hold_their_frozen_values(stock):
    assert ages.weeks_within(*in_travis(stock, "released_by_policy"), 0.95) == 45
    assert ages.weeks_within(*in_travis(stock, "accepted"), 0.95) == 82


@pytest.mark.parametrize(
    ("week", "fewest", "most"),
    [(3, 0, 0), (4, 0, 1), (5, 1, 1)],  # 21 to 27 days, 28 to 34, 35 to 41; 32 are needed
)
def test_booking_before_new_year_follows_from_the_days_of_a_week(week, fewest, most):
    assert ages.booked_before([week], [1], NEW_YEAR, COUNTED) == (fewest, most)


def test_a_day_exactly_a_week_back_splits_between_weeks():
    day = COUNTED - dt.timedelta(days=7)
    assert ages.booked_before([0, 1, 2], [5, 7, 9], day, COUNTED) == (9, 16)
    assert ages.booked_before([0, 1, 2], [5, 7, 9], day + dt.timedelta(1), COUNTED) == (16, 16)


@given(st.lists(st.integers(0, 800), min_size=1), st.integers(0, 800))
def test_booking_bounds_hold_the_true_count(days_held, days_back):
    day = COUNTED - dt.timedelta(days=days_back)
    held = [days // 7 for days in days_held]
    fewest, most = ages.booked_before(held, [1] * len(held), day, COUNTED)
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
def test_published_counts_by_booking_date_fit_the_whole_weeks(stock, ledger, group, name):
    day = "2017-02-01/2017-02-01"
    counted = evidence.pick(ledger, name, "us-tx:travis_county", day)
    fewest, most = ages.booked_before(*in_travis(stock, group), NEW_YEAR, COUNTED)
    assert fewest <= counted.value <= most


def test_weeks_lodged_run_from_the_first_to_the_last_day(weeks):
    assert weeks["week_start"].iloc[0] == pd.Timestamp(2017, 12, 31)
    assert weeks["week_start"].iloc[-1] == pd.Timestamp(2021, 8, 29)
    assert weeks["age_days"].iloc[-1] == 3
    assert weeks["week_start"].diff().dropna().dt.days.eq(7).all()


@pytest.mark.parametrize("lost", [0, 5, 191])
def test_a_missing_week_is_refused(issued, lost):
    first = issued.index[issued["week_start"].eq(pd.Timestamp(SINCE))][0]
    with pytest.raises(ValueError, match="no unbroken weeks"):
        ages.lodged(issued.drop(index=first + lost), SINCE, AS_OF)


def test_no_week_at_all_is_refused(issued):
    with pytest.raises(ValueError, match="no unbroken weeks"):
        ages.lodged(issued, AS_OF, SINCE)


def test_exponential_life_halves_at_its_median():
    assert ages.median_life(100) == pytest.approx(69.3147, abs=1e-4)
    assert ages.surviving([0, ages.median_life(100)], 100) == pytest.approx([1, 0.5])


@pytest.mark.parametrize("shape", [0.5, 0.8, 1, 1.6, 2])
def test_weibull_life_has_its_mean_and_median(shape):
    step = 0.05
    age = np.arange(0, 60_000, step) + step / 2
    assert ages.surviving(age, 300, shape).sum() * step == pytest.approx(300, rel=1e-3)
    assert ages.surviving([ages.median_life(300, shape)], 300, shape) == pytest.approx(0.5)


def test_steady_issuing_gives_the_law_of_little():
    weeks = ages.lodged(steady(600, 700), dt.date(2018, 1, 7), dt.date(2029, 6, 30))
    # 100 a day and a mean life of 200 days leave 20,000. Counted on a Saturday, a week's
    # detainers have the age of its middle if issued after 2.5 days.
    assert ages.mean_life(weeks, 20_000, day_in_week=2.5) == pytest.approx(200, rel=1e-3)


@pytest.mark.parametrize(("mean", "shape"), [(150, 1.0), (415, 1.0), (300, 0.6), (500, 2.0)])
def test_life_is_recovered_from_a_simulated_stock(mean, shape):
    draw = np.random.default_rng(2021)
    per_week = 40_000
    weekly = steady(190, per_week)
    as_of = dt.date(2021, 8, 22)
    weeks = ages.lodged(weekly, dt.date(2018, 1, 7), as_of)
    scale = mean / math.gamma(1 + 1 / shape)
    active = 0
    for age in weeks["age_days"]:
        day = draw.uniform(0, 7, size=per_week)
        life = scale * draw.weibull(shape, size=per_week)
        active += np.count_nonzero((day <= age) & (life > age - day))
        active += np.count_nonzero(day > age)  # the last week is counted whole
    found = ages.mean_life(weeks, active, shape, day_in_week=3.5)
    assert found == pytest.approx(mean, rel=0.01)


@pytest.mark.parametrize(("shape", "never"), [(1.0, 0.0), (0.5, 0.1), (2.0, 0.05)])
def test_life_agrees_with_a_plain_search(weeks, shape, never):
    def left(mean):
        total = 0.0
        for age, detainers in zip(weeks["age_days"], weeks["detainers"], strict=True):
            share = math.exp(-((age * math.gamma(1 + 1 / shape) / mean) ** shape))
            total += detainers * (never + (1 - never) * share)
        return total

    low, high = 1.0, 5_000.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if left(middle) < 96_689 else (low, middle)
    found = ages.mean_life(weeks, 96_689, shape, never_closed=never)
    assert found == pytest.approx(low, abs=1e-5)


def test_active_life_holds_its_frozen_values(weeks):
    assert weeks["detainers"].sum() == 464_592
    mean = ages.mean_life(weeks, 96_689)
    assert mean == pytest.approx(414.998134, abs=1e-5)
    assert ages.median_life(mean) == pytest.approx(287.654786, abs=1e-5)


@given(st.floats(2_000, 460_000), st.floats(2_000, 460_000))
def test_more_active_detainers_mean_longer_lives(one, other):
    weeks = ages.lodged(steady(190, 2_500), dt.date(2018, 1, 7), dt.date(2021, 8, 25))
    fewer, more = sorted([one, other])
    assert ages.mean_life(weeks, fewer + 1_000) <= ages.mean_life(weeks, more + 1_001)


def test_more_issued_or_never_closed_mean_shorter_lives(weeks):
    central = ages.mean_life(weeks, 96_689)
    assert ages.mean_life(weeks, 96_689, issued_factor=1.05) < central
    assert ages.mean_life(weeks, 96_689, never_closed=0.1) < central
    assert ages.mean_life(weeks, 96_689, day_in_week=3.5) < central


@pytest.mark.parametrize(("active", "never"), [(500_000, 0.0), (0, 0.0), (96_689, 0.3)])
def test_a_stock_that_no_life_leaves_is_refused_with_the_range(weeks, active, never):
    with pytest.raises(ValueError, match=r"cannot be reproduced: of 464,592 issued.*leave"):
        ages.mean_life(weeks, active, never_closed=never)


def test_sensitivity_runs_every_combination_with_the_central_one_first(issued, weeks):
    choices = {"as_of_shift": [0, -13, 6], "shape": [1, 0.5], "never_closed": [0, 0.1]}
    found = ages.life_sensitivity(issued, 96_689, SINCE, AS_OF, choices)
    assert len(found) == len(found[list(choices)].drop_duplicates()) == 12
    assert found["changed"].tolist().count(1) == 4
    assert found.loc[0, "changed"] == 0
    assert found.loc[0, "mean_days"] == ages.mean_life(weeks, 96_689)
    later = ages.lodged(issued, SINCE, dt.date(2021, 9, 7))
    row = found.query("as_of_shift == 6 and shape == 0.5 and never_closed == 0.1").iloc[0]
    assert row["mean_days"] == ages.mean_life(later, 96_689, 0.5, never_closed=0.1)
    assert row["median_days"] == ages.median_life(row["mean_days"], 0.5)


@pytest.mark.parametrize("shape", [0.5, 0.7, 2])
@pytest.mark.parametrize(
    ("since", "as_of"), list(itertools.product(*map(edges, ("since", "as_of"))))
)
def test_every_corner_of_the_parameters_can_be_solved(issued, ledger, root, since, as_of, shape):
    window = "lodged since 2018, active in 2021"
    active = evidence.pick(ledger, "active_detainers", window=window).value
    assumed = datapackage.load("assumptions", root).set_index("assumption")
    names = ("as_of_shift", "shape", "issued_factor", "day_in_week", "never_closed")
    choices = {n: assumed.loc[f"ages_{n}", ["value", "low", "high"]].unique() for n in names}
    choices["shape"] = [shape, *choices["shape"]]
    lives = ages.life_sensitivity(issued, active, since, as_of, choices)
    assert lives["mean_days"].between(30, 3_650).all()
