import itertools
from dataclasses import replace

import pandas as pd
import pytest

from helpers import evidence
from helpers.evidence import EvidenceError
from ledgers import WEEK_1, book, day, figure


def picked(ledger):
    return evidence.pick(ledger, "detainers_declined", "us-ca:kern_county", WEEK_1).id


# Which figure is used


def test_a_judgement_uses_the_chosen_figure():
    both = figure("A001", 65, kind="primary or official"), figure("A002", 25)
    assert picked(book(*both)) == "A001"
    assert picked(book(*both, chosen=["A002"])) == "A002"
    rough = figure("A003", 120, qualifier="approximate")
    assert picked(book(*both, rough, chosen=["A003"])) == "A003"


def test_without_a_choice_a_judgement_prefers_exact_then_the_kind_of_source_then_the_identifier():
    official = {"kind": "primary or official"}
    rough = figure("A001", 120, qualifier="approximate", **official)
    bound = figure("A002", 100, qualifier="at least", **official)
    most = figure("A000", 200, qualifier="at most", **official)
    press, research = figure("A004", 118), figure("A005", 118, kind="research")
    advocate = figure("A003", 118, kind="advocacy or think tank")
    order = []
    rest = [most, bound, rough, press, advocate, research]
    while rest:
        order.append(picked(book(*rest)))
        rest = [row for row in rest if row["fact_id"] != order[-1]]
    assert order == ["A005", "A004", "A003", "A001", "A002", "A000"]


def test_primary_first_looks_at_the_kind_of_source_alone():
    rough = figure("A009", 120, qualifier="approximate", kind="primary or official")
    repository = figure("A002", 118, kind="data repository")
    press = figure("A001", 118)
    assert picked(book(press, repository, rough, policy="primary_first")) == "A009"
    assert picked(book(press, repository, policy="primary_first", chosen=["A001"])) == "A002"
    assert picked(book(figure("A003", 1), press, policy="primary_first")) == "A001"


def test_the_earliest_and_the_latest_go_by_publication():
    old, new = figure("A002", 1, published="2017-03-20"), figure("A003", 2, published="2021-09")
    undated = figure("A001", 3, published="")
    for order in itertools.permutations([old, new, undated]):
        assert picked(book(*order, policy="earliest")) == "A002"
        assert picked(book(*order, policy="latest")) == "A003"


def test_a_month_known_without_its_day_never_wins_by_it():
    figures = [
        figure("A001", 1, published="2017-03"),
        figure("A002", 2, published="2017-03-20"),
        figure("A003", 3, published="2017"),
    ]
    assert picked(book(*figures, policy="earliest")) == "A002"
    assert picked(book(*figures, policy="latest")) == "A002"


@pytest.mark.parametrize("policy", ["earliest", "latest"])
def test_an_unknown_date_comes_last_and_ties_go_by_identifier(policy):
    undated = figure("A001", 3, published="")
    tied = figure("A003", 1), figure("A002", 2)
    assert picked(book(undated, *tied, policy=policy)) == "A002"
    assert picked(book(figure("A002", 1, published=""), undated, policy=policy)) == "A001"


@pytest.mark.parametrize(
    ("policy", "used"),
    [("judgement", 142), ("primary_first", 128), ("earliest", 142), ("latest", 143)],
)
def test_travis_county_in_week_1_depends_on_the_policy_as_published(ledger, policy, used):
    chosen = evidence.pick(
        replace(ledger, policy=policy), "detainers_declined", "us-tx:travis_county", WEEK_1
    )
    assert chosen.value == used


def test_every_quantity_with_a_number_can_be_picked_under_every_policy(ledger):
    numbers = ledger.facts[ledger.facts["value"].notna()]
    keys = numbers[["series", "place_id", "window", "breakdown"]].drop_duplicates()
    sample = list(keys.sample(12, random_state=1).itertuples())
    for policy in evidence.POLICIES:
        book = replace(ledger, policy=policy)
        for row in sample:
            chosen = evidence.pick(book, row.series, row.place_id, row.window, row.breakdown)
            of_it = numbers[numbers["fact_id"].eq(chosen.id)].iloc[0]
            assert (of_it["series"], of_it["window"]) == (row.series, row.window)


