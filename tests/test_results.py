import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import notebooks, paths, results
from helpers.results import ResultError, Results

NOTEBOOK = "05_claims"
WAY = {"unit": "ratio", "inputs": ["fact:A028"], "method": "quotient"}


@pytest.fixture
def own(project):
    return Results(NOTEBOOK)


def leave(folder, notebook, **values):
    """Write what another notebook put, as its run would leave it."""
    found = {
        name.replace("__", "."): {"value": value, "decimals": 0, "caveat": None, "interval": None}
        for name, value in values.items()
    }
    content = {"schema": 1, "run": folder.name, "results": found}
    paths.write_atomically(folder / f"{notebook}.results.json", json.dumps(content))


def said(value, template="{a.b}", **how):
    """Put one value and fill a template with it."""
    result = {"value": value, "interval": None, "decimals": 0, "notebook": NOTEBOOK} | how
    return results.fill(template, {"a.b": result})


# Putting


def test_a_result_is_kept_at_full_precision_under_its_name(own):
    own.put("ages.share", 2 / 3, decimals=2, **WAY)
    assert own.value("ages.share") == 2 / 3
    assert own.get("ages.share")["notebook"] == NOTEBOOK


@pytest.mark.parametrize(
    "name", ["ages", "Ages.n", "ages.", ".n", "ages..n", "ages n.x", "ages.n\n", "ages-n.x", ""]
)
def test_a_name_that_is_no_dotted_lower_case_is_refused(own, name):
    with pytest.raises(ResultError, match="dotted lower-case words are allowed"):
        own.put(name, 1, **WAY)


def test_a_name_is_put_once(own):
    own.put("ages.n", 1, **WAY)
    with pytest.raises(ResultError, match=r"ages\.n is put twice in 05_claims"):
        own.put("ages.n", 1, **WAY)
    assert own.value("ages.n") == 1


def test_a_name_of_an_earlier_notebook_can_be_put_again_and_comes_first(project):
    leave(paths.run_folder(), "01_jurisdiction_growth", ages__n=7)
    own = Results(NOTEBOOK)
    assert own.value("ages.n") == 7
    own.put("ages.n", 8, **WAY)
    assert own.value("ages.n") == 8


@pytest.mark.parametrize(
    "inputs",
    [[], ["A028"], ["facts:A028"], ["fact:"], ["fact:A028 B"], ["fact:A028", ""], "fact:A028"],
)
def test_a_result_without_inputs_or_with_a_malformed_one_is_refused(own, inputs):
    with pytest.raises(ResultError, match=r"ages\.n: inputs"):
        own.put("ages.n", 1, unit="ratio", inputs=inputs, method="m")


def test_every_kind_of_input_is_kept_in_order_once(own):
    inputs = [
        "series:weekly_detainers",
        "fact:A028",
        "result:growth.factor",
        "parameter:baseline",
        "assumption:ages_never_closed",
        "simulation:1",
    ]
    own.put("ages.n", 1, unit="ratio", inputs=(name for name in [*inputs, "fact:A028"]), method="m")
    assert own.get("ages.n")["inputs"] == inputs


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, None, np.float64("nan"), [1.0, math.nan], [1.0, None], {}, 1j],
)
def test_what_is_no_finite_number_is_refused_by_name(own, value):
    with pytest.raises(ResultError, match=r"result ages\.n: .* is no finite number"):
        own.put("ages.n", value, **WAY)
    with pytest.raises(ResultError, match="no result"):
        own.value("ages.n")


@pytest.mark.parametrize("value", [True, np.array([1.0, 2.0])])
def test_a_truth_value_or_an_array_is_refused_by_name(own, value):
    with pytest.raises(ResultError, match=r"result ages\.n: "):
        own.put("ages.n", value, **WAY)


def test_numbers_of_numpy_become_plain(own):
    own.put("ages.list", (np.float64(0.5), np.int64(2)), interval=np.array([0.0, 1.0]), **WAY)
    result = own.get("ages.list")
    assert [type(number) for number in result["value"]] == [float, int]
    assert [type(number) for number in result["interval"]] == [float, float]


@pytest.mark.parametrize("interval", [(2, 1), (0.1 + 0.2, 0.3)])
def test_an_interval_upside_down_is_refused(own, interval):
    with pytest.raises(ResultError, match=r"ages\.n: interval .* is upside down"):
        own.put("ages.n", 1, interval=interval, **WAY)


@pytest.mark.parametrize("interval", [(math.nan, 1), (0, math.inf)])
def test_an_interval_that_is_not_finite_is_refused(own, interval):
    with pytest.raises(ResultError, match="is no finite number"):
        own.put("ages.n", 1, interval=interval, **WAY)


