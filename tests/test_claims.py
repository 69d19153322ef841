import json
import math
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import claim_figures, claims, datapackage, policies
from helpers.claims import CANNOT_BE_TESTED, DOES_NOT_HOLD, HOLDS, HOLDS_WITH_CAVEAT

OWN = {"000": frozenset({"A001", "A003"}), "001": frozenset()}


def result(value, interval=None, level=None, inputs=("fact:A002",), caveat=None):
    return {
        "value": value,
        "interval": interval,
        "level": level,
        "inputs": list(inputs),
        "caveat": caveat,
    }


def settled(*found, bounds=(1.0, 10.0), caveat="", article="000"):
    """The one claim of an article, which rests on every result found."""
    table = pd.DataFrame([{"claim": "c01", "article": article, "caveat": caveat}])
    results = {f"a.b{number}": one for number, one in enumerate(found)}
    tests = pd.DataFrame(
        [("c01", name, *bounds) for name in results],
        columns=["claim", "result", "at_least", "at_most"],
    )
    return claims.settle(table, tests, results, OWN).iloc[0]


# One result


@pytest.mark.parametrize(
    ("value", "at_least", "at_most", "expected"),
    [
        (5, 1, 10, HOLDS),
        (1, 1, 10, HOLDS),
        (10, 1, 10, HOLDS),
        (0.9, 1, 10, DOES_NOT_HOLD),
        (11, 1, 10, DOES_NOT_HOLD),
        (11, 1, math.nan, HOLDS),
        (11, math.nan, 10, DOES_NOT_HOLD),
    ],
)
def test_a_number_settles_a_claim_by_its_bounds(value, at_least, at_most, expected):
    assert claims.within(value, value, at_least, at_most) == expected


def test_a_result_on_both_sides_of_a_bound_decides_nothing():
    assert claims.within(117, 118, 118, 118) == CANNOT_BE_TESTED
    assert claims.within(0.76, 6.45, 1.5, math.nan) == CANNOT_BE_TESTED
    assert claims.within(117, 118, 115, 125) == HOLDS
    assert claims.within(117, 118, 119, 125) == DOES_NOT_HOLD


NUMBER = st.floats(allow_nan=False)


@given(NUMBER, NUMBER, NUMBER, NUMBER)
def test_a_claim_holds_exactly_if_all_the_result_can_be_lies_between_the_bounds(a, b, low, high):
    values = sorted((a, b))
    found = claims.within(*values, low, high)
    assert (found == HOLDS) == (low <= values[0] and values[1] <= high)
    if found == DOES_NOT_HOLD:
        assert not (low <= values[0] <= high)
        assert not (low <= values[1] <= high)


def test_a_range_that_is_no_confidence_interval_is_what_a_result_can_be():
    assert settled(result(5, [0.5, 6])).verdict == CANNOT_BE_TESTED
    assert settled(result(5, [0.5, 6], level=0.95)).verdict == HOLDS
    assert settled(result([0.5, 6])).verdict == CANNOT_BE_TESTED
    assert settled(result([0.3, 0.5])).verdict == DOES_NOT_HOLD
    assert settled(result(5, [2, None])).verdict == CANNOT_BE_TESTED
    assert settled(result(5, [None, 0.5])).verdict == DOES_NOT_HOLD


# Several results


@pytest.mark.parametrize(
    ("outcomes", "caveat", "expected"),
    [
        ([HOLDS], "", HOLDS),
        ([HOLDS, HOLDS], "but", HOLDS_WITH_CAVEAT),
        ([HOLDS, DOES_NOT_HOLD], "", DOES_NOT_HOLD),
        ([CANNOT_BE_TESTED, DOES_NOT_HOLD], "but", DOES_NOT_HOLD),
        ([HOLDS, CANNOT_BE_TESTED], "but", CANNOT_BE_TESTED),
        ([], "", CANNOT_BE_TESTED),
        ([], "but", CANNOT_BE_TESTED),
    ],
)
def test_a_claim_holds_only_if_every_result_says_so(outcomes, caveat, expected):
    assert claims.verdict(outcomes, caveat) == expected
    assert claims.verdict(outcomes[::-1], caveat) == expected


def test_results_of_one_claim_are_taken_together():
    assert settled(result(5), result(6)).verdict == HOLDS
    assert settled(result(5), result(0.5)).verdict == DOES_NOT_HOLD
    assert settled(result(5), result([0.5, 6])).verdict == CANNOT_BE_TESTED
    assert settled(result(0.5), result([0.5, 6])).verdict == DOES_NOT_HOLD


def test_each_claim_is_settled_by_its_own_results_in_the_order_of_the_table():
    table = pd.DataFrame({"claim": ["c02", "c01", "c03"], "article": "001", "caveat": ""})
    tests = pd.DataFrame(
        [("c01", "a.b", 1, 2), ("c02", "a.b", 5, 6)],
        columns=["claim", "result", "at_least", "at_most"],
    )
    found = claims.settle(table, tests, {"a.b": result(1)}, OWN)
    assert found["claim"].tolist() == ["c02", "c01", "c03"]
    assert found["verdict"].tolist() == [DOES_NOT_HOLD, HOLDS, CANNOT_BE_TESTED]


