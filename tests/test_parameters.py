import ast
import datetime as dt
import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from helpers import ages, issuance, parameters
from helpers.parameters import MODELS, ParameterError

ROOT = Path(__file__).resolve().parents[1]
STORED = [name for name in MODELS if (ROOT / "notebooks" / f"{name}.ipynb").is_file()]
DEFAULTS = {
    "00_evidence": {"source_policy": "judgement"},
    "01_jurisdiction_growth": {
        "source_policy": "judgement",
        "baseline": "listed_week_1",
        "endpoint": "refusing",
        "baseline_date": None,
        "endpoint_date": None,
    },
    "02_detainer_age": {
        "source_policy": "judgement",
        "group": "released_by_policy",
        "distribution": "exponential",
        "weibull_shape": 1.0,
        "since": "2017-12-31",
        "as_of": "2021-09-01",
        "records": None,
    },
    "03_issuance_policy": {
        "source_policy": "judgement",
        "exclude_travis": True,
        "apply_withdrawals": True,
        "reattribute_state_jail": False,
        "records": None,
        "policy_dates": None,
    },
    "04_weekly_report": {
        "source_policy": "judgement",
        "week_start": "2017-01-28",
        "records": None,
        "minimum_cell": 11,
    },
    "05_claims": {"source_policy": "judgement"},
    "06_method_validation": {"profile": "short"},
}
GROWTH, AGES, ISSUANCE = "01_jurisdiction_growth", "02_detainer_age", "03_issuance_policy"


def merged(notebook, **asked):
    return parameters.merge(notebook, DEFAULTS[notebook], asked)


def refusal(notebook, **asked):
    """The message with which values are refused; one line naming notebook and value."""
    with pytest.raises(ParameterError) as caught:
        merged(notebook, **asked)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{notebook}")
    return message


# Merging


@pytest.mark.parametrize("notebook", DEFAULTS)
def test_the_defaults_come_back_in_the_order_of_the_model(notebook):
    values = merged(notebook)
    assert list(values) == list(MODELS[notebook].model_fields)
    assert values == DEFAULTS[notebook]


def test_every_notebook_with_parameters_is_tried_here():
    assert list(DEFAULTS) == list(MODELS)


def test_what_was_asked_replaces_the_default_and_nothing_else():
    assert merged(GROWTH, baseline="about_120") == DEFAULTS[GROWTH] | {"baseline": "about_120"}


def test_neither_the_defaults_nor_the_request_are_changed():
    defaults, asked = dict(DEFAULTS[AGES]), {"weibull_shape": "2"}
    parameters.merge(AGES, defaults, asked)
    assert defaults == DEFAULTS[AGES]
    assert asked == {"weibull_shape": "2"}


@pytest.mark.parametrize(
    ("notebook", "name", "given", "kept"),
    [
        (AGES, "weibull_shape", "0.5", 0.5),
        (AGES, "weibull_shape", "2", 2.0),
        (AGES, "weibull_shape", 2, 2.0),
        (AGES, "as_of", "2021-08-19", "2021-08-19"),
        (AGES, "as_of", dt.date(2021, 8, 19), "2021-08-19"),
        (ISSUANCE, "exclude_travis", "false", False),
        (ISSUANCE, "exclude_travis", "True", True),
        (ISSUANCE, "reattribute_state_jail", True, True),
        (GROWTH, "baseline_date", "2017-02-03", "2017-02-03"),
        (GROWTH, "baseline_date", "", None),
        (GROWTH, "baseline_date", "None", None),
        (GROWTH, "endpoint_date", None, None),
        (AGES, "records", "None", None),
        (AGES, "records", Path("mine.csv"), "mine.csv"),
    ],
)
def test_text_becomes_the_type_of_the_parameter(notebook, name, given, kept):
    value = merged(notebook, **{name: given})[name]
    assert value == kept
    assert type(value) is type(kept)


def test_days_of_policy_without_records_are_refused():
    with pytest.raises(ParameterError, match="parameter policy_dates: "):
        merged(ISSUANCE, policy_dates="dates.csv")
    assert merged(ISSUANCE, policy_dates="dates.csv", records="mine.csv")["records"] == "mine.csv"