def test_an_unbounded_end_is_none(own):
    own.put("ages.low", 1, interval=(None, 2), **WAY)
    own.put("ages.high", 1, interval=(1, None), **WAY)
    own.put("ages.point", 1, interval=(1, 1), **WAY)
    assert own.get("ages.low")["interval"] == [None, 2]
    assert own.text("{ages.low:interval}; {ages.high:interval}; {ages.point:interval}") == (
        "at most 2; at least 1; 1 to 1"
    )


# Rounding for readers


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (3.14159, 2, "3.14"),
        (3.0, 0, "3"),
        (7, 1, "7.0"),
        (1234567, 0, "1,234,567"),
        (1234.5678, 1, "1,234.6"),
        (-1234.5678, 1, "−1,234.6"),
        (-0.126, 2, "−0.13"),
        (0, 0, "0"),
        (0, 3, "0.000"),
        (0.0004, 3, "under 0.001"),
        (0.0006, 3, "0.001"),
        (1e-12, 3, "under 0.001"),
        (-0.0004, 3, "0.000"),
        (0.3, 0, "under 1"),
        ("Weibull", 2, "Weibull"),
        ([0.5, 1.25], 2, "0.50 to 1.25"),
        ([1, 2, 3000], 0, "1 to 2 to 3,000"),
    ],
)
def test_a_value_is_rounded_for_readers(value, decimals, expected):
    assert said(value, decimals=decimals) == expected


@pytest.mark.parametrize("value", [-0.0, -0.5])
def test_zero_has_no_sign(value):
    assert said(value) != "−0"


@given(st.floats(-1e9, 1e9), st.integers(0, 6))
def test_what_is_shown_is_within_half_a_unit_of_the_value(value, decimals):
    text = said(value, decimals=decimals).replace(",", "").replace("−", "-")
    unit = 10.0**-decimals
    if text.startswith("under "):
        assert abs(value) < float(text.removeprefix("under ")) == unit
    else:
        assert abs(float(text) - value) <= 0.5 * unit + 1e-9 * abs(value)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("percent", "68.9%"),
        ("percentinterval", "62.1 to 75.2%"),
        ("interval", "0.621 to 0.752"),
    ],
)
def test_a_share_is_shown_as_a_percentage_with_two_decimals_less(part, expected):
    share = {"value": 142 / 206, "interval": [0.6213, 0.7517], "decimals": 3}
    assert said(template=f"{{a.b:{part}}}", **share) == expected


def test_a_small_share_is_under_the_last_percentage_shown():
    assert said(0.0004, "{a.b:percent}", decimals=3) == "under 0.1%"
    assert said(0.4, "{a.b:percent}", decimals=1) == "40%"
    assert said(0.4, "{a.b:percentinterval}", decimals=2, interval=[None, 0.5]) == "at most 50%"


def test_a_list_of_shares_is_shown_as_percentages():
    assert said([0.1, 0.25], "{a.b:percent}", decimals=2) == "10 to 25%"


@pytest.mark.parametrize("part", ["interval", "median"])
def test_a_part_that_a_result_lacks_is_refused_with_the_name_of_the_result(part):
    with pytest.raises(ResultError, match=r"a\.b"):
        said(0.5, f"{{a.b:{part}}}")


def test_an_interval_without_any_end_is_refused(own):
    with pytest.raises(ResultError):
        own.put("ages.n", 1, interval=(None, None), **WAY)


def test_results_under_a_prefix_are_named_as_inputs(own):
    for name in ("ages.a.mean", "ages.b.mean", "ages.a.low"):
        own.put(name, 1, **WAY)
    assert own.under("ages.a.") == ["result:ages.a.mean", "result:ages.a.low"]
    assert own.under("nothing.") == []


# Sentences and tables


def test_a_sentence_takes_its_numbers_from_results_and_links_each(own):
    own.put("growth.factor", 3.9237, interval=(3.85, 3.957), decimals=1, **WAY)
    sentence = own.say("ICE counted {growth.factor} times as many ({growth.factor:interval}).")
    assert sentence.data == (
        "ICE counted [3.9](results.json#growth.factor) times as many "
        "([3.9 to 4.0](results.json#growth.factor))."
    )
    plain = own.text("ICE counted {growth.factor} times as many.")
    assert plain == "ICE counted 3.9 times as many."


