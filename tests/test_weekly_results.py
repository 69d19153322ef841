import pandas as pd
import pytest

from helpers import evidence, published_errors, weekly_figures, weekly_results
from helpers.results import Results
from helpers.synthetic_errors import KINDS
from helpers.weekly_results import Basis

REAL = Basis(["records:a.xlsx@0123456789abcdef"], False, 11)
SYNTHETIC = Basis(["simulation:1"], True, 11)


@pytest.fixture
def results():
    return Results("04_weekly_report")


def test_results_of_synthetic_records_say_so_in_every_field(results):
    weekly_results.put_count(results, SYNTHETIC, "a.b", 20, "counted", "records")
    weekly_results.put_count(results, REAL, "a.c", 20, "counted", "records")
    made, real = results.get("report.a.b"), results.get("report.a.c")
    assert (made["synthetic"], real["synthetic"]) == (True, False)
    assert made["method"].startswith("SYNTHETIC")
    assert real["method"] == "counted"
    assert made["inputs"] == ["simulation:1"]


@pytest.mark.parametrize(
    ("number", "value"),
    [(0, 0), (1, "fewer than 11"), (10, "fewer than 11"), (11, 11), (None, "hidden")],
)
def test_a_small_count_is_a_result_in_words(results, number, value):
    weekly_results.put_count(results, REAL, "a.b", number, "counted", "records")
    assert results.value("report.a.b") == value


def test_checks_that_find_nothing_little_or_cannot_be_made_are_told_apart(results):
    summary = pd.DataFrame(
        {
            "check": ["similar_name", "state_jail", "transferred", "above_past", "never_held"],
            "finds": "words",
            "possible": [True, True, False, True, True],
            "any": [True, False, False, True, True],
            "agencies": pd.array([2, 0, None, 1, None], "Int64"),
            "records": pd.array([31, 0, None, None, None], "Int64"),
        }
    )
    weekly_results.put_fidelity(results, REAL, summary)
    found = [results.value(f"report.fidelity.{check}.records") for check in summary["check"]]
    assert found == [31, 0, "cannot be checked", "of whole agencies", "fewer than 11"]
    assert results.value("report.fidelity.never_held.agencies") == "hidden"
    with pytest.raises(Exception, match="transferred"):
        results.get("report.fidelity.transferred.agencies")


def test_rates_have_exact_intervals_that_hold_them(results):
    rates = pd.DataFrame(
        {
            "planted": [10, 4],
            "found": [9, 0],
            "known": [9, 3],
            "found_known": [9, 0],
            "weeks": [15, 15],
            "false_alarms": [0, 1],
        },
        index=["similar_name", "never_held"],
    )
    weekly_results.put_rates(results, rates, ["simulation:1"])
    for check in rates.index:
        for measure in ("sensitivity", "sensitivity_known", "false_alarms"):
            result = results.get(f"report.checks.{check}.{measure}")
            low, high = result["interval"]
            assert low <= result["value"] <= high
            assert result["synthetic"]
    assert results.value("report.checks.similar_name.sensitivity") == 0.9


def test_published_errors_are_no_synthetic_results(results, ledger):
    errors = published_errors.errors(ledger)
    none = pd.DataFrame({"jurisdiction": [], "state": []})
    names = published_errors.listed_names(ledger, none)
    weekly_results.put_published(results, errors, names, "parameter:source_policy")
    result = results.get("report.published.state_jail.records")
    assert result["value"] == evidence.fact(ledger, "A049").value
    assert result["inputs"] == ["fact:A049", "parameter:source_policy"]
    assert not result["synthetic"]


def test_figures_draw_hidden_counts_as_words():
    table = pd.DataFrame(
        {
            "jurisdiction": ["A County", "B County"],
            "state": ["TX", "TX"],
            "detainers": pd.array([12, None], "Int64"),
        }
    )
    fig = weekly_figures.issued(table, 11)
    assert [text.get_text() for text in fig.axes[0].texts] == ["12", "hidden"]
    fig = weekly_figures.issued(table.assign(detainers=pd.array([None, None], "Int64")), 11)
    assert [text.get_text() for text in fig.axes[0].texts] == ["hidden", "hidden"]


def test_figures_of_tables_with_nothing_shown_can_be_drawn():
    none = pd.array([None, None], "Int64")
    by_age = pd.DataFrame({"age": ["under 1 week", "1 to 3 months"], "detainers": none})
    active = pd.DataFrame({"age": ["under 1 week"], "lowest": none[:1], "highest": none[:1]})
    fig = weekly_figures.ages(by_age, active, "declined in the week", "none")
    assert len(fig.axes) == 2


@pytest.mark.parametrize("absent", ["none", "hidden"])
def test_an_age_that_a_table_lacks_is_none_or_hidden_as_the_caller_knows(absent):
    by_age = pd.DataFrame({"age": [], "detainers": pd.array([], "Int64")})
    active = pd.DataFrame({"age": ["under 1 week"], "lowest": [20], "highest": [20]})
    fig = weekly_figures.ages(by_age, active, "declined in the week", absent)
    assert [text.get_text() for text in fig.axes[0].texts] == [absent]
    ticks = [label.get_text() for label in fig.axes[0].get_xticklabels()]
    assert len(ticks) == len(set(ticks))


def test_a_sentence_of_real_records_begins_with_a_capital():
    assert REAL.said("no detainer.") == "No detainer."
    assert SYNTHETIC.said("no detainer.") == "SYNTHETIC: no detainer."


def test_each_kind_of_error_has_words():
    assert list(weekly_results.WORDS) == list(KINDS)
