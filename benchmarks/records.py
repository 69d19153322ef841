"""Measure reading and counting of individual records against DuckDB, pandas and polars.

    python benchmarks/records.py [--quick FOLDER] [--rows N] [--xlsx ROWS]

Writes records.json and records.md: for each measure the seconds (imports left out) and the peak
memory (resident, MB) of a process of its own. A repetition takes every measure once, one after
another, so that a machine that is slow for a while is slow for all; ratios are taken within a
repetition. The files are made up, in the
2026 layout, and removed in the end; they need about 3 GB of disk. `--quick` takes a hundredth of
the rows, and writes to another folder. polars is measured where it is installed.
"""

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import report

HERE = Path(__file__).resolve().parent
REPEATS = 5
READ = (
    "Detainer Prepare Date",
    "Facility State",
    "Facility AOR",
    "Departed Date",
    "Case Status",
    "Detainer Criminality",
    "Detainer Facility",
    "Detainer Facility Code",
    "Facility City",
    "Detainer Threat Level",
    "Gender",
    "Citizenship Country",
    "MSC Charge",
    "Apprehension Date",
    "Detainer Lift Reason",
    "Detainer Type",
    "Anonymized Identifier",
)
OTHERS = tuple(f"Box {number} Yes No" for number in range(65 - len(READ)))

_ROWS = """
SELECT DATE '2022-10-01' + (hash(i) % 1257)::INTEGER AS "Detainer Prepare Date",
    ['TX', 'CA', 'FL', 'NY', 'GA'][1 + (agency % 5)::INTEGER] AS "Facility State",
    'Area ' || agency % 25 || ' Area of Responsibility' AS "Facility AOR",
    if(hash(i, 1) % 3 = 0, DATE '2023-01-01' + (hash(i, 2) % 1257)::INTEGER, NULL)
        AS "Departed Date",
    'ACTIVE' AS "Case Status",
    (1 + hash(i, 3) % 3) || ' Class of criminality' AS "Detainer Criminality",
    'SYNTHETIC COUNTY JAIL ' || agency AS "Detainer Facility",
    'SYN' || agency AS "Detainer Facility Code",
    'CITY ' || agency AS "Facility City",
    (1 + hash(i, 4) % 3)::VARCHAR AS "Detainer Threat Level",
    'Male' AS "Gender",
    'COUNTRY ' || hash(i, 5) % 150 AS "Citizenship Country",
    'Offence ' || hash(i, 6) % 400 AS "MSC Charge",
    if(hash(i, 7) % 4 = 0, DATE '2022-10-01' + (hash(i) % 1257)::INTEGER + 20, NULL)
        AS "Apprehension Date",
    [NULL, 'Booked into Detention', 'Detainer Declined by LEA', 'Case Closed', 'Early Release',
        'Duplicate', 'Prosecutorial Discretion'][1 + (hash(i, 8) % 7)::INTEGER]
        AS "Detainer Lift Reason",
    'I247A - Immigration Detainer - Immigration Detainer - Notice of Action' AS "Detainer Type",
    if(hash(i, 9) % 8 = 0, NULL, sha1((i // 2)::VARCHAR)) AS "Anonymized Identifier",
"""


def make_parquet(path: Path, rows: int) -> None:
    """Write a file of the 2026 layout as parquet."""
    import duckdb

    others = ", ".join(
        f"['YES', 'NO', NULL][1 + (hash(i, {at}) % 3)::INTEGER] AS \"{name}\""
        for at, name in enumerate(OTHERS, start=20)
    )
    duckdb.execute(
        f"COPY ({_ROWS} {others} FROM (SELECT range AS i, hash(range, 0) % 3000 AS agency "
        f"FROM range({rows}))) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
    )


_SHEET = """<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/\
2006/main"><dimension ref="A1:BM{last}"/><sheetData>"""
_PARTS = {
    "[Content_Types].xml": """<Types xmlns="http://schemas.openxmlformats.org/package/2006/\
content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.\
relationships+xml"/><Default Extension="xml" ContentType="application/vnd.openxmlformats-\
officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/workbook.xml" ContentType="\
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="\
/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.\
styles+xml"/></Types>""",
    "_rels/.rels": """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/\
relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/\
relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>""",
    "xl/_rels/workbook.xml.rels": """<Relationships xmlns="http://schemas.openxmlformats.org/\
package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/\
officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship \
Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" \
Target="styles.xml"/></Relationships>""",
    "xl/workbook.xml": """<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/\
main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>\
<sheet name="Detainers" sheetId="1" r:id="r1"/></sheets></workbook>""",
    "xl/styles.xml": """<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/\
main"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1">\
<border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf \
numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>""",
}


