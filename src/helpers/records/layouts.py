"""The published layouts, recognised by the names of their columns, never by their positions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from helpers.records.columns import CANONICAL, REQUIRED, SOURCED
from helpers.records.problems import RecordsError, place

HEADER_ROWS = 50
"""The header is looked for in so many first rows; published files have it in row 1 or 7."""

_MEANT = 3  # a row with so many known headers, the prepare date among them, is the header


@dataclass(frozen=True)
class Layout:
    """A published layout.

    Attributes
    ----------
    name
        Its name here.
    release
        What it is.
    marks
        Headers of which it has one or more; the first layout of the list that fits is taken.
    span
        First and last prepare date of the releases, where those are closed; dates outside are
        worth a warning.
    carries_dates
        Whether an empty prepare date is that of the row before, as NPR read its files.
    """

    name: str
    release: str
    marks: frozenset[str]
    span: tuple[str, str]
    carries_dates: bool = False


LAYOUTS = (
    Layout(
        "detainers_latest",
        "Deportation Data Project, detainers-latest and detainers-historical",
        frozenset({"duplicate_likely", "duplicate_episode_id", "file_original", "row_original"}),
        ("2007-01-01", "2049-12-31"),
    ),
    Layout(
        "icfo_2025_18038",
        "ICE FOIA 2025-ICFO-18038",
        frozenset({"detainer_lift_date", "alien_number_unique_identifier", "detainer_aor"}),
        ("2016-09-01", "2025-03-31"),
    ),
    Layout(
        "cilp_2026",
        "CILP v. ICE, release of March 2026",
        frozenset({"anonymized_identifier", "detainer_facility", "detainer_criminality"}),
        ("2022-10-01", "2049-12-31"),
    ),
    Layout(
        "cilp_2025",
        "CILP v. ICE, releases of 2025",
        frozenset({"detainer_prepare_date"}),
        ("2022-09-01", "2025-12-31"),
    ),
    Layout(
        "npr_second_set",
        "NPR, second set of ICE's files, fiscal years 2009 to 2017",
        frozenset({"osc_served_date", "osc_served_yes_no", "area_of_responsibility"}),
        ("2008-10-01", "2017-09-30"),
    ),
    Layout(
        "npr_2007_2015",
        "NPR, ICE FOIA 15-87693",
        frozenset({"prepare_date"}),
        ("2007-10-01", "2015-07-31"),
        carries_dates=True,
    ),
)

_KNOWN = {header: column.name for column in SOURCED for header in column.headers}


@dataclass(frozen=True)
class Header:
    """The header of a table.

    Attributes
    ----------
    row
        Its row, from 1.
    names
        Names as written, one a column.
    used
        Position of each header that is read, by its spelling.
    layout
        The layout that it shows.
    """

    row: int
    names: tuple[str, ...]
    used: Mapping[str, int]
    layout: Layout

    def name_of(self, column: str) -> str:
        """Return the name in the file of a canonical column; empty where it has none."""
        positions = [self.used[name] for name in headers_of(column) if name in self.used]
        return self.names[positions[0]] if positions else ""

    @property
    def unused(self) -> list[str]:
        """Names of the columns that are not read."""
        taken = set(self.used.values())
        return [name for at, name in enumerate(self.names) if at not in taken and name]


def spelling(header: str) -> str:
    """Return a header as it is compared: `Detainer Prepare Date` is `detainer_prepare_date`."""
    return re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_")


def headers_of(column: str) -> tuple[str, ...]:
    """Return the headers under which files have a canonical column."""
    return next(known.headers for known in CANONICAL if known.name == column)


def find_header(rows: Sequence[Sequence[str]], file: str, sheet: str = "") -> Header | None:
    """Find the header of a table.

    Parameters
    ----------
    rows
        Its first rows, cells as text.
    file, sheet
        What they are from, for messages.

    Returns
    -------
    Header or None
        None if no row looks like the header of a table of detainers.

    Raises
    ------
    RecordsError
        If the header lacks a column without which nothing can be read, or has one twice.
    """
    for number, cells in enumerate(rows, start=1):
        spelled = [spelling(cell) for cell in cells]
        known = {_KNOWN[name] for name in spelled if name in _KNOWN}
        if len(known) >= _MEANT and REQUIRED[0] in known:
            return _header(number, cells, spelled, place(file, sheet, number))
    return None


def _header(row: int, cells: Sequence[str], spelled: list[str], where: str) -> Header:
    used: dict[str, int] = {}
    for position, name in enumerate(spelled):
        if name in used:
            raise RecordsError(f"{where}: column {cells[position]!r} is there twice")
        if name in _KNOWN:
            used[name] = position
    for column in REQUIRED:
        if not set(headers_of(column)) & used.keys():
            wanted = " or ".join(headers_of(column))
            raise RecordsError(f"{where}: the header has no column {wanted}")
    names = tuple(" ".join(cell.split()) for cell in cells)
    layout = next(layout for layout in LAYOUTS if layout.marks & set(spelled))
    return Header(row, names, used, layout)
