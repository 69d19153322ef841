import itertools
from dataclasses import replace
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import conflicts, datapackage, evidence
from helpers.conflicts import DIFFERENT, SAME
from helpers.evidence import EvidenceError
from ledgers import WEEK_1, WEEK_2, book, day, figure


def found(*figures):
    """Facts of each conflict."""
    return conflicts.find(pd.DataFrame(figures))["facts"].tolist()


# What conflicts


def test_two_exact_counts_that_differ_conflict():
    assert found(figure("A001", 65), figure("A002", 25)) == [("A001", "A002")]


def test_equal_counts_do_not_conflict():
    assert found(figure("A001", 65), figure("A002", 65)) == []


@pytest.mark.parametrize("column", ["series", "place_id", "breakdown", "window", "unit_class"])
def test_figures_of_different_quantities_do_not_conflict(column):
    assert found(figure("A001", 65), figure("A002", 25, **{column: "another"})) == []


def test_units_of_one_class_are_compared():
    other = figure("A002", 25, unit="requests")
    assert found(figure("A001", 65), other) == [("A001", "A002")]


@pytest.mark.parametrize(
    ("qualifier", "bound", "exact", "conflicting"),
    [
        ("at least", 3, 2, True),
        ("at least", 3, 3, False),
        ("at least", 3, 300, False),
        ("at most", 3, 4, True),
        ("at most", 3, 3, False),
        ("at most", 3, 0, False),
    ],
)
def test_a_bound_allows_what_lies_beyond_it(qualifier, bound, exact, conflicting):
    pair = found(figure("A001", bound, qualifier=qualifier), figure("A002", exact))
    assert bool(pair) is conflicting


def test_two_bounds_conflict_only_where_nothing_lies_between_them():
    low = figure("A001", 5, qualifier="at least")
    assert found(low, figure("A002", 4, qualifier="at most")) == [("A001", "A002")]
    assert found(low, figure("A002", 5, qualifier="at most")) == []


@pytest.mark.parametrize(
    ("rounded", "exact", "conflicting"),
    [
        ("120", 115, False),
        ("120", 125, False),
        ("120", 114, True),
        ("120", 126, True),
        ("100", 150, False),
        ("100", 151, True),
        ("123", 123, False),
        ("123", 124, True),
        ("2400000", 2_449_999, False),
        ("2400000", 2_450_001, True),
        ("-33", -34, True),
        ("-50", -54, False),
        ("2.5", 2.54, False),
        ("2.5", 2.6, True),
    ],
)
def test_an_approximate_figure_allows_half_a_unit_of_its_last_digit_but_trailing_zeros(
    rounded, exact, conflicting
):
    rough = figure("A001", float(rounded), value_text=rounded, qualifier="approximate")
    assert bool(found(rough, figure("A002", exact))) is conflicting


@pytest.mark.parametrize(
    ("printed", "other", "conflicting"),
    [
        ("69", "68.9", False),
        ("69", "69.5", False),
        ("69", "69.6", True),
        ("69", "70", False),
        ("69", "71", True),
        ("5.1", "5.09", False),
        ("5.1", "5.2", False),
        ("5.1", "5.3", True),
        ("50", "54", True),
    ],
)
def test_a_percentage_allows_half_a_unit_of_its_last_printed_digit(printed, other, conflicting):
    pair = found(
        figure("A001", printed, unit="percent", unit_class="percent"),
        figure("A002", other, unit="percent", unit_class="percent"),
    )
    assert bool(pair) is conflicting


def test_a_count_is_not_rounded():
    assert found(figure("A001", 120), figure("A002", 121)) == [("A001", "A002")]


def test_a_month_allows_its_days_and_dates_conflict_by_the_day():
    assert found(day("A001", "2017-02"), day("A002", "2017-02-20")) == []
    assert found(day("A001", "2017-02"), day("A002", "2017-03-01")) == [("A001", "A002")]
    assert found(day("A001", "2017-02-20"), day("A002", "2017-02-21")) == [("A001", "A002")]


def test_an_event_printed_by_month_is_compared_with_one_printed_by_day(ledger):
    units = ledger.facts.drop_duplicates("unit").set_index("unit")["unit_class"]
    assert units["month"] == units["date"]
    assert any({"C001", "C002"} <= set(group) for group in conflicts.find(ledger.facts)["facts"])