def test_a_missing_result_is_named():
    table = pd.DataFrame({"claim": ["c01"], "article": "001", "caveat": ""})
    tests = pd.DataFrame({"claim": ["c01"], "result": "c.d", "at_least": 1, "at_most": 2})
    with pytest.raises(KeyError, match=r"c\.d"):
        claims.settle(table, tests, {"a.b": result(1)}, OWN)


# Caveats, and sources


def test_a_caveat_of_the_claim_or_of_a_result_qualifies_a_claim_that_holds():
    assert settled(result(5)).caveat == ""
    assert settled(result(5), caveat="Old.").verdict == HOLDS_WITH_CAVEAT
    found = settled(result(5, caveat="Few."), result(6, caveat="Few."), caveat="Old.")
    assert (found.verdict, found.caveat) == (HOLDS_WITH_CAVEAT, "Old. Few.")
    assert settled(result(0.5), caveat="Old.").verdict == DOES_NOT_HOLD


def test_an_article_cannot_confirm_itself():
    alone = settled(result(5, inputs=["fact:A001", "fact:A003", "parameter:source_policy"]))
    assert (alone.verdict, alone.caveat) == (CANNOT_BE_TESTED, claims.OWN_SOURCE)
    assert settled(result(5, inputs=["fact:A001"]), result(6)).verdict == CANNOT_BE_TESTED


def test_an_article_can_contradict_itself():
    found = settled(result(0.5, inputs=["fact:A001"]))
    assert (found.verdict, found.caveat) == (DOES_NOT_HOLD, "")


def test_another_source_can_confirm_an_article():
    assert settled(result(5, inputs=["fact:A001", "fact:A002"])).verdict == HOLDS
    assert settled(result(5, inputs=["fact:A001"]), article="001").verdict == HOLDS
    assert settled(result(5, inputs=["series:weekly_detainers"])).verdict == HOLDS


def test_copies_of_an_article_are_the_article():
    articles = pd.DataFrame({"article": ["000", "001"], "sources": ["a-1;a-2", "b-1"]})
    facts = pd.DataFrame({"fact_id": ["A001", "A002", "A003"], "source_id": ["a-2", "c-1", "a-1"]})
    assert claims.own_facts(articles, facts) == {
        "000": frozenset({"A001", "A003"}),
        "001": frozenset(),
    }


# The stored claims


@pytest.fixture(scope="module")
def stored():
    return datapackage.load("claims"), datapackage.load("claim_tests")


def test_at_least_thirty_claims_are_examined_and_every_article_has_some(stored):
    table, _ = stored
    assert len(table) >= 30
    assert table.groupby("article").size().ge(4).all()
    assert set(table["article"]) == set(datapackage.load("articles")["article"])


def test_no_verdict_is_stored(stored):
    for frame in stored:
        text = frame.select_dtypes("str")
        for phrase in claims.VERDICTS:
            exactly = text.apply(lambda column, phrase=phrase: column.str.lower().eq(phrase))
            assert not exactly.any(axis=None), phrase
        assert not any("verdict" in column for column in frame)


def test_every_bound_is_a_range_that_something_can_lie_in(stored):
    _, tests = stored
    both = tests.dropna(subset=["at_least", "at_most"])
    assert both["at_least"].le(both["at_most"]).all()


def test_a_second_reading_differs_from_the_first(stored):
    _, tests = stored
    columns = ["claim", "result", "at_least", "at_most"]
    assert not tests.duplicated(columns).any()


def test_every_article_and_its_copies_are_sources(ledger):
    articles = datapackage.load("articles")
    named = articles["sources"].str.split(";").explode()
    assert named.is_unique
    assert set(named) <= set(datapackage.load("sources")["source_id"])


@pytest.fixture(scope="module")
def made(ledger):
    tables = {name: datapackage.load(name) for name in claim_figures.TABLES}
    return set(claim_figures.figures(ledger, tables))


def test_every_result_that_a_claim_names_is_made_where_its_name_says(root, stored, made):
    reference = json.loads((root / "papermill_runs/reference/results.json").read_text())["results"]
    content = json.loads((root / "notebooks/05_claims.ipynb").read_text(encoding="utf-8"))
    reads = content["metadata"]["detainers"]["reads"]
    for name in stored[1]["result"]:
        if name.startswith("claims."):
            assert name.removeprefix("claims.") in made
        else:
            assert reference[name]["notebook"] in reads
            assert not reference[name]["synthetic"], "synthetic data settle no claim"


def test_every_comparison_is_made_for_a_claim(stored, made):
    assert {f"claims.{name}" for name in made} <= set(stored[1]["result"])


def test_a_result_that_moves_with_the_source_policy_is_known_to_the_sensitivity(stored):
    # tests/test_policies.py shows by running the notebooks that these are all that move.
    main = stored[1].loc[stored[1]["reading"].eq("main"), "result"]
    others = {name for name in main if not name.startswith("claims.")} - set(policies.HEADLINES)
    assert others == {"growth.like_for_like.factor"}


def test_statements_are_sentences_in_our_words_about_no_person(stored):
    table, _ = stored
    assert table["statement"].str.fullmatch(r"[A-Z].*\.").all()
    assert table["would_settle"].str.fullmatch(r"[A-Z].*\.").all()
    assert not table["statement"].str.contains('["\N{LEFT DOUBLE QUOTATION MARK}]').any()
    assert not table["statement"].map(lambda text: re.search(r"\b(?:Mr|Mrs|Ms)\b", text)).any()
