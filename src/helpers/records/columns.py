"""The canonical columns of individual detainer records: the one place that names them.

Whatever the file, `helpers.records.read` gives these columns in this order, with these types. A
column that a layout lacks is there and empty.
"""

from typing import NamedTuple


class Column(NamedTuple):
    """One canonical column.

    Attributes
    ----------
    name
        Its name.
    type
        DuckDB's type: VARCHAR, DATE, INTEGER, BIGINT or BOOLEAN.
    unit
        Unit of its values; empty for text.
    meaning
        What it says.
    """

    name: str
    type: str
    unit: str
    meaning: str


CANONICAL = (
    Column("detainer_prepare_date", "DATE", "day", "day on which the detainer was issued"),
    Column("detainer_lift_date", "DATE", "day", "day on which it ended; only some layouts have it"),
    Column("lift_reason", "VARCHAR", "", "why it ended, as written; empty: no outcome recorded"),
    Column("lift_reason_group", "VARCHAR", "", "its group by data/judgements/lift_reasons.csv"),
    Column("facility", "VARCHAR", "", "jail, prison or agency that got the detainer, as written"),
    Column("facility_code", "VARCHAR", "", "ICE's code of that facility"),
    Column("city", "VARCHAR", "", "its city, upper case"),
    Column("county", "VARCHAR", "", "its county, upper case; no published layout has it"),
    Column("state", "VARCHAR", "", "its state, two letters, upper case"),
    Column("aor", "VARCHAR", "", "ICE area of responsibility, without those three words"),
    Column("detainer_type", "VARCHAR", "", "form, as written"),
    Column("detainer_form", "VARCHAR", "", "form: I-247, I-247A, I-247D, I-247N or I-247X"),
    Column("person", "VARCHAR", "", "key of a person, valid within one release only"),
    Column("citizenship", "VARCHAR", "", "country of citizenship, upper case"),
    Column("gender", "VARCHAR", "", "gender, as written"),
    Column("criminality", "VARCHAR", "", "ICE's class of criminal history, as written"),
    Column("threat_level", "INTEGER", "level", "ICE's threat level, 1 (highest) to 3"),
    Column("conviction", "VARCHAR", "", "most serious conviction, as written"),
    Column("apprehension_date", "DATE", "day", "day of the ICE arrest linked to the record"),
    Column("departed_date", "DATE", "day", "day on which the person left the country, if removed"),
    Column("case_status", "VARCHAR", "", "status of the removal case, as written"),
    Column("duplicate_likely", "BOOLEAN", "", "another row has the same person and prepare date"),
    Column("duplicate_later", "BOOLEAN", "", "and an earlier row of them is in the file"),
    Column("date_carried", "BOOLEAN", "", "empty prepare date, taken from the row before"),
    Column("junk_dates", "VARCHAR", "", "date columns emptied for an impossible year"),
    Column("file", "VARCHAR", "", "name of the file"),
    Column("sheet", "VARCHAR", "", "name of the sheet; empty where a file has none"),
    Column("row", "BIGINT", "row", "row of the sheet or line of the file, from 1, header counted"),
)
"""`duplicate_likely` and `duplicate_later` are NULL where the person is not known; leaving out rows
whose `duplicate_later` is true counts each detainer once."""

NAMES = tuple(column.name for column in CANONICAL)

PRIVATE = ("person", "file", "sheet", "row")
"""Columns that single out a row or a person: never shown, saved or grouped by outside the cache."""

GROUPS = ("taken_into_custody", "declined", "left_custody", "ended_by_ice", "administrative")
"""Groups of lift reasons; a reason that the crosswalk lacks has the group `unmapped`, and a
detainer without a reason has none (NULL): still active, or never updated."""

DECLINED = "Detainer Declined by LEA"
"""The only reason that is a refusal in ICE's own words, in both eras."""