def test_text_is_never_compared_by_value():
    words = {"value_type": "text", "qualifier": "text"}
    several = [
        figure("A001", value_text="two dozen", **words),
        figure("A002", value_text="a dozen", **words),
        figure("A003", 30),
        day("A004", "2017-02"),
    ]
    assert found(*several) == []


def test_what_one_figure_disputes_conflicts_whatever_its_value():
    claim = figure(
        "A117", value_type="text", value_text="none", relation="disputes", related_facts="A152;A160"
    )
    others = [figure("A152", 65), figure("A160", 7, window=WEEK_2)]
    assert found(claim, *others) == [("A117", "A152", "A160")]


@pytest.mark.parametrize("relation", ["withdraws", "reattributes", "superseded_by"])
def test_other_relations_make_no_conflict(relation):
    later = figure("A002", 65, relation=relation, related_facts="A001")
    assert found(figure("A001", 65), later) == []


def test_figures_joined_by_conflicts_form_one_conflict():
    rough = figure("A003", 120, qualifier="approximate")
    assert found(figure("A001", 117), figure("A002", 118), rough, figure("A004", 96)) == [
        ("A001", "A002", "A003", "A004")
    ]


def test_a_figure_that_agrees_with_all_stays_out():
    assert found(
        figure("A001", 65), figure("A002", 25), figure("A003", 9, qualifier="at least")
    ) == [("A001", "A002")]


def test_one_counter_is_told_from_several():
    def counter(*figures):
        return conflicts.find(pd.DataFrame(figures))["counter"].tolist()

    trac, npr = {"basis": "TRAC"}, {"basis": "NPR copy of the ICE FOIA file"}
    assert counter(figure("A001", 1, **trac), figure("A002", 2, **trac)) == [SAME]
    assert counter(figure("A001", 1, **trac), figure("A002", 2, **npr)) == [DIFFERENT]
    # Two of one counter agree with each other; each differs from the other counter only.
    agreeing = [figure("A001", 1, **trac), figure("A002", 1, **trac), figure("A003", 2, **npr)]
    assert counter(*agreeing) == [DIFFERENT]


def test_a_conflict_names_its_quantity_by_its_first_figure():
    row = conflicts.find(pd.DataFrame([figure("B001", 3), figure("A002", 4)])).iloc[0]
    assert row["conflict"] == "A002"
    assert row["facts"] == ("A002", "B001")
    assert (row["series"], row["jurisdiction"]) == ("detainers_declined", "Kern County")
    assert row["window"] == WEEK_1


def test_without_conflicts_the_table_is_empty_with_its_columns():
    empty = conflicts.find(pd.DataFrame([figure("A001", 1)]))
    assert empty.empty
    assert list(empty) == ["conflict", "facts", "counter", "series", "jurisdiction", "window"]


@pytest.mark.parametrize("related", ["", "AAA000"])
def test_a_dispute_with_no_known_figure_is_named(related):
    lost = figure("B001", 1, relation="disputes", related_facts=related)
    with pytest.raises((EvidenceError, ValueError), match="B001"):
        conflicts.find(pd.DataFrame([figure("B000", 1), lost]))


# The same, found independently: every pair, exact arithmetic, flood fill


def limits(row):
    """Return the values a printed number allows, as exact fractions or None for no limit."""
    value = Fraction(str(row["value"]))
    if row["qualifier"] == "at least":
        return value, None
    if row["qualifier"] == "at most":
        return None, value
    step = Fraction(0)
    if row["qualifier"] == "approximate":
        step = Fraction(10) ** 12
        while value % step or (not value and step > 10):
            step /= 10
    elif row["unit"].startswith("percent"):
        _, _, decimals = row["value_text"].partition(".")
        step = Fraction(1, 10 ** len(decimals))
    return value - step / 2, value + step / 2


def cannot_both_be_right(a, b):
    if any(a[key] != b[key] for key in ("series", "place_id", "breakdown", "window", "unit_class")):
        return False
    kinds = {a["value_type"], b["value_type"]}
    if "text" in kinds:
        return False
    if kinds == {"number"}:
        (a_low, a_high), (b_low, b_high) = limits(a), limits(b)
        a_below = a_high is not None and b_low is not None and a_high < b_low
        b_below = b_high is not None and a_low is not None and b_high < a_low
        return a_below or b_below
    if "number" in kinds:
        return False
    short, long = sorted((a["value_date"], b["value_date"]), key=len)
    return not long.startswith(short)