def test_a_caveat_is_shown_once_below_its_sentence(own):
    own.put("ages.a", 1, caveat="Only week 1.", **WAY)
    own.put("ages.b", 2, caveat="Only week 1.", **WAY)
    own.put("ages.c", 3, **WAY)
    assert own.say("{ages.c}").data == "[3](results.json#ages.c)"
    shown = own.say("{ages.a}, {ages.b}, {ages.c}, {ages.a}").data
    assert shown.split("\n\n")[1:] == ["*Caveat: Only week 1.*"]
    own.put("ages.d", 4, caveat="Few.\nOnly week 1.", **WAY)
    shown = own.say("{ages.a}, {ages.d}").data
    assert shown.split("\n\n")[1:] == ["*Caveat: Only week 1.*", "*Caveat: Few.*"]


@pytest.mark.parametrize("template", ["{ages.none}", "{ages.n} and {ages.none:interval}"])
def test_an_unknown_name_in_a_sentence_is_refused(own, template):
    own.put("ages.n", 1, **WAY)
    for fill in (own.say, own.text):
        with pytest.raises(ResultError, match=r"no result is named 'ages\.none'"):
            fill(template)


@pytest.mark.parametrize("template", ["{ages.n:.1f}", "{Ages.n}", "{ages.n }"])
def test_a_place_in_a_sentence_that_cannot_be_filled_is_refused(own, template):
    own.put("ages.n", 1, **WAY)
    for fill in (own.say, own.text):
        with pytest.raises(ResultError):
            fill(f"The number is {template}.")


def test_the_table_lists_own_results_or_those_asked_for(own):
    own.put("ages.a", 1, **WAY)
    own.put("ages.b", 0.25, interval=(0.1, None), decimals=2, caveat="Only week 1.", **WAY)
    head, rule, *rows = own.table().data.splitlines()
    assert head == "| result | value | unit | interval | method |"
    assert rule.count("|") == head.count("|")
    assert rows == [
        "| [`ages.a`](results.json#ages.a) | 1 | ratio | none | quotient |",
        "| [`ages.b`](results.json#ages.b) | 0.25 | ratio | at least 0.10 | "
        "quotient; caveat: Only week 1. |",
    ]
    assert own.table(["ages.b"]).data.splitlines()[2:] == rows[1:]


def test_text_cannot_break_the_table(own):
    own.put("ages.n", "a|b", unit="c|d", inputs=["fact:A028"], method="e | f")
    row = own.table().data.splitlines()[2]
    assert row.replace("\\|", "").count("|") == 6
    assert row.count("\\|") == 3


def test_a_line_end_cannot_break_the_table(own):
    own.put("ages.n", 1, unit="ratio", inputs=["fact:A028"], method="one\ntwo")
    assert len(own.table().data.splitlines()) == 3


def test_synthetic_results_say_so_in_the_table(own):
    own.put("ages.n", 1, synthetic=True, **WAY)
    assert own.table().data.endswith("| quotient; synthetic |")


# Writing


def test_the_file_has_the_agreed_form(own, environment):
    environment.setenv("DETAINERS_RUN", "mine")
    own.put(
        "ages.share",
        131 / 180,
        unit="share",
        interval=(None, 0.8),
        level=0.95,
        method="Wilson",
        inputs=["fact:T001"],
        decimals=2,
        caveat="Über die Liste.",
    )
    table = own.write()
    path = paths.run_folder() / f"{NOTEBOOK}.results.json"
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == {
        "schema": 1,
        "run": "mine",
        "results": {
            "ages.share": {
                "value": 131 / 180,
                "unit": "share",
                "interval": [None, 0.8],
                "level": 0.95,
                "method": "Wilson",
                "inputs": ["fact:T001"],
                "notebook": NOTEBOOK,
                "cell": None,
                "synthetic": False,
                "caveat": "Über die Liste.",
                "tolerance": 1e-6,
                "decimals": 2,
            }
        },
    }
    assert "Über" in text
    assert text.endswith("}\n")
    assert "\r" not in text
    assert [item.name for item in path.parent.iterdir()] == [path.name]
    assert table.data == own.table().data


def test_writing_twice_gives_the_same_bytes(project):
    path = paths.run_folder() / f"{NOTEBOOK}.results.json"
    written = []
    for _ in range(2):
        own = Results(NOTEBOOK)
        own.put("ages.b", 0.1 + 0.2, **WAY)
        own.put("ages.a", 1, **WAY)
        own.write()
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert list(json.loads(written[0])["results"]) == ["ages.b", "ages.a"]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_numbers_come_back_from_the_file_to_the_last_digit(values):
    assert json.loads(paths.as_json({"value": values}))["value"] == values


def test_json_without_meaning_is_never_written():
    with pytest.raises(ValueError, match="JSON"):
        paths.as_json({"value": math.nan})


# Reading what other notebooks left


