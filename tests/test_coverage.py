import json
import re

import pytest

from helpers import coverage, paths

RUN = paths.project_root() / "papermill_runs/reference/results.json"
FOUND = json.loads(RUN.read_text(encoding="utf-8"))["results"]
SIMULATED = {
    "share of data sets whose 95% interval or band holds the truth": 0.95,
    "share of data sets whose range holds the truth; it promises none": 0.95,
    "share of data sets in which the test rejects at 5%": 0.05,
}
METHODS = {
    "pooled_rate": "range: one counter left out",
    "grouped_median": "median of whole weeks|median weeks of the accepted over",
    "share_interval": "exact binomial .Clopper-Pearson. interval",
    "fitted_median": "median of the .* distribution fitted to whole weeks",
    "median_stay": "first week that at most half of stays reach",
    "mean_stay": "stock over weekly inflow",
    "rate_ratio": r"Clopper and Pearson 1934|exact conditional|two( equal)? weeks, exact|"
    r"as issuance\.raw\.(rate_ratio|p_value)|with equal weeks",
    "dispersed_rate_ratio": "on the log scale",
    "homogeneity": "three weeks, chi-square test",
    "exact_homogeneity": r"three weeks, exact|as issuance\.raw\.homogeneity_exact",
    "newey_west": "Newey and West",
    "two_way": "two-way fixed effects; interval",
    "imputed": "imputation.*; interval",
    "event_study": "band of .* spans",
}
"""What the method of a result says where it rests on an estimator."""

DRAWN_ALONE = {"cumulative_band", "surviving_share"}  # bands of figures, with no result


def measured(name):
    """The estimator and the measure of a share that was simulated, with its nominal value."""
    _, estimator, measure = name.split(".")
    said = FOUND[name]["method"]
    return estimator, measure, next((x for of, x in SIMULATED.items() if said.startswith(of)), None)


def missed(name):
    """Whether a simulated share misses its nominal value by more than Monte Carlo error."""
    *_, measure, nominal = measured(name)
    low, high = FOUND[name]["interval"] or (0, 1)
    if nominal is None or measure == "power":
        return False
    return high < nominal if nominal > 0.5 else low > nominal


OF_ESTIMATORS = re.compile(r"validation\.(?!coverage|agreement)\w+\.\w+")
VALIDATED = [name for name in FOUND if OF_ESTIMATORS.fullmatch(name)]


def test_every_share_that_misses_its_level_in_the_reference_run_stands_here():
    short = [measured(name)[:2] for name in VALIDATED if missed(name)]
    assert len(short) > 15
    for estimator, measure in short:
        stands = coverage.MEASURED[estimator].shares
        # An interval's test is wrong where the interval is.
        assert measure in stands or (measure == "false_positive_rate" and "coverage" in stands)


def test_every_share_and_bias_is_that_of_the_reference_run():
    for estimator, found in coverage.MEASURED.items():
        for measure, (share, _) in found.shares.items():
            value = FOUND[f"validation.{estimator}.{measure}"]["value"]
            assert share == pytest.approx(value, abs=0.01), f"{estimator}.{measure}"
        bias = FOUND.get(f"validation.{estimator}.bias", {"value": 0})["value"]
        assert (abs(bias) > 0.05) == (found.bias is not None), estimator
        if found.bias is not None:
            assert found.bias == pytest.approx(bias, abs=0.005), estimator


def test_every_result_that_rests_on_an_estimator_carries_its_caveat():
    assert set(METHODS) == set(coverage.MEASURED) - DRAWN_ALONE
    for estimator, method in METHODS.items():
        on_it = {
            name
            for name, result in FOUND.items()
            if not name.startswith("validation.")
            and re.search(method, result["method"])
            and (
                result["level"]
                or result["unit"] in {"p-value", "combinations"}
                or "range" in method
            )
        }
        assert on_it, estimator
        said = coverage.caveat(estimator)
        bare = [name for name in on_it if said not in (FOUND[name]["caveat"] or "").splitlines()]
        assert bare == [], estimator


def test_no_result_carries_the_caveat_of_an_estimator_it_does_not_rest_on():
    for estimator, method in METHODS.items():
        said = coverage.caveat(estimator)
        for name, result in FOUND.items():
            if said in (result["caveat"] or "").splitlines() and not name.startswith("claims."):
                assert re.search(method, result["method"]), name


@pytest.mark.parametrize("estimator", sorted(DRAWN_ALONE))
def test_a_band_that_is_only_drawn_has_its_caveat_in_the_source_line(estimator):
    folder = paths.project_root() / "figures/reference"
    sources = [
        json.loads(path.read_text(encoding="utf-8"))["source"] for path in folder.glob("*.json")
    ]
    assert any(coverage.caveat(estimator) in source for source in sources)


def test_a_caveat_says_what_happens_how_often_and_where():
    assert coverage.caveat("grouped_median") == (
        "In simulations the 95% interval of such a median holds the truth in 95% of data sets "
        "where its assumptions hold, in 83% where people are booked in pairs."
    )
    assert coverage.caveat("mean_stay").endswith(
        "The estimate is too long by 0.15 on the log scale."
    )
    assert coverage.caveat("median_stay").endswith("too short by 0.19 on the log scale.")
