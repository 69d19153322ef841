import csv
import inspect
from dataclasses import replace
from fractions import Fraction

import pandas as pd
import pytest

from helpers import claim_figures, datapackage, evidence
from helpers.results import Results


@pytest.fixture(scope="module")
def tables():
    return {name: datapackage.load(name) for name in claim_figures.TABLES}


@pytest.fixture(scope="module")
def made(ledger, tables):
    return claim_figures.figures(ledger, tables)


@pytest.fixture(scope="module")
def printed(root):
    """Figures as stored, by identifier, read without the helpers."""
    with (root / "data/evidence/facts.csv").open(encoding="utf-8", newline="") as file:
        return {row["fact_id"]: row for row in csv.DictReader(file)}


def number(row):
    return Fraction(row["value"])


def test_every_figure_can_be_put_as_a_result(made):
    accepted = set(inspect.signature(Results.put).parameters)
    for name, about in made.items():
        assert set(about) <= accepted, name
        assert "parameter:source_policy" in about["inputs"]
        assert about["method"]
        assert about["unit"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("week_1.issued", 3083),
        ("week_1.declined", 206),
        ("week_1.issued_clark", 51),
        ("week_1.issued_nassau", 38),
        ("week_1.issued_cook", 13),
        ("week_1.top_ten_share", 157 / 3083),
        ("week_1.top_ten_share_corrected", (157 - 5 - 9 - 5 - 12) / 3083),
        ("week_1.ten_counties_standing", 6),
        ("week_1.ten_named_over_total", 1),
        ("week_1.issued_above_clark", 0),
        ("week_1.declined_outside_travis_over_top_ten", (206 - 142) / 157),
        ("week_1.travis_ice_less_county", 14),
        ("week_1.corrected_share", (4 + 3 + 1 + 1 + 14) / 206),
        ("week_1.months_before_february_2014", 3 * 12 + 4),
        ("week_2.issued", 2825),
        ("week_2.declined_by_state", 47),
        ("week_2.new_york_california_share", 20 / 47),
        ("week_2.named_states", 9),
        ("week_2.states", 11),
        ("issued_later_over_week_1", [2825 / 3083, 2868 / 3083]),
        ("declined_later_over_week_1", [47 / 206, 65 / 206]),
        ("listed_week_1.pennsylvania", 15),
        ("listed_week_1.enacted_after_ithaca", 0),
        ("listed.declared_since_january", [4, 6]),
        ("jails_refusing", 463),
        ("active_detainers", 96689),
        ("fair_2018_over_2016", 564 / 338),
        ("order_days_into_2017", 25),
        ("report_1.days_after_monday", 0),
        ("report_1.days_to_suspension", 11 + 10),
        ("report_2.days_after_week", 18 + 29),
        ("report_2.days_to_instruction", -9),
    ],
)
def test_figures_have_the_values_that_were_published(made, name, value):
    assert made[name]["value"] == pytest.approx(value, rel=1e-12)


def test_what_the_first_report_says_of_the_instruction_is_taken_from_its_text(made, printed):
    inputs = made["report_2.days_to_instruction"]["inputs"]
    said = [printed[item[5:]]["series"] for item in inputs if item.startswith("fact:")]
    assert sorted(set(said)) == ["issuance_policy_text", "report_release_date"]


def test_the_first_list_is_carried_as_the_range_of_its_readers(made):
    assert (made["listed_week_1"]["value"], made["listed_week_1"]["interval"]) == (118, (117, 118))
    assert (made["listed_week_2"]["value"], made["listed_week_2"]["interval"]) == (150, None)


def test_the_states_of_the_second_week_add_up_to_the_national_number(made, printed):
    states = [row for row in printed.values() if row["place_level"] == "state"]
    of_week = [
        row
        for row in states
        if (row["series"], row["window"]) == ("detainers_declined", "2017-02-04/2017-02-10")
    ]
    assert sum(map(number, of_week)) == number(printed["A122"]) == 47
    assert {f"fact:{row['fact_id']}" for row in of_week} < set(
        made["week_2.declined_by_state"]["inputs"]
    )


