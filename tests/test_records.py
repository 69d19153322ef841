import csv
import os
import stat
import subprocess
import sys
import zipfile
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest
import xlsxwriter
from pyarrow import parquet

from helpers import datapackage, records
from helpers.records import cache, workbook
from helpers.records.columns import CANONICAL, DECLINED, GROUPS, NAMES, UNMAPPED
from helpers.records.problems import shape
from record_files import HEADS, REDACTED, expected, grid, truth, wrap, write

NPR = "npr_2007_2015"


pytestmark = pytest.mark.usefixtures("record_cache")


def rows_of(read):
    with records.connect(read) as database:
        table = database.execute("FROM records")
        names = [column[0] for column in table.description]
        return [dict(zip(names, row, strict=True)) for row in table.fetchall()]


def column(read, name):
    return [row[name] for row in rows_of(read)]


def canonical(read):
    """Rows without flags and lineage."""
    return [{name: row[name] for name in NAMES[:-7]} for row in rows_of(read)]


def npr(folder, *lines, name="a.txt", encoding="utf-8"):
    """An NPR file of these lines below its header, and of 40 good ones."""
    good = [f"3/{1 + day % 28}/13,Lifted,JAIL,TOWN,PA,,2013" for day in range(40)]
    header = ",".join([*HEADS[NPR].values(), "Fiscal Year"])
    path = folder / name
    path.write_bytes("\n".join([header, *lines, *good, ""]).encode(encoding))
    return path


def refused(path):
    with pytest.raises(records.RecordsError) as caught:
        records.read(path)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


# Layouts


@pytest.mark.parametrize("wrapped", ["", "gz", "zip"])
@pytest.mark.parametrize("layout", HEADS)
def test_a_file_of_each_layout_reads_to_the_same_canonical_table(tmp_path, layout, wrapped):
    read = records.read(write(tmp_path, layout, wrapped=wrapped))
    assert read.layout == layout
    assert read.report["rows"] == {"read": 60, "kept": 60, "refused": 0}
    assert canonical(read) == expected(layout)


@pytest.mark.parametrize("form", ["feather", "csv"])
def test_detainers_latest_reads_as_feather_and_csv_too(tmp_path, form):
    header, cells = grid("detainers_latest", truth())
    path = tmp_path / f"detainers-latest.{form}"
    frame = pd.DataFrame(cells, columns=header)
    frame.to_feather(path) if form == "feather" else frame.to_csv(path, index=False)
    assert canonical(records.read(path)) == expected("detainers_latest")


@pytest.mark.parametrize("layout", HEADS)
def test_columns_are_found_by_name_wherever_they_stand(tmp_path, layout):
    header, cells = grid(layout, truth())
    order = [*range(len(header))][::-1]
    path = tmp_path / "shuffled.csv"
    lines = [[line[at] for at in order] for line in [header, *cells]]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
    read = records.read(path)
    assert read.layout == layout
    assert canonical(read) == expected(layout)


def test_columns_have_documented_names_and_types(tmp_path):
    with records.connect(records.read(write(tmp_path, "cilp_2026"))) as database:
        described = database.execute("DESCRIBE records").fetchall()
    assert [(name, kind) for name, kind, *_ in described] == [
        (column.name, column.type) for column in CANONICAL
    ]


def test_a_folder_of_one_release_is_read_as_one_and_files_are_told_apart(tmp_path):
    npr(tmp_path, name="FY12.txt")
    npr(tmp_path, name="FY13.txt")
    read = records.read(tmp_path)
    assert read.report["rows"]["read"] == 80
    assert [row["file"] for row in rows_of(read)] == ["FY12.txt"] * 40 + ["FY13.txt"] * 40
    assert any("FY12.txt and FY13.txt overlap" in line for line in read.report["warnings"])


def test_files_of_two_releases_are_not_stacked(tmp_path):
    npr(tmp_path, name="a.txt")
    write(tmp_path, "cilp_2026")
    assert "layout cilp_2026, but a.txt has npr_2007_2015" in refused(tmp_path)


def test_a_zip_of_several_files_is_one_release(tmp_path):
    one, two = npr(tmp_path, name="FY12.txt"), npr(tmp_path, name="FY13.txt")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(two, "b/FY13.txt")
        archive.write(wrap(one, "gz"), "a/FY12.txt.gz")
    read = records.read(tmp_path / "all.zip")
    assert {row["file"] for row in rows_of(read)} == {
        "all.zip/a/FY12.txt.gz",
        "all.zip/b/FY13.txt",
    }


