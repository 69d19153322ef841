"""What every format is read into: tables of text, batch by batch, with the number of each row."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.records.layouts import Header

BATCH = 20_000
"""Rows that are held in memory at a time."""

LONGEST_CELL = 2_000
"""Bytes of a cell; a row with a longer one is refused. Published cells are far shorter."""


@dataclass(frozen=True)
class Batch:
    """Rows of a table.

    Attributes
    ----------
    numbers
        Number of each row in its sheet or file, from 1.
    cells
        For each header that is read, by its spelling, the cells as text or None; or an Arrow array.
    problems
        For each row why it cannot be read, None where it can; its cells are empty then.
    """

    numbers: Sequence[int]
    cells: Mapping[str, Sequence[Any]]
    problems: Sequence[str | None]


@dataclass(frozen=True)
class Table:
    """One table of a file: a sheet, or the whole file.

    Attributes
    ----------
    sheet
        Name of the sheet; empty where the format has none.
    header
        Its header.
    batches
        Gives its rows below the header in order, rows without any content left out; read once.
    """

    sheet: str
    header: Header
    batches: Callable[[], Iterator[Batch]]


def batched(
    header: Header, numbers: list[int], rows: Sequence[Sequence[Any]], problems: list[str | None]
) -> Batch:
    """Make a batch of rows, naming those that do not fit the header.

    Parameters
    ----------
    header
        The table's header.
    numbers
        Number of each row.
    rows
        Cells of each row; cells beyond the header's last must be empty.
    problems
        What is known to be wrong with each row.
    """
    width = len(header.names)
    if any(len(row) != width for row in rows):
        rows = list(rows)
        for at, row in enumerate(rows):
            if len(row) < width or any(row[width:]):
                problems[at] = problems[at] or f"the row has {len(row)} cells, the header {width}"
                rows[at] = [""] * width
    columns: list[Sequence[Any]] = list(zip(*rows, strict=False)) or [()] * width
    cells = {name: columns[position] for name, position in header.used.items()}
    return Batch(numbers, cells, problems)