def test_what_a_printed_share_allows_is_found_by_trying_every_count(made, printed):
    travis, declined = int(printed["A046"]["value"]), int(printed["A004"]["value"])
    share = number(printed["A094"])
    half = Fraction(1, 2)
    before = [
        count
        for count in range(travis + 1)
        if share - half <= Fraction(100 * count, travis) <= share + half
    ]
    assert made["week_1.issued_in_week_at_most"]["value"] == declined - min(before)
    since = travis - max(before)
    assert made["week_1.older_than_a_year_share"]["value"] == pytest.approx(
        [0, 1 - since / declined]
    )


def test_figures_follow_the_source_policy(ledger, tables, made):
    latest = claim_figures.figures(replace(ledger, policy="latest"), tables)
    assert latest["week_1.travis_ice_less_county"]["value"] == 143 - 128
    moved = {name for name in made if made[name]["value"] != latest[name]["value"]}
    assert moved == {
        "listed_week_1",
        "report_1.days_to_suspension",
        "week_1.declined_outside_travis_over_top_ten",
        "week_1.issued_in_week_at_most",
        "week_1.travis_ice_less_county",
    }


def test_a_refusal_in_another_state_shows(ledger, tables):
    row = ledger.facts[ledger.facts["fact_id"].eq("A133")]
    other = row.assign(fact_id="Z001", place_id="us-or", value=2.0)
    more = replace(ledger, facts=pd.concat([ledger.facts, other], ignore_index=True))
    found = claim_figures.figures(more, tables)
    assert (found["week_2.states"]["value"], found["week_2.named_states"]["value"]) == (12, 9)
    assert found["week_2.declined_by_state"]["value"] == 49


def test_a_later_enactment_and_a_dated_place_show(ledger, tables):
    changed = tables["listed_jurisdictions_2017"].copy()
    changed.loc[changed["jurisdiction"].eq("Boston"), "date_enacted"] = "2017-03"
    changed.loc[changed["jurisdiction"].eq("Baltimore"), "date_enacted"] = "2017-01-15"
    found = claim_figures.figures(ledger, tables | {"listed_jurisdictions_2017": changed})
    assert found["listed_week_1.enacted_after_ithaca"]["value"] == 1
    assert found["listed.declared_since_january"]["value"] == [5, 6]


def test_the_named_places_are_there(ledger, tables):
    places = set(ledger.facts["place_id"])
    assert set(claim_figures.TEN_COUNTIES) < places
    assert len(claim_figures.TEN_COUNTIES) == 10
    table = tables["listed_jurisdictions_2017"]
    listed = set(zip(table["jurisdiction"], table["state"], strict=True))
    assert set(claim_figures.NAMED_RECENT) < listed


def test_the_weeks_after_the_memoranda_are_compared_with_those_after_the_order(made, root):
    with (root / "data/series/weekly_detainers.csv").open(encoding="utf-8", newline="") as file:
        weeks = {
            row["week_start"]: int(row["detainers"]) / {"none": 1, "full": 2}[row["overlap"]]
            for row in csv.DictReader(file)
            if row["overlap"] != "partial"
        }
    between = [count for day, count in weeks.items() if "2017-01-25" < day < "2017-02-14"]
    after = [count for day, count in sorted(weeks.items()) if day > "2017-02-21"][:13]
    assert (len(between), len(after)) == (3, 13)
    assert made["issued_after_memoranda_over_before"]["value"] == pytest.approx(
        sum(after) / 13 / (sum(between) / 3)
    )


def test_a_figure_that_nobody_published_stops_the_comparisons(ledger, tables):
    less = replace(ledger, facts=ledger.facts[ledger.facts["series"].ne("report_release_date")])
    with pytest.raises(evidence.EvidenceError, match="report_release_date"):
        claim_figures.figures(less, tables)
