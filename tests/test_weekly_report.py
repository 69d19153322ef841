import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pytest

import disclosed
from helpers import (
    datapackage,
    records,
    synthetic_files,
    synthetic_records,
    synthetic_tables,
    weekly_figures,
    weekly_policies,
    weekly_report,
)
from helpers.records.columns import CANONICAL
from helpers.synthetic_errors import AS_IN_2017
from helpers.weekly_report import WeekError

START = dt.date(2017, 1, 28)
END = dt.date(2017, 2, 3)
POLICY_DAY = pd.Timestamp("2017-02-01")
ALL = 1  # as minimum_cell: every count is shown


def design(**asked):
    usual = {"weeks": (46, 58), "errors": AS_IN_2017, "errors_from": pd.Timestamp(START)}
    return synthetic_records.design(1, **(usual | {"policy_day": POLICY_DAY} | asked))


def place(database, made):
    policies = synthetic_records.policies(made)
    weekly_policies.place(database, weekly_policies.in_force(policies, START), {})


@pytest.fixture(scope="module")
def made():
    return design()


@pytest.fixture(scope="module")
def database(made):
    with synthetic_tables.connect(made) as opened:
        weekly_report.covered(opened, START)
        place(opened, made)
        yield opened


@pytest.fixture(scope="module")
def rows(database):
    """All records but likely copies, to count by other means."""
    table = database.execute("FROM records").df()
    return table[~table["duplicate_later"].fillna(False).astype(bool)]


@pytest.fixture(scope="module")
def declined(rows):
    in_week = rows["detainer_lift_date"].between(pd.Timestamp(START), pd.Timestamp(END))
    return rows[in_week & rows["lift_reason"].eq("Detainer Declined by LEA")]


def of(*cells):
    """A database with records that have these columns, the others empty."""
    database = duckdb.connect()
    columns = ", ".join(f'"{name}" {kind}' for name, kind, *_ in CANONICAL)
    database.execute(f"CREATE TABLE records ({columns})")
    for row in cells:
        names = ", ".join(f'"{name}"' for name in row)
        places = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO records ({names}) VALUES ({places})", [*row.values()])
    return database


# Sections


def test_section_1_counts_detainers_issued_to_jurisdictions_with_a_policy(made, database, rows):
    listed = synthetic_records.policies(made)
    listed = listed[listed["since"] <= pd.Timestamp(END)]
    counties = set(zip(listed["jurisdiction"].str.upper(), listed["state"], strict=True))
    in_week = rows[rows["detainer_prepare_date"].between(pd.Timestamp(START), pd.Timestamp(END))]
    pairs = list(zip(in_week["county"] + " COUNTY", in_week["state"], strict=True))
    expected = pd.Series([pair for pair in pairs if pair in counties]).value_counts().to_dict()
    table = weekly_report.issued(database, START, ALL)
    keys = zip(table["jurisdiction"].str.upper(), table["state"], strict=True)
    assert dict(zip(keys, table["detainers"], strict=True)) == expected
    assert table["detainers"].is_monotonic_decreasing


def test_the_order_of_hidden_counts_tells_nothing(database):
    for _, _, table in tables(database, START, 11):
        hidden = table[table["detainers"].isna()].drop(columns="detainers")
        if list(hidden) != ["age"]:
            assert hidden.to_records(index=False).tolist() == sorted(
                hidden.to_records(index=False).tolist()
            )
        shown = table["detainers"].dropna()
        assert shown.index.tolist() == list(range(len(shown))) or list(hidden) == ["age"]


def test_section_2_counts_what_was_recorded_as_declined_in_the_week(database, declined):
    table = weekly_report.declined(database, START, ALL)
    assert table["detainers"].sum() == len(declined)
    assert weekly_report.totals(database, START)["declined"] == len(declined)


def test_section_2_breaks_the_same_detainers_down(database, declined):
    offences = declined["conviction"].fillna(declined["criminality"])
    for by, column in (("citizenship", declined["citizenship"]), ("offence", offences)):
        table = weekly_report.declined_by(database, by, START, ALL)
        expected = column.value_counts().to_dict()
        assert dict(zip(table[by], table["detainers"], strict=True)) == expected


