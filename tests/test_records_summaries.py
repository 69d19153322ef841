from collections import Counter
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

import disclosed
from helpers import records
from helpers.records import cluster, summaries
from helpers.records.columns import PRIVATE
from record_files import REASONS, expected, truth, write

pytestmark = pytest.mark.usefixtures("record_cache")


def summary_of(read):
    with records.connect(read) as database:
        return summaries.summarise(database)


def counted(frame, keys, count="detainers"):
    return Counter(
        {
            tuple(None if pd.isna(cell) else cell for cell in row[:-1]): row[-1]
            for row in frame[[*keys, count]].itertuples(index=False)
        }
    )


@pytest.mark.parametrize("layout", ["cilp_2026", "npr_second_set", "icfo_2025_18038"])
def test_outcomes_and_agencies_are_counted_as_by_hand(tmp_path, layout):
    summary = summary_of(records.read(write(tmp_path, layout)))
    rows = expected(layout)
    by_hand = Counter(
        (row["detainer_prepare_date"].replace(day=1), row["aor"], row["lift_reason"])
        for row in rows
    )
    outcomes = summary["outcomes"].assign(month=summary["outcomes"]["month"].dt.date)
    assert counted(outcomes, ["month", "aor", "lift_reason"]) == by_hand
    names = ["facility_code", "facility", "state"]
    assert counted(summary["agencies"], names) == Counter(
        tuple(row[name] for name in names) for row in rows
    )
    declined = [row for row in rows if row["lift_reason"] == "Detainer Declined by LEA"]
    assert +counted(summary["agencies"], names, "declined") == Counter(
        tuple(row[name] for name in names) for row in declined
    )


def stock(rows, day, undated_end):
    """Detainers active at the end of a day; with a reason and no date they end on `undated_end`."""
    active = 0
    for row in rows:
        ended = row["detainer_lift_date"]
        if ended is None and row["lift_reason"] == "Booked into Detention":
            ended = row["apprehension_date"]
        if ended is None and row["lift_reason"] is not None:
            ended = undated_end or row["detainer_prepare_date"]
        active += row["detainer_prepare_date"] <= day and (ended is None or ended > day)
    return active


@pytest.mark.parametrize("layout", ["cilp_2026", "icfo_2025_18038"])
def test_active_detainers_are_counted_day_by_day_as_by_hand(tmp_path, layout):
    rows = expected(layout)
    found = summaries.active(summary_of(records.read(write(tmp_path, layout))), minimum_cell=1)
    days = [date(2014, 3, 30) + timedelta(days=day) for day in range(30)]
    assert found["day"].dt.date.tolist() == days
    assert found["highest"].tolist() == [stock(rows, day, date.max) for day in days]
    assert found["lowest"].tolist() == [stock(rows, day, None) for day in days]


def test_summaries_of_parts_add_up_to_that_of_the_whole(tmp_path):
    read = records.read(write(tmp_path, "cilp_2026"))
    table = parquet.read_table(read.parquet)
    parts = []
    for start in range(0, 60, 17):
        path = tmp_path / f"{start}.parquet"
        parquet.write_table(table.slice(start, 17), path)
        parts.append(summary_of(records.Records("", "", path, {})))
    assert_same(summaries.added(parts), summary_of(read))


def assert_same(one, other):
    for name in summaries.QUERIES:
        keys = list(one[name].select_dtypes(exclude="number"))
        left, right = (
            frame[name].sort_values(keys).reset_index(drop=True) for frame in (one, other)
        )
        pd.testing.assert_frame_equal(left, right)


def test_no_summary_has_a_column_that_singles_out(tmp_path):
    assert not set(summaries.COLUMNS) & set(PRIVATE)
    for frame in summary_of(records.read(write(tmp_path, "cilp_2026"))).values():
        assert not set(frame) & set(PRIVATE)


@st.composite
def months(draw):
    reasons = st.lists(st.sampled_from(REASONS), max_size=14)
    lists = draw(st.lists(reasons, min_size=1, max_size=4))
    return [(month, reason) for month, found in enumerate(lists, start=1) for reason in found]


