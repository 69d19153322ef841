from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from helpers import (
    coverage,
    panel,
    record_ages,
    record_panel,
    record_panel_section,
    records,
    synthetic,
)
from helpers.disclosure import MINIMUM_CELL
from helpers.inputs import once_each
from helpers.records import RecordsError, given
from helpers.results import Results
from record_files import DECLINED, expanded, policy_of, truth

pytestmark = pytest.mark.usefixtures("record_cache")


@pytest.fixture(scope="module")
def simulated():
    return synthetic.panel(9, pattern="constant", dispersion=1, weeks=104)


@pytest.fixture(scope="module")
def files(simulated, tmp_path_factory):
    """A file of records with the days on which they ended, one without, and the policy."""
    folder = tmp_path_factory.mktemp("files")
    frame, _ = simulated
    assert (frame["declined"] <= frame["issued"]).all()
    for name, dated in (("dated", True), ("undated", False)):
        expanded(frame, dated).to_parquet(folder / f"{name}.parquet")
    policy_of(frame).to_csv(folder / "policy.csv", index=False)
    return folder


def counts_of(path):
    with records.connect(records.read(path)) as database:
        return record_panel.counts(database)


NOTHING = pd.DataFrame({"office": [], "issued": [], "declined": []}, dtype=int)


def sorted_rows(frame):
    ordered = frame.sort_values(["office", "week_start"], ignore_index=True)
    return ordered.astype({"week_start": "datetime64[us]"})


@pytest.mark.parametrize(("name", "by_decline"), [("dated", True), ("undated", False)])
def test_records_add_up_to_the_panel_that_they_were_made_from(files, simulated, name, by_decline):
    found = counts_of(files / f"{name}.parquet")
    assert found.by_decline is by_decline
    assert found.dropped["detainers"].sum() == 0
    names = ["office", "week_start", "issued", "declined"]
    assert_frame_equal(sorted_rows(found.frame), sorted_rows(simulated[0][names]))


def test_a_policy_of_the_reader_makes_the_same_panel_and_the_planted_effect_is_found(
    files, simulated
):
    frame, true = simulated
    counted = counts_of(files / "dated.parquet").frame
    policy = record_panel.read_policy(files / "policy.csv", counted["office"])
    made = record_panel.with_policy(counted, policy)
    assert list(made) == list(panel.COLUMNS)
    both = [sorted_rows(each).astype({"resumed": "datetime64[us]"}) for each in (made, frame)]
    assert_frame_equal(*both)
    found = panel.imputed(panel.cells(made))
    assert found == panel.imputed(panel.cells(frame))
    assert found.low <= true["rate_ratio"] <= found.high


def test_weeks_that_the_records_hold_in_part_are_left_out(tmp_path):
    days = pd.date_range("2018-01-03", "2018-01-30")  # Wednesday to Tuesday
    frame = pd.DataFrame({"office": "Miami", "week_start": days, "issued": 20, "declined": 0})
    made = expanded(frame).assign(
        Detainer_Prepare_Date=frame.loc[frame.index.repeat(20), "week_start"].dt.date.to_numpy()
    )
    made.to_parquet(tmp_path / "a.parquet")
    found = counts_of(tmp_path / "a.parquet").frame
    assert found["week_start"].dt.date.tolist() == [date(2018, 1, day) for day in (6, 13, 20)]
    assert found["issued"].tolist() == [140] * 3


def test_what_is_left_out_is_counted(tmp_path):
    rows = truth(400)
    for number, row in enumerate(rows):
        row["person"] = None
        row["lift_reason"] = DECLINED
        row["detainer_lift_date"] = row["detainer_prepare_date"]
        if number < 20:
            row["aor"] = None
        elif number < 50:
            row["detainer_lift_date"] = None
        elif number < 90:
            row["detainer_lift_date"] = date(2010, 1, 1)
    for row in rows[100:112]:
        row |= {"person": "a" * 40, "detainer_prepare_date": rows[100]["detainer_prepare_date"]}
    header = write_with_areas(tmp_path, rows)
    found = counts_of(header)
    table = record_panel.by_office(found.frame, found.beside, 1)
    assert record_panel.left_out(table, found.dropped) == {
        "no_office": 20,
        "backwards": 40,
        "undated": 30,
    }
    lives = record_ages.lives
    with records.connect(records.read(header)) as database:
        fates = lives(database).counts.set_index("fate")["detainers"].drop(["repeated", "unissued"])
    assert fates.sum() == table["issued"].sum()
    assert fates["declined"] == table["declined"].sum()
    assert fates[found.dropped["why"]].tolist() == found.dropped["ended"].tolist()