# Rows


def test_each_row_says_where_it_is_from(tmp_path):
    read = records.read(write(tmp_path, "icfo_2025_18038"))
    places = [(row["file"], row["sheet"], row["row"]) for row in rows_of(read)]
    first = [("icfo_2025_18038.xlsx", "Detainers FY17", row) for row in range(3, 33)]
    second = [("icfo_2025_18038.xlsx", "Detainers FY18", row) for row in range(6, 36)]
    assert places == first + second


def test_an_empty_line_is_no_row_and_counts_as_a_line(tmp_path):
    read = records.read(npr(tmp_path, "", "3/1/13,Lifted,JAIL,TOWN,PA,,", "  ", ",,,,,,"))
    assert read.report["rows"] == {"read": 42, "kept": 41, "refused": 1}
    assert column(read, "row")[:2] == [3, 6]


def test_repeats_of_person_and_day_are_flagged_and_kept(tmp_path):
    rows = truth(12)
    rows[3] |= {name: rows[1][name] for name in ("person", "detainer_prepare_date")}
    rows[6] |= {"person": rows[1]["person"]}
    read = records.read(write(tmp_path, "cilp_2026", rows))
    assert read.report["duplicates"] == {"likely": 2, "later": 1, "person_unknown": 1}
    likely, later = column(read, "duplicate_likely"), column(read, "duplicate_later")
    assert [at for at, flag in enumerate(likely) if flag] == [1, 3]
    assert [at for at, flag in enumerate(later) if flag] == [3]
    assert likely[7] is None
    assert likely[0] is False
    assert len(likely) == 12


def test_redactions_and_empty_cells_are_missing(tmp_path):
    marks = [*REDACTED, "NA", "", "  ", "(b)", "(b)(6); (b)(7)(C)"]
    read = records.read(npr(tmp_path, *(f'3/1/13,Lifted,"{mark}",TOWN,PA,,' for mark in marks)))
    assert column(read, "facility")[: len(marks)] == [None] * len(marks)


def test_a_name_is_no_redaction(tmp_path):
    names = ["JAIL (B) WING", "JAIL B (OLD)", "BUREAU(6)", "NAVARRO"]
    read = records.read(npr(tmp_path, *(f"3/1/13,Lifted,{name},TOWN,PA,," for name in names)))
    assert column(read, "facility")[:4] == names


def test_dates_are_read_in_the_documented_forms(tmp_path):
    forms = [
        "3/1/13",
        "03/01/13",
        "3/1/2013",
        "2013-03-01",
        "2013-03-01 00:00:00",
        "3/1/2013 12:00:00 AM",
    ]
    read = records.read(npr(tmp_path, *(f"{form},Lifted,JAIL,TOWN,PA,," for form in forms)))
    assert column(read, "detainer_prepare_date")[: len(forms)] == [date(2013, 3, 1)] * len(forms)


@pytest.mark.parametrize(
    "written", ["31/12/13", "2/30/2013", "2013-13-01", "March 1", "41334", "3-1-13", "3/1/13x"]
)
def test_what_is_no_date_is_refused_with_its_place_and_form_only(tmp_path, written):
    read = records.read(npr(tmp_path, f"{written},Lifted,JAIL,TOWN,PA,,"))
    assert read.report["rows"] == {"read": 41, "kept": 40, "refused": 1}
    (line,) = read.report["refused"]
    assert (line["file"], line["row"], line["column"]) == ("a.txt", 2, "Prepare Date")
    assert line["found"] == shape(written)
    assert "2017-01-28" in line["expected"]
    assert written not in str(read.report)


def test_impossible_years_are_flagged_emptied_and_kept(tmp_path):
    rows = truth(20)
    rows[2]["detainer_prepare_date"] = date(199, 5, 1)
    rows[4]["apprehension_date"] = date(8017, 5, 1)
    rows[4]["departed_date"] = date(1901, 5, 1)
    header, cells = grid("cilp_2026", rows)
    path = tmp_path / "junk.csv"
    pd.DataFrame(cells, columns=header).to_csv(path, index=False)
    read = records.read(path)
    assert column(read, "junk_dates")[2] == "detainer_prepare_date"
    assert column(read, "junk_dates")[4] == "apprehension_date, departed_date"
    assert column(read, "detainer_prepare_date")[2] is None
    assert column(read, "apprehension_date")[4] is None
    assert read.report["rows"]["kept"] == 20
    assert sum("impossible year" in line for line in read.report["warnings"]) == 3


