import itertools

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import datapackage, evidence, issuance, rates, series

NO_STEP = dict.fromkeys(issuance.STEPS, False)
CHOSEN = {
    "exclude_travis": True,
    "apply_withdrawals": True,
    "reattribute_state_jail": False,
}


@pytest.fixture(scope="module")
def ledgers(root):
    return {policy: evidence.load(policy, root) for policy in evidence.POLICIES}


@pytest.fixture(scope="module")
def weeks(ledgers):
    return issuance.report_weeks(issuance.report_records(ledgers["judgement"]))


@pytest.fixture(scope="module")
def places(ledgers, root):
    table = datapackage.load("withheld_places", root)
    return issuance.withheld_places(ledgers["judgement"], table)


def test_the_three_weeks_are_as_published(weeks):
    assert weeks["issued"].tolist() == [3083, 2825, 2868]
    assert weeks["reported"].tolist() == [206, 47, 65]
    assert weeks["travis"].tolist() == [142, 2, 10]
    assert weeks["state_jail"].tolist() == [14, 0, 0]
    assert weeks["withdrawn"].tolist() == [9, 0, 0]


def test_the_withdrawn_records_are_of_the_four_places_ice_named(ledgers):
    records = issuance.report_records(ledgers["judgement"])
    withdrawn = records[records["part"].eq("withdrawn")].set_index("place_id")["value"]
    assert withdrawn.to_dict() == {
        "us-tx:williamson_county": 4,
        "us-tx:bastrop_county": 3,
        "us-pa:chester_county": 1,
        "us-nc:richmond_county": 1,
    }


@pytest.mark.parametrize(
    ("policy", "printed", "with_state_jail"),
    [
        ("judgement", 142, 142),
        ("primary_first", 128, 142),
        ("earliest", 142, 142),
        ("latest", 143, 143),
    ],
)
def test_travis_means_the_same_whichever_figure_is_picked(
    ledgers, policy, printed, with_state_jail
):
    records = issuance.report_records(ledgers[policy])
    travis = records[records["part"].eq("travis") & records["week"].eq(1)]
    assert travis["value"].item() == printed
    assert issuance.report_weeks(records).at[1, "travis"] == with_state_jail


def test_inputs_are_the_facts_of_the_parts_and_the_policy(ledgers):
    records = issuance.report_records(ledgers["judgement"])
    policy = "parameter:source_policy"
    jail = "fact:" + records.loc[records["part"].eq("state_jail"), "fact"].item()
    withdrawn = issuance.inputs(records, ["withdrawn"], [1, 2])
    assert [found.startswith("fact:") for found in withdrawn] == [True] * 4 + [False]
    assert withdrawn[-1] == policy
    assert jail not in withdrawn
    assert jail not in issuance.inputs(records, ["travis"])
    assert jail in issuance.inputs(records, ["state_jail"], [1])
    assert issuance.inputs(records, ["state_jail"], [2]) == [policy]


def test_inputs_name_the_state_jail_where_it_is_added_to_the_countys_own_figure(ledgers):
    records = issuance.report_records(ledgers["primary_first"])
    jail = "fact:" + records.loc[records["part"].eq("state_jail"), "fact"].item()
    assert jail in issuance.inputs(records, ["travis"], [1])
    assert jail not in issuance.inputs(records, ["travis"], [2, 3])
    assert jail not in issuance.inputs(records, ["reported"], [1])


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((False, False, False), [206, 47, 65]),
        ((False, False, True), [206, 47, 65]),
        ((False, True, False), [197, 47, 65]),
        ((False, True, True), [197, 47, 65]),
        ((True, False, False), [64, 45, 55]),
        ((True, False, True), [78, 45, 55]),
        ((True, True, False), [55, 45, 55]),
        ((True, True, True), [69, 45, 55]),
    ],
)
def test_each_combination_of_steps_leaves_out_what_it_names(weeks, steps, expected):
    assert issuance.counted(weeks, **dict(zip(issuance.STEPS, steps, strict=True))) == expected


AMOUNT = st.integers(0, 50)


