"""The one error of reading records, and how a place in a file is named."""

import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

from helpers.errors import UserError


class RecordsError(UserError):
    """A file of records cannot be read; the message names file, sheet, row and column."""


def place(file: str, sheet: str = "", row: int | None = None, column: str = "") -> str:
    """Name a place: `file, sheet "Detainers", row 8, column Detainer Prepare Date`."""
    parts = [file]
    if sheet:
        parts.append(f'sheet "{sheet}"')
    if row is not None:
        parts.append(f"row {row}")
    if column:
        parts.append(f"column {column}")
    return ", ".join(parts)


def shape(text: str) -> str:
    """Return the form of a cell without its content, for a message: `Jan 5` is `Aaa 9`.

    A cell of a record may hold anything about a person; its form is enough to find the mistake.
    """
    form = re.sub(r"[^\W\d_]", lambda letter: "A" if letter[0].isupper() else "a", text[:30])
    return re.sub(r"\d", "9", form) + ("..." if len(text) > 30 else "")


_BROKEN: tuple[type[Exception], ...] = (
    EOFError,
    KeyError,
    OSError,
    OverflowError,
    RuntimeError,  # zipfile's word for a password
    ValueError,
    ElementTree.ParseError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What libraries raise when the bytes of a file are not what they should be."""


@contextmanager
def unbroken(name: str, what: str, *errors: type[Exception]) -> Iterator[None]:
    """Say in a line that a file is broken, whatever a library says of it.

    Parameters
    ----------
    name
        The file's name for readers.
    what
        Its format.
    errors
        What else a library may raise.

    Raises
    ------
    RecordsError
        In place of any such error.
    """
    try:
        yield
    except RecordsError:
        raise
    except (*_BROKEN, *errors) as why:
        said = " ".join(str(why).split())[:120] or type(why).__name__
        raise RecordsError(f"{name}: the {what} file is broken ({said})") from None