@pytest.mark.parametrize("mark", ["nan", "None", "<NA>", "NaT", "NULL"])
def test_a_missing_key_as_programs_write_it_is_no_person(tmp_path, mark):
    header, cells = grid("cilp_2026", [row | {"person": mark} for row in truth(20)])
    pd.DataFrame(cells, columns=header).to_csv(tmp_path / "saved.csv", index=False)
    report = records.read(tmp_path / "saved.csv").report
    assert report["duplicates"] == {"likely": 0, "later": 0, "person_unknown": 20}


def test_a_key_of_very_many_repeats_is_asked_about(tmp_path):
    same = {"person": "XXXX", "detainer_prepare_date": date(2014, 4, 1)}
    header, cells = grid("cilp_2026", [row | same for row in truth(150)])
    pd.DataFrame(cells, columns=header).to_csv(tmp_path / "marked.csv", index=False)
    warnings = records.read(tmp_path / "marked.csv").report["warnings"]
    assert "149 of them have one key of a person: is it a mark of redaction?" in warnings
    assert "XXXX" not in str(warnings)


def test_days_before_months_in_any_column_of_dates_are_refused(tmp_path):
    header, cells = grid("icfo_2025_18038", truth(60))
    frame = pd.DataFrame(cells, columns=header)
    days = pd.to_datetime(frame["Detainer_Lift_Date"])
    frame["Detainer_Lift_Date"] = days.dt.strftime("%d/%m/%Y")
    frame.to_csv(tmp_path / "british.csv", index=False)
    no_dates = int((days.dt.day > 12).sum())
    assert refused(tmp_path / "british.csv") == (
        f"british.csv, column Detainer_Lift_Date: {no_dates} of {days.notna().sum()} cells are no "
        "date, more than 10%; expected a date as 2017-01-28, 1/28/17 or 1/28/2017"
    )


def test_a_threat_level_as_pandas_saves_it_is_read_and_another_word_named(tmp_path):
    header, cells = grid("detainers_latest", truth(9))
    frame = pd.DataFrame(cells, columns=header)
    level = "detainer_prep_threat_level"
    frame[level] = ["1.0", "2.0", "3.0", "1", "3", "", "4", "high", "NA"]
    frame.to_csv(tmp_path / "saved.csv", index=False)
    read = records.read(tmp_path / "saved.csv")
    with records.connect(read) as database:
        levels = [found for (found,) in database.sql("SELECT threat_level FROM records").fetchall()]
    assert levels == [1, 2, 3, 1, 3, None, None, None, None]
    said = [line for line in read.report["warnings"] if level in line]
    assert said == [
        f"saved.csv, row 8, column {level}: the first of 2 cells that are no level from 1 to 3; "
        "taken as empty"
    ]


def test_an_empty_date_of_the_first_npr_set_is_that_of_the_row_before(tmp_path):
    read = records.read(npr(tmp_path, "3/1/13,Lifted,A,T,PA,,", ",Lifted,B,T,PA,,"))
    assert column(read, "detainer_prepare_date")[:2] == [date(2013, 3, 1)] * 2
    assert column(read, "date_carried")[:3] == [False, True, False]
    assert any("empty prepare dates" in line for line in read.report["warnings"])


