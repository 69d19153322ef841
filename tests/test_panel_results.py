import json

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from helpers import coverage, panel, panel_figures, panel_results, paths, power, synthetic
from helpers.rates import RateRatio
from helpers.results import Results

NOTEBOOK = "03_issuance_policy"
OF_LEVEL = ["result:issuance.declined.week_2", "assumption:issuance_dispersion"]


@pytest.fixture
def results(project):
    return Results(NOTEBOOK)


@pytest.fixture(scope="module")
def study():
    return panel.event_study(panel.cells(synthetic.panel(1)[0]))


@pytest.fixture(scope="module")
def curves():
    return pd.DataFrame(
        [
            (offices, weeks, dispersion, power.panel(2, *power.staggered(offices, weeks)))
            for offices in (6, 12, 24)
            for weeks in (26, 156)
            for dispersion in (1.0, 2.0)
        ],
        columns=["offices", "weeks", "dispersion", "ratio"],
    )


def put_synthetic(results, study):
    inputs = ["simulation:7"]
    panel_results.put_event_study(results, study, "issuance.panel", inputs, synthetic=True)


def test_an_estimate_has_an_interval_and_a_caveat_and_a_number_has_none(results):
    rows = {
        "rate_ratio": ("an estimate", RateRatio(1.387, 1.123, 1.756, 0.01)),
        "true_rate_ratio": ("the truth", 1.377),
    }
    table = panel_results.put_ratios(results, rows, 7)
    found = results.get("issuance.panel.rate_ratio")
    assert (found["value"], found["interval"], found["level"]) == (1.387, [1.123, 1.756], 0.95)
    said = [panel_results.FEW_OFFICES, coverage.caveat("imputed")]
    assert found["caveat"].splitlines() == said
    truth = results.get("issuance.panel.true_rate_ratio")
    assert (truth["interval"], truth["level"], truth["caveat"]) == (None, None, None)
    assert table.to_numpy().tolist() == [
        ["an estimate", "1.39", "1.12 to 1.76"],
        ["the truth", "1.38", ""],
    ]


def test_all_that_rests_on_synthetic_counts_or_designs_says_so(results, study, curves):
    panel_results.put_ratios(results, {"rate_ratio": ("imputation", 1.4)}, 7)
    panel_results.put_counts(results, {"offices": (24, "offices", "offices")}, 7)
    put_synthetic(results, study)
    panel_results.put_panel_power(results, curves[curves["dispersion"].eq(2)], OF_LEVEL)
    panel_results.put_two_weeks(results, {1.0: (0.5, 1.7)}, OF_LEVEL)
    results.write()
    written = json.loads(paths.results_file(paths.run_folder(), NOTEBOOK).read_text())["results"]
    for name, result in written.items():
        national = name.startswith("issuance.power.two_weeks")
        assert result["synthetic"] is not national
        assert (result["inputs"] == ["simulation:7"]) is name.startswith("issuance.panel")


def test_spans_are_named_by_their_distance_and_keep_their_band(results, study):
    put_synthetic(results, study)
    rows = study.ratios.set_index("first")
    for name, first in (("weeks_before.24", -24), ("weeks_after.0", 0), ("weeks_after.32", 32)):
        found = results.get(f"issuance.panel.{name}")
        assert found["value"] == rows.at[first, "value"]
        assert found["interval"] == rows.loc[first, ["band_low", "band_high"]].tolist()
    assert results.value("issuance.panel.pre_trend_p_value") == study.pre_trend_p_value


def test_an_event_study_says_how_often_its_band_holds_of_synthetic_and_other_counts(results, study):
    put_synthetic(results, study)
    panel_results.put_event_study(results, study, "issuance.records", ["records:a@b"])
    measured = coverage.caveat("event_study")
    for name in ("weeks_after.0", "pre_trend_p_value"):
        assert results.get(f"issuance.records.{name}")["caveat"] == measured
        said = results.get(f"issuance.panel.{name}")["caveat"].splitlines()
        assert said == [panel_results.FEW_OFFICES, measured]


def test_two_weeks_have_a_fall_and_a_rise_of_each_dispersion(results):
    panel_results.put_two_weeks(results, {1.0: (0.5, 1.7), 4.0: (0.1, 2.6)}, OF_LEVEL)
    assert results.value("issuance.power.two_weeks.fall_dispersion_1") == 0.5
    assert results.value("issuance.power.two_weeks.rise_dispersion_4") == 2.6


def drawn_inside(fig):
    """Whether each point drawn lies within the axes."""
    (ax,) = fig.axes
    low, high = ax.get_ylim()
    points = [y for line in ax.lines for y in line.get_ydata() if line.get_marker() != "None"]
    plt.close(fig)
    return bool(points) and all(low <= y <= high for y in points)


def test_figures_show_every_point_they_are_given(study, curves):
    assert drawn_inside(panel_figures.event_study(study.ratios.assign(truth=1.0), 1.3))
    steep = curves.assign(ratio=3 * curves["ratio"])
    for of in (curves, steep):
        assert drawn_inside(panel_figures.power({1.0: 1.7, 4.0: 2.6}, of, 2.0))
