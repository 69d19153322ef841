import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers import figures, validation, validation_figures
from helpers import validation_results as of_simulations
from helpers.results import Results
from helpers.validation import Replication, Scenario

SEED = ["simulation:1"]


@pytest.fixture
def results(project):
    return Results("06_method_validation")


def tosses(chance):
    """A scenario whose interval holds the truth, and whose test rejects, with a chance."""

    def replicate(rng):
        happened = bool(rng.random() < chance)
        return {
            "coin.model": Replication(0.0, happened),
            "coin.null": Replication(rejected=happened),
            "coin.stress_bent_coin": Replication(covered=happened),
        }

    return Scenario("coin", "a coin", replicate)


@pytest.fixture(params=[0.5, 0.95])
def found(request):
    return of_simulations.labelled(validation.study([tosses(request.param)], 400, 1))


def test_a_row_is_named_by_its_estimator_and_setting(found):
    assert found["label"].tolist() == [
        "coin: as assumed",
        "coin: as assumed",
        "coin: no difference",
        "coin: bent coin",
    ]
    assert found["name"].iloc[-1] == "validation.coin.stress_bent_coin"
    assert found["kind"].tolist() == ["model", "model", "null", "stress"]


def test_every_measure_is_put_and_one_that_misses_its_target_says_so(results, found):
    of_simulations.put_measures(results, found, {"coin": SEED}, SEED)
    low = found["value"].iloc[0] < 0.9
    said = {name: results.get(f"validation.coin.{name}")["caveat"] for name in found["measure"]}
    assert ("Below" in (said["coverage"] or "")) == low
    assert "Above" in said["false_positive_rate"]
    assert said["bias"] is said["stress_bent_coin"] is None
    assert results.value("validation.coin.replications") == 400
    assert "no target" in results.get("validation.coin.stress_bent_coin")["method"]


def test_readings_are_counted_and_add_up(results, found):
    target = found[found["measure"].eq("coverage")]
    of_simulations.put_readings(results, target, SEED)
    counts = [results.value(f"validation.coverage.{x}") for x in ("as_nominal", "above", "below")]
    assert sum(counts) == results.value("validation.coverage.settings") == 1
    below = of_simulations.read(target, "below")
    assert len(below) == counts[2]
    assert of_simulations.named(below[:0]) == "none"
    share = f"{target['value'].iloc[0]:.1%} (coin: as assumed)"
    assert of_simulations.extent(target) == f"{share} to {share}"


def test_agreement_is_put_under_the_estimator_with_the_longest_name(results):
    pairs = [("coin_toss_low", "low end", 1.0, np.float64(1.0001), "hand")]
    inputs = {"coin": ["series:units"], "coin_toss": ["series:facts"]}
    table = of_simulations.put_agreement(results, pairs, inputs)
    put = results.get("validation.agreement.coin_toss_low")
    assert (put["value"], put["inputs"]) == (4, ["series:facts"])
    assert table["relative difference"].tolist() == ["under 1e-4"]


@pytest.mark.parametrize(("measure", "target"), [("covered", 0.95), ("error", 0.0)])
def test_a_chart_has_a_mark_for_every_row_and_names_an_estimator_once(found, measure, target):
    figures.use_style()
    rows = found[found["of"].eq(measure)]
    fig = validation_figures.dots(rows, "share", target)
    (ax,) = fig.axes
    marks = [x for line in ax.lines if line.get_marker() != "None" for x in line.get_xdata()]
    assert sorted(marks) == pytest.approx(sorted(rows["value"]))
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names[0] == rows["label"].iloc[0]
    assert all("coin: " not in name for name in names[1:])
    assert bool(ax.patches) == bool(target)
    plt.close(fig)


def test_a_chart_of_many_estimators_parts_them_by_lines():
    figures.use_style()
    rows = pd.DataFrame(
        {
            "estimator": ["a", "a", "b"],
            "label": ["a: as assumed", "a: bent", "b: as assumed"],
            "kind": ["model", "stress", "model"],
            "value": [0.95, 0.7, 0.96],
            "low": [0.94, 0.6, 0.95],
            "high": [0.96, 0.8, 0.97],
            "replications": 1_000,
        }
    )
    fig = validation_figures.dots(rows, "share", 0.95)
    (ax,) = fig.axes
    edges = [line for line in ax.lines if list(line.get_ydata()) == [1.5, 1.5]]
    assert len(edges) == 1
    plt.close(fig)
