import csv
import json
import math
import shutil
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import datapackage, evidence
from helpers.datapackage import DataError
from helpers.parameters import Growth

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = json.loads((ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))
RESOURCES = {resource["name"]: resource for resource in PACKAGE["resources"]}
FILLED = {
    "facts": 1031,
    "sources": 195,
    "weekly_detainers": 942,
    "monthly_detainers_2007_2015": 94,
    "lift_reasons_by_year_2007_2015": 121,
    "declined_by_state_year_2007_2015": 239,
    "facilities_by_declined_count_2007_2015": 90,
    "policies_2008_2015": 166,
    "listed_jurisdictions_2017": 57,
    "travis_stock_2017_02_01": 99,
    "travis_monthly_2006_2016": 112,
}
STOCK = "series/travis_stock_2017_02_01.csv"
STOCK_FILE = f"data/{STOCK}"


def read_rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def write_rows(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def put_cell(path, row, column, text):
    """Write one cell; the header is row 1, as in a message."""
    rows = read_rows(path)
    rows[row - 1][rows[0].index(column)] = text
    write_rows(path, rows)


def problem(name, root):
    with pytest.raises(DataError) as caught:
        datapackage.load(name, root)
    message = str(caught.value)
    assert "\n" not in message
    return message


# What was carried over


@pytest.mark.parametrize(("name", "count"), FILLED.items())
def test_every_row_of_the_evidence_is_there(name, count, root):
    assert len(datapackage.load(name, root)) == count


def test_the_real_data_has_no_problem(root):
    assert datapackage.validate(root) == []


def test_each_fact_starts_with_its_identifier(root):
    facts = datapackage.load("facts", root)
    assert facts.columns[0] == "fact_id"
    assert facts["fact_id"].is_unique
    assert facts["fact_id"].iloc[[0, -1]].tolist() == ["A001", "T004"]


def test_known_cells_are_as_printed(root):
    facts = datapackage.load("facts", root).set_index("fact_id")
    assert facts.at["A001", "value"] == 3083
    assert facts.at["A033", "value_text"] == "about 120"
    assert facts.at["A004", "window"] == "2017-01-28/2017-02-03"
    weekly = datapackage.load("weekly_detainers", root)
    assert weekly["detainers"].sum() == 5_088_569
    stock = datapackage.load("travis_stock_2017_02_01", root)
    assert stock.groupby("outcome")["detainers"].sum().to_dict() == {
        "accepted": 50,
        "declined": 149,
        "declined_then_reinstated_with_warrant": 31,
    }
    facilities = datapackage.load("facilities_by_declined_count_2007_2015", root)
    assert facilities["facilities"].sum() == 740
    by_state = datapackage.load("declined_by_state_year_2007_2015", root)
    assert by_state.loc[by_state["year"].eq(2014), "declined"].sum() == 11_490


def test_related_facts_exist(root):
    facts = datapackage.load("facts", root)
    related = facts.loc[facts["related_facts"].ne(""), "related_facts"].str.split(";").explode()
    assert set(related) <= set(facts["fact_id"])
    assert facts.loc[facts["relation"].ne(""), "related_facts"].ne("").all()


# The schema


@pytest.mark.parametrize("resource", PACKAGE["resources"], ids=lambda r: r["name"])
def test_every_table_says_what_it_is(resource):
    assert resource["name"] == Path(resource["path"]).stem
    for key in ("title", "description"):
        assert resource[key].strip()
    assert [licence["name"] for licence in resource["licenses"]] == ["CC-BY-4.0"]
    for field in resource["schema"]["fields"]:
        place = f"{resource['name']}.{field['name']}"
        assert field["description"].strip(), place
        if field["type"] in {"integer", "number"}:
            assert field["unit"].strip(), place


@pytest.mark.parametrize("resource", PACKAGE["resources"], ids=lambda r: r["name"])
def test_the_header_of_a_file_is_its_schema(resource, root):
    header = read_rows(root / "data" / resource["path"])[0]
    assert header == [field["name"] for field in resource["schema"]["fields"]]


def test_every_number_taken_from_a_source_names_it(root):
    sources = set(datapackage.load("sources", root)["source_id"])
    series = [r for r in PACKAGE["resources"] if r["path"].startswith("series/")]
    named = [source["source_id"] for r in series for source in r.get("sources", [])]
    assert set(named) <= sources
    unnamed = [r["name"] for r in series if not r.get("sources")]
    assert unnamed == ["listed_jurisdictions_2017"]  # a source a row, in source_url


def test_every_table_in_data_is_described_and_every_description_has_a_table(root):
    found = {path.relative_to(root / "data").as_posix() for path in (root / "data").rglob("*.csv")}
    assert found == {resource["path"] for resource in PACKAGE["resources"]}


@pytest.mark.parametrize("resource", PACKAGE["resources"], ids=lambda r: r["name"])
def test_a_table_is_plain_utf_8_with_line_feeds(resource, root):
    content = (root / "data" / resource["path"]).read_bytes()
    content.decode("utf-8")
    assert not content.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in content
    assert content.endswith(b"\n")
    assert not content.endswith(b"\n\n")


@pytest.mark.parametrize("resource", PACKAGE["resources"], ids=lambda r: r["name"])
def test_a_row_is_a_line_so_that_messages_point_at_lines(resource, root):
    path = root / "data" / resource["path"]
    assert len(read_rows(path)) == path.read_bytes().count(b"\n")


def test_the_choices_of_growth_are_those_of_its_parameters(root):
    counts = datapackage.load("growth_counts", root)
    for role in ("baseline", "endpoint"):
        chosen = counts.loc[counts["role"].eq(role), "choice"].drop_duplicates().tolist()
        assert chosen == list(get_args(Growth.model_fields[role].annotation))


def test_the_figures_named_by_growth_exist_in_their_series(root):
    counts = datapackage.load("growth_counts", root)
    facts = datapackage.load("facts", root).set_index("fact_id")
    for row in counts.itertuples():
        named = [row.fact_id] if row.fact_id else []
        for fact_id in [*named, *row.range_facts.split(";")]:
            fact = facts.loc[fact_id]
            assert (fact["series"], fact["window"]) == (row.series, row.window), row.choice
            assert not math.isnan(fact["value"])
    assert (counts["date_low"] <= counts["date"]).all()
    assert (counts["date"] <= counts["date_high"]).all()


def test_every_national_count_of_places_is_measured_between_or_left_out_with_a_reason(root):
    topics = ["noncooperation_counts", "detainers_refused", "weekly_report", "declaration_2021"]
    units = datapackage.load("units", root).set_index("unit")["unit_class"]
    facts = datapackage.load("facts", root)
    counted = facts[
        facts["topic"].isin(topics)
        & facts["place_level"].isin(["country", "group"])
        & facts["value"].notna()
        & facts["unit"].map(units).isin(["places", "agencies", "facilities"])
    ]
    used = datapackage.load("growth_counts", root)
    used = set(zip(used["series"], used["window"], strict=True))
    left_out = set(datapackage.load("growth_left_out", root)["series"])
    unjudged = [
        row.fact_id
        for row in counted.itertuples()
        if (row.series, row.window) not in used and row.series not in left_out
    ]
    assert unjudged == []
    assert left_out <= set(counted["series"])
    assert {series for series, _ in used} <= set(counted["series"])


def test_choices_of_one_count_of_growth_have_one_criterion_and_entry(root):
    counts = datapackage.load("growth_counts", root)
    assert (counts.groupby("quantity")[["criterion", "entry", "role"]].nunique() == 1).all(
        axis=None
    )


def test_an_assumption_lies_in_its_range(root):
    assumptions = datapackage.load("assumptions", root)
    assert (assumptions["low"].fillna(-math.inf) <= assumptions["value"]).all()
    assert (assumptions["value"] <= assumptions["high"].fillna(math.inf)).all()


# Types


def test_columns_have_the_type_of_their_field(root):
    facts = datapackage.load("facts", root)
    assert facts["value"].dtype == "float64"
    assert facts["period_start"].dtype.kind == "M"
    assert facts["period_start"].iloc[0] == pd.Timestamp(2017, 1, 28)
    assert facts["note"].dtype == "str"
    reasons = datapackage.load("lift_reasons_by_year_2007_2015", root)
    assert reasons["year"].dtype == "Int64"
    assert reasons["year"].isna().sum() == 13
    monthly = datapackage.load("travis_monthly_2006_2016", root)
    assert monthly["with_violent_charge"].dtype == "Int64"
    assert monthly["with_violent_charge"].iloc[0] is pd.NA


@pytest.mark.parametrize("name", RESOURCES)
def test_every_table_loads_with_its_types(name, root):
    kinds = {"string": "T", "integer": "i", "number": "f", "year": "i", "date": "M"}
    frame = datapackage.load(name, root)
    for field in RESOURCES[name]["schema"]["fields"]:
        dtype = frame[field["name"]].dtype
        kind = "T" if dtype == "str" else dtype.kind
        assert kind == kinds[field["type"]], field["name"]


def test_empty_text_is_empty_and_no_word_is_taken_for_a_missing_value(project):
    path = project / "data" / "evidence" / "facts.csv"
    put_cell(path, 2, "note", "NA")
    facts = datapackage.load("facts")
    assert facts["note"].iloc[0] == "NA"
    assert facts["breakdown"].iloc[0] == ""
    assert not facts["note"].isna().any()


# What is refused


def test_an_unknown_table_is_answered_with_the_known_ones(root):
    message = problem("fact", root)
    assert "'fact'" in message
    for name in RESOURCES:
        assert name in message


def test_a_missing_file_is_named(project):
    (project / "data" / STOCK).unlink()
    assert problem("travis_stock_2017_02_01", project) == f"{STOCK_FILE}: the file is missing"
    assert datapackage.validate(project) == [f"{STOCK_FILE}: the file is missing"]


def test_a_missing_lookup_table_is_named(project):
    (project / "data" / "evidence" / "sources.csv").unlink()
    assert problem("facts", project) == "data/evidence/sources.csv: the file is missing"


def test_a_package_that_cannot_be_read_is_named_in_one_line(project):
    (project / "data" / "datapackage.json").write_text('{"resources": [', encoding="utf-8")
    assert problem("facts", project).startswith("data/datapackage.json: ")
    with pytest.raises(DataError, match=r"data/datapackage\.json: "):
        datapackage.validate(project)


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        ("detainers", "x", "'x' is not allowed; allowed: integer, not empty, minimum 1"),
        ("detainers", "1.5", "'1.5' is not allowed; allowed: integer, not empty, minimum 1"),
        ("detainers", "1,000", "'1,000' is not allowed; allowed: integer, not empty, minimum 1"),
        ("detainers", "0", "'0' is not allowed; allowed: integer, not empty, minimum 1"),
        ("detainers", "", "the cell is empty; allowed: integer, not empty, minimum 1"),
        (
            "outcome",
            "refused",
            "'refused' is not allowed; allowed: string, not empty, "
            "one of declined, declined_then_reinstated_with_warrant, accepted",
        ),
    ],
)
def test_a_malformed_cell_gives_file_row_column_and_what_is_allowed(
    project, column, text, expected
):
    put_cell(project / "data" / STOCK, 5, column, text)
    line = f"{STOCK_FILE}, row 5, column {column}: {expected}"
    assert problem("travis_stock_2017_02_01", project) == line
    assert datapackage.validate(project) == [line]


