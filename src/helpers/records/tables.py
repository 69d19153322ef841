"""What every format is read into: tables of text, batch by batch, with the number of each row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from helpers.records.layouts import Header

BATCH = 20_000
"""Rows that are held in memory at a time."""

LONGEST_CELL = 2_000
"""Characters; in published files no cell is a tenth as long."""


@dataclass
class Batch:
    """Rows of a table.

    Attributes
    ----------
    numbers
        Number of each row in its sheet or file, from 1.
    cells
        For each header that is read, by its spelling, the cells as text.
    problems
        For each row why it cannot be read, None where it can; its cells are empty then.
    """

    numbers: Sequence[int]
    cells: dict[str, Sequence[str | None]]
    problems: Sequence[str | None]


@dataclass
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
    notes
        What a reader must know, filled while it is read.
    """

    sheet: str
    header: Header
    batches: Callable[[], Iterator[Batch]]
    notes: list[str] = field(default_factory=list)


def batched(header: Header, numbers: list[int], rows: list[Sequence[str]]) -> Batch:
    """Make a batch of rows, refusing those that do not fit the header.

    Parameters
    ----------
    header
        The table's header.
    numbers
        Number of each row.
    rows
        Cells of each row; cells beyond the header's last must be empty.
    """
    width = len(header.names)
    problems: list[str | None] = [None] * len(rows)
    if {len(row) for row in rows} - {width}:
        for at, row in enumerate(rows):
            if len(row) != width and (len(row) < width or any(row[width:])):
                problems[at] = f"the row has {len(row)} cells, the header {width}"
                rows[at] = [""] * width
    columns = list(zip(*rows, strict=False)) or [()] * width
    cells = {name: columns[position] for name, position in header.used.items()}
    return Batch(numbers, cells, problems)
