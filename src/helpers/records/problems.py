"""The one error of reading records, and how a place in a file is named."""

import re


class RecordsError(ValueError):
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
