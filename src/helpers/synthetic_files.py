"""Write synthetic records as files of the published layouts, a block at a time."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from helpers.records.columns import SOURCED

HEADERS = {
    "npr_2007_2015": "Prepare Date, Detainer Lift Reason, Detainer Detention Facility, City, "
    "State, Detainer Type",
    "npr_second_set": "Prepare_Date, Detainer_Lift_Reason, Detainer_Detention_Facility, City, "
    "State, Area_Of_Responsibility, Detainer_Type",
    "icfo_2025_18038": "Detainer_Prepare_Date, Detainer_Lift_Date, Detainer_Lift_Reason, "
    "Detainer_Detention_Facility, Detainer_Detention_Facility_Code, Facility_City, Facility_State, "
    "Detainer_AOR, Detainer_Type, Alien_Number_Unique_Identifier, Citizenship_Country, Gender, "
    "Detainer_Prepared_Criminality, Detainer_Threat_Level, "
    "Detainer_Most_Serious_Conviction_Charge, Apprehension_Date, Departed_Date",
    "cilp_2025": "Detainer Prepare Date, Facility State, Facility AOR, Facility City, "
    "Detention Facility, Detention Facility Code, Departed Date, Case Status, "
    "Detainer Prepared Criminality, Detainer Prep Threat Level, Gender, Citizenship Country, "
    "Most Serious Conviction (MSC) Charge, Apprehension Date, Detainer Lift Reason, Detainer Type, "
    "Unique Identifier",
    "cilp_2026": "Detainer Prepare Date, Facility State, Facility AOR, Facility City, "
    "Detainer Facility, Detainer Facility Code, Departed Date, Case Status, Detainer Criminality, "
    "Detainer Threat Level, Gender, Citizenship Country, MSC Charge, Apprehension Date, "
    "Detainer Lift Reason, Detainer Type, Anonymized Identifier",
    "detainers_latest": "detainer_prepare_date, facility_state, facility_aor, facility_city, "
    "detention_facility, detention_facility_code, departed_date, case_status, "
    "detainer_prepared_criminality, detainer_prep_threat_level, gender, citizenship_country, "
    "most_serious_conviction_charge, apprehension_date, detainer_lift_reason, detainer_type, "
    "unique_identifier, duplicate_likely",
}
"""Headers of each layout, of those that are read; what each layout lacks is lost in its files."""

BANNER = 6
"""Rows above the header of a workbook."""

_SHEET = 1_000_000  # rows of a sheet, below the limit of the format
_REDACTION = "b(6), b(7)c"
_FLAG = "duplicate_likely"  # by which `detainers_latest` is known; readers do not use its values


def write(blocks: Iterable[pa.Table], layout: str, folder: Path) -> Path:
    """Write records as a file of a layout, and return its path.

    Parameters
    ----------
    blocks
        From `helpers.synthetic_tables.blocks`.
    layout
        One of `HEADERS`: comma text and tab text (NPR), workbook (`icfo_2025_18038`, `cilp_2025`,
        `cilp_2026`) or Parquet (`detainers_latest`).
    folder
        Where to put it.

    Raises
    ------
    ValueError
        If the layout is unknown.
    """
    if layout not in HEADERS:
        raise ValueError(f"layout {layout!r}: allowed are {', '.join(HEADERS)}")
    kind, into = _WRITERS.get(layout, ("xlsx", _workbook))
    path = folder / f"SYNTHETIC-{layout}.{kind}"
    into(_written(blocks, layout), path)
    return path


def _written(blocks: Iterable[pa.Table], layout: str) -> Iterator[pa.Table]:
    """Yield blocks with a layout's headers, and cells as it has them."""
    headers = HEADERS[layout].split(", ")
    columns = [_canonical(header) for header in headers]
    for block in blocks:
        cells = [_cells(block, column, layout) for column in columns]
        yield pa.table(cells, names=headers)


def _canonical(header: str) -> str:
    from helpers.records.layouts import spelling

    return next((c.name for c in SOURCED if spelling(header) in c.headers), _FLAG)


def _cells(block: pa.Table, column: str, layout: str) -> Any:  # noqa: ANN401 - of an Arrow type
    if column == _FLAG:
        return pa.nulls(block.num_rows, pa.bool_())
    cells = block[column].combine_chunks()
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if column == "aor" and layout != "npr_second_set":
        return pc.binary_join_element_wise(cells, "Area of Responsibility", " ")
    if column == "person" and layout != "detainers_latest":
        return pc.fill_null(cells, _REDACTION)
    if column == "detainer_prepare_date" and layout.startswith("npr"):
        return pc.strftime(cells, "%m/%d/%y" if layout == "npr_2007_2015" else "%m/%d/%Y")
    return cells


def _text(delimiter: str) -> Callable[[Iterator[pa.Table], Path], None]:
    def into(blocks: Iterator[pa.Table], path: Path) -> None:
        first = next(blocks)
        options = csv.WriteOptions(delimiter=delimiter, quoting_style="needed")
        with csv.CSVWriter(path, first.schema, write_options=options) as file:
            file.write_table(first)
            for block in blocks:
                file.write_table(block)

    return into


def _parquet(blocks: Iterator[pa.Table], path: Path) -> None:
    first = next(blocks)
    with parquet.ParquetWriter(path, first.schema, compression="zstd") as file:
        file.write_table(first)
        for block in blocks:
            file.write_table(block)


def _workbook(blocks: Iterator[pa.Table], path: Path) -> None:
    """Write a workbook with banner rows; a full sheet is followed by another."""
    import xlsxwriter

    options = {"constant_memory": True, "default_date_format": "m/d/yyyy"}
    with xlsxwriter.Workbook(path, options) as book:
        sheet, row = None, 0
        for block in blocks:
            if sheet is None or row + block.num_rows > _SHEET:
                sheet, row = book.add_worksheet(), BANNER + 1
                for line in range(BANNER):
                    sheet.write_string(line, 0, f"SYNTHETIC records, line {line + 1}")
                sheet.write_row(BANNER, 0, block.column_names)
            for cells in zip(*(column.to_pylist() for column in block.columns), strict=True):
                for at, cell in enumerate(cells):
                    if cell is not None:
                        sheet.write(row, at, cell)
                row += 1


_WRITERS = {
    "npr_2007_2015": ("txt", _text(",")),
    "npr_second_set": ("csv", _text("\t")),
    "detainers_latest": ("parquet", _parquet),
}