def make_workbook(path: Path, rows: int, source: Path) -> None:
    """Write rows of the parquet as xlsx; DuckDB makes the XML, libraries take half an hour."""
    import duckdb

    columns = duckdb.execute(f"DESCRIBE FROM '{source}'").fetchall()
    cells = [_cell(_letters(at), name, kind) for at, (name, kind, *_) in enumerate(columns)]
    header = "".join(
        f'<c r="{_letters(at)}7" t="inlineStr"><is><t>{name}</t></is></c>'
        for at, (name, *_) in enumerate(columns)
    )
    lines = duckdb.execute(
        f"""
        SELECT concat('<row r="', line, '">', {", ".join(cells)}, '</row>')
        FROM (SELECT row_number() OVER () + 7 AS line, * FROM (FROM '{source}' LIMIT {rows}))
        """
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for part, content in _PARTS.items():
            book.writestr(part, content)
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(_SHEET.format(last=rows + 7).encode())
            sheet.write(f'<row r="7">{header}</row>'.encode())
            while block := lines.fetchmany(10_000):
                sheet.write("".join(line for (line,) in block).encode())
            sheet.write(b"</sheetData></worksheet>")


def _letters(position: int) -> str:
    return f"{chr(64 + position // 26) if position > 25 else ''}{chr(65 + position % 26)}"


def _cell(letters: str, name: str, kind: str) -> str:
    """Return SQL that writes a cell: nothing where it is NULL, a date as its serial number."""
    if kind == "DATE":
        serial = f"date_diff('day', DATE '1899-12-30', \"{name}\")"
        filled = f"'<c r=\"{letters}' || line || '\" s=\"1\"><v>' || {serial} || '</v></c>'"
    else:
        text = f'\'" t="inlineStr"><is><t>\' || "{name}" || \'</t></is></c>\''
        filled = f"'<c r=\"{letters}' || line || {text}"
    return f"coalesce({filled}, '')"


def read_cold(folder: Path) -> None:
    """Read a parquet of 65 columns, nothing in the cache."""
    from helpers import records

    os.environ["DETAINERS_CACHE"] = tempfile.mkdtemp(dir=folder)
    records.read(folder / "records.parquet")


def read_workbook(folder: Path) -> None:
    """Read a workbook of 65 columns, nothing in the cache."""
    from helpers import records

    os.environ["DETAINERS_CACHE"] = tempfile.mkdtemp(dir=folder)
    records.read(folder / "records.xlsx")


def summarise(folder: Path) -> None:
    """Count by month, area and reason, by agency, and active detainers by day; from the cache."""
    from helpers import records
    from helpers.records import summaries

    read = records.read(folder / "records.parquet")
    with records.connect(read) as database:
        counted = summaries.summarise(database)
    summaries.monthly(counted)
    summaries.by_agency(counted)
    summaries.active(counted)


_ENDED = """coalesce(detainer_lift_date, CASE WHEN lift_reason = 'Booked into Detention'
    AND apprehension_date >= detainer_prepare_date THEN apprehension_date END)"""
_BARE = (
    """SELECT date_trunc('month', detainer_prepare_date) AS month, aor, lift_reason, count(*)
    FROM '{table}' GROUP BY ALL""",
    """SELECT facility_code, facility, state, count(*),
    avg((lift_reason = 'Detainer Declined by LEA')::INTEGER) FROM '{table}' GROUP BY ALL""",
    f"""SELECT day, sum(sum(n)) OVER (ORDER BY day), sum(sum(u)) OVER (ORDER BY day) FROM (
        SELECT detainer_prepare_date AS day, count(*) AS n,
            count_if(lift_reason IS NOT NULL AND {_ENDED} IS NULL) AS u
        FROM '{{table}}' GROUP BY day
        UNION ALL SELECT {_ENDED}, -count(*), 0 FROM '{{table}}' GROUP BY ALL
    ) GROUP BY day""",
)


def bare_duckdb(folder: Path) -> None:
    """Take the same three counts of the same canonical table, as SQL alone."""
    import duckdb

    for query in _BARE:
        duckdb.execute(query.format(table=_canonical(folder))).df()


def bare_pandas(folder: Path) -> None:
    """Take the same three counts with pandas, of the columns needed."""
    import pandas as pd

    _frames(pd.read_parquet(_canonical(folder), columns=list(_NEEDED)), pd)


_NEEDED = (
    "detainer_prepare_date",
    "detainer_lift_date",
    "lift_reason",
    "facility_code",
    "facility",
    "state",
    "aor",
    "apprehension_date",
)


def _frames(table: Any, pd: Any) -> None:  # noqa: ANN401 - pandas, imported where it is measured
    issued = pd.to_datetime(table["detainer_prepare_date"])
    taken = pd.to_datetime(table["apprehension_date"])
    taken = taken.where(table["lift_reason"].eq("Booked into Detention") & (taken >= issued))
    ended = pd.to_datetime(table["detainer_lift_date"]).fillna(taken)
    month = issued.dt.to_period("M").rename("month")
    table.groupby([month, "aor", "lift_reason"], dropna=False).size()
    declined = table["lift_reason"].eq("Detainer Declined by LEA")
    declined.groupby([table[name] for name in ("facility_code", "facility", "state")]).mean()
    issued.value_counts().sub(ended.value_counts(), fill_value=0).sort_index().cumsum()


def bare_polars(folder: Path) -> None:
    """Take the first two counts with polars, lazily."""
    import polars as pl  # not among the project's packages: measured where it is installed

    table = pl.scan_parquet(_canonical(folder))
    month = pl.col("detainer_prepare_date").dt.truncate("1mo")
    table.group_by(month, "aor", "lift_reason").len().collect()
    declined = (pl.col("lift_reason") == "Detainer Declined by LEA").mean()
    table.group_by("facility_code", "facility", "state").agg(pl.len(), declined).collect()


def on_dask(folder: Path) -> None:
    """Take the same counts on a Dask cluster of two worker processes, its start left out."""
    from distributed import LocalCluster

    from helpers import records
    from helpers.records import cluster

    read = records.read(folder / "records.parquet")
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as made:
        started = time.perf_counter()
        cluster.summarise_on(read, made.scheduler_address)
        _STARTED.append(started)


_STARTED: list[float] = []
PARQUET, XLSX = "read parquet, nothing cached", "read xlsx, nothing cached"
OURS, BARE = "summarise, from the cache", "bare DuckDB"
MEASURES: dict[str, tuple[Callable[[Path], None], int]] = {
    PARQUET: (read_cold, 1),
    XLSX: (read_workbook, 1),
    OURS: (summarise, REPEATS),
    BARE: (bare_duckdb, REPEATS),
    "pandas": (bare_pandas, 3),
    "polars, two of the counts": (bare_polars, 3),
    "Dask, two workers": (on_dask, 3),
}
"""What is measured, and how often; the last five count the same canonical table."""


def _canonical(folder: Path) -> str:
    return (folder / "canonical").read_text(encoding="utf-8")


def measured(name: str, folder: Path) -> dict[str, float]:
    """Run one measure here."""
    import duckdb  # noqa: F401 - imported before the clock starts, as the next
    import pandas  # noqa: F401

    from helpers import datapackage  # noqa: F401
    from helpers.records import cluster, overview, staging  # noqa: F401

    started = time.perf_counter()
    MEASURES[name][0](folder)
    seconds = time.perf_counter() - (_STARTED or [started])[-1]
    return {"seconds": seconds, "peak_mb": _peak_mb()}


def _peak_mb() -> float:
    status = Path("/proc/self/status")
    if status.exists():  # elsewhere a child may be charged with what its parent had
        return int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_process(name: str, folder: Path) -> dict[str, Any]:
    """Run one measure in a process of its own."""
    command = [sys.executable, __file__, "--measure", name, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"skipped": done.stderr.strip().splitlines()[-1]}
    return dict(json.loads(done.stdout))


def benchmark(rows: int, sheet_rows: int) -> dict[str, Any]:
    """Make the files, take all measures, and compare."""
    from helpers import records

    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    installed = {found.name: found.version for found in importlib.metadata.distributions()}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        os.environ["DETAINERS_CACHE"] = str(folder / "cache")
        _say(f"making {rows:,} rows and a workbook of {sheet_rows:,}")
        make_parquet(folder / "records.parquet", rows)
        make_workbook(folder / "records.xlsx", sheet_rows, folder / "records.parquet")
        table = records.read(folder / "records.parquet").parquet
        (folder / "canonical").write_text(str(table), encoding="utf-8")
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in MEASURES}
        for repetition in range(REPEATS):
            for name, (_, times) in MEASURES.items():
                if repetition < times:
                    _say(name)
                    found[name].append(in_process(name, folder))
    return {
        "schema": 1,
        "made": dt.date.today().isoformat(),
        "rows": rows,
        "xlsx": sheet_rows,
        "processors": os.cpu_count(),
        "load before": load,
        "python": platform.python_version(),
        "versions": {name: installed[name] for name in _PACKAGES if name in installed},
        "measures": found,
        "targets": targets(found),
    }