@pytest.mark.parametrize(
    "text", ["2017-02-30", "2017-13-01", "28/01/2017", "20170128", "2017", "x"]
)
def test_a_malformed_date_is_refused(project, text):
    put_cell(project / "data" / "evidence" / "facts.csv", 3, "period_start", text)
    assert problem("facts", project) == (
        f"data/evidence/facts.csv, row 3, column period_start: {text!r} is not allowed; "
        "allowed: date"
    )


@pytest.mark.parametrize(
    ("file", "column", "text"),
    [
        ("evidence/facts.csv", "value", "NaN"),
        ("evidence/facts.csv", "value", "-INF"),
        ("evidence/facts.csv", "value", "1_000"),
        (STOCK, "detainers", "1_0"),
        (STOCK, "detainers", "٣"),
        (STOCK, "detainers", "9" * 30),
    ],
)
def test_a_number_that_only_a_program_would_write_is_refused(project, file, column, text):
    put_cell(project / "data" / file, 3, column, text)
    line = f"data/{file}, row 3, column {column}: {text!r} is not allowed; allowed: "
    assert problem(Path(file).stem, project).startswith(line)
    assert datapackage.validate(project)[0].startswith(line)


def test_a_table_with_other_separators_is_refused(project):
    path = project / "data" / STOCK
    path.write_text(path.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    assert problem("travis_stock_2017_02_01", project).startswith(STOCK_FILE)
    assert datapackage.validate(project)


@pytest.mark.parametrize("text", ["15", "twenty", "-5", "2014.5"])
def test_a_malformed_year_is_refused(project, text):
    name = "declined_by_state_year_2007_2015"
    put_cell(project / "data" / "series" / f"{name}.csv", 3, "year", text)
    assert problem(name, project) == (
        f"data/series/{name}.csv, row 3, column year: {text!r} is not allowed; "
        "allowed: year, not empty"
    )


def test_text_that_breaks_a_pattern_is_refused(project):
    put_cell(project / "data" / "evidence" / "facts.csv", 2, "fact_id", "a1")
    assert problem("facts", project) == (
        "data/evidence/facts.csv, row 2, column fact_id: 'a1' is not allowed; "
        r"allowed: string, not empty, unique, pattern [A-Z]+\d{3}"
    )


@pytest.mark.parametrize(
    ("column", "lookup"), [("source_id", "sources"), ("unit", "units")], ids=["source", "unit"]
)
def test_a_fact_of_an_unknown_source_or_unit_is_refused(project, column, lookup):
    put_cell(project / "data" / "evidence" / "facts.csv", 7, column, "nobody")
    message = problem("facts", project)
    assert message.startswith(f"data/evidence/facts.csv, row 7, column {column}: ")
    assert '"nobody"' in message
    assert f'"{lookup}"' in message


def test_a_judgement_about_an_unknown_fact_is_refused(project):
    put_cell(project / "data" / "judgements" / "resolutions.csv", 4, "chosen_fact", "ZZZ999")
    message = problem("resolutions", project)
    assert message.startswith("data/judgements/resolutions.csv, row 4, column chosen_fact: ")
    assert '"ZZZ999"' in message


@pytest.mark.parametrize("name", ["travis_stock_2017_02_01", "weekly_detainers"])
def test_a_row_given_twice_is_refused(project, name):
    path = project / "data" / RESOURCES[name]["path"]
    rows = read_rows(path)
    write_rows(path, [*rows, rows[1]])
    message = problem(name, project)
    assert message.startswith(f"data/{RESOURCES[name]['path']}, row {len(rows) + 1}")
    assert "the same as in the row at position 2" in message


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("accepted,1,5\n", "accepted,1,5,9\n", ", row 3: extra cell"),
        ("accepted,1,5\n", "accepted,1\n", ", row 3, column detainers: "),
        ("accepted,1,5\n", "\naccepted,1,5\n", ", row 3: blank row"),
        ("outcome,", "result,", ", column outcome: "),
        ("outcome,weeks_since_booking", "weeks_since_booking,outcome", ", column outcome: "),
        ("outcome,", "detainers,", ", column outcome: "),
    ],
)
def test_a_malformed_row_or_header_is_refused(project, old, new, expected):
    path = project / "data" / STOCK
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert problem("travis_stock_2017_02_01", project).startswith(STOCK_FILE + expected)


