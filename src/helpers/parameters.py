"""The parameters of each notebook: names, types, choices and meanings.

The defaults live in the notebook's cell tagged `parameters` and nowhere else, so every field
here is required.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from helpers.errors import UserError

Policy = Literal["judgement", "primary_first", "earliest", "latest"]
POLICIES: tuple[str, ...] = get_args(Policy)
"""Ways to choose a value where sources disagree; `helpers.evidence.load` says what each does."""

SourcePolicy = Annotated[
    Policy,
    Field(description="which published value is used where sources disagree"),
]


class ParameterError(UserError):
    """A parameter is unknown, or its value is not allowed."""


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Evidence(_Parameters):
    """Parameters of 00_evidence."""

    source_policy: SourcePolicy


def _iso_date(value: object) -> object:
    # Left to itself, pydantic reads a bare number as seconds since 1970.
    if isinstance(value, dt.date):
        return value
    with suppress(ValueError):
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value), re.ASCII):
            return dt.date.fromisoformat(str(value))
    raise ValueError("a date is written YYYY-MM-DD")


def _is_empty(value: object) -> bool:
    return value is None or value in ("", "None", "none")


def _none_if_empty(value: object) -> object:
    return None if _is_empty(value) else _iso_date(value)


def _path_or_none(value: object) -> object:
    if _is_empty(value):
        return None
    return str(value) if isinstance(value, Path) else value


FILES = ("records", "policy_dates")
"""Parameters that name a file of the reader's; `helpers.records.given` says how they are kept."""

_File = Annotated[str | None, BeforeValidator(_path_or_none)]
RecordsFile = Annotated[
    _File,
    Field(
        description="individual records of your own, as `detainers records check` reads them: a "
        "file, or a folder of one release; None: without"
    ),
]


_Date = Annotated[dt.date, BeforeValidator(_iso_date)]
# At least a year apart: over days, a rate a year takes any size and means nothing.
_BaselineDate = Annotated[_Date, Field(ge=dt.date(2000, 1, 1), le=dt.date(2019, 12, 31))]
_EndpointDate = Annotated[_Date, Field(ge=dt.date(2021, 1, 1), le=dt.date(2021, 12, 31))]


class Growth(_Parameters):
    """Parameters of 01_jurisdiction_growth."""

    source_policy: SourcePolicy
    baseline: Literal[
        "listed_week_1",
        "listed_week_1_117",
        "listed_week_1_118",
        "listed_week_1_96",
        "listed_week_2",
        "about_120",
        "ice_2014",
        "declined_fy2016",
        "declining_facilities_2014",
        "declining_agencies_2018",
        "declining_agencies_2018_ten_times",
        "declined_2014_2017",
        "counties_not_holding_2018",
    ] = Field(
        description="the earlier count: which list or counter (data/judgements/growth_counts.csv)"
    )
    endpoint: Literal["refusing", "refusing_or_limited"] = Field(
        description="the later count: jails ICE called non-cooperative in 2021, "
        "with or without those of limited cooperation"
    )
    baseline_date: Annotated[_BaselineDate | None, BeforeValidator(_none_if_empty)] = Field(
        description="day of the earlier count; None: the day published with it"
    )
    endpoint_date: Annotated[_EndpointDate | None, BeforeValidator(_none_if_empty)] = Field(
        description="day of the later count; None: the day published with it"
    )


# "Since 2018" can mean the fiscal year's start or the calendar year's end; the count is of 2021.
# Within these days every assumed life can be solved for: tests/test_ages.py.
_SinceDate = Annotated[_Date, Field(ge=dt.date(2017, 10, 1), le=dt.date(2018, 12, 31))]
_CountDate = Annotated[_Date, Field(ge=dt.date(2021, 1, 1), le=dt.date(2021, 9, 30))]


class Ages(_Parameters):
    """Parameters of 02_detainer_age."""

    source_policy: SourcePolicy
    group: Literal["released_by_policy", "still_declined", "reinstated", "accepted", "all"] = Field(
        description="which Travis County detainers the figures of this notebook show; "
        "results named ages.travis.* are always those released by policy"
    )
    distribution: Literal["exponential", "weibull"] = Field(
        description="shape of the active life in the stock inversion"
    )
    weibull_shape: float = Field(ge=0.5, le=2, description="shape of the Weibull active life")
    since: _SinceDate = Field(
        description="first day read as 'since 2018', 2017-10-01 (the fiscal year) to 2018-12-31"
    )
    as_of: _CountDate = Field(
        description="day on which active detainers were counted, 2021-01-01 to 2021-09-30"
    )
    records: RecordsFile


class Issuance(_Parameters):
    """Parameters of 03_issuance_policy."""

    source_policy: SourcePolicy
    exclude_travis: bool = Field(description="leave Travis County's refusals out of every week")
    apply_withdrawals: bool = Field(description="leave out the records ICE withdrew from week 1")
    reattribute_state_jail: bool = Field(
        description="credit 14 week 1 records to the state jail, so that they stay in the count "
        "when Travis County is left out"
    )
    records: RecordsFile
    policy_dates: _File = Field(
        description="when each area of the records stopped and resumed issuing: a CSV file with "
        "columns office, stopped, resumed; None: not known"
    )

    @model_validator(mode="after")
    def _of_records(self) -> "Issuance":
        if self.policy_dates is not None and self.records is None:
            raise ValueError(
                "parameter policy_dates: the days are those of areas of your own records; "
                "give these, too: --records PATH"
            )
        return self


