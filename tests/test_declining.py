import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import datapackage, declining, evidence


@pytest.fixture(scope="module")
def facilities(root):
    return datapackage.load("facilities_by_declined_count_2007_2015", root)


def counted(declined, places):
    return pd.DataFrame({"declined_by_facility": declined, "facilities": places}).astype("Int64")


# At least so many


def test_facilities_with_at_least_so_many_add_up_from_the_top():
    tail = declining.at_least(counted([10, 1, 3], [1, 5, 2]))
    assert tail["declined"].tolist() == [1, 3, 10]
    assert tail["facilities"].tolist() == [8, 3, 1]
    assert tail["share"].tolist() == [1, 3 / 8, 1 / 8]
    assert tail["share_of_declinations"].tolist() == [1, 16 / 21, 10 / 21]


def test_the_table_agrees_with_the_figures_published_from_the_same_file(facilities, ledger):
    tail = declining.at_least(facilities).set_index("declined")["facilities"]
    window = "2007-10-01/2015-07-19"
    for series, number in (
        ("facilities_with_any_decline", tail[1]),
        ("facilities_with_exactly_one_decline", tail[1] - tail[2]),
        ("facilities_with_ten_or_more_declines", tail[10]),
    ):
        assert evidence.pick(ledger, series, window=window).value == number


# Rarefaction


def test_expected_places_agree_with_every_possible_draw():
    owners = [0] * 4 + [1] * 2 + [2] + [3]
    for size in range(len(owners) + 1):
        draws = [len({owners[i] for i in draw}) for draw in combinations(range(8), size)]
        expected = declining.expected_places([4, 2, 1], [1, 1, 2], size)
        assert expected == pytest.approx([sum(draws) / math.comb(8, size)], abs=1e-9)


def test_expected_places_agree_with_random_draws_from_the_file(facilities):
    each = facilities["declined_by_facility"].to_numpy(int), facilities["facilities"].to_numpy(int)
    sizes = np.repeat(*each)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(4)
    seen = [len(set(rng.choice(owners, 206, replace=False))) for _ in range(300)]
    error = np.std(seen, ddof=1) / math.sqrt(len(seen))
    assert declining.expected_places(*each, 206)[0] == pytest.approx(np.mean(seen), abs=4 * error)


def test_none_one_and_all_declinations_show_none_one_and_all_places(facilities):
    each = facilities["declined_by_facility"], facilities["facilities"]
    whole = int((each[0] * each[1]).sum())
    found = declining.expected_places(*each, [0, 1, whole])
    # The probabilities of twenty thousand draws carry rounding of some 1e-11 each.
    assert found == pytest.approx([0, 1, 740], abs=1e-6)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.data())
def test_more_declinations_show_more_places(declined, data):
    whole = sum(declined)
    size = data.draw(st.integers(0, whole - 1))
    fewer, more = declining.expected_places(declined, [1] * len(declined), [size, size + 1])
    assert -1e-9 <= fewer <= more + 1e-9 <= min(len(declined), size + 1) + 2e-9


@pytest.mark.parametrize("size", [-1, 9])
def test_a_draw_of_more_than_there_are_is_refused(size):
    with pytest.raises(ValueError, match="draws of 0 to 8 declinations"):
        declining.expected_places([4, 2, 1], [1, 1, 2], size)


# Published counts


@pytest.mark.parametrize("policy", evidence.POLICIES)
def test_places_and_declinations_are_published_for_each_period(policy, ledger):
    found = declining.observed(replace(ledger, policy=policy))
    assert list(found) == list(declining.OBSERVED)
    for declined, places in found.values():
        assert 0 < places.value <= declined.value
