import json

import pytest

from helpers import paths

RUN = paths.project_root() / "papermill_runs/reference/results.json"
FOUND = json.loads(RUN.read_text(encoding="utf-8"))["results"]
LEVEL = 0.95

INTERVALS = {
    "growth.factor": None,
    "growth.annual_rate": None,
    "growth.doubling_years": None,
    "growth.factor.lowest": None,
    "growth.factor.highest": None,
    "growth.counters.annual_rate": None,
    "ages.travis.median_weeks": LEVEL,
    "ages.travis.share_booked_before_2017": LEVEL,
    "ages.week_1.travis_share_issued_before_2017": None,
    "ages.active.mean_days": None,
    "ages.active.half_life_days": None,
    "issuance.raw.rate_ratio": LEVEL,
    "issuance.adjusted.rate_ratio": LEVEL,
    "issuance.withheld_per_week": None,
    "issuance.declinations_avoided_per_week": None,
    "issuance.panel.rate_ratio": LEVEL,
}
"""Results that others may rely on, with the confidence level of their interval; None: a range."""

WITHOUT = {
    "evidence.facts",
    "evidence.sources",
    "evidence.conflicts",
    "evidence.conflicts_resolved",
    "growth.specifications",
    "growth.like_for_like.factor",
    "ages.travis.n",
    "ages.travis.best_distribution",
    "issuance.raw.p_value",
    "issuance.adjusted.p_value",
    "issuance.raw.homogeneity_p_value",
    "issuance.adjusted.homogeneity_p_value",
}
"""Counts, p-values, names, and a value that is its own range."""


@pytest.mark.parametrize("name", sorted({*INTERVALS, *WITHOUT}))
def test_a_promised_result_is_there_with_unit_method_and_inputs(name):
    result = FOUND[name]
    assert result["unit"]
    assert len(result["method"].split()) > 2
    assert result["inputs"]
    assert (result["interval"] is not None) == (name in INTERVALS)
    assert result["level"] == INTERVALS.get(name)


@pytest.mark.parametrize("name", INTERVALS)
def test_the_interval_of_a_promised_result_holds_its_value(name):
    low, high = FOUND[name]["interval"]
    assert low <= FOUND[name]["value"] <= high


def test_the_panel_alone_is_marked_synthetic():
    promised = {*INTERVALS, *WITHOUT}
    assert {x for x in promised if FOUND[x]["synthetic"]} == {"issuance.panel.rate_ratio"}


def test_every_estimator_was_tried_on_a_thousand_data_sets_and_has_a_target():
    names = [name.split(".") for name in FOUND if name.startswith("validation.")]
    estimators = {parts[1] for parts in names if parts[-1] == "replications"}
    assert len(estimators) > 20
    for estimator in estimators:
        measures = {parts[2] for parts in names if parts[1] == estimator}
        assert measures & {"coverage", "bias", "false_positive_rate"}, estimator
        replications = FOUND[f"validation.{estimator}.replications"]["value"]
        # What promises nothing has no target, and fewer data sets where each takes long.
        assert replications >= 1_000, estimator