def test_a_picked_figure_says_what_its_print_allows():
    rough = figure("A001", 120, value_text="about 120", qualifier="approximate", unit="places")
    chosen = evidence.pick(book(rough), "detainers_declined", "us-ca:kern_county", WEEK_1)
    assert (chosen.value, chosen.low, chosen.high) == (120, 115, 125)
    assert (chosen.unit, chosen.printed, chosen.input) == ("places", "about 120", "fact:A001")
    bound = figure("A001", 3, qualifier="at least")
    chosen = evidence.pick(book(bound), "detainers_declined", "us-ca:kern_county", WEEK_1)
    assert (chosen.low, chosen.high) == (3, float("inf"))


def test_text_is_never_picked():
    words = figure("A001", value_type="text", value_text="zero detainers", qualifier="text")
    assert picked(book(words, figure("A002", 65))) == "A002"
    with pytest.raises(EvidenceError, match="no number is published"):
        picked(book(words))


def test_picking_what_nobody_published_names_what_was_asked(ledger):
    with pytest.raises(EvidenceError) as caught:
        evidence.pick(ledger, "detainers_declined", "us-ca:kern_county", "1999", "citizenship=X")
    message = str(caught.value)
    for part in ("detainers_declined", "us-ca:kern_county", "1999", "citizenship=X"):
        assert part in message
    assert "\n" not in message
    with pytest.raises(EvidenceError, match="no window"):
        evidence.pick(ledger, "detainers_declined")


def test_a_counter_can_be_asked_for():
    trac = figure("A002", 25, basis="TRAC", kind="research")
    two = book(figure("A001", 65, kind="research"), trac)
    asked = ("detainers_declined", "us-ca:kern_county", WEEK_1)
    assert evidence.pick(two, *asked).id == "A001"
    assert evidence.pick(two, *asked, basis="TRAC").id == "A002"


def test_a_date_is_picked_like_a_figure():
    right, wrong = day("A002", "2017-01-25"), day("A001", "2017-01-30")
    asked = ("detainers_declined", "us-ca:kern_county", WEEK_1)
    assert evidence.pick_date(book(right, wrong), *asked).id == "A001"
    chosen = evidence.pick_date(book(right, wrong, chosen=["A002"]), *asked)
    assert (chosen.value, chosen.input) == (pd.Timestamp(2017, 1, 25), "fact:A002")
    with pytest.raises(EvidenceError, match="no date is published for detainers_declined"):
        evidence.pick_date(book(figure("A001", 3)), *asked)


def test_a_figure_named_by_a_judgement_is_found_by_its_identifier(ledger):
    assert evidence.fact(ledger, "A030").value == 117
    for name in ("ZZZ999", "A054"):  # unknown; text
        with pytest.raises(EvidenceError, match=name):
            evidence.fact(ledger, name)


def test_published_returns_every_figure_of_what_was_asked_in_order(ledger):
    rows = evidence.published(
        ledger, "detainers_declined", place="us-tx:travis_county", window=WEEK_1
    )
    assert rows["fact_id"].tolist() == ["A046", "A047", "A048"]
    assert rows["publisher"].ne("").all()
    two = evidence.published(ledger, ["noncooperative_jails", "limited_cooperation_jails"])
    assert {"D001", "D002"} <= set(two["fact_id"])
    assert evidence.published(ledger, "detainers_issued")["breakdown"].eq("").all()
    mexico = evidence.published(ledger, "detainers_issued", breakdown="citizenship=Mexico")
    assert {"A088", "TGT006"} <= set(mexico["fact_id"])
    assert evidence.published(ledger, "no_such_series").empty


# Reading


def test_the_ledger_joins_each_figure_with_its_source_and_class_of_unit(ledger):
    assert len(ledger.facts) == 1031
    assert ledger.facts[["unit_class", "title", "publisher", "kind"]].notna().all(axis=None)
    assert ledger.policy == "judgement"
    row = ledger.facts[ledger.facts["fact_id"].eq("A047")].iloc[0]
    assert row["kind"] == "primary or official"
    assert row["publisher"] == "Travis County Sheriff's Office"


def test_an_unknown_policy_is_refused_with_the_known_ones(root):
    with pytest.raises(ValueError, match="'newest': allowed are judgement, primary_first, earl"):
        evidence.load("newest", root)


def test_the_kind_of_a_source_is_the_corrected_one(ledger):
    facts = ledger.facts.drop_duplicates("source_id").set_index("source_id")
    assert facts.at["denver-post-1", "kind"] == "press"
    assert facts.at["gao-1", "kind"] == "primary or official"
    assert facts.at["kut-1", "kind"] == "press"
