import time

import numpy as np
import pandas as pd
import pytest

from helpers import (
    datapackage,
    evidence,
    panel,
    record_panel,
    synthetic,
    synthetic_records,
    synthetic_tables,
)
from helpers.records.columns import NAMES
from helpers.synthetic_agencies import COOPERATING, DECLINED_ELSEWHERE
from helpers.synthetic_errors import AS_IN_2017, KINDS

WEEK = pd.Timestamp("2017-01-28")
SPAN = (50, 58)  # weeks with that one among them
AROUND = {"weeks": SPAN, "errors_from": WEEK}


@pytest.fixture(scope="module")
def clean():
    return synthetic_records.design(1, weeks=SPAN)


@pytest.fixture(scope="module")
def drawn(clean):
    return pd.concat([block.to_pandas() for block in synthetic_tables.blocks(clean)])


@pytest.fixture(scope="module")
def whole():
    """Counts of all weeks, with their truth."""
    return synthetic_records.frame(synthetic_records.design(3, pattern="constant", delay=1))


def rows_of(made, names="*"):
    with synthetic_tables.connect(made) as database:
        return database.execute(f'SELECT {names} FROM drawn ORDER BY "row"').df()


# The counts


def test_records_add_up_to_the_frame_of_the_synthetic_panel_with_its_truth(whole):
    frame, truth = whole
    expected, expected_truth = synthetic.panel(3, pattern="constant", delay=1)
    assert list(frame) == list(expected)
    same = ["office", "week_start", "stopped", "resumed"]
    pd.testing.assert_frame_equal(frame[same], expected[same])
    assert truth["rate_ratio"] == expected_truth["rate_ratio"]
    for name in ("issued", "declined"):  # drawn anew from the same expectations
        assert frame[name].sum() == pytest.approx(expected[name].sum(), rel=0.05)


def test_the_panel_recovers_the_planted_effect_from_aggregated_records():
    errors, held = [], 0
    for seed in range(100, 112):
        made = synthetic_records.design(seed, pattern="constant", delay=1)
        frame, truth = synthetic_records.frame(made)
        found = panel.imputed(panel.cells(frame, settling=8))
        errors.append(np.log(found.value / truth["rate_ratio"]))
        held += found.low <= truth["rate_ratio"] <= found.high
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(len(errors))
    assert np.std(errors) < 0.1  # far from the effect, log 2
    assert held >= 10  # of 12; fewer come in one of 50 times where each holds with 95%


def test_the_frame_is_what_the_panel_of_the_readers_records_counts(clean):
    frame, _ = synthetic_records.frame(clean)
    with synthetic_tables.connect(clean) as database:
        counted = record_panel.counts(database).frame
    first, last = (synthetic.FIRST_WEEK + pd.Timedelta(weeks=week) for week in SPAN)
    known = frame[frame["week_start"].ge(first) & frame["week_start"].lt(last)]
    assert len(counted) == len(known)
    both = known.merge(counted, on=["office", "week_start"], suffixes=("", "_counted"))
    for name in ("issued", "declined"):
        assert both[name].tolist() == both[f"{name}_counted"].tolist()


def test_national_counts_are_about_as_published(whole, ledger):
    frame, _ = whole
    weekly = frame.groupby("week_start")[["issued", "declined"]].sum()
    around = weekly.loc["2017-01-28":"2017-02-17"].mean()
    published = [
        evidence.pick(ledger, "detainers_issued", "us", week).value
        for week in evidence.REPORT_WEEKS
    ]
    assert around["issued"] == pytest.approx(np.mean(published), rel=0.15)
    week_2 = evidence.pick(ledger, "detainers_declined", "us", evidence.REPORT_WEEKS[1]).value
    assert around["declined"] == pytest.approx(week_2, rel=0.35)


# The records


def test_lift_reasons_have_about_the_published_shares_of_their_groups(root):
    table = datapackage.load("lift_reasons_by_year_2007_2015", root)
    crosswalk = datapackage.load("lift_reasons", root).set_index("reason")["group"]
    by_spelling = {
        name.lower().replace(" - ", "_").replace(" ", "_"): group
        for name, group in crosswalk.items()
    }
    groups = table["lift_reason"].map(by_spelling)
    counts = table["detainers"].groupby(groups).sum().drop("declined")
    published = counts / counts.sum()
    used = pd.DataFrame(synthetic_records.REASONS.values(), columns=["group", "share"])
    shares = used.groupby("group")["share"].sum()
    for group in ("taken_into_custody", "ended_by_ice", "left_custody", "not_removable"):
        assert shares[group] == pytest.approx(published[group], abs=0.02)


def test_records_have_the_canonical_columns_and_no_others(clean):
    with synthetic_tables.connect(clean) as database:
        names = [column[0] for column in database.execute("FROM records LIMIT 0").description]
    assert names == list(NAMES)


def test_agencies_without_a_policy_have_their_share_of_declinations(clean):
    to = clean.agencies
    for office in range(len(to.offices)):
        here = (to.office == office) & (to.kind < 2)
        declined = to.weight[here] * to.declines[here]
        elsewhere = declined[to.kind[here] == COOPERATING].sum() / declined.sum()
        assert declined.sum() == pytest.approx(clean.plan.share[office, 0])
        assert elsewhere == pytest.approx(DECLINED_ELSEWHERE)


