import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import small_study
from helpers import parameters, request
from helpers.parameters import ParameterError
from helpers.request import RunError
from small_study import EVIDENCE, GROWTH


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    small_study.make(tmp_path)
    monkeypatch.setenv("DETAINERS_ROOT", str(tmp_path))
    return tmp_path


def test_the_study_is_the_notebooks_that_have_a_model_in_their_order(project):
    small_study.save(project, "99_notes", small_study.evidence())
    assert list(request.study()) == [EVIDENCE, GROWTH]


def test_a_project_without_notebooks_is_refused(project):
    for path in (project / "notebooks").iterdir():
        path.unlink()
    with pytest.raises(RunError, match="has none of 00_evidence, 01_jurisdiction_growth"):
        request.study()


def test_notebooks_are_chosen_by_number_or_name_and_keep_their_order():
    assert list(request.chosen(["01", "00_evidence"])) == [EVIDENCE, GROWTH]
    assert list(request.chosen(["01_jurisdiction"])) == [GROWTH]
    assert list(request.chosen(["1"])) == [GROWTH]


@pytest.mark.parametrize("text", ["", "7", "07", "001", "01_juris", "growth"])
def test_an_unknown_notebook_is_refused_with_those_there_are(text):
    with pytest.raises(RunError, match="there are 00_evidence, 01_jurisdiction_growth"):
        request.chosen([text])


def test_a_pair_with_a_notebook_sets_it_there_only():
    assert request.requested(["01.source_policy=latest"], {}) == {
        EVIDENCE: {},
        GROWTH: {"source_policy": "latest"},
    }


def test_a_pair_without_a_notebook_sets_it_wherever_the_parameter_exists():
    asked = request.requested(["source_policy=latest", "baseline=about_120"], {})
    assert asked == {
        EVIDENCE: {"source_policy": "latest"},
        GROWTH: {"source_policy": "latest", "baseline": "about_120"},
    }


def test_the_special_wins_over_the_general_and_pairs_over_the_file():
    document = {
        "01": {"source_policy": "earliest", "baseline": "about_120"},
        "endpoint": "refusing",
    }
    asked = request.requested(
        ["01.endpoint=refusing_or_limited", "source_policy=latest", "endpoint=refusing"], document
    )
    assert asked[GROWTH] == {
        "source_policy": "latest",
        "baseline": "about_120",
        "endpoint": "refusing_or_limited",
    }


def test_the_last_of_two_equal_pairs_wins():
    asked = request.requested(["01.baseline=about_120", "01.baseline=ice_2014"], {})
    assert asked[GROWTH] == {"baseline": "ice_2014"}


def test_a_parameter_that_no_notebook_has_is_refused_with_those_there_are():
    with pytest.raises(RunError, match=r"no notebook has a parameter 'basline'.*source_policy"):
        request.requested(["basline=about_120"], {})


@pytest.mark.parametrize("pair", ["", "01", "01.baseline", "=x", "01.=x", ".baseline=x"])
def test_a_malformed_pair_is_refused_with_the_right_form(pair):
    with pytest.raises(RunError, match=r"NOTEBOOK\.NAME=VALUE"):
        request.requested([pair], {})


@given(st.text())
def test_any_text_as_a_pair_is_understood_or_refused(pair):
    try:
        asked = request.requested([pair], {})
    except RunError:
        return
    assert set(asked) == {EVIDENCE, GROWTH}


def test_a_value_may_hold_equals_signs_and_dots():
    assert request.requested(["01.baseline=a=b.c"], {})[GROWTH] == {"baseline": "a=b.c"}


def test_a_pair_for_a_notebook_that_is_not_run_is_refused():
    with pytest.raises(RunError, match=f"'baseline' is of {GROWTH}, which is not to be run"):
        request.requested(["01.baseline=about_120"], {}, only=["00"])


def test_a_file_may_hold_parameters_of_notebooks_that_are_not_run():
    document = {"02": {"group": "all"}, GROWTH: {"baseline": "about_120"}}
    assert request.requested([], document, only=["00"]) == {EVIDENCE: {}}


@pytest.mark.parametrize("value", [None, ["baseline"], "about_120"])
def test_a_notebook_without_a_mapping_in_a_file_is_refused(value):
    with pytest.raises(RunError, match=f"{GROWTH}: must map parameters to values"):
        request.requested([], {1: value})