def test_own_results_come_before_the_run_and_the_run_before_the_reference(project):
    reference = project / "papermill_runs" / "reference"
    leave(reference, "01_jurisdiction_growth", x__own=1, x__run=1)
    leave(reference, "03_issuance_policy", x__reference=1)
    leave(paths.run_folder(), "01_jurisdiction_growth", x__own=2, x__run=2)
    own = Results(NOTEBOOK)
    own.put("x.own", 3, **WAY)
    assert [own.value(f"x.{name}") for name in ("own", "run", "reference")] == [3, 2, 1]
    assert own.text("{x.own} {x.run} {x.reference}") == "3 2 1"


def test_a_result_that_this_run_no_longer_puts_is_not_taken_from_the_reference(project):
    leave(project / "papermill_runs" / "reference", "01_jurisdiction_growth", x__old=1)
    leave(paths.run_folder(), "01_jurisdiction_growth", x__new=2)
    with pytest.raises(ResultError, match=r"x\.old"):
        Results(NOTEBOOK).value("x.old")


def test_only_results_of_declared_notebooks_are_read(project):
    leave(paths.run_folder(), "02_detainer_age", x__a=1)
    with pytest.raises(ResultError, match=r"x\.a"):
        Results(NOTEBOOK).value("x.a")


def test_the_folder_named_by_the_runner_replaces_the_run(project, environment, tmp_path):
    leave(project / "papermill_runs" / "reference", "01_jurisdiction_growth", x__a=1, x__b=1)
    leave(paths.run_folder(), "01_jurisdiction_growth", x__a=2)
    leave(tmp_path / "before", "01_jurisdiction_growth", x__a=4)
    environment.setenv("DETAINERS_PREVIOUS", str(tmp_path / "before"))
    assert Results(NOTEBOOK).value("x.a") == 4
    (tmp_path / "before" / "01_jurisdiction_growth.results.json").unlink()
    assert Results(NOTEBOOK).value("x.a") == 1


def test_the_reference_is_the_project_s_even_where_outputs_go_elsewhere(
    project, environment, tmp_path
):
    leave(project / "papermill_runs" / "reference", "01_jurisdiction_growth", x__a=1)
    environment.setenv("DETAINERS_OUT", str(tmp_path / "out"))
    assert Results(NOTEBOOK).value("x.a") == 1


def test_a_name_nobody_put_is_refused(own):
    with pytest.raises(ResultError, match=r"no result is named 'growth\.factor'"):
        own.value("growth.factor")


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"schema": 1}', '{"results": 3}'])
def test_a_file_that_is_no_results_file_is_named(project, content):
    folder = paths.run_folder()
    paths.write_atomically(folder / "01_jurisdiction_growth.results.json", content)
    with pytest.raises(ResultError, match=r"growth\.results\.json in run scratch is no"):
        Results(NOTEBOOK)


def test_a_notebook_without_results_gives_none(project):
    assert results.earlier_results(["00_evidence"]) == {}


# The cell of a result


@pytest.fixture
def stored(project):
    """A stored notebook with two cells, one of them in the list form of nbformat."""
    content = {
        "cells": [
            {"id": "numbers", "cell_type": "code", "source": "results.put(1)\n"},
            {"id": "more-numbers", "cell_type": "code", "source": ["a = 1\n", "results.put(a)"]},
        ]
    }
    path = project / "notebooks" / f"{NOTEBOOK}.ipynb"
    paths.write_atomically(path, json.dumps(content))
    return path


def running(monkeypatch, source):
    shell = SimpleNamespace(history_manager=SimpleNamespace(input_hist_raw=["", source]))
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)


@pytest.mark.parametrize(
    ("source", "cell"),
    [
        ("results.put(1)", "numbers"),
        ("a = 1\nresults.put(a)\n", "more-numbers"),
        ("results.put(2)", None),
    ],
)
def test_a_result_names_the_stored_cell_whose_source_is_running(stored, monkeypatch, source, cell):
    running(monkeypatch, source)
    own = Results(NOTEBOOK)
    own.put("ages.n", 1, **WAY)
    assert own.get("ages.n")["cell"] == cell


def test_outside_a_notebook_there_is_no_cell(stored, monkeypatch):
    assert notebooks.running_cell(NOTEBOOK) is None
    running(monkeypatch, "results.put(1)")
    stored.unlink()
    assert notebooks.running_cell(NOTEBOOK) is None


def test_a_cell_that_runs_again_replaces_its_results_and_another_cell_does_not(
    stored, monkeypatch, project
):
    running(monkeypatch, "results.put(1)")
    own = Results(NOTEBOOK)
    own.put("a.b", 1, **WAY)
    own.put("a.b", 2, **WAY)
    assert own.value("a.b") == 2
    running(monkeypatch, "a = 1\nresults.put(a)")
    with pytest.raises(ResultError, match="put twice"):
        own.put("a.b", 3, **WAY)
