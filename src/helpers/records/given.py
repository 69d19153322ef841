"""Files of the reader's own, which parameters name: known by name and content, not by place.

The parameters `helpers.parameters.FILES` take a path. A run keeps `NAME@HASH` of it, in the key,
the executed notebook and the inputs of results: a file that was edited is another file, and nothing
says where it lies. The path itself goes to the notebook in the environment.
"""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.records.problems import RecordsError

if TYPE_CHECKING:
    from helpers.records import Records

_IDENTITY = re.compile(r"\S+@[0-9a-f]{16}")


def variable(parameter: str) -> str:
    """Return the variable of the environment that holds the path which a parameter names."""
    return f"DETAINERS_{parameter.upper()}"


def identity(path: Path) -> str:
    """Return `NAME@HASH` of a file or folder: its name without spaces, and 16 digits of a hash.

    The hash is of all that it holds, for a folder with the names of its files.

    Raises
    ------
    RecordsError
        If there is none, or the folder is empty.
    """
    from helpers.records.containers import digest, listed

    found = digest((part.relative_to(path).as_posix(), part) for part in listed(path))
    name = re.sub(r"\s+", "_", path.absolute().name)
    return f"{name}@{found[:16]}"


def located(parameter: str, value: str) -> Path:
    """Return where the file lies that a parameter names.

    Parameters
    ----------
    parameter
        Name of the parameter, one of `helpers.parameters.FILES`.
    value
        Its value: a path, or what `identity` gave.

    Raises
    ------
    RecordsError
        If the file of that identity is not where the environment says, or it does not say.
    """
    if not _IDENTITY.fullmatch(value):
        return Path(value).absolute()
    name = variable(parameter)
    if not (path := os.environ.get(name)):
        raise RecordsError(f"{value} is not here: set {name} to the path of that file")
    if (found := identity(Path(path))) != value:
        raise RecordsError(f"{name} leads to {found}, but {value} is asked for")
    return Path(path)


def records(value: str) -> "tuple[Records, str]":
    """Read the records that the parameter `records` names.

    Returns
    -------
    Records, str
        The records, and their name as an input of results and figures: `records:NAME@HASH`.

    Raises
    ------
    RecordsError
        As `located`, or if the file cannot be read.
    """
    from helpers.records import read

    path = located("records", value)
    return read(path), f"records:{identity(path)}"
