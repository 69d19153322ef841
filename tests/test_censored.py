import math
import warnings

import numpy as np
import pandas as pd
import pytest
import surpyval
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from helpers import ages, censored

SCIPY = {
    "exponential": lambda scale: stats.expon(scale=scale),
    "Weibull": lambda scale, shape: stats.weibull_min(shape, scale=scale),
    "log-normal": lambda scale, sigma: stats.lognorm(sigma, scale=scale),
    "gamma": lambda scale, shape: stats.gamma(shape, scale=scale),
}
TRUTH = {
    "exponential": [15.0],
    "Weibull": [12.0, 0.7],
    "log-normal": [9.0, 1.1],
    "gamma": [7.0, 2.5],
}
every_family = pytest.mark.parametrize("family", censored.FAMILIES)
every_group = pytest.mark.parametrize("group", ages.GROUPS)

spread_counts = st.dictionaries(st.integers(0, 90), st.integers(1, 30), min_size=3, max_size=25)


def simulated(family, size, seed, samples=1):
    """Weeks from 0, and counts of times drawn from the family's true distribution."""
    times = SCIPY[family](*TRUTH[family]).rvs((samples, size), random_state=seed)
    held = np.floor(times).astype(int)
    counts = np.array([np.bincount(row, minlength=held.max() + 1) for row in held])
    return np.arange(counts.shape[1]), counts


@every_family
def test_standard_forms_are_those_of_scipy(family):
    form, time = censored.FAMILIES[family], np.array([0.01, 0.5, 1, 3, 20])
    shapes = TRUTH[family][1:]
    known = SCIPY[family](1, *shapes)
    assert form.shapes == len(shapes)
    assert form.surviving(time, *shapes) == pytest.approx(known.sf(time), rel=1e-12)
    assert form.density(time, *shapes) == pytest.approx(known.pdf(time), rel=1e-12)
    assert form.median(*shapes) == pytest.approx(known.median(), rel=1e-12)


@every_family
def test_shares_of_weeks_are_those_of_scipy_and_add_up_to_one(family):
    known = SCIPY[family](*TRUTH[family])
    found = censored.expected_shares(np.array(TRUTH[family]), family, 60)
    assert found[:-1] == pytest.approx(np.diff(known.cdf(np.arange(61))), rel=1e-9)
    assert found[-1] == pytest.approx(known.sf(60), rel=1e-9)
    assert found.sum() == pytest.approx(1, abs=1e-12)


@given(spread_counts)
def test_exponential_maximum_has_its_closed_form(tally):
    # Whole weeks of an exponential time are geometric: the share that goes on is mean / (1 + mean).
    weeks, counts = np.array(list(tally)), np.array(list(tally.values()))
    mean = weeks @ counts / counts.sum()
    found = censored.fit(weeks, counts, "exponential")
    assert found.parameters[0] == pytest.approx(1 / math.log(1 + 1 / mean), rel=1e-7)


@every_group
@every_family
def test_fits_are_those_of_scipy_on_censored_data(in_travis, group, family):
    weeks, counts = in_travis(group)
    lower = np.repeat(weeks, counts).astype(float)
    data = stats.CensoredData(interval=np.column_stack([lower, lower + 1]))
    name = {"exponential": "expon", "Weibull": "weibull_min", "log-normal": "lognorm"}
    *shapes, _, scale = getattr(stats, name.get(family, family)).fit(data, floc=0)
    found = censored.fit(weeks, counts, family)
    # scipy's simplex search stops at 1e-4 of the parameters.
    assert found.parameters == pytest.approx([scale, *shapes], rel=2e-4)
    known = SCIPY[family](scale, *shapes)
    reached = np.log(known.cdf(lower + 1) - known.cdf(lower)).sum()
    assert found.log_likelihood == pytest.approx(reached, abs=1e-4)
    assert found.log_likelihood >= reached - 1e-9


@every_family
def test_fits_are_those_of_surpyval(in_travis, family):
    weeks, counts = in_travis("released_by_policy")
    ends = np.column_stack([weeks, weeks + 1]).astype(float)
    model = getattr(surpyval, {"log-normal": "LogNormal"}.get(family, family.capitalize()))
    theirs = model.fit(x=ends, c=np.full(len(weeks), 2), n=counts)
    ours = censored.fit(weeks, counts, family)
    assert ours.log_likelihood == pytest.approx(-theirs.neg_ll(), abs=1e-6)
    assert ours.median == pytest.approx(theirs.qf(0.5), rel=1e-5)


