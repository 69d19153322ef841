"""Excel workbooks: every sheet with a header of detainers, stacked.

Reading takes about 4 kB of memory for each row of 65 columns of the largest sheet.
"""

import re
import zipfile
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from helpers.records.containers import Source
from helpers.records.layouts import HEADER_ROWS, Header, find_header
from helpers.records.problems import RecordsError, place, unbroken
from helpers.records.tables import BATCH, Batch, Table, batched

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

_MOST_CELLS = 300_000_000  # of the rectangle that a sheet spans; all of it is held in memory
_WIDE = 6  # a row with so many filled cells is a row of a table, not a line of notes
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def tables(source: Source, notes: list[str]) -> Iterator[Table]:
    """Yield the tables of a workbook, one a sheet; add to `notes` what a reader must know of it.

    Raises
    ------
    RecordsError
        If it is broken, holds formulas, or has a sheet of data without a header.
    """
    notes += _screened(source)
    found, headless = False, []
    for sheet, hidden in _sheets(source):
        first = [_texts(row) for row in islice(sheet.iter_rows(), HEADER_ROWS)]
        if header := find_header(first, source.name, sheet.name):
            found = True
            if hidden:
                where = place(source.name, sheet.name)
                notes.append(f"{where}: the sheet is hidden in Excel; it is read as the others")
            yield _table(sheet, header)
        elif any(map(any, first)):
            headless.append((sheet.name, max(sum(map(bool, row)) for row in first)))
    for name, width in headless:
        where = place(source.name, name)
        if width >= _WIDE or not found:
            raise RecordsError(
                f"{where}: no header of detainers in the first {HEADER_ROWS} rows; expected names "
                "such as Detainer Prepare Date and Detainer Lift Reason"
            )
        notes.append(f"{where}: no header of detainers; not read")
    if not found:
        raise RecordsError(f"{source.name}: the workbook has no sheet with cells")


def _table(sheet: "CalamineSheet", header: Header) -> Table:
    def batches() -> Iterator[Batch]:
        rows = enumerate(sheet.iter_rows(), start=1)
        yield from _batches(header, islice(rows, header.row, None))

    return Table(sheet.name, header, batches)


def _batches(header: Header, rows: Iterator[tuple[int, list[Any]]]) -> Iterator[Batch]:
    while block := list(islice(rows, BATCH)):
        filled = [(number, row) for number, row in block if any(cell != "" for cell in row)]
        numbers, cells = [number for number, _ in filled], [row for _, row in filled]
        batch = batched(header, numbers, cells, [None] * len(filled))
        texts: dict[str, Sequence[str]] = {
            name: _texts(values) for name, values in batch.cells.items()
        }
        yield replace(batch, cells=texts)


def _texts(cells: Sequence[Any]) -> list[str]:
    return [cell if type(cell) is str else _text(cell) for cell in cells]


def _text(cell: Any) -> str:  # noqa: ANN401 - what Excel can hold
    """Write a cell as text files have it: dates as 2017-01-28, whole numbers without a point."""
    if isinstance(cell, date):  # and datetime
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _sheets(source: Source) -> Iterator[tuple["CalamineSheet", bool]]:
    """Yield the sheets of cells, and whether each is hidden."""
    from python_calamine import (
        CalamineError,
        CalamineWorkbook,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    with unbroken(source.name, "xlsx", CalamineError):
        workbook = CalamineWorkbook.from_path(str(source.path))
        for sheet in workbook.sheets_metadata:
            if sheet.typ == SheetTypeEnum.WorkSheet:
                hidden = sheet.visible != SheetVisibleEnum.Visible
                yield workbook.get_sheet_by_name(sheet.name), hidden


def _screened(source: Source) -> list[str]:
    """Look through a workbook for what the reader of cells does not tell.

    It checks no checksum, so each part is read through once here. A formula's stored value may be
    missing or stale, so formulas are refused. A cell with an error (#N/A) reads as empty; the note
    says how many there are.
    """
    errors = 0
    with unbroken(source.name, "xlsx"), zipfile.ZipFile(source.path) as archive:
        sheets = dict(_parts(archive))
        for part in archive.namelist():
            with archive.open(part) as file:
                chunks = iter(partial(file.read, 1 << 22), b"")
                if part in sheets:
                    errors += _screen(chunks, source.name, sheets[part])
                deque(chunks, maxlen=0)
    if errors:
        return [f"{source.name}: {errors} cells hold an Excel error and are taken as empty"]
    return []


def _screen(chunks: Iterator[bytes], file: str, sheet: str) -> int:
    errors, before = 0, b""
    for number, chunk in enumerate(chunks):
        if number == 0:
            _check_size(chunk[:4096], place(file, sheet))
        text = before + chunk
        if formula := re.search(rb"<f[ />]", text):
            cells = re.findall(rb'<c r="([A-Z]+)([0-9]+)"', text[: formula.start()])
            column, row = cells[-1] if cells else (b"?", b"0")
            where = place(file, sheet, int(row), column.decode())
            raise RecordsError(f"{where}: the cell is a formula; expected values")
        errors += text.count(b't="e"') - before.count(b't="e"')
        before = text[-256:]
    return errors


def _check_size(start: bytes, where: str) -> None:
    if spans := re.search(rb'<dimension ref="[A-Z]+[0-9]+:([A-Z]+)([0-9]+)"', start):
        columns, rows = 0, int(spans[2])
        for letter in spans[1]:
            columns = 26 * columns + letter - ord("A") + 1
        if columns * rows > _MOST_CELLS:
            raise RecordsError(
                f"{where}: the sheet spans {rows:,} rows and {columns:,} columns, too many to "
                "read; expected about 65 columns: delete stray cells far right or far down"
            )


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield the part and the name of each sheet."""
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    for sheet in book.iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(f"{_OFFICE}id"), "")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        yield part, sheet.get("name", "")