def test_an_empty_date_of_other_layouts_is_refused(tmp_path):
    rows = truth(20)
    rows[2]["detainer_prepare_date"] = None
    read = records.read(write(tmp_path, "cilp_2026", rows))
    (line,) = read.report["refused"]
    assert (line["sheet"], line["row"], line["reason"]) == ("Detainers", 10, "the cell is empty")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("3/1/13,Lifted,JAIL", "the row has 3 cells, the header 7"),
        ("3/1/13,Lifted,JAIL,TOWN,PA,,,more", "the row has 8 cells, the header 7"),
        ('3/1/13,Lifted,"JAIL,TOWN,PA,,', "cannot be split into cells"),
        ('3/1/13,Lifted,"JAIL" X,TOWN,PA,,', "cannot be split into cells"),
        ("3/1/13,Lifted," + "X" * 3000 + ",TOWN,PA,,", "longer than 2000 bytes"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_and_the_next_are_read(tmp_path, line, said):
    read = records.read(npr(tmp_path, line))
    assert read.report["rows"] == {"read": 41, "kept": 40, "refused": 1}
    assert said in read.report["refused"][0]["reason"]
    assert column(read, "row") == list(range(3, 43))


def test_too_many_refused_rows_refuse_the_file(tmp_path):
    said = refused(npr(tmp_path, *["soon,Lifted,JAIL,TOWN,PA,,"] * 5))
    assert said.startswith("a.txt, row 2, column Prepare Date: the cell is no date ('aaaa')")
    assert "5 of 45 rows are refused, more than 10%" in said


# Lift reasons


def test_the_crosswalk_has_every_reason_seen_once_in_a_known_group(root):
    table = datapackage.load("lift_reasons", root)
    assert set(table["group"]) == set(GROUPS)
    assert table.loc[table["group"].eq(DECLINED), "reason"].tolist() == ["Detainer Declined by LEA"]
    old = set(datapackage.load("lift_reasons_by_year_2007_2015", root)["lift_reason"])
    known = table.loc[table["era"].isin(["2007-2015", "both"]), "reason"]
    spelled = known.str.lower().str.replace(r"[^a-z]+", "_", regex=True)
    assert set(spelled) == old - {"blank"}


def test_reasons_are_grouped_whatever_their_case_and_unknown_ones_are_said(tmp_path):
    lines = ["3/1/13,DETAINER declined by LEA,J,T,PA,,", "3/1/13,Gone fishing,J,T,PA,,"]
    read = records.read(npr(tmp_path, *lines))
    assert column(read, "lift_reason_group")[:2] == [DECLINED, UNMAPPED]
    assert read.report["lift_reason"] == {"DETAINER declined by LEA": 1, "Lifted": 40, UNMAPPED: 1}
    assert any("lift_reasons.csv lacks" in line for line in read.report["warnings"])


def test_an_unknown_reason_of_many_rows_is_named(tmp_path):
    read = records.read(npr(tmp_path, *["3/1/13,Gone fishing,J,T,PA,,"] * 11))
    assert read.report["lift_reason"]["Gone fishing"] == 11


def test_a_column_of_unknown_reasons_is_taken_for_another_one(tmp_path):
    said = refused(npr(tmp_path, *["3/1/13,A. Person,J,T,PA,,"] * 50))
    assert "column Detainer Lift Reason: 50 of 90 reasons are unknown" in said
    assert "Person" not in said


# Files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_text_is_read_in_the_encodings_that_occur(tmp_path, encoding):
    read = records.read(npr(tmp_path, "3/1/13,Lifted,CAÑON,TOWN,PA,,", encoding=encoding))
    assert column(read, "facility")[0] == "CAÑON"
    notes = [line for line in read.report["warnings"] if "not UTF-8" in line]
    assert len(notes) == (encoding == "cp1252")


def test_a_line_of_other_bytes_is_refused(tmp_path):
    path = npr(tmp_path, "3/1/13,Lifted,X,TOWN,PA,,")
    path.write_bytes(path.read_bytes().replace(b",X,", b",\x81\x8d,"))
    read = records.read(path)
    assert "neither UTF-8 nor Windows-1252" in read.report["refused"][0]["reason"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"hello\nworld\n", "no header of detainers"),
        (b"Prepare Date,City,State\n1/1/13,A,PA\n", "the header has no column"),
        (
            b"Prepare Date,Prepare_Date,Detainer Lift Reason,City\n",
            "column 'Prepare_Date' is there twice",
        ),
        (
            b"Prepare Date,Detainer Lift Reason,Detainer Detention Facility\n",
            "no row below the header",
        ),
        (b"PAR1 and so on", "the parquet file is broken"),
        (b"ARROW1 and so on", "the feather file is broken"),
        (b"PK\x03\x04 and so on", "the zip or xlsx file is broken"),
        (b"\x1f\x8b and so on", "the gz file is broken"),
        (b"\xd0\xcf\x11\xe0 and so on", "an old or password-protected Excel file"),
        (b"<stata_dta>", "a Stata file"),
        (b"\x00\x01\x02", "this is no text"),
        (b"Prepare Date," + b"x" * 2_000_000, "longer than a megabyte"),
        (b"\xff\xfePrepare", "not UTF-16"),
    ],
)
def test_what_is_no_file_of_records_is_refused_in_a_line(tmp_path, content, said):
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    assert said in refused(path)
    assert refused(path).startswith("a.bin")


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert "no such file" in refused(tmp_path / "none.csv")
    (tmp_path / "empty").mkdir()
    assert "holds no file" in refused(tmp_path / "empty")