@pytest.mark.parametrize("notebook", DEFAULTS)
def test_merged_values_can_be_stored_and_checked_again(notebook):
    stored = json.loads(json.dumps(merged(notebook)))
    assert parameters.merge(notebook, stored, {}) == stored


# Refusing


@pytest.mark.parametrize(
    ("notebook", "name", "value", "allowed"),
    [
        (GROWTH, "source_policy", "newest", "'judgement', 'primary_first', 'earliest' or 'latest'"),
        (GROWTH, "endpoint", "Refusing", "'refusing' or 'refusing_or_limited'"),
        (GROWTH, "endpoint", "two\nlines", "'refusing' or 'refusing_or_limited'"),
        (GROWTH, "baseline", 117, "'listed_week_1'"),
        (GROWTH, "baseline_date", "3 February 2017", "YYYY-MM-DD"),
        (AGES, "since", "2017-02-30", "YYYY-MM-DD"),
        (AGES, "since", "31/12/2017", "YYYY-MM-DD"),
        (AGES, "since", "2017-1-1", "YYYY-MM-DD"),
        (AGES, "since", 0, "YYYY-MM-DD"),
        (AGES, "since", None, "YYYY-MM-DD"),
        (AGES, "since", "", "YYYY-MM-DD"),
        (AGES, "weibull_shape", "wide", "number"),
        (AGES, "weibull_shape", 2.01, "less than or equal to 2"),
        (AGES, "weibull_shape", "0.49", "greater than or equal to 0.5"),
        (AGES, "weibull_shape", float("nan"), "finite"),
        (AGES, "weibull_shape", "inf", "finite"),
        (ISSUANCE, "exclude_travis", "perhaps", "boolean"),
        (ISSUANCE, "exclude_travis", 2, "boolean"),
        (ISSUANCE, "exclude_travis", None, "boolean"),
    ],
)
def test_a_wrong_value_is_answered_with_notebook_parameter_value_and_what_is_allowed(
    notebook, name, value, allowed
):
    message = refusal(notebook, **{name: value})
    assert message.startswith(f"{notebook}: parameter {name} = {value!r}: ")
    assert allowed in message


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("baseline_date", "1999-12-31"),
        ("baseline_date", "2020-01-01"),
        ("endpoint_date", "2016-01-01"),
    ],
)
def test_dates_that_would_turn_growth_around_or_be_under_a_year_apart_are_refused(name, day):
    message = refusal(GROWTH, **{name: day})
    assert name in message
    assert day in message


@pytest.mark.parametrize(
    ("name", "day", "edge"),
    [
        ("since", "2017-09-30", "2017-10-01"),
        ("since", "2019-01-01", "2018-12-31"),
        ("as_of", "2020-12-31", "2021-01-01"),
        ("as_of", "2021-10-01", "2021-09-30"),
    ],
)
def test_days_that_the_declaration_cannot_mean_are_refused(name, day, edge):
    message = refusal(AGES, **{name: day})
    assert message.startswith(f"{AGES}: parameter {name} = {day!r}: ")
    assert merged(AGES, **{name: edge})[name] == edge


def test_an_unknown_name_is_answered_with_the_known_ones():
    assert refusal(AGES, Group="all") == (
        "02_detainer_age has no parameter 'Group'; "
        "it has source_policy, group, distribution, weibull_shape, since, as_of, records"
    )


@given(st.sampled_from(list(DEFAULTS)), st.text(max_size=15), st.none() | st.text() | st.integers())
def test_no_unknown_name_is_ever_accepted(notebook, name, value):
    if name in MODELS[notebook].model_fields:
        name += "_"
    message = refusal(notebook, **{name: value})
    assert repr(name) in message
    assert all(known in message for known in MODELS[notebook].model_fields)


@given(st.sampled_from(list(DEFAULTS)), st.data())
def test_no_text_outside_the_choices_is_ever_accepted(notebook, data):
    model = MODELS[notebook].model_json_schema()["properties"]
    name = data.draw(st.sampled_from([n for n, schema in model.items() if "enum" in schema]))
    value = data.draw(st.text(max_size=20).filter(lambda text: text not in model[name]["enum"]))
    assert f"parameter {name} = {value!r}: " in refusal(notebook, **{name: value})