def brute_force(facts):
    """Return {facts of a conflict: counter}."""
    rows = facts.to_dict("records")
    joined = {row["fact_id"]: set() for row in rows}
    basis = {row["fact_id"]: row["basis"] for row in rows}
    for a, b in itertools.permutations(rows, 2):
        disputed = a["relation"] == "disputes" and b["fact_id"] in a["related_facts"].split(";")
        if disputed or cannot_both_be_right(a, b):
            joined[a["fact_id"]].add(b["fact_id"])
            joined[b["fact_id"]].add(a["fact_id"])
    groups, seen = {}, set()
    for start in joined:
        if start in seen or not joined[start]:
            continue
        members, front = set(), {start}
        while front:
            members |= front
            front = set().union(*(joined[name] for name in front)) - members
        seen |= members
        same = any(basis[a] == basis[b] for a in members for b in joined[a])
        groups[tuple(sorted(members))] = SAME if same else DIFFERENT
    return groups


def as_groups(conflicts):
    return dict(zip(conflicts["facts"], conflicts["counter"], strict=True))


NUMBERS = st.tuples(
    st.sampled_from([-50, 0, 3, 4, 5, 10, 96, 117, 118, 120, 2285, 2825, 2.5, 68.9, 69]),
    st.sampled_from(["exact", "exact", "approximate", "at least", "at most"]),
    st.sampled_from(["detainers", "requests", "percent"]),
)
DATES = st.sampled_from(["2017", "2017-02", "2017-02-20", "2017-02-21", "2017-03-01"])


@st.composite
def ledgers(draw):
    """Draw up to eight figures of few quantities, so that some agree and some conflict."""
    count = draw(st.integers(1, 8))
    names = [f"A{number:03d}" for number in draw(st.permutations(range(count)))]
    figures = []
    for name in names:
        other = {
            "series": draw(st.sampled_from(["detainers_declined", "detainers_issued"])),
            "breakdown": draw(st.sampled_from(["", "", "", "citizenship=Mexico"])),
            "basis": draw(st.sampled_from(["as quoted", "TRAC"])),
        }
        kind = draw(st.sampled_from(["number", "number", "number", "date", "text"]))
        if kind == "number":
            value, qualifier, unit = draw(NUMBERS)
            unit_class = "percent" if unit == "percent" else "detainers"
            row = figure(
                name, value, qualifier=qualifier, unit=unit, unit_class=unit_class, **other
            )
        elif kind == "date":
            row = day(name, draw(DATES)) | other
        else:
            row = figure(name, value_type="text", value_text="a few", qualifier="text", **other)
        if count > 1 and draw(st.integers(0, 5)) == 0:
            target = draw(st.sampled_from([other for other in names if other != name]))
            row |= {"relation": "disputes", "related_facts": target}
        figures.append(row)
    return pd.DataFrame(figures)


@given(ledgers())
def test_an_independent_search_finds_the_same_conflicts(facts):
    assert as_groups(conflicts.find(facts)) == brute_force(facts)


def test_an_independent_search_of_the_real_figures_finds_the_same_conflicts(ledger):
    # Figures of one series only can differ; the few disputes reach across.
    disputes = ledger.facts[ledger.facts["relation"].eq("disputes")]
    reached = {*disputes["fact_id"], *";".join(disputes["related_facts"]).split(";")}
    keys = ["series", "place_id", "breakdown", "window", "unit_class"]
    shared = ledger.facts.duplicated(keys, keep=False) | ledger.facts["fact_id"].isin(reached)
    expected = brute_force(ledger.facts[shared])
    assert as_groups(conflicts.find(ledger.facts)) == expected
    assert len(expected) == 38


@given(ledgers(), st.randoms(use_true_random=False))
def test_the_order_of_the_figures_does_not_matter(facts, random):
    order = list(range(len(facts)))
    random.shuffle(order)
    shuffled = facts.iloc[order].reset_index(drop=True)
    pd.testing.assert_frame_equal(conflicts.find(facts), conflicts.find(shuffled))


@given(ledgers())
def test_a_conflict_is_the_same_from_both_sides(facts):
    a, b = facts.iloc[0].to_dict(), facts.iloc[-1].to_dict()
    plain = {"relation": "", "related_facts": ""}
    a, b = a | plain | {"fact_id": "A001"}, b | plain | {"fact_id": "A002"}
    swapped = a | {"fact_id": "A002"}, b | {"fact_id": "A001"}
    assert found(a, b) == found(b, a) == found(*swapped)


