"""Study files: a notebook, and the settings of its parameters under which a sweep runs it.

A study file (YAML) names the notebook and its settings::

    name: growth_multiverse
    notebook: 01_jurisdiction_growth
    grid:                  # every combination of these values
      baseline: [listed_week_1, ice_2014]
      endpoint: all        # its choices
    settings:              # and these, each as it stands
      - {baseline: listed_week_2, baseline_date: 2017-02-04}
"""

import itertools
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from helpers import parameters, paths, request
from helpers.request import RunError

_Values = Annotated[list[Any], Field(min_length=1)] | Literal["all"]


class Study(BaseModel):
    """A study file: a notebook, and the settings under which it is to run.

    Every combination of the values in `grid` is a setting (`all` stands for all choices), and so
    is each of `settings`; parameters that neither names keep their defaults.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, AfterValidator(paths.checked_run_name)]
    notebook: Annotated[str, BeforeValidator(str)]
    grid: dict[str, _Values] = Field(default_factory=dict)
    settings: list[dict[str, Any]] = Field(default_factory=list)


def read(path: Path) -> Study:
    """Return the study in a file.

    Raises
    ------
    helpers.request.RunError
        If there is no such file, or it is no study: one line with the key and what is allowed.
    """
    try:
        study = Study.model_validate(request.read_document(path))
    except ValidationError as error:
        raise RunError(f"{path}: {_one_line(error)}") from None
    if not (study.grid or study.settings):
        raise RunError(f"{path}: no setting is given: grid, settings or both are needed")
    return study


def settings(study: Study, notebook: str) -> list[dict[str, Any]]:
    """Return what each setting of a study sets: the combinations of its grid, then the others.

    Raises
    ------
    helpers.parameters.ParameterError
        If the notebook has no such parameter, or `all` is asked of one without choices.
    """
    values = [
        parameters.choices(notebook, name) if given == "all" else given
        for name, given in study.grid.items()
    ]
    combinations = itertools.product(*values) if values else ()
    return [*(dict(zip(study.grid, each, strict=True)) for each in combinations), *study.settings]


def _one_line(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"][:2])  # deeper lie parts of our own type
    if first["type"] == "extra_forbidden":
        return f"unknown key {key!r}; there are {', '.join(Study.model_fields)}"
    if first["type"] == "missing":
        return f"key {key!r} is missing"
    said = first["msg"].removeprefix("Value error, ")
    return f"{key} = {first['input']!r}: {said[0].lower()}{said[1:]}"
