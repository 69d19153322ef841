import pytest

from helpers import records, synthetic_files, synthetic_records, synthetic_tables
from helpers.records.columns import CANONICAL, SOURCED
from helpers.records.layouts import LAYOUTS, spelling

pytestmark = pytest.mark.usefixtures("record_cache")

LINEAGE = {"file", "sheet", "row"}
MADE = synthetic_records.design(1, weeks=(60, 63), scale=0.1)


@pytest.fixture(scope="module")
def direct():
    with synthetic_tables.connect(MADE) as database:
        return database.execute('FROM records ORDER BY "row"').df()


def columns_of(layout):
    """Canonical columns that a layout's files have, those made of them included."""
    headers = {spelling(header) for header in synthetic_files.HEADERS[layout].split(", ")}
    found = {column.name for column in SOURCED if headers & set(column.headers)}
    made = {"lift_reason_group", "detainer_form", "date_carried", "junk_dates"}
    if "person" in found:
        made |= {"duplicate_likely", "duplicate_later"}
    return found | made


def test_there_is_a_writer_for_each_layout_that_is_read():
    assert set(synthetic_files.HEADERS) == {layout.name for layout in LAYOUTS}


@pytest.mark.parametrize("layout", synthetic_files.HEADERS)
def test_records_written_in_a_layout_read_back_to_the_same_table(tmp_path, direct, layout):
    path = synthetic_files.write(synthetic_tables.blocks(MADE), layout, tmp_path)
    read = records.read(path)
    assert read.layout == layout
    assert read.report["rows"] == {"read": len(direct), "kept": len(direct), "refused": 0}
    with records.connect(read) as database:
        back = database.execute('FROM records ORDER BY file, sheet, "row"').df()
    has = columns_of(layout)
    for column in CANONICAL:
        if column.name in has:
            assert (
                back[column.name].astype(object).where(back[column.name].notna(), None).tolist()
                == direct[column.name]
                .astype(object)
                .where(direct[column.name].notna(), None)
                .tolist()
            ), column.name
        elif column.name not in LINEAGE:
            assert back[column.name].isna().all(), column.name


@pytest.mark.parametrize("layout", synthetic_files.HEADERS)
def test_no_file_has_the_truth_and_each_says_that_it_is_synthetic(tmp_path, layout):
    path = synthetic_files.write(synthetic_tables.blocks(MADE), layout, tmp_path)
    assert path.name.startswith("SYNTHETIC")
    written = {spelling(header) for header in synthetic_files.HEADERS[layout].split(", ")}
    assert not written & set(synthetic_tables.TRUTH)


def test_a_workbook_goes_on_on_a_second_sheet(tmp_path, monkeypatch, direct):
    monkeypatch.setattr(synthetic_files, "_SHEET", 400)
    path = synthetic_files.write(synthetic_tables.blocks(MADE), "cilp_2026", tmp_path)
    report = records.read(path).report
    assert len(report["tables"]) > 1
    assert report["rows"]["kept"] == len(direct)


def test_an_unknown_layout_is_refused(tmp_path):
    with pytest.raises(ValueError, match="npr_2007_2015"):
        synthetic_files.write(iter(()), "unheard_of", tmp_path)