def test_ages_are_the_days_from_issue_to_record(database, declined):
    days = (declined["detainer_lift_date"] - declined["detainer_prepare_date"]).dt.days
    ends = [0, *list(weekly_report.AGES.values())[:-1], 10**6]
    expected = pd.cut(days, ends, right=False, labels=list(weekly_report.AGES)).value_counts()
    table = weekly_report.declined_by(database, "age", START, ALL)
    assert dict(zip(table["age"], table["detainers"], strict=True)) == {
        age: count for age, count in expected.items() if count
    }
    assert list(table["age"]) == [age for age in weekly_report.AGES if expected[age]]


def test_on_the_policy_day_the_declined_are_a_stock_of_all_ages(database, made):
    weeks = (START, START + dt.timedelta(weeks=1))
    shares = []
    for start in weeks:
        table = weekly_report.declined_by(database, "age", start, ALL).set_index("age")["detainers"]
        shares.append(table.drop("under 1 week").sum() / table.sum())
    assert shares[0] > shares[1]


def test_active_detainers_are_those_issued_and_not_ended(database, rows):
    end = pd.Timestamp(END)
    open_now = rows[rows["detainer_prepare_date"].le(end) & ~rows["detainer_lift_date"].le(end)]
    table = weekly_report.active(database, START, ALL)
    assert table["highest"].sum() == table["lowest"].sum() == len(open_now)
    assert weekly_report.active_total(database, START, ALL) == {
        "lowest": len(open_now),
        "highest": len(open_now),
    }


def test_a_reason_without_a_day_leaves_a_detainer_between_the_bounds():
    usual = {"detainer_prepare_date": START, "lift_reason_group": "ended_by_ice"}
    with of(usual | {"lift_reason": "Case Closed"}, {"detainer_prepare_date": START}) as database:
        assert weekly_report.active_total(database, START, ALL) == {"lowest": 1, "highest": 2}
        table = weekly_report.active(database, START, ALL)
    assert table.to_dict("records") == [{"age": "under 1 week", "lowest": 1, "highest": 2}]


@pytest.mark.parametrize(
    ("ended", "found"), [(0, (20, 20)), (3, (None, 23)), (5, (20, 25)), (1, (None, 21))]
)
def test_a_small_difference_of_the_bounds_is_not_given_away(ended, found):
    row = {"detainer_prepare_date": START}
    over = row | {"lift_reason": "Case Closed", "lift_reason_group": "ended_by_ice"}
    with of(*[row] * 20, *[over] * ended) as database:
        total = weekly_report.active_total(database, START, 5)
    assert (total["lowest"], total["highest"]) == found


def test_persons_who_left_custody_are_counted_by_reason(database, rows):
    left = rows[
        rows["lift_reason_group"].isin(["left_custody", "declined"])
        & rows["detainer_lift_date"].le(pd.Timestamp(END))
    ]
    table = weekly_report.left_custody(database, START, ALL)
    assert dict(zip(table["reason"], table["detainers"], strict=True)) == (
        left["lift_reason"].value_counts().to_dict()
    )


def test_without_days_of_the_end_those_issued_in_the_week_are_followed(
    tmp_path, record_cache, made
):
    path = synthetic_files.write(synthetic_tables.blocks(made), "detainers_latest", tmp_path)
    with records.connect(records.read(path)) as database:
        place(database, made)
        assert not weekly_report.is_dated(database)
        table = weekly_report.declined(database, START, ALL)
        (expected,) = database.execute(
            "SELECT count(*) FROM records WHERE NOT coalesce(duplicate_later, false) "
            "AND lift_reason_group = 'declined' "
            "AND detainer_prepare_date BETWEEN '2017-01-28' AND '2017-02-03'"
        ).fetchone()
        assert table["detainers"].sum() == expected
        ages = weekly_report.declined_by(database, "age", START, ALL)
        assert ages["age"].tolist() == ["not recorded"]


# Disclosure


def tables(database, start, minimum):
    yield "detainers", [], weekly_report.issued(database, start, minimum)
    yield "detainers", [], weekly_report.declined(database, start, minimum)
    for by in weekly_report.BREAKDOWNS:
        yield "detainers", [], weekly_report.declined_by(database, by, start, minimum)
    yield "detainers", [], weekly_report.left_custody(database, start, minimum)