@given(st.lists(st.tuples(AMOUNT, AMOUNT, AMOUNT, AMOUNT), min_size=1, max_size=4), st.data())
def test_parts_add_up_and_no_step_adds_a_record(amounts, data):
    other, withdrawn, state_jail, county = map(pd.Series, zip(*amounts, strict=True))
    made = pd.DataFrame(
        {
            "reported": other + withdrawn + state_jail + county,
            "travis": state_jail + county,
            "state_jail": state_jail,
            "withdrawn": withdrawn,
        }
    )
    assert issuance.parts(made).sum(axis=1).tolist() == made["reported"].tolist()
    assert issuance.counted(made, **NO_STEP) == made["reported"].tolist()
    steps = {name: data.draw(st.booleans()) for name in issuance.STEPS}
    counts = issuance.counted(made, **steps)
    assert all(0 <= c <= r for c, r in zip(counts, made["reported"], strict=True))
    if steps["exclude_travis"] and steps["reattribute_state_jail"]:
        without = issuance.counted(made, **{**steps, "reattribute_state_jail": False})
        assert [a - b for a, b in zip(counts, without, strict=True)] == state_jail.tolist()


def test_parts_larger_than_the_whole_are_refused(weeks):
    wrong = weeks.assign(withdrawn=[100, 0, 0])
    with pytest.raises(ValueError, match="exceed"):
        issuance.parts(wrong)


def test_the_main_results_hold_their_value(weeks):
    issued = weeks["issued"]
    raw = rates.rate_ratio(weeks["reported"].iloc[:2], issued.iloc[:2])
    assert raw.value == pytest.approx((47 / 2825) / (206 / 3083))
    assert (raw.low, raw.high) == pytest.approx((0.1773734, 0.3432399), abs=1e-7)
    assert raw.p_value == pytest.approx(3.795683e-22, rel=1e-6)
    counts = issuance.counted(weeks, **CHOSEN)
    adjusted = rates.rate_ratio(counts[:2], issued.iloc[:2])
    assert adjusted.value == pytest.approx((45 / 2825) / (55 / 3083))
    assert (adjusted.low, adjusted.high) == pytest.approx((0.5884654, 1.3485916), abs=1e-7)
    assert adjusted.p_value == pytest.approx(0.61725, abs=1e-5)
    assert rates.homogeneity(counts, issued) == pytest.approx(0.65098, abs=1e-5)
    assert rates.exact_homogeneity(counts, issued) == pytest.approx(0.6532474, abs=1e-7)


def test_all_steps_has_every_combination_once_and_agrees_with_single_tests(weeks):
    table = issuance.all_steps(weeks, weeks["issued"])
    chosen = {tuple(row) for row in table[list(issuance.STEPS)].to_numpy().tolist()}
    assert chosen == set(itertools.product([True, False], repeat=3))
    for row in table.to_dict("records"):
        counts = [row[f"week_{week}"] for week in (1, 2, 3)]
        assert counts == issuance.counted(weeks, **{name: row[name] for name in issuance.STEPS})
        assert row["low"] < row["ratio"] < row["high"]
        assert row["p_value"] == rates.rate_ratio(counts[:2], [3083, 2825]).p_value
        assert row["homogeneity_exact"] == rates.exact_homogeneity(counts, weeks["issued"])


def test_only_one_combination_without_travis_is_below_5_percent(weeks):
    table = issuance.all_steps(weeks, weeks["issued"])
    below = table[table["p_value"] < 0.05]
    assert below["exclude_travis"].value_counts().to_dict() == {False: 4, True: 1}
    odd_one = below[below["exclude_travis"]].iloc[0]
    assert not odd_one["apply_withdrawals"]
    assert odd_one["reattribute_state_jail"]


def test_more_dispersion_makes_every_interval_wider(weeks):
    narrow, wide = (issuance.all_steps(weeks, weeks["issued"], d) for d in (1, 4))
    assert (wide["low"] < narrow["low"]).all()
    assert (wide["high"] > narrow["high"]).all()
    assert (wide["p_value"] > narrow["p_value"]).all()
    assert (wide["homogeneity"] > narrow["homogeneity"]).all()


def test_a_period_counts_both_its_ends():
    assert issuance.days("2016-01-01/2016-12-31") == 366
    assert issuance.days("2017-01-28/2017-02-03") == 7


