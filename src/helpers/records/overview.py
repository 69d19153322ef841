"""What `detainers records` answers on a file of records, as JSON and as text."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.disclosure import MINIMUM_CELL
from helpers.records import Records, RecordsError, connect, read, summaries

_NOTHING: dict[str, Any] = {
    "layout": None,
    "rows": {"read": 0, "kept": 0, "refused": 0},
    "lift_reason": {},
    "monthly": [],
}


def summarise(path: Path, scheduler: str | None, progress: Callable[[str], None]) -> dict[str, Any]:
    """Count the detainers of a file by lift reason, by month and by agency.

    Parameters
    ----------
    path
        A file of records, or a folder of files of one release.
    scheduler
        Address of a Dask scheduler to count on; None: here.
    progress
        Called with a line to show.

    Returns
    -------
    dict
        JSON: `file`, `layout`, `rows`, `lift_reason` (totals of the file, which are shown whatever
        they are), `monthly` (`month`, `detainers`, `declined`; null where hidden) and `agencies`
        (as `summaries.by_agency`).

    Raises
    ------
    RecordsError
        If the file cannot be read, or no scheduler answers.
    """
    records = read(path, progress)
    report = records.report
    parts = {name: report[name] for name in ("file", "layout", "rows", "lift_reason")}
    counted = _counted(records, scheduler)
    agencies = _rows(summaries.by_agency(counted))
    return parts | {"monthly": _months(counted), "agencies": agencies}


def check(path: Path, scheduler: str | None, progress: Callable[[str], None]) -> dict[str, Any]:
    """Say what a file is, what of it was read and refused, and what to beware of.

    Parameters
    ----------
    path, scheduler, progress
        As in `summarise`.

    Returns
    -------
    dict
        JSON: `ok` (no row was refused), what `summarise` gives except `agencies`, `problem` (why
        nothing could be read, null where it was), `cache` (where the rows are now), and all else
        of `helpers.records.report.report`.

    Raises
    ------
    RecordsError
        If there is no such file, or no scheduler answers.
    """
    try:
        records = read(path, progress)
    except RecordsError as error:
        if not path.exists():
            raise
        return {"ok": False, "file": path.name, **_NOTHING, "problem": str(error)}
    monthly = _months(_counted(records, scheduler))
    ok = records.report["rows"]["refused"] == 0
    details = {"problem": None, "cache": str(records.parquet)}
    return {"ok": ok} | records.report | {"monthly": monthly} | details


def _counted(records: Records, scheduler: str | None) -> summaries.Summary:
    if scheduler is not None:
        from helpers.records import cluster

        return cluster.summarise_on(records, scheduler)
    with connect(records) as database:
        return summaries.summarise(database)


def _months(summary: summaries.Summary) -> list[dict[str, Any]]:
    table = summaries.monthly(summary)
    return _rows(table.assign(month=table["month"].dt.strftime("%Y-%m")))


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table for JSON: None where a value is missing or hidden."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def check_lines(found: dict[str, Any]) -> Iterator[str]:
    """Write what `check` gave for a reader."""
    if found["problem"]:
        yield found["problem"]
        return
    yield from _head(found)
    yield f"tables: {len(found['tables'])}"
    for table in found["tables"]:
        sheet = f', sheet "{table["sheet"]}"' if table["sheet"] else ""
        yield (
            f"  {table['file']}{sheet}: {table['format']}, header in row {table['header_row']}, "
            f"{table['columns']} columns, {table['rows']:,} rows"
        )
    yield "columns, as the file names them, and their share of empty cells:"
    for name, header in found["columns"].items():
        share = f" ({found['missing'][name]:.1%} empty)" if header else ""
        yield f"  {name}: {header or 'not in this file'}{share}"
    yield f"columns that are not read: {len(found['unused'])}"
    yield f"warnings: {len(found['warnings'])}"
    yield from (f"  {warning}" for warning in found["warnings"])
    yield f"the rows are in {found['cache']}; delete it when you are done"


def summary_lines(found: dict[str, Any]) -> Iterator[str]:
    """Write what `summarise` gave for a reader."""
    yield from _head(found)
    yield f"{'lift reason':50} {'detainers':>10}"
    for reason, count in found["lift_reason"].items():
        yield f"{reason:50} {count:>10,}"
    yield f"{'month':50} {'detainers':>10} {'declined':>10}"
    yield from (_line(row["month"], row) for row in found["monthly"])
    yield f"{'agency':50} {'detainers':>10} {'declined':>10}"
    for row in found["agencies"][:_AGENCIES]:
        yield _line(", ".join(filter(None, (row["facility"], row["state"]))), row)
    if (more := len(found["agencies"]) - _AGENCIES) > 0:
        yield f"and {more:,} more agencies: --json has all"
    if any(row[name] is None for row in found["monthly"] + found["agencies"] for name in _COUNTS):
        yield f"hidden: fewer than {MINIMUM_CELL}, or would give away such a count"


def _line(name: str, row: dict[str, Any]) -> str:
    counts = ["hidden" if row[count] is None else f"{row[count]:,}" for count in _COUNTS]
    return f"{name[:50]:50} {counts[0]:>10} {counts[1]:>10}"


_AGENCIES = 20  # lines of them
_COUNTS = ("detainers", "declined")


def _head(found: dict[str, Any]) -> Iterator[str]:
    rows = found["rows"]
    yield f"{found['file']}: layout {found['layout']}"
    yield f"rows: {rows['read']:,} read, {rows['kept']:,} kept, {rows['refused']:,} refused"
