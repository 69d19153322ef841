"""Read data/ by its schema, data/datapackage.json: the one place that knows files and types."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from frictionless import Checklist, Dialect, FrictionlessException, Package, Resource
from frictionless.checks import row_constraint, table_dimensions
from frictionless.formats import CsvControl

from helpers.errors import UserError
from helpers.paths import MARKER, project_root

_WRITTEN = {
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "number": r"-?[0-9]+(\.[0-9]+)?",
    "integer": r"-?[0-9]{1,18}",
    "year": r"[0-9]{4}",
}
_DTYPES = {"string": "str", "integer": "Int64", "number": "float64", "year": "Int64"}


class DataError(UserError):
    """A file of data/ is missing, or does not fit its schema; the message names the place."""


def package(root: Path | None = None) -> Package:
    """Return the data package of a project.

    Parameters
    ----------
    root
        The project's folder; found from the working directory when omitted.

    Raises
    ------
    DataError
        If data/datapackage.json cannot be read.
    """
    path = (root or project_root()) / MARKER
    try:
        tables = Package.from_descriptor(str(path))
    except FrictionlessException as error:
        raise DataError(f"{MARKER.as_posix()}: {' '.join(str(error).split())}") from None
    for resource in tables.resources:  # left to itself, frictionless guesses the separator
        resource.dialect = Dialect(controls=[CsvControl(delimiter=",")])
    return tables


def load(name: str, root: Path | None = None) -> pd.DataFrame:
    """Read one table of data/, validated.

    Parameters
    ----------
    name
        Name of the resource: the file's stem, for example `facts`.
    root
        The project's folder; found from the working directory when omitted.

    Returns
    -------
    pandas.DataFrame
        One row a line, in the file's order. Text is `str` with empty cells as "", whole numbers
        are `Int64`, numbers `float64`, dates `datetime64`.

    Raises
    ------
    DataError
        If the table is unknown, missing or malformed: file, row, column and what is allowed.
    """
    tables = package(root)
    resource = _table(tables, name)
    if problems := _problems(tables, resource):
        raise DataError(problems[0])
    return _read(resource)


def validate(root: Path | None = None) -> list[str]:
    """Check every table of data/ against its schema.

    Returns
    -------
    list of str
        One line a problem: file, row, column, what was wrong and what is allowed. Empty if none.

    Raises
    ------
    DataError
        If data/datapackage.json itself cannot be read.
    """
    tables = package(root)
    lines = [line for resource in tables.resources for line in _problems(tables, resource)]
    return list(dict.fromkeys(lines))


def in_words(constraints: Mapping[str, Any], quote: str = "") -> list[str]:
    """Say each constraint of a field in words, values other than listed ones between `quote`."""
    words = {"required": "not empty", "unique": "unique"}
    return [
        words.get(rule)
        or (f"one of {', '.join(value)}" if rule == "enum" else f"{rule} {quote}{value}{quote}")
        for rule, value in constraints.items()
    ]


def _read(resource: Resource) -> pd.DataFrame:
    fields = resource.schema.fields
    frame = pd.read_csv(
        str(resource.normpath),
        dtype={f.name: _DTYPES[f.type] for f in fields if f.type in _DTYPES},
        keep_default_na=False,
        na_values={f.name: [""] for f in fields if f.type != "string"},
        parse_dates=[f.name for f in fields if f.type == "date"],
        date_format="%Y-%m-%d",
        encoding="utf-8",
    )
    return frame[[f.name for f in fields]]


def _table(tables: Package, name: str) -> Resource:
    if not tables.has_resource(name):
        raise DataError(f"data/ has no table {name!r}; it has {', '.join(tables.resource_names)}")
    return tables.get_resource(name)


def _problems(tables: Package, resource: Resource) -> list[str]:
    lookups = [
        _table(tables, key["reference"]["resource"])
        for key in resource.schema.foreign_keys
        if key["reference"]["resource"]
    ]
    for needed in [resource, *lookups]:
        if not Path(str(needed.normpath)).is_file():
            return [f"data/{needed.path}: the file is missing"]
    file = f"data/{resource.path}"
    rules = [row_constraint(formula=rule) for rule in resource.custom.get("rules", [])]
    rows = table_dimensions(min_rows=1)
    try:
        report = resource.validate(Checklist(checks=[rows, *rules]), limit_errors=20)
    except FrictionlessException as error:
        return [f"{file}: {' '.join(str(error).split())}"]
    lines = [_line(file, resource, error) for task in report.tasks for error in task.errors]
    return lines or _odd_cells(file, resource)


def _odd_cells(file: str, resource: Resource) -> list[str]:
    """Name what the standard allows and nobody writes: NaN, 1_000, other scripts, 2017-1-28."""
    text = pd.read_csv(str(resource.normpath), dtype=str, keep_default_na=False, encoding="utf-8")
    lines = []
    for field in resource.schema.fields:
        if field.type in _WRITTEN:
            cells = text[field.name]
            odd = cells[cells.ne("") & ~cells.str.fullmatch(_WRITTEN[field.type])]
            lines += [
                f"{file}, row {row + 2}, column {field.name}: {cell!r} is not allowed"
                f"{_allowed(resource, field.name)}"
                for row, cell in odd.items()
            ]
    return lines


def _line(file: str, resource: Resource, error: Any) -> str:  # noqa: ANN401 - many classes
    row = getattr(error, "row_number", None)
    column = getattr(error, "field_name", None) or ", ".join(getattr(error, "field_names", []))
    label = getattr(error, "label", "")
    place = file + (f", row {row}" if row else "") + (f", column {column}" if column else "")
    if error.type in {"type-error", "constraint-error"}:
        empty = error.cell in ("", "None")  # the latter: the row ends before it
        problem = "the cell is empty" if empty else f"{error.cell[:80]!r} is not allowed"
    else:
        said = " ".join([*error.note.split()] or [error.title.lower(), *filter(None, [label])])
        problem = said[:200]
    return f"{place}: {problem}{_allowed(resource, column)}"


def _allowed(resource: Resource, column: str) -> str:
    schema = resource.schema
    if not column or not schema.has_field(column):
        return ""
    field = schema.get_field(column)
    return "; allowed: " + ", ".join([field.type, *in_words(field.constraints)])