def test_a_cut_archive_is_refused(tmp_path):
    path = write(tmp_path, "npr_second_set", wrapped="gz")
    path.write_bytes(path.read_bytes()[:-20])
    assert "the gz file is broken" in refused(path)


def book(folder, fill):
    """A workbook in the 2026 layout to which `fill` adds."""
    header, cells = grid("cilp_2026", truth(20))
    path = folder / "book.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet("Detainers")
        sheet.write_row(6, 0, header)
        day = made.add_format({"num_format": "m/d/yyyy"})
        for at, row in enumerate(cells, start=7):
            for position, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(at, position, cell, day)
                elif cell is not None:
                    sheet.write(at, position, cell)
        fill(made, sheet)
    return path


def test_a_formula_is_refused_with_its_place(tmp_path):
    path = book(tmp_path, lambda made, sheet: sheet.write_formula(9, 2, "=A1"))
    assert refused(path) == (
        'book.xlsx, sheet "Detainers", row 10, column C: the cell is a formula; expected values'
    )


def test_a_sheet_of_notes_is_named_and_one_of_data_without_a_header_refused(tmp_path):
    path = book(tmp_path, lambda made, sheet: made.add_worksheet("Notes").write(0, 0, "note"))
    assert (
        'book.xlsx, sheet "Notes": no header of detainers; not read'
        in (records.read(path).report["warnings"])
    )
    row = ["x"] * 30
    path = book(tmp_path, lambda made, sheet: made.add_worksheet("More").write_row(0, 0, row))
    assert 'sheet "More": no header of detainers' in refused(path)


def test_a_hidden_sheet_of_records_is_read_and_named(tmp_path):
    def fill(made, sheet):
        header, cells = grid("cilp_2026", truth(5))
        copy = made.add_worksheet("Old")
        copy.write_row(0, 0, header)
        for at, row in enumerate(cells, start=1):
            copy.write_row(at, 0, [cell and str(cell) for cell in row])
        copy.hide()

    report = records.read(book(tmp_path, fill)).report
    assert report["rows"]["kept"] == 25
    assert [line for line in report["warnings"] if "hidden" in line] == [
        'book.xlsx, sheet "Old": the sheet is hidden in Excel; it is read as the others'
    ]


def test_a_stray_cell_far_away_is_refused_before_memory_is_filled(tmp_path):
    path = book(tmp_path, lambda made, sheet: sheet.write(1_000_000, 16_000, "x"))
    assert "delete stray cells" in refused(path)


def test_sheets_without_rows_and_charts_are_left_out(tmp_path):
    def fill(made, sheet):
        made.add_worksheet("Empty")
        chart = made.add_chart({"type": "line"})
        chart.add_series({"values": "=Detainers!$J$8:$J$20"})
        made.add_chartsheet("Chart").set_chart(chart)

    assert records.read(book(tmp_path, fill)).report["rows"]["kept"] == 20


# The cache


def test_what_was_read_is_taken_from_the_cache_by_content(tmp_path, monkeypatch):
    path = npr(tmp_path)
    first = records.read(path)
    monkeypatch.setattr(records, "_convert", None)
    assert records.read(path) == first


def test_another_content_is_read_again(tmp_path):
    path = npr(tmp_path)
    first = records.read(path)
    path.write_bytes(path.read_bytes() + b"3/1/13,Lifted,J,T,PA,,\n")
    assert records.read(path).report["rows"]["read"] == first.report["rows"]["read"] + 1
    assert records.read(path).parquet != first.parquet


