import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import claims, datapackage


@pytest.mark.parametrize(
    ("value", "at_least", "at_most", "caveat", "expected"),
    [
        (5, 1, 10, "", claims.HOLDS),
        (1, 1, 10, "", claims.HOLDS),
        (10, 1, 10, "but", claims.HOLDS_WITH_CAVEAT),
        (0.9, 1, 10, "but", claims.DOES_NOT_HOLD),
        (11, 1, math.nan, "", claims.HOLDS),
        (11, math.nan, 10, "", claims.DOES_NOT_HOLD),
        (None, 1, 10, "", claims.CANNOT_BE_TESTED),
    ],
)
def test_a_verdict_follows_from_value_and_bounds(value, at_least, at_most, caveat, expected):
    assert claims.verdict(value, at_least, at_most, caveat) == expected


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_claim_holds_exactly_between_its_bounds(value, low, high):
    holds = claims.verdict(value, low, high, "") == claims.HOLDS
    assert holds == (low <= value <= high)


def test_settling_keeps_every_claim_and_names_a_missing_result():
    table = pd.DataFrame(
        {
            "claim": ["c01", "c02"],
            "result": ["a.b", ""],
            "at_least": [1.0, math.nan],
            "at_most": [2.0, math.nan],
            "caveat": ["", ""],
        }
    )
    settled = claims.settle(table, {"a.b": 3})
    assert settled["verdict"].tolist() == [claims.DOES_NOT_HOLD, claims.CANNOT_BE_TESTED]
    assert settled["value"].tolist() == [3, None]
    with pytest.raises(KeyError, match=r"a\.b"):
        claims.settle(table, {})


def test_every_stored_claim_has_a_test_or_says_why_not():
    table = datapackage.load("claims")
    bounded = table["at_least"].notna() | table["at_most"].notna()
    assert (table["result"].ne("") == bounded).all()
    assert table["reading"].str.len().gt(20).all()
    assert len(table) >= 12
    assert set(table["article"]) == {"000", "001", "002", "003", "004"}
