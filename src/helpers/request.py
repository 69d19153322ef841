"""What a user asked a run for: which notebooks, with which parameters."""

import ast
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from helpers import parameters, paths
from helpers.errors import UserError
from helpers.notebooks import declared_reads
from helpers.records import given


class RunError(UserError):
    """A run was asked for that cannot be started."""


@dataclass(frozen=True)
class Plan:
    """A notebook to run: its source, all its parameters, those that are not its defaults.

    `reads` are the notebooks whose results it reads; `files` are where those files of the reader's
    lie that parameters name.
    """

    name: str
    path: Path
    parameters: dict[str, Any]
    injected: dict[str, Any]
    reads: tuple[str, ...]
    files: dict[str, Path] = field(default_factory=dict)


def study() -> dict[str, Path]:
    """Return the notebooks of the study by name, in their order.

    Raises
    ------
    RunError
        If the project has none.
    """
    folder = paths.project_root() / "notebooks"
    candidates = {name: folder / f"{name}.ipynb" for name in parameters.MODELS}
    found = {name: path for name, path in candidates.items() if path.is_file()}
    if not found:
        raise RunError(f"{folder} has none of {', '.join(candidates)}")
    return found


def chosen(only: Sequence[str] | None = None) -> dict[str, Path]:
    """Return the notebooks that `only` names (by name or number), in their order; all if None."""
    notebooks = study()
    names = {_find(text, notebooks) for text in only} if only is not None else set(notebooks)
    return {name: path for name, path in notebooks.items() if name in names}


def plan(asked: Mapping[str, Mapping[str, Any]], only: Sequence[str] | None = None) -> list[Plan]:
    """Return the notebooks to run, with their parameters checked.

    Parameters
    ----------
    asked
        Parameters to set, by notebook and name; the others keep their defaults.
    only
        Notebooks to run, by name or number; all where None.

    Raises
    ------
    RunError, helpers.parameters.ParameterError, helpers.records.RecordsError
        If a notebook or parameter is unknown, a value is not allowed, a file is missing, or a
        notebook reads results that do not come before its own.
    """
    notebooks = chosen(only)
    if unknown := sorted(set(asked) - set(notebooks)):
        raise RunError(f"parameters are given for {unknown[0]}, which is not to be run")
    plans = []
    for name, path in notebooks.items():
        own = defaults(path)
        usual = parameters.merge(name, own, {})
        values = parameters.merge(name, own, asked.get(name, {}))
        files = {key: given.located(key, values[key]) for key in _files(values)}
        values |= {key: given.identity(file) for key, file in files.items()}
        changed = {key: value for key, value in values.items() if value != usual[key]}
        plans.append(Plan(name, path, values, changed, _reads(name, path), files))
    return plans


def _files(values: Mapping[str, Any]) -> list[str]:
    return [name for name in parameters.FILES if values.get(name) is not None]


