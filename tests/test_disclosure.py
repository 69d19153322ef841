import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import disclosed
from helpers import disclosure


def frame(rows, parts=1):
    """Rows of parts and their total."""
    names = [f"part_{number}" for number in range(parts)]
    return pd.DataFrame(rows, columns=[*names, "n"]).assign(name=range(len(rows))), names


@st.composite
def tables(draw, parts):
    cell = st.one_of(st.just(0), st.integers(0, 2), st.integers(0, 8 - 2 * parts))
    row = st.lists(cell, min_size=parts + 1, max_size=parts + 1)
    return [(*row[:-1], sum(row)) for row in draw(st.lists(row, min_size=1, max_size=4))]


@pytest.mark.parametrize("parts", [0, 1, 2])
@given(data=st.data(), minimum=st.integers(1, 6))
def test_no_small_count_is_determined_by_what_is_published(parts, data, minimum):
    rows = data.draw(tables(parts))
    table, names = frame(rows, parts)
    published = disclosure.protect(table, "n", names, minimum)
    if published.empty:
        return
    disclosed.check(published, table, "n", names, minimum)


def test_what_is_possible_is_found_by_brute_force():
    published = pd.DataFrame({"a": [None, None, 2], "n": [4, None, 2]}, dtype="Int64")
    assert list(disclosed.possible(published, ["a"], [5, 9])) == [
        [(1, 4), (2, 4)],
        [(1, 3), (2, 3)],
        [(2, 2)],
    ]


def test_a_small_count_takes_a_second_one_with_it():
    table = pd.DataFrame({"month": list("abcd"), "n": [500, 40, 7, 30]})
    published = disclosure.protect(table, "n")
    assert published["n"].tolist() == [500, 40, pd.NA, pd.NA]
    assert published["month"].tolist() == list("abcd")


def test_two_small_counts_that_add_up_to_a_small_one_take_a_third():
    table = pd.DataFrame({"n": [500, 3, 4, 30]})
    assert disclosure.protect(table, "n")["n"].isna().tolist() == [False, True, True, True]
    assert disclosure.protect(pd.DataFrame({"n": [500, 6, 7, 30]}), "n")["n"].isna().sum() == 2


def test_a_part_is_hidden_in_a_second_row_and_the_counts_stay():
    table = pd.DataFrame({"n": [500, 400, 300], "declined": [100, 5, 20]})
    published = disclosure.protect(table, "n", ["declined"])
    assert published["n"].tolist() == [500, 400, 300]
    assert published["declined"].tolist() == [100, pd.NA, pd.NA]


def test_what_parts_leave_is_protected_too():
    table = pd.DataFrame({"n": [500, 50, 300], "declined": [100, 47, 20]})
    assert disclosure.protect(table, "n", ["declined"])["declined"].isna().sum() == 2


def test_zeros_and_large_counts_are_shown():
    table = pd.DataFrame({"n": [11, 0, 40], "declined": [0, 0, 20]})
    published = disclosure.protect(table, "n", ["declined"])
    pd.testing.assert_frame_equal(published, table.astype("Int64"))


def test_a_part_with_a_small_total_is_hidden_in_all_rows():
    table = pd.DataFrame({"n": [500, 400], "declined": [2, 3]})
    published = disclosure.protect(table, "n", ["declined"])
    assert published["declined"].isna().all()
    assert published["n"].tolist() == [500, 400]


def test_a_table_of_one_small_row_is_not_shown_at_all():
    assert disclosure.protect(pd.DataFrame({"n": [5]}), "n").empty
    one = pd.DataFrame({"n": [50], "declined": [5]})
    assert disclosure.protect(one, "n", ["declined"]).empty


def test_a_minimum_of_one_hides_nothing():
    table = pd.DataFrame({"n": [1, 2, 3], "declined": [1, 0, 2]})
    published = disclosure.protect(table, "n", ["declined"], 1)
    pd.testing.assert_frame_equal(published, table.astype("Int64"))


def test_a_table_of_many_agencies_is_protected_in_seconds():
    random = np.random.default_rng(7)
    n = random.geometric(0.02, 3000)
    table = pd.DataFrame({"n": n, "declined": random.binomial(n, 0.1)})
    published = disclosure.protect(table, "n", ["declined"])
    small = table["n"].between(1, 10)
    assert published.loc[small, "n"].isna().all()
    assert published["n"].isna().sum() <= small.sum() + 5


@pytest.mark.parametrize(
    ("rows", "minimum", "said"),
    [
        ({"n": [1, None], "declined": [0, 0]}, 11, "missing"),
        ({"n": [1, 2], "declined": [2, 0]}, 11, "fit together"),
        ({"n": [1, -2], "declined": [0, 0]}, 11, "fit together"),
        ({"n": [1, 2], "declined": [0, 0]}, 0, "minimum_cell = 0"),
    ],
)
def test_what_are_no_counts_is_refused(rows, minimum, said):
    with pytest.raises(ValueError, match=said):
        disclosure.protect(pd.DataFrame(rows), "n", ["declined"], minimum)


def test_a_count_that_stands_alone_is_shown_unless_small():
    assert [disclosure.shown(count) for count in (0, 1, 10, 11)] == [0, None, None, 11]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 15)), min_size=1, max_size=30),
    st.integers(1, 12),
)
def test_between_days_that_are_shown_no_flow_is_small(flows, minimum):
    flows = np.array(flows)
    shown = disclosure.shown_days(flows, minimum)
    ends = [0, *np.flatnonzero(shown) + 1]
    if not shown.any():
        return
    for since, until in zip(ends, [*ends[1:], len(flows)], strict=True):
        between = flows[since:until].sum(axis=0)
        assert ((between == 0) | (between >= minimum)).all()


def test_days_of_large_flows_are_all_shown_and_small_ones_wait_for_more():
    assert disclosure.shown_days(np.array([[300, 0], [250, 40], [0, 0]])).all()
    flows = np.array([[300, 0], [5, 0], [4, 0], [3, 0], [200, 0], [2, 0]])
    assert disclosure.shown_days(flows).tolist() == [True, False, False, True, False, False]