def test_yaml_is_read_with_its_types_and_numbers_as_notebooks(project):
    path = project / "mine.yaml"
    path.write_text("1:\n  baseline: about_120\n  baseline_date: 2017-02-05\n", encoding="utf-8")
    asked = request.requested([], request.read_document(path))
    assert asked[GROWTH] == {"baseline": "about_120", "baseline_date": dt.date(2017, 2, 5)}
    assert request.plan(asked)[1].parameters["baseline_date"] == "2017-02-05"


@pytest.mark.parametrize(
    ("content", "message"),
    [("a: [", "not YAML"), ("- a", "must map"), ("", "must map"), (None, "No such file")],
)
def test_a_file_that_holds_no_parameters_is_refused_in_one_line(project, content, message):
    path = project / "mine.yaml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(RunError, match=message) as refused:
        request.read_document(path)
    assert "\n" not in str(refused.value)
    assert "mine.yaml" in str(refused.value)


def test_defaults_are_the_literals_of_the_parameters_cell(project):
    cell = 'a = -1.5  # why\nb: str = "x"\n\nc = None\nd = ["a", True]\n'
    small_study.save(project, EVIDENCE, small_study.notebook(cell))
    found = request.defaults(project / "notebooks" / f"{EVIDENCE}.ipynb")
    assert found == {"a": -1.5, "b": "x", "c": None, "d": ["a", True]}


@pytest.mark.parametrize("line", ["a = 1 + x", "import os", "a, b = 1, 2", "a =", "a: int", "f()"])
def test_a_parameters_cell_that_is_not_literal_is_refused(project, line):
    small_study.save(project, EVIDENCE, small_study.notebook(line))
    with pytest.raises(RunError, match="00_evidence: a line of its parameters cell"):
        request.defaults(project / "notebooks" / f"{EVIDENCE}.ipynb")


@pytest.mark.parametrize("count", [0, 2])
def test_a_notebook_has_one_parameters_cell(project, count):
    content = small_study.evidence()
    content["cells"][1:2] = [content["cells"][1]] * count
    small_study.save(project, EVIDENCE, content)
    with pytest.raises(RunError, match=f"{count} cells are tagged"):
        request.plan({})


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_file_that_is_no_notebook_is_refused(project, text):
    (project / "notebooks" / f"{EVIDENCE}.ipynb").write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match="not a notebook"):
        request.plan({})


def test_a_plan_holds_all_parameters_and_injects_those_that_are_not_the_defaults():
    asked = {GROWTH: {"baseline": "about_120", "endpoint": "refusing"}}
    evidence, growth = request.plan(asked)
    assert (evidence.name, evidence.injected) == (EVIDENCE, {})
    assert growth.parameters == {
        "source_policy": "judgement",
        "baseline": "about_120",
        "endpoint": "refusing",
        "baseline_date": None,
        "endpoint_date": None,
    }
    assert growth.injected == {"baseline": "about_120"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"basline": "about_120"}, "no parameter 'basline'; it has source_policy, baseline"),
        ({"baseline": "about_130"}, "baseline = 'about_130'"),
        ({"baseline_date": "soon"}, "baseline_date = 'soon'"),
    ],
)
def test_an_unknown_parameter_and_a_wrong_value_are_refused(asked, message):
    with pytest.raises(ParameterError, match=message):
        request.plan({GROWTH: asked})


def test_parameters_for_a_notebook_that_is_not_run_are_refused():
    with pytest.raises(RunError, match="01_jurisdiction_growth, which is not to be run"):
        request.plan({GROWTH: {}}, only=["00"])


def test_every_parameter_is_described_with_the_default_of_its_notebook():
    rows = request.describe(["01"])
    assert [row["name"] for row in rows] == list(parameters.MODELS[GROWTH].model_fields)
    assert set(rows[1]) == {"notebook", "name", "type", "default", "choices", "meaning"}
    assert (rows[1]["notebook"], rows[1]["default"]) == (GROWTH, "listed_week_1")
    assert json.dumps(rows)


def test_a_parameter_of_a_notebook_that_is_not_to_be_run_is_refused_with_its_name():
    with pytest.raises(RunError, match=r"'baseline' is of 01_jurisdiction_growth, which is not"):
        request.requested(["baseline=about_120"], {}, ["00"])
    assert request.requested([], {"baseline": "about_120"}, ["00"]) == {"00_evidence": {}}