def requested(
    pairs: Iterable[str], document: Mapping[Any, Any], only: Sequence[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the parameters that a user asked for, by notebook.

    Parameters
    ----------
    pairs
        `NOTEBOOK.NAME=VALUE`, or `NAME=VALUE` for every notebook that has the parameter. NOTEBOOK
        is a name or its number. Pairs win over `document`; in both, what is said of one notebook
        wins over what is said of all.
    document
        Notebook to its parameters, or name to value for every notebook. What it holds for
        notebooks that are not to be run is left out.
    only
        Notebooks to run, by name or number; all where None.

    Raises
    ------
    RunError
        If a notebook is unknown, or no notebook has the parameter.
    """
    notebooks = list(chosen(only))
    asked: dict[str, dict[str, Any]] = {name: {} for name in parameters.MODELS}
    for where, name, value in _from_document(document):
        for notebook in [where] if where else _having(name):
            asked[notebook][name] = value
    for where, name, value in _from_pairs(pairs):
        having = [where] if where else _having(name)
        if not set(having) & set(notebooks):
            raise RunError(f"parameter {name!r} is of {', '.join(having)}, which is not to be run")
        for notebook in having:
            asked[notebook][name] = value
    return {name: asked[name] for name in notebooks}


def read_document(path: Path) -> dict[Any, Any]:
    """Return the mapping in a YAML file of parameters.

    Raises
    ------
    RunError
        If there is no such file, or it holds no mapping.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"{path}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise RunError(f"{path}: must map notebooks to parameters, or parameters to values")
    return document


def defaults(path: Path) -> dict[str, Any]:
    """Return the values that a notebook's cell tagged `parameters` sets.

    Raises
    ------
    RunError
        If there is not exactly one such cell, or it holds more than `name = literal` lines.
    """
    cells = [
        "".join(cell["source"])
        for cell in read_notebook(path)["cells"]
        if "parameters" in cell["metadata"].get("tags", [])
    ]
    if len(cells) != 1:
        raise RunError(f"{path.stem}: {len(cells)} cells are tagged 'parameters', not one")
    try:
        return dict(_assignment(statement) for statement in ast.parse(cells[0]).body)
    except (SyntaxError, ValueError):
        raise RunError(
            f"{path.stem}: a line of its parameters cell is not of the form name = literal"
        ) from None


def describe(only: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return every parameter: notebook, name, type, default, choices, meaning."""
    return [
        {"notebook": each.name, **row, "default": each.parameters[row["name"]]}
        for each in plan({}, only)
        for row in parameters.describe(each.name)
    ]


def read_notebook(path: Path) -> dict[str, Any]:
    """Return a notebook (nbformat JSON).

    Raises
    ------
    RunError
        If the file is no notebook.
    """
    try:
        notebook = json.loads(path.read_bytes())
    except ValueError as error:
        raise RunError(f"{path}: not a notebook: {error}") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise RunError(f"{path}: not a notebook: it has no cells")
    parts = [notebook, *notebook["cells"]]
    if not all(isinstance(p, dict) and isinstance(p.get("metadata"), dict) for p in parts):
        raise RunError(f"{path}: not a notebook: it, or a cell of it, has no metadata")
    return notebook


def _reads(name: str, path: Path) -> tuple[str, ...]:
    names, reads = list(parameters.MODELS), declared_reads(read_notebook(path))
    if late := sorted(set(reads) - set(names[: names.index(name)])):
        raise RunError(f"{name} reads the results of {late[0]}, which does not come before it")
    return tuple(reads)


_Setting = tuple[str | None, str, Any]
"""Notebook (None: each that has it), parameter, value."""


def _from_document(document: Mapping[Any, Any]) -> list[_Setting]:
    settings: list[_Setting] = []
    for key, value in document.items():
        text = str(key)  # YAML reads 01 as a number
        if isinstance(value, Mapping):
            notebook = _find(text, parameters.MODELS)
            settings += [(notebook, str(name), item) for name, item in value.items()]
        elif text[:1].isdigit():
            raise RunError(f"{_find(text, parameters.MODELS)}: must map parameters to values")
        else:
            settings.append((None, text, value))
    return sorted(settings, key=_is_special)


def _from_pairs(pairs: Iterable[str]) -> list[_Setting]:
    settings: list[_Setting] = []
    for pair in pairs:
        target, equals, value = pair.partition("=")
        where, dot, name = target.strip().rpartition(".")
        if not equals or not name or (dot and not where):
            raise RunError(f"parameter {pair!r}: write NOTEBOOK.NAME=VALUE or NAME=VALUE")
        notebook = _find(where, parameters.MODELS) if where else None
        settings.append((notebook, name, value.strip()))
    return sorted(settings, key=_is_special)


def _is_special(setting: _Setting) -> bool:
    return setting[0] is not None


def _having(name: str) -> list[str]:
    fields = {notebook: model.model_fields for notebook, model in parameters.MODELS.items()}
    if having := [notebook for notebook in fields if name in fields[notebook]]:
        return having
    known = dict.fromkeys(known for names in fields.values() for known in names)
    raise RunError(f"no notebook has a parameter {name!r}; there are {', '.join(known)}")


def _find(text: str, notebooks: Iterable[str]) -> str:
    """Return the notebook of this name or number."""
    names = list(notebooks)
    for name in names:
        if text == name or name.startswith((f"{text}_", f"0{text}_")):
            return name
    raise RunError(f"there is no notebook {text!r}; there are {', '.join(names)}")


def _assignment(statement: ast.stmt) -> tuple[str, Any]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, ast.literal_eval(value)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name, ast.literal_eval(value)
    raise ValueError("not an assignment")