# Within these weeks the synthetic records have weeks before, as a past, and their end after.
_SYNTHETIC_WEEKS = dt.date(2016, 3, 26), dt.date(2018, 12, 15)


class Report(_Parameters):
    """Parameters of 04_weekly_report."""

    source_policy: SourcePolicy
    week_start: _Date = Field(
        description="first of the seven days reported on; without records of your own, "
        f"{_SYNTHETIC_WEEKS[0]} to {_SYNTHETIC_WEEKS[1]}"
    )
    records: RecordsFile
    minimum_cell: int = Field(
        ge=3, le=1000, description="the smallest count of records that is shown"
    )

    @model_validator(mode="after")
    def _covered(self) -> "Report":
        first, last = _SYNTHETIC_WEEKS
        if self.records is None and not first <= self.week_start <= last:
            raise ValueError(
                f"parameter week_start = {self.week_start}: the synthetic records cover weeks that "
                f"start from {first} to {last}"
            )
        return self


class Claims(_Parameters):
    """Parameters of 05_claims."""

    source_policy: SourcePolicy


class Validation(_Parameters):
    """Parameters of 06_method_validation."""

    profile: Literal["short", "full"] = Field(
        description="how many data sets are simulated: a first look in seconds, or as many as in "
        "the reference run"
    )


MODELS: dict[str, type[_Parameters]] = {
    "00_evidence": Evidence,
    "01_jurisdiction_growth": Growth,
    "02_detainer_age": Ages,
    "03_issuance_policy": Issuance,
    "04_weekly_report": Report,
    "05_claims": Claims,
    "06_method_validation": Validation,
}
"""Model of each notebook's parameters, by notebook name; the order is the order of a run."""


def check(notebook: str, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - one model each
    """Check a notebook's parameters.

    Parameters
    ----------
    notebook
        Name of the notebook, for example `01_jurisdiction_growth`.
    values
        Values by name. A notebook passes `globals()`: names that are no parameter are left
        alone there, and refused by `merge`, which sees what a user asked for.

    Returns
    -------
    pydantic.BaseModel
        The notebook's model, frozen; its fields are the parameters with their types.

    Raises
    ------
    ParameterError
        If a value is missing or not allowed: one line naming parameter, value and what is allowed.
    """
    model = MODELS[notebook]
    try:
        return model(**{name: values[name] for name in model.model_fields if name in values})
    except ValidationError as error:
        raise ParameterError(_one_line(notebook, error)) from None


def merge(notebook: str, defaults: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a notebook's parameters with a user's values in place of the defaults.

    Parameters
    ----------
    notebook
        Name of the notebook.
    defaults
        Values of its parameters cell.
    asked
        Values the user gave; text is converted (`-p` gives text), other types must fit.

    Returns
    -------
    dict
        Plain values (text, number, truth value or None), in the order of the model, as they can
        be injected into a notebook and stored in a manifest.

    Raises
    ------
    ParameterError
        If a name is unknown or a value is not allowed.
    """
    _refuse_unknown(notebook, asked)
    return check(notebook, {**defaults, **asked}).model_dump(mode="json")


def choices(notebook: str, name: str) -> list[Any]:
    """Return every value that a parameter may have.

    Raises
    ------
    ParameterError
        If the notebook has no such parameter, or its values cannot be listed.
    """
    _refuse_unknown(notebook, [name])
    schema = MODELS[notebook].model_json_schema()["properties"][name]
    if schema.get("type") == "boolean":
        return [False, True]
    if "enum" in schema:
        return list(schema["enum"])
    raise ParameterError(f"{notebook}: parameter {name} has no list of choices: give some values")


def describe(notebook: str) -> list[dict[str, str]]:
    """Return name, type, choices and meaning of each parameter of a notebook, all as text."""
    properties = MODELS[notebook].model_json_schema()["properties"]
    return [
        {
            "name": name,
            "type": _type_name(schema),
            "choices": ", ".join(schema.get("enum", [])) or _bounds(schema),
            "meaning": schema["description"],
        }
        for name, schema in properties.items()
    ]


def _refuse_unknown(notebook: str, names: Iterable[str]) -> None:
    fields = MODELS[notebook].model_fields
    if unknown := sorted(set(names) - set(fields)):
        raise ParameterError(
            f"{notebook} has no parameter {unknown[0]!r}; it has {', '.join(fields)}"
        )


def _type_name(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type_name(option) for option in schema["anyOf"])
    return {"string": "text", "null": "None"}.get(
        kind := schema.get("format", schema["type"]), kind
    )


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    return f"{low} to {high}" if low is not None and high is not None else ""


def _shown_date(match: re.Match[str]) -> str:
    return dt.date(*map(int, match.groups())).isoformat()


def _one_line(notebook: str, error: ValidationError) -> str:
    first = error.errors()[0]
    allowed = first["msg"].removeprefix("Value error, ").partition(", unable to")[0]
    allowed = re.sub(r"datetime\.date\((\d+), (\d+), (\d+)\)", _shown_date, allowed)
    if not first["loc"]:  # a rule over several parameters
        return f"{notebook}: {allowed}"
    name, given = str(first["loc"][0]), first["input"]
    if first["type"] == "missing":
        return f"{notebook}: parameter {name!r} is not set"
    shown = str(given) if isinstance(given, dt.date) else repr(given)
    return f"{notebook}: parameter {name} = {shown}: {allowed[0].lower()}{allowed[1:]}"