@pytest.mark.parametrize("minimum", [3, 5])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_table_gives_a_small_count_away(seed, minimum):
    made = synthetic_records.design(seed, weeks=(55, 58), scale=0.15)
    with synthetic_tables.connect(made) as database:
        place(database, made)
        shown = tables(database, START, minimum)
        for (count, parts, published), (_, _, truth) in zip(
            shown, tables(database, START, ALL), strict=True
        ):
            if len(published):
                disclosed.check(published, truth, count, parts, minimum)


@pytest.mark.parametrize("seed", range(8))
def test_the_active_by_age_give_no_small_count_away(seed):
    rng = np.random.default_rng(seed)
    rows = [
        {
            "detainer_prepare_date": END - dt.timedelta(days=int(rng.choice([1, 10, 40, 100]))),
            "lift_reason": rng.choice(["Case Closed", None], p=[0.2, 0.8]),
        }
        for _ in range(24)
    ]
    with of(*rows) as database:
        published = weekly_report.active(database, START, 3)
        truth = weekly_report.active(database, START, ALL)
    assert truth["highest"].sum() == 24
    if "under 1 month" in set(published["age"]):
        truth["age"] = truth["age"].replace(["under 1 week", "1 week to 1 month"], "under 1 month")
        truth = truth.groupby("age", as_index=False, sort=False).sum()
    if len(published):
        disclosed.check(published, truth, "highest", ["lowest"], 3)


def test_what_a_jurisdiction_did_not_decline_cannot_be_worked_out_where_no_day_is_recorded():
    policies = pd.DataFrame({"jurisdiction": ["A County", "B County"], "state": ["TX", "TX"]})
    usual = {"state": "TX", "detainer_prepare_date": END}
    rows = [
        usual | {"facility": f"{place} COUNTY JAIL", "lift_reason_group": group}
        for place, group, count in (
            ("A", "declined", 13),
            ("A", "taken_into_custody", 2),
            ("B", "declined", 30),
            ("B", "taken_into_custody", 40),
            ("C", "declined", 20),
            ("C", "taken_into_custody", 300),
        )
        for _ in range(count)
    ]
    with of(*rows) as database:
        weekly_policies.place(database, policies, {})
        issued = weekly_report.issued(database, START, 11)
        declined = weekly_report.declined(database, START, 11)
    both = issued.merge(declined, "outer", "jurisdiction", suffixes=("_issued", "_declined"))
    counts = both.set_index("jurisdiction")[["detainers_issued", "detainers_declined"]]
    assert counts.loc["A County"].isna().any()
    assert counts.loc["B County"].notna().any()


@pytest.mark.parametrize("ended", [0, 4, 11])
def test_few_that_ended_in_the_week_of_their_issue_cannot_be_worked_out(ended):
    issued = {"detainer_prepare_date": START}
    old = {"detainer_prepare_date": START - dt.timedelta(days=10)}
    over = issued | {"detainer_lift_date": END, "lift_reason": "Case Closed"}
    with of(*[issued] * 30, *[old] * 20, *[over] * ended) as database:
        table = weekly_report.active(database, START, 11)
        week = weekly_report.totals(database, START)["issued"]
    youngest = table.set_index("age")["highest"].get("under 1 week")
    assert table["highest"].sum() == 50
    assert youngest is None if ended == 4 else week - youngest == ended


@pytest.mark.parametrize("others", [0, 4, 11])
def test_few_of_the_week_that_ended_otherwise_cannot_be_worked_out_where_no_day_is(others):
    row = {"detainer_prepare_date": START}
    old = {"detainer_prepare_date": START - dt.timedelta(days=10)}
    refused = row | {"lift_reason": "Detainer Declined by LEA", "lift_reason_group": "declined"}
    over = row | {"lift_reason": "Case Closed", "lift_reason_group": "ended_by_ice"}
    with of(*[row] * 30, *[old] * 20, *[refused] * 20, *[over] * others) as database:
        table = weekly_report.active(database, START, 11)
    assert ("under 1 week" in set(table["age"])) is (others != 4)
    assert table["lowest"].sum() == 50


