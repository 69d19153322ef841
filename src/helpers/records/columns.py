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
    headers
        Headers under which files have it, in the spelling of `layouts.spelling`; where a file has
        several, the first that is filled in a row counts. Empty: made by the reader.
    """

    name: str
    type: str
    unit: str
    meaning: str
    headers: tuple[str, ...] = ()


CANONICAL = (
    Column(
        "detainer_prepare_date",
        "DATE",
        "day",
        "day on which the detainer was issued",
        ("detainer_prepare_date", "prepare_date"),
    ),
    Column(
        "detainer_lift_date",
        "DATE",
        "day",
        "day on which the detainer ended; only release 2025-ICFO-18038 has it",
        ("detainer_lift_date",),
    ),
    Column(
        "lift_reason",
        "VARCHAR",
        "",
        "why the detainer ended, as written; empty: no outcome recorded",
        ("detainer_lift_reason", "lift_reason"),
    ),
    Column(
        "lift_reason_group",
        "VARCHAR",
        "",
        "group of the reason in data/judgements/lift_reasons.csv; `unmapped` where it lacks it",
    ),
    Column(
        "facility",
        "VARCHAR",
        "",
        "jail, prison or agency that got the detainer, as written",
        ("detainer_facility", "detention_facility", "detainer_detention_facility", "det_facility"),
    ),
    Column(
        "facility_code",
        "VARCHAR",
        "",
        "ICE's code of that facility",
        (
            "detainer_facility_code",
            "detention_facility_code",
            "detainer_detention_facility_code",
        ),
    ),
    Column("city", "VARCHAR", "", "city of the facility, upper case", ("facility_city", "city")),
    Column(
        "county",
        "VARCHAR",
        "",
        "county of the facility, upper case; no published layout has it",
        ("facility_county", "county"),
    ),
    Column(
        "state", "VARCHAR", "", "state of the facility, upper case", ("facility_state", "state")
    ),
    Column(
        "aor",
        "VARCHAR",
        "",
        "ICE area of responsibility of the facility, without those three words",
        ("facility_aor", "detainer_aor", "area_of_responsibility"),
    ),
    Column("detainer_type", "VARCHAR", "", "form, as written", ("detainer_type",)),
    Column(
        "detainer_form",
        "VARCHAR",
        "",
        "form: I-247 or with a letter, as I-247A; I-247N asked for notice only, not to hold",
    ),
    Column(
        "person",
        "VARCHAR",
        "",
        "key of a person, valid within one release only",
        ("anonymized_identifier", "unique_identifier", "alien_number_unique_identifier"),
    ),
    Column(
        "citizenship",
        "VARCHAR",
        "",
        "country of citizenship, upper case",
        ("citizenship_country",),
    ),
    Column("gender", "VARCHAR", "", "gender, as written", ("gender",)),
    Column(
        "criminality",
        "VARCHAR",
        "",
        "ICE's class of criminal history when the detainer was issued, as written",
        ("detainer_criminality", "detainer_prepared_criminality"),
    ),
    Column(
        "threat_level",
        "INTEGER",
        "level",
        "ICE's threat level, 1 (highest) to 3",
        ("detainer_threat_level", "detainer_prep_threat_level"),
    ),
    Column(
        "conviction",
        "VARCHAR",
        "",
        "most serious conviction, as written",
        (
            "msc_charge",
            "most_serious_conviction_msc_charge",
            "most_serious_conviction_charge",
            "detainer_most_serious_conviction_charge",
        ),
    ),
    Column(
        "apprehension_date",
        "DATE",
        "day",
        "day of the ICE arrest linked to the record",
        ("apprehension_date",),
    ),
    Column(
        "departed_date",
        "DATE",
        "day",
        "day on which the person left the country, if removed",
        ("departed_date",),
    ),
    Column(
        "case_status", "VARCHAR", "", "status of the removal case, as written", ("case_status",)
    ),
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

SOURCED = tuple(column for column in CANONICAL if column.headers)
"""The columns that come from files."""

REQUIRED = ("detainer_prepare_date", "lift_reason", "facility")
"""Columns without which a table is no table of detainers."""

GROUPS = (
    "taken_into_custody",
    "declined",
    "left_custody",
    "ended_by_ice",
    "not_removable",
    "administrative",
    "other",
)
"""Groups of lift reasons, as data/judgements/lift_reasons.csv has them. A detainer without a reason
has no group (NULL): it is still active, or its record was never updated."""

UNMAPPED = "unmapped"
"""The group of a reason that data/judgements/lift_reasons.csv lacks."""

DECLINED = "declined"
"""The group of `Detainer Declined by LEA`, the only refusal in ICE's own words in both eras."""
