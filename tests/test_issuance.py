import itertools

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import evidence, issuance, rates

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


def test_the_waterfall_leads_from_what_was_reported_to_what_is_compared(weeks):
    found = issuance.waterfall(weeks, **CHOSEN)
    first = found[found["week"].eq(1)]
    assert first["stage"].tolist() == ["reported", "county", "state_jail", "withdrawn", "compared"]
    assert first["records"].tolist() == [206, 128, 14, 9, 55]
    assert first["left"].tolist() == [206, 78, 64, 55, 55]
    assert found.loc[found["week"].eq(2), "left"].tolist() == [47, 45, 45, 45, 45]
    assert found.loc[found["week"].eq(3), "left"].tolist() == [65, 55, 55, 55, 55]


@pytest.mark.parametrize("steps", list(itertools.product([True, False], repeat=3)))
def test_every_waterfall_ends_where_the_steps_lead(weeks, steps):
    chosen = dict(zip(issuance.STEPS, steps, strict=True))
    found = issuance.waterfall(weeks, **chosen)
    for stage, expected in (("reported", weeks["reported"]), ("compared", None)):
        left = found.loc[found["stage"].eq(stage), "left"].tolist()
        assert left == (issuance.counted(weeks, **chosen) if expected is None else list(expected))
    taken = found[found["removed"]]
    removed = taken.groupby("week")["records"].sum().reindex([1, 2, 3], fill_value=0)
    assert (weeks["reported"] - removed).tolist() == issuance.counted(weeks, **chosen)
    assert set(found.loc[found["stage"].eq("withdrawn"), "removed"]) == {steps[1]}


def test_every_combination_has_words_of_its_own():
    words = [issuance.in_words(*steps) for steps in itertools.product([True, False], repeat=3)]
    assert len(set(words)) == 8
    assert words[1] == "Travis out, withdrawn out, state jail left with Travis"


def test_the_three_weeks_end_before_the_memoranda_and_follow_the_order(ledgers):
    for ledger in ledgers.values():
        dates = issuance.timeline(ledger).set_index("event")
        weeks = dates.loc["Weeks reported on"]
        assert (weeks["end"] - weeks["start"]).dt.days.tolist() == [6, 6, 6]
        assert weeks["week"].tolist() == [1, 2, 3]
        memoranda = dates.loc["Memoranda: department, ICE", "start"]
        assert weeks["end"].max() < memoranda.min()
        assert set(dates.index) == {*issuance.EVENTS, "Weeks reported on"}
        assert dates.drop("Weeks reported on")["input"].str.startswith("fact:").all()