def test_few_that_03_leaves_out_cannot_be_worked_out_of_what_02_counts():
    offices = {"office": ["A", "B"], "week_start": pd.Timestamp("2018-01-06")}
    frame = pd.DataFrame({**offices, "issued": [300, 200], "declined": 0})
    beside = pd.DataFrame({"office": ["no_office", "outside"], "issued": [5, 0], "declined": 0})
    table = record_panel.by_office(frame, beside).set_index("office")
    assert table["issued"].isna().to_dict() == {"A": False, "B": True, "no_office": True}
    for rest, told in ((0, {"undated": 60}), (4, {}), (11, {"undated": 60})):
        dropped = pd.DataFrame({"why": ["undated"], "ended": [60 + rest], "detainers": [60]})
        assert record_panel.left_out(table.reset_index(), dropped) == told


def test_repeats_that_02_hides_beside_few_wrong_rows_are_not_told_in_03(tmp_path):
    rows = truth(400)
    for number, row in enumerate(rows):
        day = min(row["detainer_prepare_date"], date(2014, 8, 1))
        row |= {"person": None, "detainer_prepare_date": day, "detainer_lift_date": day}
        if number < 5:
            row["detainer_lift_date"] = date(2010, 1, 1)
        elif number < 20:
            row["aor"] = None
    for row in rows[-13:]:
        row["person"] = "a" * 40
    read = records.read(write_with_areas(tmp_path, rows))
    with records.connect(read) as database:
        lives = record_ages.shown_counts(record_ages.lives(database).counts).set_index("fate")
        counted = record_panel.counts(database)
    hidden = lives.index[lives["detainers"].isna()]
    assert set(hidden) == {"backwards", "repeated"}
    table = record_panel.by_office(counted.frame, counted.beside)
    assert not set(record_panel.left_out(table, counted.dropped)) & {"repeated", "unissued"}


def write_with_areas(folder, rows):
    """A file in which rows may lack their area."""
    frame = pd.DataFrame(
        {
            "Detainer_Prepare_Date": [row["detainer_prepare_date"] for row in rows],
            "Detainer_Lift_Date": [row["detainer_lift_date"] for row in rows],
            "Detainer_Lift_Reason": [row["lift_reason"] for row in rows],
            "Detainer_Detention_Facility": "SYNTHETIC COUNTY JAIL",
            "Detainer_AOR": [row["aor"] for row in rows],
            "Alien_Number_Unique_Identifier": [row["person"] for row in rows],
        }
    )
    frame.to_parquet(folder / "areas.parquet")
    return folder / "areas.parquet"


# The policy


OFFICES = pd.Series(["Miami", "Boston"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("office,stopped\n", "no column 'resumed'; expected office, stopped, resumed"),
        ("office,stopped,resumed\nMars,2018-01-01,\n", "row 2, column office: 'Mars'"),
        ("office,stopped,resumed\nMiami,1/2/18,\n", "row 2, column stopped: '1/2/18'"),
        ("office,stopped,resumed\nMiami,,\n", "row 2, column stopped: ''"),
        ("office,stopped,resumed\nMiami,2018-01-01,soon\n", "row 2, column resumed: 'soon'"),
        ("office,stopped,resumed\nMiami,2018-02-01,2018-01-01\n", "expected a later day"),
        (
            "office,stopped,resumed\nMiami,2018-01-01,\nMiami,2018-02-01,\n",
            "row 3, column office: 'Miami'; expected each once, areas of the records: "
            "Boston, Miami",
        ),
        ("", "no CSV file"),
    ],
)
def test_a_wrong_file_of_policy_dates_is_one_line(tmp_path, text, said):
    path = tmp_path / "policy.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecordsError) as refused:
        record_panel.read_policy(path, OFFICES)
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    assert str(tmp_path) not in str(refused.value)