def test_national_growth_takes_whole_weeks_only():
    weekly = pd.DataFrame(
        {
            "week_start": pd.to_datetime(["2016-01-03", "2016-01-10", "2016-12-27", "2017-01-08"]),
            "detainers": [10.0, 20.0, 1000.0, 60.0],
        }
    )
    whole = ("2016-01-01/2016-12-31", "2017-01-01/2017-12-31")
    assert issuance.national_growth(weekly, *whole) == 4
    with pytest.raises(ValueError, match="no whole week"):
        issuance.national_growth(weekly, "2015-01-01/2015-12-31", whole[1])


def test_national_growth_agrees_with_trac_over_fiscal_years(ledgers, root):
    years = ("2015-10-01/2016-09-30", "2016-10-01/2017-09-30")
    first, second = (
        evidence.pick(ledgers["judgement"], "detainers_issued", window=year, basis="TRAC").value
        for year in years
    )
    weekly = series.weekly_issued(datapackage.load("weekly_detainers", root))
    found = issuance.national_growth(weekly, *years)
    assert found == pytest.approx(second / first, rel=0.03)


def test_the_places_have_their_published_rates(places):
    found = places.set_index("place")[["before", "after"]]
    assert found.loc["New York police"].tolist() == pytest.approx([7 * 80 / 366, 7 * 1526 / 365])
    assert found.loc["New York jails"].tolist() == pytest.approx([7 * 51 / 366, 7 * 536 / 365])
    assert found.loc["San Francisco"].tolist() == pytest.approx([7 * 133 / 366, 7 * 519 / 365])
    assert found.loc["Los Angeles County"].tolist() == pytest.approx(
        [7 * 1603 / 366, 7 * 2540 / 304]
    )
    assert places.loc[places["before_at_most"], "place"].tolist() == ["Miami-Dade County"]
    assert places.loc[places["declined_share"].eq(""), "place"].tolist() == ["Miami-Dade County"]


def test_withheld_is_the_rise_beyond_growth_and_never_negative():
    made = pd.DataFrame({"before": [10.0, 10.0], "after": [25.0, 12.0]})
    assert issuance.withheld(made, 1.0).tolist() == [15, 2]
    assert issuance.withheld(made, [2.0, 1.5]).tolist() == [5, 0]


def test_a_tornado_varies_one_assumption_at_a_time():
    made = pd.DataFrame(
        {
            "place": ["a", "b"],
            "before": [10.0, 0.0],
            "after": [30.0, 4.0],
            "share": [0.5, 0.5],
            "share_low": [0.0, 0.5],
            "share_high": [1.0, 0.5],
        }
    )
    growth = pd.Series([2.0, 2.0])
    found = issuance.tornado(made, growth, [growth - 0.5, growth + 0.5])
    ranges = {row.assumption: (row.low, row.high) for row in found.itertuples()}
    assert ranges == {
        "share declined there": (2, 12),
        "growth elsewhere: national, or none": (7, 12),
        "counting of overlapping weeks": (4.5, 9.5),
        "without a": (2, 7),
        "without b": (5, 7),
    }
    assert found["assumption"].iloc[0] == "share declined there"
    assert (found["high"] - found["low"]).is_monotonic_decreasing


def test_low_shares_are_what_the_figures_they_rest_on_say(ledgers, root):
    shares = datapackage.load("assumptions", root).set_index("assumption")
    ledger, (week_1, week_2, _) = ledgers["judgement"], evidence.REPORT_WEEKS
    asked = {
        "new_york": ("us-ny:new_york_city", week_2, "us-ny:new_york_city"),
        "los_angeles": (
            "us-ca:los_angeles_city_and_county_jails",
            week_1,
            "us-ca:los_angeles_county",
        ),
        "san_francisco": ("us", week_2, "us"),
    }
    for name, (declining, window, receiving) in asked.items():
        declined = evidence.pick(ledger, "detainers_declined", declining, window).value
        issued = evidence.pick(ledger, "detainers_issued", receiving, week_2).value
        row = shares.loc[f"issuance_declined_share_{name}"]
        assert row["low"] == pytest.approx(declined / issued, abs=0.005)
        assert row["value"] == pytest.approx((row["low"] + row["high"]) / 2, abs=0.006)
