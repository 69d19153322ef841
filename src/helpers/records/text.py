"""Text files: comma or tab text, in UTF-8, Windows-1252 or UTF-16; one line is one row.

No published file has a line break inside a cell. Reading by lines keeps the number of every row,
and a stray quotation mark costs one row instead of swallowing those that follow.
"""

import csv
import gc
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import IO

from helpers.records.containers import Source
from helpers.records.layouts import HEADER_ROWS, Header, find_header
from helpers.records.problems import RecordsError, place
from helpers.records.tables import BATCH, Batch, Table, batched

_DELIMITERS = (",", "\t", ";", "|")
_LONGEST_LINE = 1 << 20
csv.field_size_limit(_LONGEST_LINE)


def tables(source: Source, notes: list[str]) -> Iterator[Table]:
    """Yield the table of a text file; add to `notes` what a reader must know of it.

    Raises
    ------
    RecordsError
        If it has no header of detainers.
    """
    header, delimiter = _header(source)
    yield Table("", header, lambda: _batches(source, header, delimiter, notes))


def _header(source: Source) -> tuple[Header, str]:
    with _opened(source) as lines:
        first = list(islice(lines, HEADER_ROWS))
    for delimiter in _DELIMITERS:
        rows = [_cells(line, delimiter)[0] for line in first]
        if header := find_header(rows, source.name):
            return header, delimiter
    raise RecordsError(
        f"{source.name}: no header of detainers in the first {HEADER_ROWS} lines; expected names "
        "such as Detainer Prepare Date and Detainer Lift Reason, split by comma or tab"
    )


def _batches(source: Source, header: Header, delimiter: str, notes: list[str]) -> Iterator[Batch]:
    with _opened(source) as lines, _without_garbage_collection():
        for _ in range(header.row):
            next(lines)
        number, not_utf_8 = header.row, 0
        while block := list(islice(lines, BATCH)):
            not_utf_8 += sum(isinstance(line, _Windows) for line in block)
            yield _batch(header, number + 1, block, delimiter)
            number += len(block)
    if not_utf_8:
        notes.append(f"{source.name}: {not_utf_8} lines are not UTF-8 and are read as Windows-1252")


def _batch(header: Header, first: int, block: list[str], delimiter: str) -> Batch:
    rows = _rows(block, delimiter)
    problems: list[str | None] = [None] * len(block)
    if rows is None:
        rows = []
        for at, line in enumerate(block):
            cells, problems[at] = _cells(line, delimiter)
            rows.append(cells)
    filled = [at for at, row in enumerate(rows) if any(row) or problems[at]]
    if len(filled) < len(rows):
        rows, problems = [rows[at] for at in filled], [problems[at] for at in filled]
    return batched(header, [first + at for at in filled], rows, problems)


def _rows(block: list[str], delimiter: str) -> list[list[str]] | None:
    """Return the cells of lines; None where a line is not one row, or has unreadable bytes."""
    if any("\ufffd" in line for line in block):
        return None
    try:
        rows = list(csv.reader(block, delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows if len(rows) == len(block) else None


def _cells(line: str, delimiter: str) -> tuple[list[str], str | None]:
    """Return the cells of a line, or why it is no row."""
    if "\ufffd" in line:
        return [], "the line has bytes that are neither UTF-8 nor Windows-1252"
    try:
        return next(csv.reader((line,), delimiter=delimiter, strict=True), []), None
    except csv.Error as why:
        return [], f"the line cannot be split into cells ({why})"


class _Windows(str):
    """A line that is not UTF-8."""


@contextmanager
def _opened(source: Source) -> Iterator[Iterator[str]]:
    with source.path.open("rb") as file:
        start = file.read(3)
        file.seek(3 if start == b"\xef\xbb\xbf" else 0)
        if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
            yield _utf_16(file, source.name)
        else:
            yield _utf_8(file, source.name)


def _utf_8(file: IO[bytes], name: str) -> Iterator[str]:
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise RecordsError(f"{place(name, row=number)}: the line is longer than a megabyte")
        line = line.rstrip(b"\r\n")
        try:
            yield line.decode()
        except UnicodeDecodeError:
            yield _Windows(line.decode("cp1252", errors="replace"))


def _utf_16(file: IO[bytes], name: str) -> Iterator[str]:
    with io.TextIOWrapper(file, encoding="utf-16", newline="\n") as text:
        number = 0
        try:
            for line in text:
                number += 1
                yield line.rstrip("\r\n")
        except UnicodeDecodeError:
            where = place(name, row=number + 1)
            raise RecordsError(f"{where}: the text is not UTF-16, as its first bytes say") from None


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Hold back the search for cycles: it doubles the time to make millions of short lists."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