def test_only_its_owner_may_look_into_the_cache_and_nothing_unfinished_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("DETAINERS_CACHE", str(tmp_path / "new" / "cache"))
    read = records.read(npr(tmp_path))
    refused(npr(tmp_path, *["x,y,z"] * 20, name="b.txt"))
    assert cache.folder() == tmp_path / "new" / "cache"
    assert {path.suffix for path in cache.folder().iterdir()} == {".parquet", ".json"}
    if sys.platform != "win32":
        assert stat.S_IMODE(cache.folder().stat().st_mode) == 0o700
        assert stat.S_IMODE(read.parquet.stat().st_mode) == 0o600


def test_a_broken_cache_is_made_anew(tmp_path):
    path = npr(tmp_path)
    read = records.read(path)
    read.parquet.with_suffix(".json").write_text("{", encoding="utf-8")
    assert records.read(path).report == read.report
    read.parquet.unlink()
    assert records.read(path).parquet.is_file()


def test_a_cache_in_the_project_is_refused_and_what_a_killed_reader_left_is_removed(
    tmp_path, root, monkeypatch, record_cache
):
    left = record_cache / "reading-killed"
    left.mkdir()
    os.utime(left, (0, 0))
    records.read(npr(tmp_path))
    assert not left.exists()
    monkeypatch.setenv("DETAINERS_CACHE", str(root / "cache"))
    assert "expected a folder outside" in refused(npr(tmp_path))
    assert not (root / "cache").exists()