@pytest.mark.parametrize("column", ["outcome", "weeks_since_booking", "detainers"])
def test_a_missing_column_is_named(project, column):
    path = project / "data" / STOCK
    rows = read_rows(path)
    position = rows[0].index(column)
    write_rows(path, [row[:position] + row[position + 1 :] for row in rows])
    assert f"column {column}: " in "\n".join(datapackage.validate(project))
    assert problem("travis_stock_2017_02_01", project).startswith(STOCK_FILE)


@pytest.mark.parametrize(
    "content", [b"", b"outcome,weeks_since_booking,detainers\naccept\xe9d,1,1\n"]
)
def test_a_file_that_is_no_table_of_text_is_refused(project, content):
    (project / "data" / STOCK).write_bytes(content)
    assert problem("travis_stock_2017_02_01", project).startswith(f"{STOCK_FILE}: ")


def test_every_problem_is_listed_once_with_its_file(project):
    put_cell(project / "data" / STOCK, 3, "detainers", "x")
    put_cell(project / "data" / STOCK, 5, "outcome", "y")
    put_cell(project / "data" / "evidence" / "sources.csv", 4, "kind", "z")
    lines = datapackage.validate(project)
    assert [line.split(": ")[0] for line in lines] == [
        "data/evidence/sources.csv, row 4, column kind",
        f"{STOCK_FILE}, row 3, column detainers",
        f"{STOCK_FILE}, row 5, column outcome",
    ]