def with_days(stopped, resumed):
    weeks = pd.date_range("2018-01-06", periods=6, freq="7D")
    frame = pd.DataFrame({"office": "Miami", "week_start": weeks, "issued": 1, "declined": 0})
    policy = pd.DataFrame({"office": ["Miami"], "stopped": [stopped], "resumed": [resumed]})
    days = {name: pd.to_datetime(policy[name]) for name in ("stopped", "resumed")}
    return record_panel.with_policy(frame, policy.assign(**days))


def test_a_week_of_the_change_is_neither_of_stop_nor_of_resumed_issuing():
    made = with_days("2018-01-14", "2018-01-29")  # Sunday of week 2 to Monday of week 4
    assert made["stopped"].tolist() == [False, False, True, False, False, False]
    assert made["resumed"].dt.date.unique().tolist() == [date(2018, 2, 3)]
    made = with_days("2018-01-13", "2018-01-27")  # Saturdays
    assert made["stopped"].tolist() == [False, True, True, False, False, False]
    assert made["resumed"].dt.date.unique().tolist() == [date(2018, 1, 27)]


def test_who_has_not_resumed_is_stopped_to_the_end():
    made = with_days("2018-01-13", None)
    assert made["stopped"].tolist() == [False] + [True] * 5
    assert made["resumed"].isna().all()


def test_a_stop_that_the_records_do_not_hold_is_refused():
    with pytest.raises(RecordsError, match="Miami stopped and resumed, but the records hold no"):
        with_days("2017-01-01", "2017-02-01")


# The section


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("DETAINERS_OUT", str(tmp_path / "out"))
    return Results("03_issuance_policy")


def section(results, path, policy=None):
    return list(record_panel_section.section(results, str(path), policy and str(policy)))


def told(pieces):
    texts = (piece.data for piece in pieces if isinstance(piece.data, str))
    return " ".join(" ".join(texts).split())


def test_without_days_of_policy_the_section_counts_and_says_what_is_needed(files, results):
    said = told(section(results, files / "undated.parquet"))
    assert "An effect cannot be estimated without the days of the policy" in said
    assert "office, stopped, resumed" in said
    assert "in which its detainer was **issued**" in said
    assert set(results._own) == {"issuance.records.offices", "issuance.records.weeks"}


def test_with_days_of_policy_it_estimates_with_both_files_as_inputs(
    files, simulated, results, tmp_path
):
    said = told(section(results, files / "dated.parquet", files / "policy.csv"))
    found = results._own
    low, high = found["issuance.records.rate_ratio"]["interval"]
    assert low <= simulated[1]["rate_ratio"] <= high
    low, high = found["issuance.records.placebo_rate_ratio"]["interval"]
    assert low <= 1 <= high
    assert {"issuance.records.weeks_before.24", "issuance.records.weeks_after.0"} <= set(found)
    source = f"records:{given.identity(files / 'dated.parquet')}"
    for name, result in found.items():
        once_each(result["inputs"], name)
        assert result["inputs"][0] == source
        assert result["synthetic"] is False
    for name, estimator in (
        ("rate_ratio", "imputed"),
        ("two_way_rate_ratio", "two_way"),
        ("weeks_after.0", "event_study"),
    ):
        assert found[f"issuance.records.{name}"]["caveat"] == coverage.caveat(estimator)
    assert "not estimated" not in said
    assert str(files) not in said
    assert (
        f"records:{given.identity(files / 'policy.csv')}"
        in found["issuance.records.rate_ratio"]["inputs"]
    )
    about = tmp_path / "out/figures/scratch/issuance_records_event_study.json"
    assert str(files) not in about.read_text(encoding="utf-8")


def test_the_figure_holds_ratios_and_no_counts(files, results, tmp_path):
    section(results, files / "dated.parquet", files / "policy.csv")
    data = pd.read_csv(tmp_path / "out/figures/scratch/issuance_records_event_study.csv")
    assert set(data) == {"first", "last", "value", "low", "high", "band_low", "band_high"}


