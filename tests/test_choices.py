import json
from itertools import product

import pandas as pd
import pytest

from helpers import choices, datapackage, growth, issuance, multiverse


@pytest.fixture(scope="module")
def counts(root, ledger):
    table = datapackage.load("growth_counts", root)
    return [growth.counts(table, ledger, role) for role in ("baseline", "endpoint")]


@pytest.fixture(scope="module")
def frames(counts):
    """Data of the two figures of growth, as the notebook makes them by default."""
    pairs, curve = multiverse.pairs(*counts), multiverse.distinct(multiverse.grid(*counts))
    pairs["chosen"] = pairs["baseline"].eq("listed_week_1") & pairs["endpoint"].eq("refusing")
    return pairs, curve


@pytest.fixture(scope="module")
def of_growth(frames):
    return choices.growth(*frames)


@pytest.fixture(scope="module")
def of_weeks(ledger):
    weeks = issuance.report_weeks(issuance.report_records(ledger))
    table = issuance.all_steps(weeks, weeks["issued"])
    chosen = issuance.in_words(True, True, False)
    return choices.issuance(table.assign(chosen=table["steps"].eq(chosen)))


@pytest.fixture(scope="module")
def published(root):
    file = root / "papermill_runs" / "reference" / "results.json"
    return json.loads(file.read_text(encoding="utf-8"))["results"]


@pytest.fixture(params=["of_growth", "of_weeks"])
def panel(request):
    return request.getfixturevalue(request.param)


def test_every_combination_of_options_has_one_state(panel):
    options = [[option["value"] for option in c["options"]] for c in panel["controls"]]
    names = [control["name"] for control in panel["controls"]]
    wanted = [dict(zip(names, combination, strict=True)) for combination in product(*options)]
    states = [state["choices"] for state in panel["states"]]
    assert len(states) == len(wanted)
    assert all(states.count(combination) == 1 for combination in wanted)


def test_options_of_a_control_are_told_apart_by_their_labels(panel):
    for control in panel["controls"]:
        labels = [option["label"] for option in control["options"]]
        assert len({*labels}) == len(labels) > 1


def test_a_panel_is_json_and_each_range_holds_its_value(panel):
    assert json.loads(json.dumps(panel, allow_nan=False)) == panel
    assert all(s["low"] <= s["value"] <= s["high"] for s in panel["states"])


def test_the_chosen_state_of_growth_is_the_result_of_the_notebook(of_growth, published):
    (state,) = [state for state in of_growth["states"] if state["chosen"]]
    result = published["growth.factor"]
    assert state["value"] == pytest.approx(result["value"])
    assert [state["low"], state["high"]] == pytest.approx(result["interval"])
    assert f"Earlier: {published['growth.baseline.count']['value']:.0f}, ICE list" in state["text"]
    assert f"{result['value']:.2f} times as many (range" in state["text"]
    assert f"{published['growth.annual_rate']['value']:.1%} a year" in state["text"]


def test_each_state_of_growth_is_the_growth_between_its_two_counts(of_growth, counts):
    baselines, endpoints = counts
    for state in of_growth["states"]:
        pair = state["choices"]
        found = growth.growth(baselines[pair["baseline"]], endpoints[pair["endpoint"]])
        assert [state["value"], state["low"], state["high"]] == [
            found.factor.value,
            found.factor.low,
            found.factor.high,
        ]


def test_each_state_of_the_weeks_is_the_result_of_its_combination(of_weeks, published):
    for state in of_weeks["states"]:
        steps = {name: value == "true" for name, value in state["choices"].items()}
        slug = issuance.in_words(**steps).replace(", ", "_").replace(" ", "_").lower()
        result = published[f"issuance.combinations.{slug}.ratio"]
        assert state["value"] == pytest.approx(result["value"])
        assert [state["low"], state["high"]] == pytest.approx(result["interval"])


def test_the_chosen_state_of_the_weeks_is_the_adjusted_comparison(of_weeks, published):
    (state,) = [state for state in of_weeks["states"] if state["chosen"]]
    assert state["value"] == pytest.approx(published["issuance.adjusted.rate_ratio"]["value"])
    assert f"Week 1 counts {published['issuance.adjusted.week_1']['value']}" in state["text"]


def test_the_figures_of_a_run_give_the_same_panels_as_the_helpers(root, of_growth, of_weeks):
    def drawn(name):
        return pd.read_csv(root / "figures" / "reference" / f"{name}.csv")

    from_files = [
        choices.growth(drawn("growth_specifications"), drawn("growth_curve")),
        choices.issuance(drawn("issuance_rate_ratios")),
    ]
    for found, expected in zip(from_files, (of_growth, of_weeks), strict=True):
        assert {**found, "states": 0} == {**expected, "states": 0}
        for state, other in zip(found["states"], expected["states"], strict=True):
            assert state == other | {
                end: pytest.approx(other[end]) for end in ("value", "low", "high")
            }


def test_a_command_asks_for_the_choices_of_its_state(of_growth, of_weeks):
    commands = [state["command"] for state in of_growth["states"]]
    assert (
        "detainers run --only 01 -p 01.baseline=listed_week_2 -p 01.endpoint=refusing" in commands
    )
    assert len({*commands}) == len(commands)
    assert all("-p 03.exclude_travis=" in state["command"] for state in of_weeks["states"])


def test_a_pair_of_counts_without_its_places_is_refused(frames):
    pairs, curve = frames
    with pytest.raises(ValueError, match="of 24 pairs of counts 22 are in the curve"):
        choices.growth(pairs, curve[curve["earlier_count"].ne("ice_2014")])