@pytest.mark.parametrize("family", ["Weibull", "log-normal", "gamma"])
@settings(max_examples=20)
@given(tally=spread_counts)
@example(tally={4: 1, 5: 1, 6: 1})
@example(tally={0: 1, 1: 1, 9: 27})
@example(tally={0: 300, 85: 1, 86: 1})
@example(tally={0: 1, 5: 1, 6: 28})
@example(tally={0: 1, 39: 21, 46: 28})
def test_no_parameters_nearby_are_likelier(family, tally):
    assume(max(tally) - min(tally) > 1)
    weeks, counts = np.array(list(tally)), np.array(list(tally.values()))
    found = censored.fit(weeks, counts, family)

    def against(theta):
        known = SCIPY[family](*np.exp(theta))
        early = known.cdf(weeks + 1) - known.cdf(weeks)
        late = known.sf(weeks) - known.sf(weeks + 1)
        share = np.where(known.cdf(weeks + 1) < 0.5, early, late)
        return -counts @ np.log(np.maximum(share, 1e-300))

    best = np.log(found.parameters)
    assert -against(best) == pytest.approx(found.log_likelihood, rel=1e-6)
    search = optimize.minimize(against, best, method="Nelder-Mead", options={"maxiter": 120})
    assert found.log_likelihood >= -search.fun - 1e-5


@every_family
def test_parameters_are_recovered_from_many_times(family):
    weeks, counts = simulated(family, size=4_000, seed=12, samples=40)
    found = np.log(censored.fit(weeks, counts, family).parameters)
    error = found.std(axis=0, ddof=1) / math.sqrt(40)
    assert (np.abs(found.mean(axis=0) - np.log(TRUTH[family])) < 4 * error).all()


@every_family
def test_many_samples_are_fitted_as_each_alone(family):
    weeks, counts = simulated(family, size=120, seed=5, samples=6)
    together = censored.fit(weeks, counts, family)
    assert together.parameters.shape == (6, len(TRUTH[family]))
    for row, one in enumerate(counts):
        alone = censored.fit(weeks, one, family)
        assert together.parameters[row] == pytest.approx(alone.parameters, rel=1e-6)
        assert together.log_likelihood[row] == pytest.approx(alone.log_likelihood, abs=1e-8)
        assert together.aic[row] == pytest.approx(2 * len(TRUTH[family]) - 2 * alone.log_likelihood)
        assert together.median[row] == pytest.approx(
            SCIPY[family](*alone.parameters).median(), rel=1e-6
        )


@pytest.mark.parametrize(
    ("family", "weeks"),
    [("exponential", [0]), ("Weibull", [7]), ("gamma", [4, 5]), ("log-normal", [0, 1])],
)
def test_times_in_too_few_weeks_are_refused(family, weeks):
    with pytest.raises(ValueError, match="too few weeks"):
        censored.fit(weeks, [9] * len(weeks), family)


def test_an_unknown_family_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'normal': allowed are exponential, Weibull"):
        censored.fit([0, 5], [1, 1], "normal")


def test_fits_warn_of_nothing(in_travis):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        censored.compare(*in_travis("accepted"), seed=1, replications=50)


@given(st.floats(5.1, 300), st.floats(0.3, 60))
def test_classes_hold_five_expected_each_and_every_week(size, scale):
    expected = size * censored.expected_shares(np.array([scale]), "exponential", 80)
    starts = censored._classes(expected)
    assert starts[0] == 0
    assert np.diff(starts).min(initial=1) >= 1
    assert np.add.reduceat(expected, starts).min() >= 5 - 1e-9


def test_g_is_that_of_scipy_on_the_pooled_weeks(in_travis):
    weeks, counts = in_travis("released_by_policy")
    found = censored.fit(weeks, counts, "exponential")
    tally = np.append(ages.by_week(weeks, counts), 0)
    expected = 180 * censored.expected_shares(found.parameters, "exponential", len(tally) - 1)
    starts = censored._classes(expected)
    pooled = [np.add.reduceat(of, starts) for of in (tally, expected)]
    known = stats.power_divergence(*pooled, lambda_="log-likelihood").statistic
    g, _ = censored.goodness(weeks, counts, "exponential", seed=1, replications=10)
    assert g == pytest.approx(known)


