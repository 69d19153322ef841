import datetime as dt

import pandas as pd
import pytest

from helpers import (
    fidelity,
    records,
    simulated_fidelity,
    synthetic_files,
    synthetic_records,
    synthetic_tables,
)
from helpers.synthetic_errors import AS_IN_2017, KINDS

START = dt.date(2017, 1, 28)


@pytest.fixture(scope="module")
def rates():
    return simulated_fidelity.rates(range(100, 112), START)


@pytest.fixture(scope="module")
def made():
    return synthetic_records.design(
        5, weeks=(46, 58), errors=AS_IN_2017, errors_from=pd.Timestamp(START)
    )


def test_there_is_a_check_for_each_kind_of_error():
    assert list(fidelity.CHECKS) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_planted_error_of_a_person_not_redacted_is_found(rates, kind):
    assert rates.loc[kind, "known"] > 0
    assert rates.loc[kind, "found_known"] == rates.loc[kind, "known"]


@pytest.mark.parametrize("kind", ["similar_name", "state_jail", "above_past"])
def test_errors_that_need_no_person_are_found_whether_redacted_or_not(rates, kind):
    assert rates.loc[kind, "found"] == rates.loc[kind, "planted"]


@pytest.mark.parametrize("kind", ["transferred", "never_held"])
def test_of_redacted_persons_nothing_is_found(rates, kind):
    assert rates.loc[kind, "found"] == rates.loc[kind, "found_known"] < rates.loc[kind, "planted"]


def test_clean_weeks_are_quiet(rates):
    assert rates["weeks"].eq(48).all()
    assert rates["false_alarms"].drop("above_past").eq(0).all()
    # Level 0.01 a week and a factor of three besides.
    assert rates.loc["above_past", "false_alarms"] <= 1


def test_checks_tell_the_kinds_apart(made):
    with synthetic_tables.connect(made) as database:
        truth = database.execute('SELECT "row", error FROM drawn').df().set_index("row")["error"]
        for check in KINDS:
            found = fidelity.flagged(database, START)[check]
            kinds = set(truth.loc[found["row"]])
            assert kinds == ({check, ""} if check == "above_past" else {check})
            if check == "above_past":
                assert found["agency"].nunique() == 2


@pytest.mark.parametrize(("past", "judged"), [(0, False), (1, True), (200, False)])
def test_an_agency_is_judged_by_its_own_past_if_it_has_one(made, past, judged):
    with synthetic_tables.connect(made) as database:
        add = (
            "INSERT INTO records (facility, facility_code, detainer_prepare_date) SELECT 'N', 'N', "
        )
        database.execute(f"{add} DATE '2017-01-30' FROM range(30)")
        database.execute(f"{add} DATE '2016-12-01' + (7 * (range % 5))::INT FROM range({past})")
        found = fidelity.flagged(database, START, ["above_past"])["above_past"]
    assert found["agency"].eq("N").any() == judged


def test_the_summary_shows_no_small_count_and_none_of_whole_agencies(made):
    with synthetic_tables.connect(made) as database:
        table = fidelity.summary(database, START, 11).set_index("check")
    assert table["possible"].all()
    assert table["any"].all()
    assert table["records"].dropna().to_dict() == {"similar_name": 31, "state_jail": 14}
    assert table.loc["similar_name", "agencies"] == 1
    assert set(table.index[table["agencies"].isna()]) == {"transferred", "never_held"}


def test_what_a_layout_does_not_say_cannot_be_checked(tmp_path, record_cache, made):
    possible = {
        "npr_2007_2015": {"above_past"},
        "cilp_2026": {"similar_name", "state_jail", "above_past"},
        "icfo_2025_18038": set(KINDS),
    }
    short = synthetic_records.design(5, weeks=(57, 58), scale=0.2)
    for layout, checks in possible.items():
        path = synthetic_files.write(synthetic_tables.blocks(short), layout, tmp_path)
        with records.connect(records.read(path)) as database:
            table = fidelity.summary(database, START, 11)
            assert set(table.loc[table["possible"], "check"]) == checks
            assert table.loc[~table["possible"], "records"].isna().all()


def test_a_layout_without_days_of_the_end_shows_the_wrong_names(tmp_path, record_cache, made):
    path = synthetic_files.write(synthetic_tables.blocks(made), "detainers_latest", tmp_path)
    with records.connect(records.read(path)) as database:
        for check in ("similar_name", "state_jail"):
            assert len(fidelity.flagged(database, START)[check]) == AS_IN_2017[check]


@pytest.mark.parametrize(("now", "judged"), [(5, False), (6, True)])
def test_chance_is_that_of_as_many_detainers_or_more(made, now, judged):
    with synthetic_tables.connect(made) as database:
        add = "INSERT INTO records (facility, facility_code, detainer_prepare_date) VALUES"
        for day in ["2016-12-01"] + ["2017-01-30"] * now:
            database.execute(f"{add} ('N', 'N', DATE '{day}')")
        found = fidelity.flagged(database, START, ["above_past"])["above_past"]
    assert found["agency"].eq("N").any() == judged
