import datetime as dt
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import datapackage, evidence, lifetimes, series
from helpers.parameters import Ages

SINCE, AS_OF = dt.date(2017, 12, 31), dt.date(2021, 9, 1)


@pytest.fixture(scope="module")
def issued(root):
    return series.weekly_issued(datapackage.load("weekly_detainers", root))


@pytest.fixture(scope="module")
def weeks(issued):
    return lifetimes.lodged(issued, SINCE, AS_OF)


def edges(parameter):
    """First and last day that the parameter allows."""
    limits = Ages.model_fields[parameter].metadata
    return [
        next(getattr(limit, end) for limit in limits if hasattr(limit, end)) for end in ("ge", "le")
    ]


def steady(number_of_weeks, detainers):
    starts = pd.date_range("2018-01-07", periods=number_of_weeks, freq="W-SUN")
    return pd.DataFrame({"week_start": starts, "detainers": float(detainers)})


def test_weeks_lodged_run_from_the_first_to_the_last_day(weeks):
    assert weeks["week_start"].iloc[0] == pd.Timestamp(2017, 12, 31)
    assert weeks["week_start"].iloc[-1] == pd.Timestamp(2021, 8, 29)
    assert weeks["age_days"].iloc[-1] == 3
    assert weeks["week_start"].diff().dropna().dt.days.eq(7).all()


@pytest.mark.parametrize("lost", [0, 5, 191])
def test_a_missing_week_is_refused(issued, lost):
    first = issued.index[issued["week_start"].eq(pd.Timestamp(SINCE))][0]
    with pytest.raises(ValueError, match="no unbroken weeks"):
        lifetimes.lodged(issued.drop(index=first + lost), SINCE, AS_OF)


def test_no_week_at_all_is_refused(issued):
    with pytest.raises(ValueError, match="no unbroken weeks"):
        lifetimes.lodged(issued, AS_OF, SINCE)


def test_exponential_life_halves_at_its_median():
    assert lifetimes.median_life(100) == pytest.approx(69.3147, abs=1e-4)
    assert lifetimes.surviving([0, lifetimes.median_life(100)], 100) == pytest.approx([1, 0.5])


@pytest.mark.parametrize("shape", [0.5, 0.8, 1, 1.6, 2])
def test_weibull_life_has_its_mean_and_median(shape):
    step = 0.05
    age = np.arange(0, 60_000, step) + step / 2
    assert lifetimes.surviving(age, 300, shape).sum() * step == pytest.approx(300, rel=1e-3)
    assert lifetimes.surviving([lifetimes.median_life(300, shape)], 300, shape) == pytest.approx(
        0.5
    )


def test_steady_issuing_gives_the_law_of_little():
    weeks = lifetimes.lodged(steady(600, 700), dt.date(2018, 1, 7), dt.date(2029, 6, 30))
    # 100 a day and a mean life of 200 days leave 20,000. Counted on a Saturday, a week's
    # detainers have the age of its middle if issued after 2.5 days.
    assert lifetimes.mean_life(weeks, 20_000, day_in_week=2.5) == pytest.approx(200, rel=1e-3)


@pytest.mark.parametrize(("mean", "shape"), [(150, 1.0), (415, 1.0), (300, 0.6), (500, 2.0)])
def test_life_is_recovered_from_a_simulated_stock(mean, shape):
    draw = np.random.default_rng(2021)
    per_week = 40_000
    weekly = steady(190, per_week)
    as_of = dt.date(2021, 8, 22)
    weeks = lifetimes.lodged(weekly, dt.date(2018, 1, 7), as_of)
    scale = mean / math.gamma(1 + 1 / shape)
    active = 0
    for age in weeks["age_days"]:
        day = draw.uniform(0, 7, size=per_week)
        life = scale * draw.weibull(shape, size=per_week)
        active += np.count_nonzero((day <= age) & (life > age - day))
        active += np.count_nonzero(day > age)  # the last week is counted whole
    found = lifetimes.mean_life(weeks, active, shape, day_in_week=3.5)
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
    found = lifetimes.mean_life(weeks, 96_689, shape, never_closed=never)
    assert found == pytest.approx(low, abs=1e-5)