def ended(count, reason, group, day=START):
    row = {"detainer_prepare_date": day, "lift_reason": reason, "lift_reason_group": group}
    return [row] * count


@pytest.mark.parametrize("other", [("Case Closed", "ended_by_ice"), (None, None)])
@pytest.mark.parametrize("others", [0, 4, 11])
def test_few_others_cannot_be_worked_out_of_those_who_left(others, other):
    rows = ended(20, "Early Release", "left_custody") + ended(30, "No Notice", "left_custody")
    with of(*rows, *ended(others, *other)) as database:
        left = weekly_report.left_custody(database, START, 11)
    assert left["detainers"].sum() == (30 if others == 4 else 50)


@pytest.mark.parametrize("kept", [0, 4, 11])
def test_few_of_the_week_not_declined_cannot_be_worked_out_where_no_day_is(kept):
    refused = ended(30, "Detainer Declined by LEA", "declined")
    with of(*refused, *ended(kept, "Case Closed", "ended_by_ice")) as database:
        shown = [
            weekly_report.declined_by(database, by, START, 11)["detainers"].sum()
            for by in weekly_report.BREAKDOWNS
        ]
        assert weekly_report.told(database, START, 11) is (kept != 4)
    assert shown == [0 if kept == 4 else 30] * 3


@pytest.mark.parametrize("earlier", [0, 4, 11])
def test_few_declined_before_the_week_cannot_be_worked_out(earlier):
    refused = ("Detainer Declined by LEA", "declined")
    before = ended(earlier, *refused, START - dt.timedelta(days=1))
    others = ended(30, "Early Release", "left_custody")
    with of(*ended(20, *refused), *before, *others) as database:
        left = weekly_report.left_custody(database, START, 11)
    assert left["detainers"].sum() == 30 + (0 if earlier == 4 else 20 + earlier)


def test_ages_are_drawn_from_young_to_old():
    active = pd.DataFrame({"age": ["under 1 month", "3 to 6 months"], "lowest": 20, "highest": 20})
    declined = pd.DataFrame({"age": ["under 1 week", "1 to 3 months", "not recorded"]})
    fig = weekly_figures.ages(declined.assign(detainers=20), active, "declined", "none")
    assert [label.get_text() for label in fig.axes[0].get_yticklabels()] == [
        "under 1 month",
        "under 1 week",
        "1 to 3 months",
        "3 to 6 months",
        "not recorded",
    ]


def test_what_is_shown_reaches_the_limit(database):
    for count, _, table in tables(database, START, 11):
        assert table[count].dropna().ge(11).all()


# Weeks and places


@pytest.mark.parametrize("start", [dt.date(2016, 11, 18), dt.date(2017, 2, 11)])
def test_a_week_that_the_records_do_not_cover_is_refused_in_a_line(database, start):
    with pytest.raises(WeekError) as caught:
        weekly_report.covered(database, start)
    assert "\n" not in str(caught.value)
    assert str(start) in str(caught.value)
    assert "2016-11-19" in str(caught.value)


@pytest.mark.parametrize("start", [dt.date(2016, 11, 19), START, dt.date(2017, 2, 4)])
def test_a_week_that_the_records_cover_is_not_refused(database, start):
    weekly_report.covered(database, start)


def test_records_without_any_date_are_refused():
    with of({"facility": "A"}) as database, pytest.raises(WeekError, match="under 11 records"):
        weekly_report.covered(database, START)


def test_a_mistyped_year_does_not_stretch_what_the_records_cover():
    rows = [{"detainer_prepare_date": START}] * 20 + [{"detainer_prepare_date": END}] * 20
    with of(*rows, {"detainer_prepare_date": dt.date(2037, 1, 28)}) as database:
        weekly_report.covered(database, START)
        with pytest.raises(WeekError, match="from 2017-01-28 to 2017-01-28"):
            weekly_report.covered(database, dt.date(2027, 1, 30))


