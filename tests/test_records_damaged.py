"""Damaged files: each reads rightly or is refused in one line, never with rows left out unsaid."""

import csv
import io
import random
from datetime import date, datetime

import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from helpers import records
from helpers.records.columns import NAMES
from record_files import HEADS, expected, grid, truth

ROWS = 40
TOP = {"text": 1, "xlsx": 7, "parquet": 1}  # the row of the header
FORMATS = [
    *((layout, "text") for layout in HEADS),
    ("icfo_2025_18038", "xlsx"),
    ("cilp_2025", "xlsx"),
    ("cilp_2026", "xlsx"),
    ("detainers_latest", "parquet"),
]


class Table:
    """Header and cells of a file; damage is done to them, and `touched` says to which rows."""

    def __init__(self, layout, form):
        self.layout, self.form = layout, form
        self.header, self.cells = grid(layout, truth(ROWS))
        self.touched, self.sheets = set(), {}

    def path(self, folder):
        path = folder / f"a.{self.form}"
        if self.form == "xlsx":
            self._book(path)
        elif self.form == "parquet":
            columns = zip(*self.cells, strict=True) if self.cells else [[] for _ in self.header]
            arrays = [pa.array([_text(cell) for cell in cells], pa.string()) for cells in columns]
            parquet.write_table(pa.Table.from_arrays(arrays, names=self.header), path)
        else:
            path.write_bytes(self.text().encode())
        return path

    def text(self):
        made = io.StringIO()
        tab = self.layout == "npr_second_set"
        writer = csv.writer(made, "excel-tab" if tab else "excel", lineterminator="\n")
        writer.writerows([self.header, *self.cells])
        return made.getvalue()

    def _book(self, path):
        with xlsxwriter.Workbook(path, {"strings_to_urls": False}) as book:
            day = book.add_format({"num_format": "m/d/yyyy"})
            sheet = book.add_worksheet("Detainers")
            sheet.write_row(6, 0, self.header)
            for at, line in enumerate(self.cells, start=7):
                for column, cell in enumerate(line):
                    if isinstance(cell, date):
                        sheet.write_datetime(at, column, datetime(*cell.timetuple()[:3]), day)
                    elif cell is not None:
                        sheet.write(at, column, cell)
            for name, rows in self.sheets.items():
                extra = book.add_worksheet(name)
                for at, line in enumerate(rows):
                    extra.write_row(at, 0, line)


def _text(cell):
    return None if cell is None else str(cell)


def bad_dates(table, draw):
    position = table.header.index(HEADS[table.layout]["detainer_prepare_date"])
    for row in draw.sample(range(ROWS), draw.choice([1, 3, 30])):
        table.cells[row][position] = draw.choice(["31/31/13", "soon", "2013", "1e9", "b(6)", None])
        table.touched.add(row)
    if table.layout == "npr_2007_2015":  # an empty date is carried from the row before
        table.touched |= set(range(ROWS))


def huge_cells(table, draw):
    row = draw.randrange(ROWS)
    table.cells[row][draw.randrange(len(table.header))] = "x" * draw.choice([1000, 3000, 30_000])
    table.touched.add(row)


def odd_cells(table, draw):
    kinds = ["#N/A", "\ufffd", '"', "NULL", 1.5, True, "🙂" * 5, "\u2028", "a\tb", "'"]
    kinds += ["\x00", "=1+1"] if table.form == "text" else ["a\nb", "=1+1"]
    for row in draw.sample(range(ROWS), 3):
        table.cells[row][draw.randrange(len(table.header))] = draw.choice(kinds)
        table.touched.add(row)
    if table.layout == "npr_2007_2015":
        table.touched |= set(range(ROWS))


def short_rows(table, draw):
    for row in draw.sample(range(ROWS), draw.choice([1, 2, 20])):
        table.cells[row] = table.cells[row][: draw.randrange(1, len(table.header))]
        table.touched.add(row)


def shuffled_columns(table, draw):
    order = draw.sample(range(len(table.header)), len(table.header))
    table.header = [table.header[at] for at in order]
    table.cells = [[line[at] for at in order] for line in table.cells]


def shifted_cells(table, draw):
    """The header stays, the cells move one to the right: nothing means what it says."""
    table.cells = [[line[-1], *line[:-1]] for line in table.cells]
    table.touched = set(range(ROWS))


def lost_column(table, draw):
    at = draw.randrange(len(table.header))
    for line in [table.header, *table.cells]:
        del line[at]
    table.touched = set(range(ROWS))


def doubled_column(table, draw):
    at = draw.randrange(len(table.header))
    for line in [table.header, *table.cells]:
        line.append(line[at])


def no_rows(table, draw):
    table.cells = [[None] * len(table.header)] * draw.choice([0, 3])
    table.touched = set(range(ROWS))


def more_sheets(table, draw):
    note, half = ["note"], [str(cell or "") for cell in table.cells[0]]
    table.sheets["More"] = draw.choice([[note], [half] * 5, [table.header, *[half] * 2], []])


def repeated_header(table, draw):
    row = draw.randrange(ROWS)
    table.cells[row] = list(table.header)
    table.touched.add(row)


CELLS = [
    bad_dates,
    huge_cells,
    odd_cells,
    short_rows,
    shuffled_columns,
    shifted_cells,
    lost_column,
    doubled_column,
    no_rows,
    repeated_header,
]


def cut(content, draw):
    return content[: draw.randrange(len(content))]