def test_a_missing_default_is_named():
    defaults = {key: DEFAULTS[AGES][key] for key in DEFAULTS[AGES] if key != "group"}
    with pytest.raises(ParameterError) as caught:
        parameters.merge(AGES, defaults, {})
    assert str(caught.value) == "02_detainer_age: parameter 'group' is not set"


# Checking in a notebook


def test_a_notebook_checks_its_globals_and_gets_typed_values():
    p = parameters.check(AGES, {"np": object(), "_": 3, **DEFAULTS[AGES]})
    assert p.since == dt.date(2017, 12, 31)
    assert p.group == "released_by_policy"
    with pytest.raises(ValidationError):
        p.group = "all"
    with pytest.raises(ParameterError, match="02_detainer_age: parameter group = 'none'"):
        parameters.check(AGES, DEFAULTS[AGES] | {"group": "none"})


# Describing


@pytest.mark.parametrize("notebook", DEFAULTS)
def test_every_parameter_is_described(notebook):
    rows = parameters.describe(notebook)
    assert [row["name"] for row in rows] == list(MODELS[notebook].model_fields)
    for row in rows:
        assert set(row) == {"name", "type", "choices", "meaning"}
        assert row["type"]
        assert row["meaning"]


def test_types_and_choices_are_in_words():
    rows = {row["name"]: row for row in parameters.describe(AGES)}
    assert rows["source_policy"]["choices"] == "judgement, primary_first, earliest, latest"
    assert (rows["weibull_shape"]["type"], rows["weibull_shape"]["choices"]) == (
        "number",
        "0.5 to 2",
    )
    assert rows["since"]["type"] == "date"
    growth = {row["name"]: row["type"] for row in parameters.describe(GROWTH)}
    assert growth["baseline"] == "text"
    assert growth["baseline_date"] == "date or None"


# The notebooks


def defaults_of(notebook):
    """Names and values assigned in the notebook's cells tagged `parameters`."""
    text = (ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8")
    tagged = [
        "".join(cell["source"])
        for cell in json.loads(text)["cells"]
        if "parameters" in cell["metadata"].get("tags", [])
    ]
    assert len(tagged) == 1
    values = {}
    for statement in ast.parse(tagged[0]).body:
        assert isinstance(statement, ast.Assign), ast.unparse(statement)
        (target,) = statement.targets
        values[target.id] = ast.literal_eval(statement.value)
    return values


@pytest.mark.parametrize("notebook", STORED)
def test_a_notebook_sets_exactly_its_parameters_and_its_defaults_pass(notebook):
    values = defaults_of(notebook)
    assert list(values) == list(MODELS[notebook].model_fields)
    merged = parameters.merge(notebook, values, {})
    assert parameters.merge(notebook, merged, {}) == merged


def test_no_notebook_is_without_a_model():
    names = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert names == set(MODELS)


def test_choices_and_steps_are_those_that_the_estimators_know():
    assert set(get_args(parameters.Ages.model_fields["group"].annotation)) == set(ages.GROUPS)
    steps = [n for n, of in parameters.Issuance.model_fields.items() if of.annotation is bool]
    assert steps == list(issuance.STEPS)


# The weekly report


@pytest.mark.parametrize("day", ["2016-03-25", "2018-12-16", "2025-01-04"])
def test_a_week_that_the_synthetic_records_do_not_cover_is_refused(day):
    said = refusal("04_weekly_report", week_start=day)
    assert (
        f"week_start = {day}: the synthetic records cover weeks that start from 2016-03-26" in said
    )
    assert merged("04_weekly_report", week_start=day, records="mine.xlsx")["week_start"] == day


@pytest.mark.parametrize("limit", ["2", "0", "-1", "1001", "many", "11.5"])
def test_a_limit_that_protects_nobody_or_is_no_number_is_refused(limit):
    assert "minimum_cell" in refusal("04_weekly_report", minimum_cell=limit)
