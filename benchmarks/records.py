"""Measure reading and counting of individual records against DuckDB, pandas and polars.

    python benchmarks/records.py [--quick] [--rows N] [--sheet-rows N]

Prints JSON: for each measure the seconds and the peak memory (resident, MB) of a process of its own,
median of the repeats. The files are made up, in the 2026 layout, and removed in the end; they need
about 2 GB of disk. `--quick` takes a hundredth of the rows.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

REPEATS = 3
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
    ['TX', 'CA', 'FL', 'NY', 'GA'][1 + agency % 5] AS "Facility State",
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