def noise(content, draw):
    damaged = bytearray(content)
    for _ in range(draw.choice([1, 5, 50])):
        damaged[draw.randrange(len(damaged))] = draw.randrange(256)
    return bytes(damaged)


def other_encoding(content, draw):
    encoding = draw.choice(["utf-16", "utf-16-le", "cp1252", "latin-1", "utf-32", "cp500", "utf-7"])
    return content.decode().encode(encoding)


def stray_quotes(content, draw):
    damaged = bytearray(content)
    for _ in range(draw.choice([1, 2, 10])):
        damaged.insert(draw.randrange(len(damaged)), ord('"'))
    return bytes(damaged)


def other_line_ends(content, draw):
    return content.replace(b"\n", draw.choice([b"\r\n", b"\r", b"\n\n", b"\n\r", b"\v"]))


def broken_lines(content, draw):
    damaged = bytearray(content)
    for _ in range(draw.choice([1, 3])):
        damaged.insert(draw.randrange(len(damaged)), ord("\n"))
    return bytes(damaged)


BYTES = [cut, noise, other_encoding, stray_quotes, other_line_ends, broken_lines]


def read(path):
    """What was read, or None where it was refused; any other end is a failure of the test."""
    try:
        return records.read(path)
    except records.RecordsError as error:
        said = str(error)
        assert said.startswith(path.name), said
        assert len(said.splitlines()) == 1, said
        assert len(said) < 600, said
        return None


def check_rows(found, rows):
    """As many rows were read as the file has, and every one was kept or refused with a reason."""
    counts = found.report["rows"]
    assert counts["read"] == rows
    assert counts["kept"] + counts["refused"] == counts["read"]
    assert sum(line["rows"] for line in found.report["refused"]) == counts["refused"]
    with records.connect(found) as database:
        return database.execute("FROM records").fetchall()


def check_cells(table, found):
    """Rows that were not damaged read to the truth."""
    wanted = expected(table.layout, truth(ROWS))
    seen = 0
    for values in check_rows(found, ROWS):
        row = dict(zip(NAMES, values, strict=True))
        at = row["row"] - TOP[table.form] - 1
        if row["sheet"] in ("", "Detainers") and at not in table.touched:
            assert {name: row[name] for name in wanted[at]} == wanted[at]
            seen += 1
    assert seen == ROWS - len(table.touched)


def try_damaged_cells(folder, kind, damage, seed):
    draw = random.Random(seed)
    table = Table(*kind)
    damage(table, draw)
    if damage is short_rows and table.form == "parquet":
        return
    found = read(table.path(folder))
    if damage is no_rows:
        assert found is None
    elif found is not None:
        check_cells(table, found)


def try_damaged_bytes(folder, kind, damage, seed):
    table = Table(kind, "text")
    content = damage(table.text().encode(), random.Random(seed))
    path = folder / "a.csv"
    path.write_bytes(content)
    found = read(path)
    if found is not None:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1")
        lines = [line.rstrip("\r") for line in text.split("\n")][1:]
        check_rows(found, sum(bool(set(line) - {",", "\t"}) for line in lines))


def try_damaged_archive(folder, kind, damage, seed):
    """A workbook has checksums, so damage is seen or does not matter; parquet is cut only."""
    table = Table(*kind)
    path = table.path(folder)
    damage = cut if table.form == "parquet" else damage
    path.write_bytes(damage(path.read_bytes(), random.Random(seed)))
    found = read(path)
    if found is not None:
        check_cells(table, found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, root):
    made = tmp_path_factory.mktemp("damaged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DETAINERS_CACHE", str(made / "cache"))
        patch.setenv("DETAINERS_ROOT", str(root))
        yield made


seeds = st.integers(0, 2**32)
cases = st.sampled_from(FORMATS)


@given(kind=cases, damage=st.sampled_from(CELLS), seed=seeds)
@settings(max_examples=30)
def test_damaged_cells_are_read_rightly_or_refused(folder, kind, damage, seed):
    try_damaged_cells(folder, kind, damage, seed)


@given(kind=st.sampled_from(list(HEADS)), damage=st.sampled_from(BYTES), seed=seeds)
@settings(max_examples=20)
def test_damaged_text_is_read_in_all_its_lines_or_refused(folder, kind, damage, seed):
    try_damaged_bytes(folder, kind, damage, seed)


archives = st.sampled_from([kind for kind in FORMATS if kind[1] != "text"])


@given(kind=archives, damage=st.sampled_from([cut, noise]), seed=seeds)
@settings(max_examples=10)
def test_damaged_workbooks_and_parquet_are_read_rightly_or_refused(folder, kind, damage, seed):
    try_damaged_archive(folder, kind, damage, seed)


@pytest.mark.slow
@given(kind=archives, damage=st.sampled_from([cut, noise]), seed=seeds)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_hundreds_of_damaged_workbooks_and_parquet_are_read_rightly_or_refused(
    folder, kind, damage, seed
):
    try_damaged_archive(folder, kind, damage, seed)


@pytest.mark.slow
@given(kind=cases, damage=st.sampled_from(CELLS), seed=seeds)
@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
def test_hundreds_of_files_with_damaged_cells_are_read_rightly_or_refused(
    folder, kind, damage, seed
):
    try_damaged_cells(folder, kind, damage, seed)


@pytest.mark.slow
@given(kind=st.sampled_from(list(HEADS)), damage=st.sampled_from(BYTES), seed=seeds)
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_hundreds_of_damaged_texts_are_read_in_all_their_lines_or_refused(
    folder, kind, damage, seed
):
    try_damaged_bytes(folder, kind, damage, seed)