def test_goodness_rejects_a_true_family_as_often_as_it_says_and_a_false_one_often():
    weeks, counts = simulated("exponential", size=150, seed=21, samples=150)
    true = [
        censored.goodness(weeks, one, "exponential", seed, 99)[1] for seed, one in enumerate(counts)
    ]
    false = [
        censored.goodness(weeks, one, "log-normal", seed, 99)[1]
        for seed, one in enumerate(counts[:40])
    ]
    assert np.mean(np.array(true) <= 0.1) == pytest.approx(0.1, abs=3 * math.sqrt(0.09 / 150))
    assert np.mean(true) == pytest.approx(0.5, abs=3 / math.sqrt(12 * 150))
    assert np.mean(np.array(false) <= 0.1) > 0.6


def test_goodness_agrees_with_chi_square_where_classes_are_fitted():
    # With one week a class, the fit is to the classes and the statistic is chi-square.
    weeks, counts = np.arange(6), np.array([60, 42, 33, 20, 15, 9])
    found = censored.fit(weeks, counts, "exponential").parameters
    expected = counts.sum() * censored.expected_shares(found, "exponential", 6)
    assert len(censored._classes(expected)) == 7
    g, p_value = censored.goodness(weeks, counts, "exponential", seed=3, replications=1_999)
    assert p_value == pytest.approx(stats.chi2.sf(g, 5), abs=0.05)


def test_compare_orders_by_aic_and_counts_the_winners(in_travis):
    table = censored.compare(*in_travis("released_by_policy"), seed=4, replications=200)
    assert set(table["family"]) == set(censored.FAMILIES)
    assert table["aic"].is_monotonic_increasing
    assert table["behind"].iloc[0] == 0
    assert table["best_share"].sum() == pytest.approx(1)
    assert table["low"].lt(table["median"]).all()
    assert table["high"].gt(table["median"]).all()
    again = censored.compare(*in_travis("released_by_policy"), seed=4, replications=200)
    pd.testing.assert_frame_equal(table, again)


def test_cumulative_shares_are_those_of_each_fit(in_travis):
    table = censored.compare(*in_travis("accepted"), seed=4, replications=20)
    found = censored.cumulative_shares(table, 40)
    assert found.shape == (41, 4)
    for row in table.itertuples():
        fitted = [x for x in (row.scale, row.shape) if np.isfinite(x)]
        known = SCIPY[row.family](*fitted).cdf(np.arange(41))
        assert found[row.family].to_numpy() == pytest.approx(known)


def test_compare_finds_the_family_that_made_the_times():
    for family in ("Weibull", "log-normal", "gamma"):
        weeks, counts = simulated(family, size=3_000, seed=31)
        table = censored.compare(weeks, counts[0], seed=1, replications=20)
        assert table["family"].iloc[0] == family


def test_bootstrap_interval_of_the_exponential_median_covers():
    truth = 15 * math.log(2)
    weeks, counts = simulated("exponential", size=180, seed=41, samples=200)
    covered = 0
    for seed, one in enumerate(counts):
        samples = ages.resampled(one, seed, 300)
        low, high = ages.percentile_interval(censored.fit(weeks, samples, "exponential").median)
        covered += low <= truth <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_the_best_is_named_with_all_within_two():
    table = pd.DataFrame({"family": ["gamma", "Weibull", "exponential"], "behind": [0, 2.0, 2.1]})
    assert censored.best(table) == "gamma; within 2 of its AIC: Weibull"
    assert censored.best(table[:1]) == "gamma; within 2 of its AIC: none"


def test_travis_fits_hold_their_frozen_values(in_travis):
    table = censored.compare(*in_travis("released_by_policy"), 20170201).set_index("family")
    assert censored.best(table.reset_index()) == "exponential; within 2 of its AIC: gamma, Weibull"
    frozen = {
        "exponential": (1335.896491, 10.366390, 9.037290, 11.712117),
        "gamma": (1336.517623, 9.866687, 8.147716, 11.525869),
        "Weibull": (1337.465430, 10.037366, 8.205798, 11.810314),
        "log-normal": (1373.825524, 8.253745, 6.696588, 9.783143),
    }
    for family, values in frozen.items():
        assert tuple(table.loc[family, ["aic", "median", "low", "high"]]) == pytest.approx(
            values, rel=1e-6
        )
    assert table["p_value"].to_dict() == pytest.approx(
        {"exponential": 0.533, "gamma": 0.739, "Weibull": 0.524, "log-normal": 0.001}, abs=2e-3
    )


def test_medians_split_the_fitted_distribution(in_travis):
    for family in censored.FAMILIES:
        found = censored.fit(*in_travis("accepted"), family)
        known = SCIPY[family](*found.parameters)
        below, _ = integrate.quad(known.pdf, 0, float(found.median))
        assert below == pytest.approx(0.5, abs=1e-6)
