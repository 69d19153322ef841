"""The first step of reading: any format to one Parquet of text, with file, sheet and row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.records import columnar, text, workbook
from helpers.records.columns import SOURCED
from helpers.records.containers import Source, listed, sources
from helpers.records.layouts import Header, Layout
from helpers.records.problems import RecordsError, place
from helpers.records.tables import Batch, Table

if TYPE_CHECKING:
    import pyarrow

_READERS = {
    "text": text.tables,
    "xlsx": workbook.tables,
    "parquet": columnar.tables,
    "feather": columnar.tables,
}
HEADERS = tuple(header for column in SOURCED for header in column.headers)
"""The columns of the staged Parquet, beside `file`, `sheet`, `row` and `problem`: all text."""


@dataclass(frozen=True)
class Part:
    """A table that was staged.

    Attributes
    ----------
    file, sheet
        Where it is from.
    kind
        Format of the file.
    header
        Its header.
    rows
        Rows below the header, those without any content left out.
    """

    file: str
    sheet: str
    kind: str
    header: Header
    rows: int


def stage(
    path: Path, target: Path, scratch: Path, progress: Callable[[str], None]
) -> tuple[list[Part], list[str]]:
    """Write the rows of a file or folder to a Parquet of text.

    Parameters
    ----------
    path
        The file or folder.
    target
        The Parquet to write.
    scratch
        A folder for what is unpacked.
    progress
        Called with a line to show.

    Returns
    -------
    parts : list of Part
        The tables, in the order of their rows.
    notes : list of str
        What a reader must know of them.

    Raises
    ------
    RecordsError
        If a file cannot be read, or the files are of several layouts.
    """
    from pyarrow import parquet

    parts: list[Part] = []
    notes: list[str] = []
    with parquet.ParquetWriter(target, _schema(), compression="lz4") as writer:
        for source, table in _tables(path, scratch, notes, progress):
            if parts:
                _check_same(parts[0], source.name, table)
            rows = 0
            for batch in table.batches():
                writer.write_table(_arrow(batch, source.name, table.sheet))
                rows += len(batch.problems)
                progress(f"{place(source.name, table.sheet)}: {rows:,} rows")
            parts.append(Part(source.name, table.sheet, source.kind, table.header, rows))
    return parts, notes


def layout_of(parts: Sequence[Part]) -> Layout:
    """Return the layout that all parts have."""
    return parts[0].header.layout


def _tables(
    path: Path, scratch: Path, notes: list[str], progress: Callable[[str], None]
) -> Iterator[tuple[Source, Table]]:
    for file in listed(path):
        name = file.relative_to(path).as_posix() if path.is_dir() else file.name
        for source in sources(file, name, scratch):
            progress(f"{source.name}: opening; a large workbook takes a minute")
            for table in _READERS[source.kind](source, notes):
                yield source, table


def _check_same(first: Part, file: str, table: Table) -> None:
    ours, theirs = first.header.layout.name, table.header.layout.name
    if ours != theirs:
        raise RecordsError(
            f"{place(file, table.sheet)}: layout {theirs}, but {place(first.file, first.sheet)} "
            f"has {ours}; expected files of one release, since person keys hold in one only"
        )


def _schema() -> "pyarrow.Schema":
    import pyarrow

    text_columns = [(name, pyarrow.string()) for name in ("file", "sheet", "problem", *HEADERS)]
    return pyarrow.schema([("row", pyarrow.int64()), *text_columns])


def _arrow(batch: Batch, file: str, sheet: str) -> "pyarrow.Table":
    import pyarrow

    rows = len(batch.problems)
    given = {
        "row": batch.numbers,
        "file": pyarrow.repeat(file, rows),
        "sheet": pyarrow.repeat(sheet, rows),
        "problem": batch.problems,
        **batch.cells,
    }
    return pyarrow.table(
        [
            pyarrow.array(given[column.name], column.type)
            if column.name in given
            else pyarrow.nulls(rows, column.type)
            for column in _schema()
        ],
        schema=_schema(),
    )
