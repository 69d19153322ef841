"""The second step of reading: from staged text to the canonical columns, in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.records.columns import CANONICAL, SOURCED
from helpers.records.engine import quoted
from helpers.records.layouts import Layout
from helpers.records.tables import LONGEST_CELL

if TYPE_CHECKING:
    import duckdb

DATE_FORMS = "a date as 2017-01-28, 1/28/17 or 1/28/2017"
"""The documented forms of dates; workbooks have true dates, which are read as such."""

LATEST_YEAR = 2049
_EARLIEST_YEAR = {
    "detainer_prepare_date": 2007,
    "detainer_lift_date": 2007,
    "apprehension_date": 1980,
    "departed_date": 1980,
}
_DATES = tuple(column.name for column in SOURCED if column.type == "DATE")
_TEXTS = tuple(column.name for column in SOURCED if column.type != "DATE")

_MACROS = r"""
CREATE MACRO filled(cell) AS CASE
    WHEN trim(cell) IN ('', 'NA', 'N/A', 'NULL') THEN NULL
    WHEN contains(cell, '(') AND regexp_matches(cell, '(?i)\bb\)?\s*\(\s*\d\s*\)|^\W*b\W*$') THEN NULL
    ELSE trim(cell)
END;
CREATE MACRO day(cell) AS CASE
    WHEN regexp_matches(cell, '^\d{4}-\d{2}-\d{2}($|[ T])') THEN try_cast(left(cell, 10) AS DATE)
    ELSE try_strptime(split_part(cell, ' ', 1), ['%m/%d/%y', '%m/%d/%Y'])::DATE
END;
CREATE MACRO known_day(cell) AS CASE WHEN cell IN ('UNK', 'UNKNOWN') THEN NULL ELSE cell END;
"""