def test_the_ledger_refuses_what_its_tables_refuse(project):
    put_cell(project / "data" / "evidence" / "facts.csv", 9, "qualifier", "roughly")
    with pytest.raises(DataError, match=r"facts\.csv, row 9, column qualifier: 'roughly'"):
        evidence.load()


TYPED = [
    (name, field["name"])
    for name, resource in RESOURCES.items()
    for field in resource["schema"]["fields"]
    if name in FILLED
    and (field["type"] != "string" or {"enum", "pattern"} & set(field.get("constraints", {})))
]
# Begins with a letter no accepted value begins with, and holds what might confuse a reader of CSV.
WRONG = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from(',";'),
    max_size=12,
).map("?".__add__)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "data", folder / "data")
    return folder


@given(place=st.sampled_from(TYPED), position=st.integers(min_value=0), text=WRONG)
def test_any_wrong_cell_of_a_typed_column_is_found_exactly(scratch, place, position, text):
    name, column = place
    path = scratch / "data" / RESOURCES[name]["path"]
    right = path.read_bytes()
    row = 2 + position % FILLED[name]
    try:
        put_cell(path, row, column, text)
        message = problem(name, scratch)
    finally:
        path.write_bytes(right)
    start = f"data/{RESOURCES[name]['path']}, row {row}, column {column}: {text!r} is not allowed"
    assert message.startswith(f"{start}; allowed: ")


@pytest.mark.parametrize(
    ("fact", "column", "text"),
    [("A004", "value", ""), ("B005", "value_date", ""), ("B005", "value", "5")],
)
def test_a_figure_whose_cells_contradict_each_other_is_refused_by_row(project, fact, column, text):
    path = project / "data" / "evidence" / "facts.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    row = next(n for n, line in enumerate(lines, start=1) if line.startswith(f"{fact},"))
    put_cell(path, row, column, text)
    assert problem("facts", project).startswith(f"data/evidence/facts.csv, row {row}: ")


def test_a_table_without_rows_is_refused(project):
    path = project / "data" / STOCK
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert problem("travis_stock_2017_02_01", project).startswith(STOCK_FILE)


@pytest.mark.parametrize("month", ["2006-19", "2006-00", "2006-1"])
def test_a_month_that_is_none_is_refused(project, month):
    put_cell(project / "data/series/travis_monthly_2006_2016.csv", 3, "month", month)
    assert "row 3, column month" in problem("travis_monthly_2006_2016", project)