def summary(rows):
    """The summary of rows of month and reason; agencies are the months."""
    frame = pd.DataFrame(rows, columns=["month", "lift_reason"])
    declined = frame["lift_reason"].eq("Detainer Declined by LEA")
    outcomes = frame.assign(
        month=pd.to_datetime({"year": 2020, "month": frame["month"], "day": 1}),
        aor="Miami",
        detainers=1,
        lift_reason_group=declined.map({True: "declined", False: None}),
    )
    agencies = frame.assign(detainers=1, declined=declined.astype(int), facility_code="", state="")
    agencies = agencies.rename(columns={"month": "facility"}).drop(columns="lift_reason")
    keys = ["facility_code", "facility", "state"]
    return {
        "outcomes": outcomes,
        "agencies": agencies.groupby(keys, as_index=False).sum(),
    }


@given(months(), st.integers(2, 6))
def test_no_small_count_of_an_exported_table_can_be_worked_out(rows, minimum):
    if not rows:
        return
    made = summary(rows)
    for export in (summaries.monthly, summaries.by_agency):
        whole, published = export(made, 1), export(made, minimum)
        if not published.empty:
            counts = {"detainers", "declined", "share_declined"}
            rows_of = published.drop(columns=counts & set(published))
            whole = rows_of.merge(whole, on=list(rows_of), validate="one_to_one")
            disclosed.check(published, whole, "detainers", ["declined"], minimum)


def test_the_order_of_agencies_tells_nothing_of_hidden_counts():
    sizes = {1: 30, 2: 5, 3: 2, 4: 8, 5: 50}
    rows = [(agency, None) for agency, size in sizes.items() for _ in range(size)]
    found = summaries.by_agency(summary(rows))
    hidden = found.loc[found["detainers"].isna(), "facility_code"]
    assert found["detainers"].dropna().tolist() == [50, 30]
    assert hidden.tolist() == sorted(hidden)
    assert found["detainers"].isna().tolist() == [False, False, True, True, True]


def test_shares_are_hidden_with_their_counts():
    rows = [(1, REASONS[1])] * 20 + [(1, None)] * 80 + [(2, REASONS[1])] * 5 + [(2, None)] * 95
    found = summaries.by_agency(summary(rows + [(3, REASONS[1])] * 30 + [(3, None)] * 70))
    assert found["share_declined"].isna().tolist() == found["declined"].isna().tolist()
    assert found["declined"].isna().sum() == 2
    assert found["share_declined"].dropna().tolist() == [0.3]


# On a cluster


@pytest.fixture(scope="module")
def scheduler():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as made:
        yield made.scheduler_address


def in_row_groups(read, folder):
    """The same records in a table of many row groups, as a large file has."""
    path = folder / "many.parquet"
    parquet.write_table(parquet.read_table(read.parquet), path, row_group_size=7)
    return records.Records(read.file, read.layout, path, read.report)


def test_worker_processes_count_the_same_and_nothing_is_counted_here(
    tmp_path, scheduler, monkeypatch
):
    read = in_row_groups(records.read(write(tmp_path, "cilp_2026")), tmp_path)
    here = summary_of(read)
    monkeypatch.setattr(cluster, "summarise", None)  # in this process, not in those of the workers
    assert_same(cluster.summarise_on(read, scheduler), here)


def test_a_worker_that_does_not_see_the_cache_is_said(tmp_path):
    with pytest.raises(records.RecordsError, match="a worker does not see"):
        cluster._share([0], str(tmp_path / "elsewhere.parquet"))


def test_a_scheduler_that_does_not_answer_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    read = records.read(write(tmp_path, "cilp_2026"))
    with pytest.raises(records.RecordsError, match="no Dask scheduler answers at tcp:") as said:
        cluster.summarise_on(read, "tcp://127.0.0.1:9")
    assert len(str(said.value).splitlines()) == 1


def test_custody_ends_a_detainer_on_the_day_of_issue_and_never_before(tmp_path):
    issued = date(2014, 3, 30)
    taken = [issued, issued - timedelta(days=1)]
    rows = [
        row | {"lift_reason": "Booked into Detention", "apprehension_date": day}
        for row, day in zip(truth(2), taken, strict=True)
    ]
    found = summaries.active(
        summary_of(records.read(write(tmp_path, "cilp_2026", rows))), minimum_cell=1
    )
    assert found[["lowest", "highest"]].to_numpy().tolist() == [[0, 1]]