def test_a_cache_that_cannot_be_made_is_refused_in_a_line(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DETAINERS_CACHE", str(tmp_path / "file"))
    assert "cannot be made (File exists); set DETAINERS_CACHE" in refused(npr(tmp_path))


def test_the_cache_is_the_users_folder_unless_told(monkeypatch, root):
    monkeypatch.delenv("DETAINERS_CACHE")
    monkeypatch.setattr("pathlib.Path.mkdir", lambda *_, **__: None)
    assert "declined-detainers" in str(cache.folder())
    assert root not in cache.folder().parents


def test_no_date_of_birth_and_no_other_identifier_is_kept(tmp_path):
    rows = truth(20)
    header, cells = grid("cilp_2026", rows)
    header[header.index("Box 0 Yes No")] = "Birth Year"
    for cell in cells:
        cell[header.index("Birth Date")] = "1987-06-05"
        cell[header.index("Birth Year")] = "1987"
    path = tmp_path / "a.csv"
    pd.DataFrame(cells, columns=header).to_csv(path, index=False)
    read = records.read(path)
    assert not any("birth" in name for name in NAMES)
    assert "1987" not in str(rows_of(read))
    assert {"Birth Date", "Birth Year"} <= set(read.report["unused"])


# Elsewhere


def test_the_study_and_the_command_import_no_library_of_records():
    code = (
        "import sys; from helpers import cli, records, disclosure\n"
        "from helpers.records import columns, problems\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"duckdb", "python_calamine", "distributed"}


def test_a_form_is_shown_without_its_content():
    assert shape("Müller 1987-06") == "Aaaaaa 9999-99"
    assert shape("x" * 40) == "a" * 30 + "..."


@pytest.mark.parametrize(
    ("name", "earliest"),
    [("detainer_prepare_date", 2007), ("detainer_lift_date", 2007), ("apprehension_date", 1980)],
)
def test_years_are_possible_from_the_earliest_of_the_column_to_2049(tmp_path, name, earliest):
    rows = truth(20)
    for row, year in zip(rows, (earliest - 1, earliest, 2049, 2050), strict=False):
        row[name] = date(year, 5, 1)
    header, cells = grid("icfo_2025_18038", rows)
    path = tmp_path / "years.csv"
    pd.DataFrame(cells, columns=header).to_csv(path, index=False)
    read = [day and day.year for day in column(records.read(path), name)]
    assert read[:4] == [None, earliest, 2049, None]


def test_marks_for_nothing_are_missing(tmp_path):
    marks = ["NA", "N/A", "NULL"]
    read = records.read(npr(tmp_path, *(f"3/1/13,{mark},{mark},TOWN,PA,," for mark in marks)))
    assert column(read, "facility")[:3] == column(read, "lift_reason")[:3] == [None] * 3


def test_an_empty_date_is_carried_only_into_a_row_of_a_detainer(tmp_path):
    read = records.read(npr(tmp_path, "3/1/13,Lifted,A,T,PA,,", ",,,TOTAL,PA,,"))
    (line,) = read.report["refused"]
    assert (line["row"], line["reason"]) == (3, "the cell is empty")


def test_no_date_is_carried_from_one_file_into_the_next(tmp_path):
    npr(tmp_path, name="FY12.txt")
    npr(tmp_path, ",Lifted,B,T,PA,,", name="FY13.txt")
    (line,) = records.read(tmp_path).report["refused"]
    assert (line["file"], line["row"], line["reason"]) == ("FY13.txt", 2, "the cell is empty")


def test_a_refused_row_makes_no_other_row_a_repeat(tmp_path):
    rows = truth(20)
    rows[3] |= {name: rows[1][name] for name in ("person", "detainer_prepare_date")}
    rows[1]["conviction"] = "X" * 3000
    header, cells = grid("cilp_2026", rows)
    pd.DataFrame(cells, columns=header).to_csv(tmp_path / "a.csv", index=False)
    read = records.read(tmp_path / "a.csv")
    assert read.report["rows"] == {"read": 20, "kept": 19, "refused": 1}
    assert read.report["duplicates"]["likely"] == read.report["duplicates"]["later"] == 0


def test_a_file_with_a_tenth_of_its_rows_refused_is_read(tmp_path):
    lines = [f"{day},Lifted,JAIL,TOWN,PA,," for day in ["soon"] * 10 + ["3/1/13"] * 50]
    read = records.read(npr(tmp_path, *lines))
    assert read.report["rows"] == {"read": 100, "kept": 90, "refused": 10}


def test_an_unknown_reason_of_few_rows_is_not_spelled_out(tmp_path):
    read = records.read(npr(tmp_path, *["3/1/13,A. Person,J,T,PA,,"] * 10))
    assert read.report["lift_reason"] == {"Lifted": 40, UNMAPPED: 10}
    assert "Person" not in str(read.report)


def test_files_that_meet_on_a_day_do_not_overlap(tmp_path):
    header = ",".join(HEADS[NPR].values())
    for name, days in (("FY12.txt", (1, 2)), ("FY13.txt", (2, 3))):
        lines = [f"3/{day}/13,Lifted,JAIL,TOWN,PA," for day in days]
        (tmp_path / name).write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    read = records.read(tmp_path)
    assert read.report["rows"]["kept"] == 4
    assert not any("overlap" in line for line in read.report["warnings"])


@pytest.mark.parametrize(("name", "percent"), [("facility", 1), ("state", 5), ("person", 25)])
def test_a_reader_is_warned_of_a_column_with_more_empty_cells_than_releases_have(
    tmp_path, name, percent
):
    def warnings(empty):
        rows = [row | {"person": str(at)} for at, row in enumerate(truth(100))]
        for row in rows[:empty]:
            row[name] = None
        header, cells = grid("cilp_2026", rows)
        pd.DataFrame(cells, columns=header).to_csv(tmp_path / "a.csv", index=False)
        said = records.read(tmp_path / "a.csv").report["warnings"]
        return [line for line in said if "of the cells are empty" in line]

    assert warnings(percent - 1) == []
    (line,) = warnings(percent + 1)
    assert f"{percent + 1}.0%" in line


def test_an_error_at_the_end_of_a_part_of_a_sheet_is_counted_once():
    parts = [b'<c r="A1" t="e">', b'<c r="A2" t="s"><c r="A3" t=', b'"e">', b"</row>"]
    assert workbook._screen(iter(parts), "a.xlsx", "Sheet1") == 2


def test_rows_of_a_large_file_keep_its_order(tmp_path):
    rows = 400_000  # enough that parts are read side by side
    cells = dict.fromkeys(HEADS["detainers_latest"].values()) | {
        "detainer_prepare_date": "2023-01-05",
        "detainer_lift_reason": "Case Closed",
    }
    table = pa.table({name: pa.array([cell] * rows, pa.string()) for name, cell in cells.items()})
    persons = pa.array([f"p{row // 3}" for row in range(rows)])
    at = table.column_names.index("unique_identifier")
    parquet.write_table(table.set_column(at, "unique_identifier", persons), tmp_path / "x.parquet")
    read = parquet.read_table(records.read(tmp_path / "x.parquet").parquet, columns=["row"])["row"]
    assert read.to_pylist() == sorted(read.to_pylist())
    assert len(read) == rows