def test_active_life_holds_its_frozen_values(weeks):
    assert weeks["detainers"].sum() == 464_592
    mean = lifetimes.mean_life(weeks, 96_689)
    assert mean == pytest.approx(414.998134, abs=1e-5)
    assert lifetimes.median_life(mean) == pytest.approx(287.654786, abs=1e-5)


@given(st.floats(2_000, 460_000), st.floats(2_000, 460_000))
def test_more_active_detainers_mean_longer_lives(one, other):
    weeks = lifetimes.lodged(steady(190, 2_500), dt.date(2018, 1, 7), dt.date(2021, 8, 25))
    fewer, more = sorted([one, other])
    assert lifetimes.mean_life(weeks, fewer + 1_000) <= lifetimes.mean_life(weeks, more + 1_001)


def test_more_issued_or_never_closed_mean_shorter_lives(weeks):
    central = lifetimes.mean_life(weeks, 96_689)
    assert lifetimes.mean_life(weeks, 96_689, issued_factor=1.05) < central
    assert lifetimes.mean_life(weeks, 96_689, never_closed=0.1) < central
    assert lifetimes.mean_life(weeks, 96_689, day_in_week=3.5) < central


@pytest.mark.parametrize(("active", "never"), [(500_000, 0.0), (0, 0.0), (96_689, 0.3)])
def test_a_stock_that_no_life_leaves_is_refused_with_the_range(weeks, active, never):
    with pytest.raises(ValueError, match=r"cannot be reproduced: of 464,592 issued.*leave"):
        lifetimes.mean_life(weeks, active, never_closed=never)


def test_the_share_of_the_mean_beyond_an_age_is_the_area_left_of_survival():
    step = 0.05
    age = np.arange(0, 60_000, step) + step / 2
    for shape in (0.5, 1.0, 2.0):
        left = lifetimes.surviving(age, 300, shape)[age > 700].sum() * step / 300
        assert lifetimes.share_beyond(700, 300, shape) == pytest.approx(left, rel=1e-3, abs=1e-6)
    assert lifetimes.share_beyond(0, 300, 0.7) == 1
    assert lifetimes.share_beyond(300, 300) == pytest.approx(math.exp(-1))


def test_sensitivity_runs_every_combination_with_the_central_one_first(issued, weeks):
    later = dt.date(2021, 9, 7)
    choices = {
        "shape": [1, 0.5],
        "never_closed": [0, 0.1],
        "as_of": [AS_OF, dt.date(2021, 8, 19), later],
        "since": [SINCE],
    }
    found = lifetimes.life_sensitivity(issued, 96_689, choices)
    assert len(found) == len(found[list(choices)].drop_duplicates()) == 12
    assert found["changed"].tolist().count(1) == 4
    assert found.loc[0, "changed"] == 0
    assert found.loc[0, "mean_days"] == lifetimes.mean_life(weeks, 96_689)
    row = found.query("as_of == @later and shape == 0.5 and never_closed == 0.1").iloc[0]
    of_later = lifetimes.lodged(issued, SINCE, later)
    assert row["mean_days"] == lifetimes.mean_life(of_later, 96_689, 0.5, never_closed=0.1)
    assert row["median_days"] == lifetimes.median_life(row["mean_days"], 0.5)


@pytest.mark.parametrize("shape", [0.5, 0.7, 2])
@pytest.mark.parametrize(
    ("since", "as_of"), list(itertools.product(*map(edges, ("since", "as_of"))))
)
def test_every_corner_of_the_parameters_can_be_solved(issued, ledger, root, since, as_of, shape):
    window = "lodged since 2018, active in 2021"
    active = evidence.pick(ledger, "active_detainers", window=window).value
    assumed = datapackage.load("assumptions", root).set_index("assumption")
    names = ("since_shift", "as_of_shift", "shape", "issued_factor", "day_in_week", "never_closed")
    choices = {n: assumed.loc[f"ages_{n}", ["value", "low", "high"]].unique() for n in names}
    choices["shape"] = [shape, *choices["shape"]]
    for name, day in (("since", since), ("as_of", as_of)):
        shifts = choices.pop(f"{name}_shift")
        choices[name] = [day + dt.timedelta(days=days) for days in shifts]
    lives = lifetimes.life_sensitivity(issued, active, choices)
    assert lives["mean_days"].between(30, 3_650).all()