def test_ratios_are_saved_to_three_digits_since_all_would_tell_few_counts(files, results, tmp_path):
    section(results, files / "dated.parquet", files / "policy.csv")
    ratios = [
        number
        for name, found in results._own.items()
        if found["unit"] in ("ratio", "p-value")
        for number in (found["value"], *(found["interval"] or ()))
    ]
    data = pd.read_csv(tmp_path / "out/figures/scratch/issuance_records_event_study.csv")
    ratios += data.drop(columns=["first", "last"]).to_numpy().ravel().tolist()
    assert len(ratios) > 50
    assert all(number == float(f"{number:.3g}") for number in ratios)


@pytest.mark.parametrize("resumed", [True, False])
@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("few", [2, 6])  # of two areas: 4, 12
def test_no_ratio_is_made_of_a_small_sum(resumed, after, few):
    weeks = pd.date_range("2018-01-06", periods=8, freq="7D")
    day = weeks[4]
    frame = pd.DataFrame(
        {
            "office": office,
            "week_start": week,
            "issued": 50,
            "declined": few * (week in (weeks[0], day))
            if (office in "AB", week >= day) == (resumed, after)
            else 9,
            "stopped": office in "AB" and week < day,
            "resumed": day if office in "AB" else pd.NaT,
        }
        for office in "ABCD"
        for week in weeks
    )
    if few == 6:
        assert record_panel_section._cells(frame).declined.sum() == 12 + 3 * 72
        return
    with pytest.raises(ValueError, match=f"under {MINIMUM_CELL} declinations in weeks of areas"):
        record_panel_section._cells(frame)


def test_few_declinations_are_not_estimated_and_small_counts_not_shown(tmp_path, results):
    frame, _ = synthetic.panel(3, weeks=30)
    few = frame.assign(issued=15, declined=np.isin(frame.index % 60, [5, 28]) * 1)
    expanded(few).to_parquet(tmp_path / "few.parquet")
    policy_of(few).to_csv(tmp_path / "policy.csv", index=False)
    said = told(section(results, tmp_path / "few.parquet", tmp_path / "policy.csv"))
    assert "not estimated" in said
    assert f"under {MINIMUM_CELL} declinations" in said
    assert "No event study" in said
    assert "hidden" in said


def test_no_small_count_of_an_area_can_be_worked_out():
    frame = pd.DataFrame(
        {
            "office": ["A", "B", "C"] * 2,
            "week_start": pd.Timestamp("2018-01-06"),
            "issued": [100, 5, 300] * 2,
            "declined": [20, 2, 3] * 2,
        }
    )
    table = record_panel.by_office(frame, NOTHING)
    assert table["office"].tolist() == ["C", "A", "B"]
    assert table["issued"].isna().sum() >= 2
    assert table.loc[table["office"].eq("B"), ["issued", "declined"]].isna().all(axis=None)


def test_areas_that_declined_more_than_they_issued_in_these_weeks_are_protected_too():
    frame = pd.DataFrame(
        {
            "office": ["A", "B", "C", "D"],
            "week_start": pd.Timestamp("2018-01-06"),
            "issued": [100, 50, 300, 5],
            "declined": [20, 60, 3, 40],
        }
    )
    table = record_panel.by_office(frame, NOTHING).set_index("office")
    for name, small in (("issued", "D"), ("declined", "C")):
        hidden = table[name].isna()
        assert hidden[small]
        assert hidden.sum() == 2  # alone it would be the total less the others


def test_to_resume_on_the_day_of_the_stop_is_refused(tmp_path):
    path = tmp_path / "policy.csv"
    path.write_text("office,stopped,resumed\nMiami,2018-01-01,2018-01-01\n", encoding="utf-8")
    with pytest.raises(RecordsError, match=r"row 2, column resumed: .* expected a later day"):
        record_panel.read_policy(path, OFFICES)


def test_what_was_declined_before_it_was_issued_counts_as_issued_alone(tmp_path):
    rows = truth(400)
    for number, row in enumerate(rows):
        early = timedelta(days=7 * (number % 2))
        row |= {"person": None, "lift_reason": DECLINED, "aor": "Miami"}
        row["detainer_lift_date"] = row["detainer_prepare_date"] - early
    found = counts_of(write_with_areas(tmp_path, rows))
    assert found.by_decline
    assert (found.frame["issued"] == 14).all()  # two a day
    assert (found.frame["declined"] == 7).all()