@given(ledgers())
def test_no_figure_is_in_two_conflicts_and_none_stands_alone(facts):
    groups = conflicts.find(facts)["facts"].tolist()
    members = [name for group in groups for name in group]
    assert len(members) == len(set(members))
    assert all(len(group) > 1 and list(group) == sorted(group) for group in groups)


@given(ledgers(), st.integers(0, 7))
def test_repeating_a_figure_from_another_source_adds_no_conflict(facts, position):
    row = facts.iloc[position % len(facts)].to_dict()
    again = row | {"fact_id": "Z999", "relation": "", "related_facts": ""}
    more = pd.concat([facts, pd.DataFrame([again])], ignore_index=True)
    before = conflicts.find(facts)["facts"].tolist()
    after = conflicts.find(more)["facts"].tolist()
    assert [tuple(name for name in group if name != "Z999") for group in after] == before


# The real conflicts


@pytest.mark.parametrize(
    "named",
    [
        ("A028", "A030", "A031"),  # 118, 117, 96 listed in week 1
        ("A046", "A047", "A048"),  # Travis County: 142, 128, 143
        ("A120", "A121"),  # 2,825 and 2,285 issued in week 2
        ("A065", "A066"),  # Sacramento
        ("A117", "A118", "A152"),  # Kern
    ],
)
def test_the_known_conflicts_are_found(ledger, named):
    holding = [group for group in conflicts.find(ledger.facts)["facts"] if named[0] in group]
    assert len(holding) == 1
    assert set(named) <= set(holding[0])


def test_the_known_conflicts_have_the_known_values(ledger):
    values = ledger.facts.set_index("fact_id")["value"]
    assert values[["A028", "A030", "A031"]].tolist() == [118, 117, 96]
    assert values[["A046", "A047", "A048"]].tolist() == [142, 128, 143]
    assert values[["A120", "A121"]].tolist() == [2825, 2285]


def test_counts_by_citizenship_are_no_conflict(ledger):
    by_citizenship = ledger.facts["breakdown"].str.startswith("citizenship=")
    names = set(ledger.facts.loc[by_citizenship, "fact_id"])
    assert {"A088", "A089", "A090", "A091"} <= names
    assert not names & {name for group in conflicts.find(ledger.facts)["facts"] for name in group}


# Judgements


def test_every_conflict_is_judged_and_every_judgement_is_about_a_conflict(ledger):
    assert conflicts.unjudged(ledger) == []
    judged = conflicts.judged(ledger)
    assert len(judged) == len(ledger.resolutions) == 38
    assert judged["problem"].eq("").all()
    assert judged["reason"].str.len().gt(20).all()


def test_one_counter_has_a_chosen_figure_and_several_stand_side_by_side(ledger):
    judged = conflicts.judged(ledger).set_index("conflict")
    for row in judged.itertuples():
        if row.counter == SAME:
            assert row.chosen_fact in row.facts
    assert judged.loc[judged["counter"].eq(DIFFERENT), "chosen_fact"].eq("").all()


def changed(ledger, name, **cells):
    resolutions = ledger.resolutions.copy()
    for column, text in cells.items():
        resolutions.loc[resolutions["conflict"].eq(name), column] = text
    return replace(ledger, resolutions=resolutions)


def test_a_conflict_without_a_judgement_is_named(ledger):
    rest = ledger.resolutions[ledger.resolutions["conflict"].ne("A046")]
    assert conflicts.unjudged(replace(ledger, resolutions=rest)) == [
        "data/judgements/resolutions.csv: conflict A046 (detainers_declined, Travis County): "
        "has no judgement; it joins A046, A047, A048"
    ]


def test_a_judgement_about_other_facts_than_the_conflict_joins_is_named(ledger):
    assert conflicts.unjudged(changed(ledger, "A046", facts="A046;A047")) == [
        "data/judgements/resolutions.csv: conflict A046 (detainers_declined, Travis County): "
        "was judged for A046;A047; it now joins A046;A047;A048"
    ]


@pytest.mark.parametrize("chosen", ["", "A001"])
def test_one_counter_without_a_chosen_figure_of_the_conflict_is_named(ledger, chosen):
    lines = conflicts.unjudged(changed(ledger, "A065", chosen_fact=chosen))
    assert len(lines) == 1
    assert "conflict A065 " in lines[0]
    assert lines[0].endswith("needs one of A065, A066 as chosen_fact")