def test_persons_are_redacted_and_copies_are_there_as_often_as_said(drawn):
    assert drawn["person"].isna().mean() == pytest.approx(synthetic_records.REDACTED, abs=0.01)
    assert 0.005 < drawn["lift_reason"].eq("Duplicate").mean() < 0.02
    assert drawn["person"].dropna().str.fullmatch("[0-9a-f]{40}").all()


def test_no_day_comes_after_the_last_week_and_no_end_before_the_issue(drawn):
    last = synthetic.FIRST_WEEK + pd.Timedelta(weeks=SPAN[1])
    for name in ("detainer_prepare_date", "detainer_lift_date", "departed_date"):
        assert (pd.to_datetime(drawn[name].dropna()) < last).all()
    ended = drawn.dropna(subset=["detainer_lift_date"])
    assert (ended["detainer_lift_date"] >= ended["detainer_prepare_date"]).all()


def test_a_refusal_lies_between_issue_and_record(drawn):
    declined = drawn[drawn["lift_reason"].eq("Detainer Declined by LEA")]
    assert (declined["refused_date"] >= declined["detainer_prepare_date"]).all()
    assert (declined["refused_date"] <= declined["detainer_lift_date"]).all()
    assert (declined["refused_date"] < declined["detainer_lift_date"]).any()
    assert (
        drawn.loc[drawn["lift_reason"].ne("Detainer Declined by LEA"), "refused_date"].isna().all()
    )


def test_names_of_facilities_are_clearly_invented(clean):
    words = ("SYNTHETIC ", "EXAMPLE ", "PLACEHOLDER ")
    assert all(name.startswith(words) for name in clean.agencies.facility)


def test_the_same_seed_gives_the_same_records_and_another_one_others(clean, drawn):
    again = pd.concat([block.to_pandas() for block in synthetic_tables.blocks(clean)])
    pd.testing.assert_frame_equal(drawn, again)
    other = next(synthetic_tables.blocks(synthetic_records.design(2, weeks=SPAN)))
    assert not other["person"].equals(next(synthetic_tables.blocks(clean))["person"])


def test_a_week_is_the_same_in_any_span(clean):
    longer = synthetic_records.design(1, weeks=(SPAN[0] - 2, SPAN[1] + 9))
    weeks, others = (list(synthetic_tables.blocks(made)) for made in (clean, longer))
    for week, other in zip(weeks, others[2:], strict=False):
        for name in ("detainer_prepare_date", "facility", "facility_code", "person", "conviction"):
            assert week[name].equals(other[name])


def test_on_the_policy_day_an_agency_declines_all_it_holds():
    day = pd.Timestamp("2017-02-01")
    made = synthetic_records.design(1, weeks=(40, 60), policy_day=day)
    code = made.agencies.code[made.agencies.beginner]
    rows = rows_of(made)
    there = rows[rows["facility_code"].eq(code) & rows["detainer_prepare_date"].lt(day)]
    assert not there["detainer_lift_date"].gt(day).any()
    on_day = there["detainer_lift_date"].eq(day) & there["lift_reason"].ne("Duplicate")
    assert on_day.sum() > 100
    assert there.loc[on_day, "lift_reason"].eq("Detainer Declined by LEA").mean() > 0.95
    ages = (day - there.loc[on_day, "detainer_prepare_date"]).dt.days
    assert ages.median() > 20


# Errors


def test_as_many_errors_of_each_kind_are_planted_as_were_asked_for():
    rows = rows_of(synthetic_records.design(1, errors=AS_IN_2017, **AROUND))
    assert rows.loc[rows["error"].ne(""), "error"].value_counts().to_dict() == AS_IN_2017


def test_clean_records_have_no_error(drawn):
    assert drawn["error"].eq("").all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_leaves_the_number_of_detainers_of_each_office_as_it_was(clean, kind):
    made = synthetic_records.design(1, errors={kind: 20}, **AROUND)
    before, after = (synthetic_records.frame(of)[0] for of in (clean, made))
    assert before["issued"].tolist() == after["issued"].tolist()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"weeks": (5, 5)}, "weeks"),
        ({"weeks": (-27, 5)}, "weeks"),
        ({"scale": 0}, "scale"),
        ({"errors": {"similar_name": 1}}, "first of the days"),
        (
            {
                "errors": {"similar_name": 1},
                "errors_from": pd.Timestamp("2017-01-28"),
                "weeks": (60, 74),
            },
            "within the weeks",
        ),
    ],
)
def test_a_design_out_of_range_is_refused(asked, said):
    with pytest.raises(ValueError, match=said):
        synthetic_records.design(1, **asked)


@pytest.mark.parametrize(
    ("errors", "said"), [({"typo": 1}, "typo"), ({"similar_name": 10_000}, "too few records")]
)
def test_errors_that_cannot_be_planted_are_refused(errors, said):
    made = synthetic_records.design(1, errors=errors, **AROUND)
    with pytest.raises(ValueError, match=said):
        list(synthetic_tables.blocks(made))


@pytest.mark.slow
def test_ten_million_records_are_drawn_in_about_a_minute_and_in_little_memory():
    made, rows, largest = synthetic_records.design(1, scale=24.5), 0, 0
    began = time.perf_counter()
    for block in synthetic_tables.blocks(made):
        rows += block.num_rows
        largest = max(largest, block.nbytes)
    assert rows > 10_000_000
    assert largest < 100 * 2**20
    assert time.perf_counter() - began < 120
