import datetime as dt
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import bounds

WEEK_1 = dt.date(2017, 1, 28), dt.date(2017, 2, 3)


def table(*parts):
    return pd.DataFrame(parts, columns=["fewest", "most", "lowest", "highest"])


@st.composite
def small_parts(draw):
    """Two or three parts of at most three records each, with values 0 to 4, and their whole."""
    rows = []
    for _ in range(draw(st.integers(2, 3))):
        fewest, most = sorted(draw(st.tuples(st.integers(0, 3), st.integers(0, 3))))
        lowest, highest = sorted(draw(st.tuples(st.integers(0, 4), st.integers(0, 4))))
        rows.append((fewest, most, lowest, highest))
    parts = table(*rows)
    whole = draw(st.integers(max(1, parts["fewest"].sum()), max(1, parts["most"].sum())))
    return parts, whole


def every_list(parts, whole):
    """Every list of values that the parts allow."""
    sizes = itertools.product(*(range(row.fewest, row.most + 1) for row in parts.itertuples()))
    for size in sizes:
        if sum(size) == whole:
            kinds = [
                itertools.combinations_with_replacement(range(row.lowest, row.highest + 1), n)
                for row, n in zip(parts.itertuples(), size, strict=True)
            ]
            yield from (list(itertools.chain(*values)) for values in itertools.product(*kinds))


@given(small_parts())
def test_bounds_are_the_least_and_the_most_over_every_list_that_the_parts_allow(case):
    parts, whole = case
    if not parts["most"].sum():
        return
    lists = np.array(list(every_list(parts, whole)))
    shares = (lists[:, :, np.newaxis] <= np.arange(6)).mean(axis=1)
    found = bounds.distribution_bounds(parts, whole, np.arange(6))
    assert found["low"].to_numpy() == pytest.approx(shares.min(axis=0))
    assert found["high"].to_numpy() == pytest.approx(shares.max(axis=0))


@given(small_parts())
def test_bounds_never_fall_and_never_cross(case):
    parts, whole = case
    if not parts["most"].sum():
        return
    found = bounds.distribution_bounds(parts, whole, np.arange(-1, 7))
    assert found["low"].is_monotonic_increasing
    assert found["high"].is_monotonic_increasing
    assert found["low"].le(found["high"]).all()
    assert found["high"].iloc[0] == 0
    assert found["low"].iloc[-1] == 1


def test_exact_values_leave_nothing_open():
    found = bounds.distribution_bounds(table((2, 2, 1, 1), (3, 3, 4, 4)), 5, [0, 1, 3.9, 4])
    assert found["low"].tolist() == found["high"].tolist() == [0, 0.4, 0.4, 1]


def test_records_of_which_nothing_is_known_leave_everything_open():
    found = bounds.distribution_bounds(table((9, 9, 0, math.inf)), 9, [0, 10_000])
    assert found["low"].tolist() == [0, 0]
    assert found["high"].tolist() == [1, 1]


def test_rounding_of_a_share_widens_the_bounds_by_what_it_allows():
    # Of ten, seven or eight are older than a month; the whole is known.
    parts = table((7, 8, 30, 900), (2, 3, 0, 29))
    found = bounds.distribution_bounds(parts, 10, [29])
    assert found.loc[0, ["low", "high"]].tolist() == [0.2, 0.3]


@pytest.mark.parametrize(
    ("parts", "whole", "said"),
    [
        (table((2, 3, 0, 1)), 4, "parts of 2 to 3 records cannot make 4"),
        (table((2, 3, 0, 1)), 1, "cannot make 1"),
        (table((3, 2, 0, 1)), 3, "fewest above its most"),
        (table((2, 3, 5, 1)), 3, "lowest above its highest"),
    ],
)
def test_impossible_parts_are_refused(parts, whole, said):
    with pytest.raises(ValueError, match=said):
        bounds.distribution_bounds(parts, whole, [0])


def test_ages_follow_from_days_of_issue_and_of_the_week():
    old = bounds.issued_part(5, 6, dt.date(2010, 10, 1), dt.date(2016, 12, 31), WEEK_1)
    assert (old["fewest"], old["most"]) == (5, 6)
    # Issued on the last day and declined on the first: 28 days; the other way round: most.
    assert (old["lowest"], old["highest"]) == (28, 2317)
    new = bounds.issued_part(2, 2, dt.date(2017, 1, 1), dt.date(2017, 2, 3), WEEK_1)
    assert (new["lowest"], new["highest"]) == (0, 33)


@given(st.integers(0, 3_000), st.integers(0, 3_000), st.integers(0, 6), st.data())
def test_every_age_that_can_be_lies_within_the_ages_of_the_part(one, other, day, data):
    near, far = sorted([one, other])
    last, first = (WEEK_1[0] - dt.timedelta(days=days) for days in (near, far))
    issued = first + dt.timedelta(days=data.draw(st.integers(0, far - near)))
    part = bounds.issued_part(1, 1, first, last, WEEK_1)
    age = (WEEK_1[0] + dt.timedelta(days=day) - issued).days
    assert part["lowest"] <= age <= part["highest"]
    assert part["first"] <= issued.toordinal() <= part["last"]


def test_an_unknown_first_day_leaves_the_oldest_age_open():
    part = bounds.issued_part(1, 1, None, dt.date(2017, 1, 19), WEEK_1)
    assert (part["highest"], part["first"]) == (math.inf, -math.inf)


def test_shares_by_day_of_issue_are_bounded_by_other_columns():
    parts = pd.DataFrame(
        [
            bounds.issued_part(3, 4, dt.date(2010, 10, 1), dt.date(2016, 12, 31), WEEK_1),
            bounds.issued_part(6, 7, dt.date(2017, 1, 1), dt.date(2017, 2, 3), WEEK_1),
        ]
    )
    until = [dt.date(2014, 12, 31).toordinal(), dt.date(2016, 12, 31).toordinal()]
    found = bounds.distribution_bounds(parts, 10, until, ends=("first", "last"))
    assert found["low"].tolist() == [0, 0.3]
    assert found["high"].tolist() == [0.4, 0.4]