def test_a_judgement_about_no_conflict_is_named(ledger):
    idle = pd.DataFrame([{"conflict": "A002", "facts": "A002", "chosen_fact": "", "reason": "so"}])
    more = pd.concat([ledger.resolutions, idle], ignore_index=True)
    assert conflicts.unjudged(replace(ledger, resolutions=more)) == [
        "data/judgements/resolutions.csv: A002 is judged, but is no conflict"
    ]


def test_a_new_figure_that_disagrees_needs_a_judgement(ledger):
    row = ledger.facts[ledger.facts["fact_id"].eq("A120")].assign(fact_id="Z001", value=3000.0)
    more = pd.concat([ledger.facts, row], ignore_index=True)
    lines = conflicts.unjudged(replace(ledger, facts=more))
    assert len(lines) == 1
    assert "A120" in lines[0]
    assert "Z001" in lines[0]


# Disputes known from reading


def disputes(*facts):
    return pd.DataFrame({"dispute": [f"d{i}" for i in range(len(facts))], "facts": facts})


def test_a_known_dispute_is_found_where_a_conflict_joins_two_of_its_figures():
    figures = [
        figure("A001", 65),
        figure("A002", 25),
        figure("A003", 7, window=WEEK_2),
        figure("A004", 8, window=WEEK_2),
    ]
    conflicts_found = conflicts.find(pd.DataFrame(figures))
    asked = disputes("A001;A002", "A001;A003", "A001", "", "A001;A002;A003;A004")
    known = conflicts.known(asked, conflicts_found)
    assert known["conflicts"].tolist() == [("A001",), (), (), (), ("A001", "A003")]


def test_the_rule_finds_every_known_dispute_or_the_table_says_why_not(ledger):
    table = datapackage.load("known_disputes")
    known = conflicts.known(table, conflicts.find(ledger.facts))
    assert len(known) == 57
    assert known["dispute"].tolist() == [f"d{number:02d}" for number in range(1, 58)]
    assert known["conflicts"].map(bool).eq(known["not_found_because"].eq("")).all()
    named = set(";".join(filter(None, table["facts"])).split(";"))
    assert named <= set(ledger.facts["fact_id"])


def test_disputes_that_a_source_settled_itself_are_corrections_in_the_evidence(ledger):
    table = datapackage.load("known_disputes")
    relation = ledger.facts.set_index("fact_id")["relation"]
    for row in table[table["not_found_because"].eq("correction")].itertuples():
        named = row.facts.split(";")
        withdrawing = [name for name in named if relation[name] == "withdraws"]
        related = ledger.facts.set_index("fact_id").loc[withdrawing, "related_facts"]
        assert set(related) | set(withdrawing) == set(named)


def test_disputes_about_words_or_of_one_side_have_no_two_numbers_of_one_quantity(ledger):
    table = datapackage.load("known_disputes")
    facts = ledger.facts.set_index("fact_id")
    lone = table[table["not_found_because"].isin(["words", "one side only"])]
    for named in lone["facts"]:
        rows = facts.loc[named.split(";") if named else []]
        assert not rows.duplicated(["series", "place_id", "window", "breakdown"]).any()


# The values beside each other


def in_use(ledger):
    return conflicts.values(ledger, conflicts.find(ledger.facts))


def test_conflicting_values_stand_beside_the_one_in_use():
    figures = [
        figure("A001", 100),
        figure("A002", 150),
        figure("A003", 7, window=WEEK_2),
        figure("A004", value_type="text", relation="disputes", related_facts="A001"),
    ]
    table = in_use(book(*figures, chosen=["A001"]))
    assert table["fact_id"].tolist() == ["A001", "A002"]
    assert table["used"].tolist() == [True, False]
    assert table["ratio"].tolist() == [1, 1.5]
    assert table["conflict"].tolist() == ["A001", "A001"]


@pytest.mark.parametrize("policy", evidence.POLICIES)
def test_one_value_of_each_conflicting_quantity_is_in_use(ledger, policy):
    table = in_use(replace(ledger, policy=policy))
    quantity = [table["conflict"], table["series"], table["jurisdiction"], table["window"]]
    assert table.groupby(quantity)["used"].sum().eq(1).all()
    assert table.loc[table["used"], "ratio"].eq(1).all()


def test_no_value_is_a_ratio_to_nothing():
    table = in_use(book(figure("A001", 0), figure("A002", 3), chosen=["A001"]))
    assert table["used"].tolist() == [True, False]
    assert table["ratio"].isna().all()
