import json
import os
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from helpers import conflicts, datapackage, policies
from helpers.parameters import POLICIES

OTHERS = [policy for policy in POLICIES if policy != "judgement"]
RUN = ["01_jurisdiction_growth", "02_detainer_age", "03_issuance_policy"]


@pytest.fixture(scope="module")
def growth_counts():
    return datapackage.load("growth_counts")


@pytest.fixture(scope="module")
def compared(ledger, growth_counts):
    return policies.compare(ledger, growth_counts).set_index("result")


def test_every_headline_has_a_value_under_every_policy(compared):
    assert list(compared.index) == list(policies.HEADLINES)
    assert compared[list(POLICIES)].notna().all(axis=None)
    assert compared["label"].is_unique


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("growth.baseline.count", [118, 118, 118, 120]),
        ("growth.factor", [463 / 118, 463 / 118, 463 / 118, 463 / 120]),
        ("ages.travis.declined_as_quoted", [196, 190, 191, 204]),
        ("ages.week_1.travis_share_issued_before_2017", [0.73] * 4),
        ("ages.week_2.share_issued_before_inauguration", [23 / 47] * 4),
        ("issuance.raw.rate_ratio", [(47 / 2825) / (206 / 3083)] * 4),
        ("issuance.travis.share_week_1", [142 / 206] * 3 + [143 / 206]),
        ("issuance.week_1.outside_travis", [64, 64, 64, 63]),
        ("issuance.fall.other_share", [10 / 159] * 3 + [9 / 159]),
        ("issuance.adjusted.rate_ratio", [(45 / 2825) / (n / 3083) for n in (55, 55, 55, 54)]),
    ],
)
def test_headlines_are_those_worked_out_by_hand(compared, name, values):
    assert compared.loc[name, list(POLICIES)].tolist() == pytest.approx(values, rel=1e-12)


def test_the_change_is_the_largest_difference_over_the_judged_value(compared):
    for row in compared.itertuples():
        changes = [abs(getattr(row, policy) - row.judgement) / row.judgement for policy in OTHERS]
        assert row.change == pytest.approx(max(changes), abs=1e-15)
    assert compared.at["growth.baseline.count", "change"] == pytest.approx(2 / 118)


def test_the_policy_of_the_ledger_does_not_matter_to_the_comparison(
    ledger, growth_counts, compared
):
    again = policies.compare(replace(ledger, policy="latest"), growth_counts).set_index("result")
    pd.testing.assert_frame_equal(again, compared)


def test_without_the_figures_that_disagree_nothing_moves(ledger, growth_counts, compared):
    assert {"A048", "C004", "C006", "C007"} < set(ledger.facts["fact_id"])
    gone = ledger.facts["fact_id"].isin(["A033", "NCO009", "D009", "A048", "C004", "C006", "C007"])
    less = growth_counts[growth_counts["choice"].ne("about_120")]
    agreed = policies.compare(replace(ledger, facts=ledger.facts[~gone]), less)
    assert compared["change"].gt(0).any()
    assert agreed["change"].eq(0).all()


def test_a_changed_figure_moves_the_headlines_that_rest_on_it(ledger, growth_counts, compared):
    facts = ledger.facts.copy()
    facts.loc[facts["fact_id"].eq("A122"), "value"] = 60.0
    facts.loc[facts["fact_id"].eq("REF012"), "value"] = 60.0
    changed = policies.headlines(replace(ledger, facts=facts), growth_counts)
    differs = changed.ne(compared["judgement"])
    assert differs["issuance.raw.rate_ratio"]
    assert not differs["growth.factor"]
    assert not differs["ages.week_1.travis_share_issued_before_2017"]


# The notebooks themselves


def run(policy, out):
    """Run the notebooks under a policy; return their results by name."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("DETAINERS_")
    }
    command = [sys.executable, "-m", "helpers.cli", "run", "--run", policy, "--only", "01,02,03"]
    done = subprocess.run(
        [*command, "-p", f"source_policy={policy}"],
        env=environment | {"DETAINERS_OUT": str(out)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {}
    for notebook in RUN:
        path = out / "papermill_runs" / policy / f"{notebook}.results.json"
        found |= json.loads(path.read_text(encoding="utf-8"))["results"]
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    out = tmp_path_factory.mktemp("policies")
    return {policy: run(policy, out) for policy in POLICIES}


def moving(runs):
    """Names of the results that differ between policies."""
    names = set().union(*runs.values())
    return {
        name
        for name in names
        if len({str(of.get(name, {}).get("value")) for of in runs.values()}) > 1
    }


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
def test_the_notebooks_give_the_headlines_under_every_policy(runs, compared, policy):
    for name, value in compared[policy].items():
        assert runs[policy][name]["value"] == pytest.approx(value, rel=1e-6), name


@pytest.mark.slow
def test_the_headlines_that_move_are_those_that_move_in_the_notebooks(runs, compared):
    moved = set(compared.index[compared["change"].gt(0)])
    assert moving(runs) & set(policies.HEADLINES) == moved


def facts_of(found, name):
    """The figures behind a result, through the results it is made from."""
    kinds = [item.split(":", 1) for item in found[name]["inputs"]]
    facts = {of for kind, of in kinds if kind == "fact"}
    return facts.union(*(facts_of(found, of) for kind, of in kinds if kind == "result"))


@pytest.mark.slow
def test_every_result_that_moves_rests_on_a_figure_in_conflict(runs, ledger):
    disputed = {name for group in conflicts.find(ledger.facts)["facts"] for name in group}
    moved = moving(runs)
    assert moved
    for name in moved:
        # A bound that agrees with all the others is in no conflict, and may be used in their place.
        under = [facts_of(found, name) for found in runs.values() if name in found]
        assert any(facts & disputed for facts in under), name


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "ages.active.mean_days",
        "ages.travis.median_weeks",
        "ages.travis.share_booked_before_2017",
        "issuance.declinations_avoided_per_week",
        "issuance.withheld_per_week",
    ],
)
def test_a_result_that_rests_on_nothing_disputed_does_not_move(runs, name):
    assert name in runs["judgement"]
    assert name not in moving(runs)


@pytest.mark.slow
def test_what_settles_claims_and_is_no_headline_does_not_move(runs):
    tests = datapackage.load("claim_tests")
    main = tests.loc[tests["reading"].eq("main"), "result"]
    others = {name for name in main if not name.startswith("claims.")} - set(policies.HEADLINES)
    assert others
    assert not others & moving(runs)
