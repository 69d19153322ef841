import numpy as np
import pandas as pd
import pyfixest
import pytest

from helpers import counters


@pytest.fixture(scope="module")
def panel(ledger):
    return counters.panel(ledger)


@pytest.fixture(scope="module")
def points(panel):
    return counters.repeated(panel)


def grown(rates, years=(0.0, 1.0, 4.0), noise=0.0, seed=0):
    """Points of counters that grow at rates of their own, from levels of their own."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "counter": name,
            "years": year,
            "time": pd.Timestamp(2000, 1, 1) + pd.Timedelta(days=365.25 * year),
            "places": level * (1 + rate) ** year * np.exp(noise * rng.normal()),
        }
        for level, (name, rate) in zip((10, 200, 3000), rates.items(), strict=False)
        for year in years
    )


# The panel


def test_the_panel_has_one_row_a_count_and_period(panel):
    assert not panel.duplicated(["count", "start", "end"]).any()
    assert set(panel["count"]) == set(counters.COUNTERS.values())
    fair = panel[panel["counter"].eq("FAIR")]
    assert fair["places"].tolist() == [11, 40, 338, 564, 1003]
    assert pd.api.types.is_datetime64_any_dtype(panel["time"])


def test_all_lists_of_ice_are_one_counter_s_and_nobody_else_s(panel):
    ice = panel[panel["counter"].eq("ICE")]
    assert set(ice["places"]) == {276, 279, 118, 150, 463}
    others = panel[panel["counter"].ne("ICE")]
    assert others["counter"].equals(others["count"])


def test_a_count_over_more_than_a_year_is_no_point_in_time(panel):
    assert set(panel.loc[~panel["brief"], "count"]) == {
        "CIS",
        "OIG letter, declined 2014-2017",
        "TRAC, agencies",
    }


def test_only_three_counters_counted_more_than_once(points):
    assert points["counter"].unique().tolist() == ["CIS", "FAIR", "ICE"]
    assert points.groupby("counter").size().tolist() == [2, 5, 5]


# Rates


def test_each_counter_s_own_rate_is_recovered():
    rates = {"one": 0.5, "two": 0.02, "three": -0.1}
    found = counters.own_rates(grown(rates)).set_index("counter")["annual_rate"]
    assert found.to_dict() == pytest.approx(rates, abs=1e-10)


def test_a_common_rate_is_recovered_whatever_the_levels():
    points = grown({"one": 0.2, "two": 0.2, "three": 0.2})
    assert counters.pooled_rate(points) == pytest.approx(0.2, abs=1e-10)


def test_with_noise_the_common_rate_is_within_four_standard_errors():
    years, noise, true = np.linspace(0, 10, 50), 0.3, 0.08
    found = counters.pooled_rate(grown({"one": true, "two": true}, years, noise, seed=3))
    within = 2 * ((years - years.mean()) ** 2).sum()
    assert np.log1p(found) == pytest.approx(np.log1p(true), abs=4 * noise / np.sqrt(within))


def test_from_poisson_counts_the_poisson_rate_is_within_four_standard_errors():
    true = 0.08
    points = grown({"one": true, "two": true}, np.linspace(0, 10, 50))
    means = points["places"]
    drawn = points.assign(places=np.random.default_rng(5).poisson(means).astype(float))
    found = counters.pooled_rate_poisson(drawn)
    # Fisher information of the slope, levels free: weighted spread of the years of each counter.
    information = sum(
        own["places"] @ (own["years"] - np.average(own["years"], weights=own["places"])) ** 2
        for _, own in points.groupby("counter")
    )
    assert np.log1p(found) == pytest.approx(np.log1p(true), abs=4 / np.sqrt(information))


def test_the_common_rate_agrees_with_pyfixest(points):
    logs = points.assign(log_places=np.log(points["places"]))
    fit = pyfixest.feols("log_places ~ years | counter", logs)
    assert counters.pooled_rate(points) == pytest.approx(np.expm1(fit.coef()["years"]), rel=1e-9)


def test_the_poisson_rate_agrees_with_pyfixest(points):
    fit = pyfixest.fepois("places ~ years | counter", points)
    expected = np.expm1(fit.coef()["years"])
    assert counters.pooled_rate_poisson(points) == pytest.approx(expected, rel=1e-5)


def test_the_common_rate_does_not_depend_on_anyone_s_unit(points):
    times = points["counter"].map({"ICE": 7, "FAIR": 1, "CIS": 0.5})
    scaled = points.assign(places=times * points["places"])
    assert counters.pooled_rate(scaled) == pytest.approx(counters.pooled_rate(points), rel=1e-9)


def test_leaving_a_counter_out_gives_the_common_rate_of_the_others(points):
    without = counters.without_each(points)
    assert list(without) == ["CIS", "FAIR", "ICE"]
    others = points[points["counter"].ne("FAIR")]
    assert without["FAIR"] == counters.pooled_rate(others)


def test_the_study_s_rates_are_frozen(points):
    own = counters.own_rates(points).set_index("counter")["annual_rate"]
    # From 200 places on 2015-07-08 to 300 on 2016-01-16, 192 days later.
    assert own["CIS"] == pytest.approx(1.5 ** (365.25 / 192) - 1, rel=1e-9)
    assert own["FAIR"] == pytest.approx(0.218051, abs=5e-7)
    assert own["ICE"] == pytest.approx(0.095603, abs=5e-7)
    assert counters.pooled_rate(points) == pytest.approx(0.208898, abs=5e-7)


def test_two_counts_of_one_time_are_one_point_in_time():
    time = pd.to_datetime(["2017-02-01", "2017-02-01", "2018-02-01", "2021-02-01"])
    panel = pd.DataFrame({"counter": ["A", "A", "B", "B"], "time": time, "brief": True})
    assert counters.repeated(panel)["counter"].tolist() == ["B", "B"]
