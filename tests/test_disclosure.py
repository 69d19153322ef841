from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import disclosure


def frame(rows, parts=1):
    """Rows of parts and their total."""
    names = [f"part_{number}" for number in range(parts)]
    return pd.DataFrame(rows, columns=[*names, "n"]).assign(name=range(len(rows))), names


def options(row, parts, withheld, totals):
    """What a published row could be: parts and count. A hidden cell is 1 or more, unless its
    column is hidden in all rows."""
    counts = range(1, totals[-1] + 1) if pd.isna(row["n"]) else [row["n"]]
    ranges = [
        range(0 if name in withheld else 1, totals[at] + 1) if pd.isna(row[name]) else [row[name]]
        for at, name in enumerate(parts)
    ]
    return [
        (*cells, count) for cells in product(*ranges) for count in counts if sum(cells) <= count
    ]


def possible(published, parts, totals):
    """For each row, all that it can be for whoever knows the totals and the rule: brute force."""
    withheld = [name for name in parts if published[name].isna().all()]
    rows = [options(row, parts, withheld, totals) for row in published.to_dict("records")]

    def sums(choices):
        """Sums that the first 0, 1, 2, ... rows can have without exceeding the totals."""
        reached = [{(0,) * len(totals)}]
        for choice in choices:
            added = {tuple(map(sum, zip(a, b, strict=True))) for a in reached[-1] for b in choice}
            reached.append({s for s in added if all(map(int.__le__, s, totals))})
        return reached

    before, after = sums(rows), sums(rows[::-1])[::-1]
    for at, choice in enumerate(rows):
        yield [
            option
            for option in choice
            if any(
                tuple(t - f - o for t, f, o in zip(totals, first, option, strict=True))
                in after[at + 1]
                for first in before[at]
            )
        ]


@st.composite
def tables(draw, parts):
    cell = st.one_of(st.just(0), st.integers(0, 2), st.integers(0, 8 - 2 * parts))
    row = st.lists(cell, min_size=parts + 1, max_size=parts + 1)
    return [(*row[:-1], sum(row)) for row in draw(st.lists(row, min_size=1, max_size=4))]


@pytest.mark.parametrize("parts", [0, 1, 2])
@given(data=st.data(), minimum=st.integers(1, 6))
def test_no_small_count_is_determined_by_what_is_published(parts, data, minimum):
    # At least minimum - 1 values are possible, or two where a part is hidden in all rows.
    rows = data.draw(tables(parts))
    table, names = frame(rows, parts)
    published = disclosure.protect(table, "n", names, minimum)
    if published.empty:
        return
    totals = [int(total) for total in table[[*names, "n"]].sum()]
    least = 2 if published[names].isna().all().any() else max(2, minimum - 1)
    for row, choice in zip(rows, possible(published, names, totals), strict=True):
        assert row in choice
        rests = {option[-1] - sum(option[:-1]) for option in choice}
        for at, seen in enumerate([*map(set, zip(*choice, strict=True)), rests]):
            value = (*row, row[-1] - sum(row[:-1]))[at]
            assert not 0 < value < minimum or len(seen) >= least, (published, row, at)


def test_what_is_possible_is_found_by_brute_force():
    published = pd.DataFrame({"a": [None, None, 2], "n": [4, None, 2]}, dtype="Int64")
    assert list(possible(published, ["a"], [5, 9])) == [
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