_PACKAGES = ("duckdb", "pandas", "polars", "pyarrow", "python-calamine", "distributed")


def targets(found: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return what is asked for, and what was reached; None where it could not be measured."""
    pairs = list(zip(found[OURS], found[BARE], strict=True))
    ratio = None
    if not any("skipped" in one for pair in pairs for one in pair):
        ratio = statistics.median(ours["seconds"] / bare["seconds"] for ours, bare in pairs)
    asked = [
        ("summaries, over bare DuckDB's time", 1.5, ratio),
        ("summaries, peak MB", 1024, _middle(found[OURS], "peak_mb")),
        ("reading 5 million rows of parquet, peak MB", 1024, _middle(found[PARQUET], "peak_mb")),
        ("reading a workbook, seconds", 600, _middle(found[XLSX], "seconds")),
    ]
    return [
        {
            "what": what,
            "at most": most,
            "reached": value and round(value, 3),
            "met": value is not None and value <= most,
        }
        for what, most, value in asked
    ]


def page(results: dict[str, Any]) -> str:
    """Return the page, in Markdown."""
    asked = [
        (t["what"], f"{t['at most']:g}", _number(t["reached"]), "yes" if t["met"] else "no")
        for t in results["targets"]
    ]
    taken = [_line(name, runs) for name, runs in results["measures"].items()]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return f"""# Benchmarks of individual records

Reading and counting {results["rows"]:,} made-up rows in the 2026 layout, and a workbook of
{results["xlsx"]:,} rows by 65 columns. `python benchmarks/records.py` measures it again and
rewrites this page from [records.json](records.json).

## Targets

{report.table(("what", "at most", "reached", "met"), asked)}

## Measures

Detainers by month, area and reason, by agency with the share declined, and active by day. All but
the first two count the same canonical Parquet; `detainers` counts it in 384 MB of DuckDB's memory,
after a look at the whole file given whether it is the one in the cache, and hides small counts. A
workbook is held in memory whole, sheet by sheet: about 5 kB a row of 65 columns.

{report.table(("how", "seconds", "peak MB"), taken)}

## How it was measured

{results["made"]}, on {results["processors"]} processors, Python {results["python"]}. {versions}.
Each measure is a process of its own; a repetition takes every measure once, one after another, and
the ratio is the median of those within a repetition. Imports are left out of the seconds, and so is
the start of the Dask cluster, whose memory is that of the process that asks it. Load before the
start: {results["load before"]}.
"""


def _middle(runs: list[dict[str, Any]], part: str) -> float | None:
    if any("skipped" in one for one in runs):
        return None
    return statistics.median(one[part] for one in runs)


def _line(name: str, runs: list[dict[str, Any]]) -> tuple[str, ...]:
    if why := next((one["skipped"] for one in runs if "skipped" in one), None):
        return (name, "not run", why)
    seconds = [one["seconds"] for one in runs]
    spread = f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
    return (name, spread, f"{max(one['peak_mb'] for one in runs):,.0f}")


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,g}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Measure all, or one as a child process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", type=Path, metavar="FOLDER", help="a hundredth of the rows")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--xlsx", type=int, default=600_000, metavar="ROWS")
    parser.add_argument("--measure", choices=MEASURES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measured(given.measure, given.folder)))
        return
    os.environ["DETAINERS_ROOT"] = str(HERE.parent)
    scale, out = (100, given.quick) if given.quick else (1, HERE)
    results = benchmark(given.rows // scale, given.xlsx // scale)
    out.mkdir(exist_ok=True)
    (out / "records.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (out / "records.md").write_text(page(results), encoding="utf-8")
    print(
        report.table(
            ("what", "reached"), [(t["what"], _number(t["reached"])) for t in results["targets"]]
        )
    )


if __name__ == "__main__":
    main()
