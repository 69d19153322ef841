import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import claims, datapackage

SOURCES = {"A001": "a-paper", "A002": "an-agency"}


def result(value, interval=None, level=None, inputs=("fact:A002",)):
    return {"value": value, "interval": interval, "level": level, "inputs": list(inputs)}


def settled(found, at_least=1.0, at_most=10.0, caveat="", name="a.b"):
    table = pd.DataFrame(
        {
            "claim": ["c01"],
            "source_id": ["a-paper"],
            "result": [name],
            "at_least": [at_least],
            "at_most": [at_most],
            "caveat": [caveat],
        }
    )
    return claims.settle(table, {"a.b": found}, SOURCES).iloc[0]


@pytest.mark.parametrize(
    ("value", "at_least", "at_most", "caveat", "expected"),
    [
        (5, 1, 10, "", claims.HOLDS),
        (1, 1, 10, "", claims.HOLDS),
        (10, 1, 10, "but", claims.HOLDS_WITH_CAVEAT),
        (0.9, 1, 10, "but", claims.DOES_NOT_HOLD),
        (11, 1, math.nan, "", claims.HOLDS),
        (11, math.nan, 10, "", claims.DOES_NOT_HOLD),
    ],
)
def test_a_verdict_follows_from_value_and_bounds(value, at_least, at_most, caveat, expected):
    assert claims.verdict(value, value, at_least, at_most, caveat) == expected


def test_a_result_on_both_sides_of_a_bound_decides_nothing():
    assert claims.verdict(117, 118, 118, 118, "") == claims.CANNOT_BE_TESTED
    assert claims.verdict(0.76, 6.45, 1.5, math.nan, "") == claims.CANNOT_BE_TESTED
    assert claims.verdict(117, 118, 115, 125, "") == claims.HOLDS
    assert claims.verdict(117, 118, 119, 125, "") == claims.DOES_NOT_HOLD


NUMBER = st.floats(allow_nan=False)


@given(NUMBER, NUMBER, NUMBER, NUMBER)
def test_a_claim_holds_exactly_if_all_the_result_can_be_lies_between_the_bounds(a, b, low, high):
    values = sorted((a, b))
    found = claims.verdict(*values, low, high, "")
    assert (found == claims.HOLDS) == (low <= values[0] and values[1] <= high)
    if found == claims.DOES_NOT_HOLD:
        assert not (low <= values[0] <= high)
        assert not (low <= values[1] <= high)


def test_a_range_that_is_no_confidence_interval_is_what_a_result_can_be():
    assert settled(result(5, [0.5, 6])).verdict == claims.CANNOT_BE_TESTED
    assert settled(result(5, [0.5, 6], level=0.95)).verdict == claims.HOLDS
    assert settled(result([0.5, 6])).verdict == claims.CANNOT_BE_TESTED
    assert settled(result(5, [2, None])).verdict == claims.CANNOT_BE_TESTED
    assert settled(result(5, [None, 0.5])).verdict == claims.DOES_NOT_HOLD


def test_a_claim_that_rests_on_its_own_article_alone_says_so():
    alone = settled(result(5, inputs=["fact:A001", "parameter:source_policy"]), caveat="Old.")
    assert alone.verdict == claims.HOLDS_WITH_CAVEAT
    assert alone.caveat == f"Old. {claims.OWN_SOURCE}"
    both = settled(result(5, inputs=["fact:A001", "fact:A002"]))
    assert (both.verdict, both.caveat) == (claims.HOLDS, "")
    assert settled(result(5, inputs=["series:weekly_detainers"])).verdict == claims.HOLDS


def test_a_claim_without_a_result_cannot_be_tested_and_a_missing_result_is_named():
    assert settled(result(5), name="").verdict == claims.CANNOT_BE_TESTED
    with pytest.raises(KeyError, match=r"c\.d"):
        settled(result(5), name="c.d")


def test_every_stored_claim_has_a_test_or_says_why_not():
    table = datapackage.load("claims")
    bounded = table["at_least"].notna() | table["at_most"].notna()
    assert (table["result"].ne("") == bounded).all()
    assert table["reading"].str.len().gt(20).all()
    assert len(table) >= 12
    assert set(table["article"]) == {"000", "001", "002", "003", "004"}
