"""Text files: comma or tab text, in UTF-8, Windows-1252 or UTF-16; one line is one row.

No published file has a line break inside a cell. Reading line by line keeps the number of every row,
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
_QUOTING = "a quotation mark is not closed in its line, or stands inside a cell"
csv.field_size_limit(_LONGEST_LINE)


def tables(source: Source) -> Iterator[Table]:
    """Yield the table of a text file.

    Raises
    ------
    RecordsError
        If it has no header of detainers.
    """
    header, delimiter = _header(source)
    notes: list[str] = []
    yield Table("", header, lambda: _batches(source, header, delimiter, notes), notes)


def _header(source: Source) -> tuple[Header, str]:
    with _opened(source) as lines:
        first = list(islice(lines, HEADER_ROWS))
    for delimiter in _DELIMITERS:
        rows = [_cells(line, delimiter) or [] for line in first]
        if header := find_header(rows, source.name):
            return header, delimiter
    raise RecordsError(
        f"{source.name}: no header of detainers in the first {HEADER_ROWS} lines; expected names "
        "such as Detainer Prepare Date and Detainer Lift Reason, split by comma or tab"
    )


def _batches(
    source: Source, header: Header, delimiter: str, notes: list[str]
) -> Iterator[Batch]:
    with _opened(source) as lines, _without_garbage_collection():
        for _ in range(header.row):
            next(lines)
        number, other_encoding = header.row, 0
        while block := list(islice(lines, BATCH)):
            other_encoding += sum(isinstance(line, _Windows) for line in block)
            yield _batch(header, number + 1, block, delimiter)
            number += len(block)
    if other_encoding:
        notes.append(
            f"{source.name}: {other_encoding} lines are not UTF-8; read as Windows-1252"
        )


def _batch(header: Header, first: int, block: list[str], delimiter: str) -> Batch:
    try:
        rows = list(csv.reader(block, delimiter=delimiter, strict=True))
    except csv.Error:
        rows = []
    numbers = list(range(first, first + len(block)))
    if len(rows) != len(block):  # a row went over a line's end, or a line is no row
        return _line_by_line(header, numbers, block, delimiter)
    kept = [at for at, row in enumerate(rows) if any(row)]
    if len(kept) < len(rows):
        numbers, rows = [numbers[at] for at in kept], [rows[at] for at in kept]
    return batched(header, numbers, rows)


def _line_by_line(header: Header, numbers: list[int], block: list[str], delimiter: str) -> Batch:
    empty = [""] * len(header.names)
    parsed = [_cells(line, delimiter) for line in block]
    kept = [at for at, row in enumerate(parsed) if row is None or any(row)]
    batch = batched(header, [numbers[at] for at in kept], [parsed[at] or empty for at in kept])
    broken = (_QUOTING if parsed[at] is None else None for at in kept)
    batch.problems = [ours or theirs for ours, theirs in zip(broken, batch.problems, strict=True)]
    return batch


def _cells(line: str, delimiter: str) -> list[str] | None:
    """Return the cells of a line; None where it is no row."""
    try:
        return next(csv.reader((line,), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


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
    number = 0
    with io.TextIOWrapper(file, encoding="utf-16", newline="\n") as text:
        try:
            for number, line in enumerate(text, start=1):
                yield line.rstrip("\r\n")
        except UnicodeDecodeError:
            raise RecordsError(
                f"{place(name, row=number + 1)}: the text is not UTF-16, as its first bytes say"
            ) from None


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