@pytest.mark.parametrize(
    ("facility", "county", "state", "found"),
    [
        ("TRAVIS COUNTY JAIL", None, "TX", "Travis County"),
        ("Travis Co. Jail", None, "TEXAS", "Travis County"),
        ("DEL VALLE JAIL", "TRAVIS", "TX", "Travis County"),
        ("TRAVIS COUNTY JAIL", None, "PA", None),
        ("TRAVIS STATE JAIL", None, "TX", None),
        ("NORTH TRAVISTON COUNTY JAIL", None, "TX", None),
        ("ANY JAIL", None, "CA", "State of California"),
        ("KERN COUNTY JAIL", None, "CA", "Kern County"),
        ("BURBANK COUNTY JAIL", None, "CA", "State of California"),
        ("BURBANK CITY JAIL", None, "CA", "Burbank"),
        ("TRAVIS COUNTY JAIL", None, None, None),
    ],
)
def test_a_facility_belongs_to_a_jurisdiction_by_its_full_name(facility, county, state, found):
    policies = pd.DataFrame(
        {
            "jurisdiction": ["Travis County", "State of California", "Kern County", "Burbank"],
            "state": ["TX", "CA", "CA", "CA"],
        }
    )
    row = {"facility": facility, "county": county, "state": state, "detainer_prepare_date": END}
    with of(row) as database:
        weekly_policies.place(database, policies, {"TEXAS": "TX"})
        table = weekly_report.issued(database, START, ALL)
    assert table["jurisdiction"].tolist() == ([found] if found else [])


def test_a_policy_that_begins_after_the_week_does_not_count():
    policies = pd.DataFrame(
        {"jurisdiction": ["A County"], "state": ["TX"], "since": [pd.Timestamp("2017-02-04")]}
    )
    assert weekly_policies.in_force(policies, START).empty
    assert len(weekly_policies.in_force(policies, START + dt.timedelta(days=1))) == 1


def test_published_policies_are_each_there_once_with_a_day(root):
    policies = datapackage.load("policies_2008_2015", root)
    listed = datapackage.load("listed_jurisdictions_2017", root)
    table = weekly_policies.published_policies(policies, listed)
    assert table["since"].notna().all()
    assert not table.duplicated(["jurisdiction", "state"]).any()
    assert len(policies) < len(table) < len(policies) + len(listed)
    assert table["jurisdiction"].str.startswith("Travis").sum() == 1
    assert table["jurisdiction"].str.startswith("Los Angeles").sum() == 2  # city and county


def test_the_longest_name_in_that_of_a_facility_is_its_jurisdiction():
    policies = pd.DataFrame({"jurisdiction": ["Clara County", "Santa Clara County"], "state": "CA"})
    row = {"facility": "SANTA CLARA CO JAIL", "state": "CA", "detainer_prepare_date": END}
    with of(row) as database:
        weekly_policies.place(database, policies, {})
        table = weekly_report.issued(database, START, ALL)
    assert table["jurisdiction"].tolist() == ["Santa Clara County"]


def test_policies_without_a_date_are_in_force():
    since = [pd.NaT, pd.Timestamp("2017-02-03"), pd.Timestamp("2017-02-04")]
    policies = pd.DataFrame({"jurisdiction": ["A", "B", "C"], "state": "TX", "since": since})
    assert weekly_policies.in_force(policies, START)["jurisdiction"].tolist() == ["B", "A"]


def test_of_a_jurisdiction_on_both_lists_the_earlier_date_counts():
    policies = pd.DataFrame(
        {
            "jurisdiction": ["A County", "B County"],
            "state": "TX",
            "date_enacted": ["2014-08", "2015-06"],
        }
    )
    listed = pd.DataFrame(
        {
            "jurisdiction": ["A County", "B County"],
            "state": "TX",
            "date_enacted": ["", "2013"],
            "listed_week_1": ["yes", "no"],
        }
    )
    table = weekly_policies.published_policies(policies, listed)
    assert table["since"].dt.strftime("%Y-%m").tolist() == ["2014-08", "2013-01"]


def test_seven_days_are_covered_to_the_last():
    days = [{"detainer_prepare_date": day} for day in (START, END)] * 11
    with of(*days) as database:
        weekly_report.covered(database, START)
        for later in (-1, 1):
            with pytest.raises(WeekError, match=f"from {START} to {START}"):
                weekly_report.covered(database, START + dt.timedelta(days=later))
