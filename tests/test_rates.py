import itertools
import math
import tracemalloc

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import rates as other

from helpers import rates

COUNT = st.integers(0, 60)
EXPOSURE = st.floats(0.1, 100)
REPORTED, ISSUED = [206, 47, 65], [3083, 2825, 2868]


def test_the_rate_ratio_is_r_s_poisson_test_on_its_own_example():
    # poisson.test(c(11, 6 + 8 + 7), c(800, 1083 + 1050 + 878)) in R; there first over second
    found = rates.rate_ratio([21, 11], [3011, 800])
    assert found.value == pytest.approx(1.971488, abs=1e-6)
    assert found.low == pytest.approx(0.8584264, abs=1e-6)
    assert found.high == pytest.approx(4.277266, abs=1e-6)
    assert found.p_value == pytest.approx(0.07967, abs=1e-5)


@given(st.tuples(COUNT, COUNT), st.tuples(EXPOSURE, EXPOSURE))
def test_the_exact_p_value_is_that_of_statsmodels(counts, exposures):
    assume(any(counts))
    expected = other.test_poisson_2indep(
        counts[1], exposures[1], counts[0], exposures[0], method="exact-cond"
    )
    found = rates.rate_ratio(counts, exposures)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6)


def test_an_end_of_the_exact_interval_is_where_the_one_sided_test_turns():
    first, second = 55, 45
    found = rates.rate_ratio([first, second], ISSUED[:2])
    for ratio, tail in ((found.low, "greater"), (found.high, "less")):
        share = ratio * ISSUED[1] / (ratio * ISSUED[1] + ISSUED[0])
        one_sided = stats.binomtest(second, first + second, share, alternative=tail)
        assert one_sided.pvalue == pytest.approx(0.025, rel=1e-6)


@given(st.tuples(COUNT, COUNT), st.tuples(EXPOSURE, EXPOSURE))
def test_swapping_the_weeks_inverts_ratio_and_interval(counts, exposures):
    assume(all(counts))
    found = rates.rate_ratio(counts, exposures)
    swapped = rates.rate_ratio(counts[::-1], exposures[::-1])
    assert swapped.value == pytest.approx(1 / found.value)
    assert swapped.low == pytest.approx(1 / found.high)
    assert swapped.high == pytest.approx(1 / found.low)
    assert swapped.p_value == pytest.approx(found.p_value, rel=1e-6)


@given(st.tuples(COUNT, COUNT), st.tuples(EXPOSURE, EXPOSURE), st.floats(0.01, 100))
def test_interval_holds_the_estimate_and_only_relative_exposure_matters(counts, exposures, factor):
    assume(any(counts))
    found = rates.rate_ratio(counts, exposures)
    assert 0 <= found.low <= found.value <= found.high
    assert 0 < found.p_value <= 1
    scaled = rates.rate_ratio(counts, [factor * exposure for exposure in exposures])
    assert scaled.value == pytest.approx(found.value)
    assert scaled.high == pytest.approx(found.high)


def test_a_count_of_zero_gives_an_open_end():
    none_before = rates.rate_ratio([0, 5], [1, 1])
    assert (none_before.value, none_before.high) == (math.inf, math.inf)
    assert 0 < none_before.low < math.inf
    none_after = rates.rate_ratio([5, 0], [1, 1])
    assert (none_after.value, none_after.low) == (0, 0)


def test_exact_intervals_cover_a_known_ratio_and_the_test_keeps_its_level():
    runs, truth = 500, 0.6
    rng = np.random.default_rng(20170203)
    counts = rng.poisson([55, 55 * truth * ISSUED[1] / ISSUED[0]], size=(runs, 2))
    found = [rates.rate_ratio(pair, ISSUED[:2]) for pair in counts]
    covered = np.mean([f.low <= truth <= f.high for f in found])
    error = math.sqrt(0.05 * 0.95 / runs)
    assert covered >= 0.95 - 3 * error
    assert np.median([f.value for f in found]) == pytest.approx(truth, rel=0.03)
    equal = rng.poisson([55, 55 * ISSUED[1] / ISSUED[0]], size=(runs, 2))
    refused = np.mean([rates.rate_ratio(pair, ISSUED[:2]).p_value < 0.05 for pair in equal])
    assert refused <= 0.05 + 3 * error


def test_dispersed_intervals_cover_when_counts_vary_four_times_as_much():
    runs, truth, dispersion = 500, 0.6, 4
    rng = np.random.default_rng(20170210)
    means = np.array([200, 200 * truth])
    counts = dispersion * rng.poisson(means / dispersion, size=(runs, 2))
    counts = counts[counts.all(axis=1)]
    exact = [rates.rate_ratio(pair, [1, 1]) for pair in counts]
    wide = [rates.dispersed_rate_ratio(pair, [1, 1], dispersion) for pair in counts]
    covered = {
        name: np.mean([f.low <= truth <= f.high for f in found])
        for name, found in (("exact", exact), ("wide", wide))
    }
    assert covered["wide"] == pytest.approx(0.95, abs=0.025)
    assert covered["exact"] < 0.75


def test_the_dispersed_ratio_with_dispersion_1_is_statsmodels_log_wald():
    found = rates.dispersed_rate_ratio([55, 45], ISSUED[:2], 1)
    low, high = other.confint_poisson_2indep(
        45, ISSUED[1], 55, ISSUED[0], method="wald-log", compare="ratio"
    )
    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize("dispersion", [1, 2, 4])
def test_the_dispersed_ratio_is_a_quasi_poisson_regression(dispersion):
    half_weeks = np.repeat(ISSUED[:2], 2) / 2
    model = sm.GLM(
        [30, 25, 20, 25],
        [[1, 0], [1, 0], [1, 1], [1, 1]],
        family=sm.families.Poisson(),
        exposure=half_weeks,
    ).fit(scale=dispersion, tol=1e-12)
    found = rates.dispersed_rate_ratio([55, 45], ISSUED[:2], dispersion)
    assert found.value == pytest.approx(math.exp(model.params[1]))
    assert (found.low, found.high) == pytest.approx(tuple(np.exp(model.conf_int()[1])))
    assert found.p_value == pytest.approx(model.pvalues[1])


@given(st.lists(st.tuples(COUNT, EXPOSURE), min_size=2, max_size=5), st.floats(1, 10))
def test_the_chi_square_is_scipy_s_and_dispersion_weakens_it(weeks, dispersion):
    counts, exposures = map(list, zip(*weeks, strict=True))
    assume(any(counts))
    expected = sum(counts) * np.array(exposures) / sum(exposures)
    found = rates.homogeneity(counts, exposures)
    assert found == pytest.approx(stats.chisquare(counts, expected, sum_check=False).pvalue)
    assert rates.homogeneity(counts, exposures, dispersion) >= found


def by_hand(counts, exposures):
    shares = np.array(exposures) / sum(exposures)
    total = sum(counts)
    law = stats.multinomial(total, shares)
    chances = [
        law.pmf(divided)
        for divided in itertools.product(range(total + 1), repeat=len(counts))
        if sum(divided) == total
    ]
    return sum(chance for chance in chances if chance <= law.pmf(counts) * (1 + 1e-7))


@pytest.mark.parametrize(
    ("counts", "exposures"),
    [
        ([3, 1, 8], [1, 1, 1]),
        ([0, 0, 5], [2, 1, 1]),
        ([4, 4, 4], [1, 2, 3]),
        ([2, 1, 0, 3], [1] * 4),
    ],
)
def test_the_exact_homogeneity_test_is_a_plain_enumeration(counts, exposures):
    assert rates.exact_homogeneity(counts, exposures) == pytest.approx(by_hand(counts, exposures))


def test_the_exact_homogeneity_test_of_the_weeks_is_scipy_s_multinomial_summed_up():
    counts, total = np.array([55, 45, 55]), 155
    first, second = np.indices((total + 1, total + 1)).reshape(2, -1)
    kept = first + second <= total
    divided = np.stack([first, second, total - first - second])[:, kept].T
    law = stats.multinomial(total, np.array(ISSUED) / sum(ISSUED))
    chances = law.pmf(divided)
    expected = chances[chances <= law.pmf(counts) * (1 + 1e-7)].sum()
    assert rates.exact_homogeneity(counts, ISSUED) == pytest.approx(expected, rel=1e-9)


def test_the_exact_homogeneity_test_needs_little_memory_for_the_published_weeks():
    tracemalloc.start()
    rates.exact_homogeneity(REPORTED, ISSUED)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # 51,040 ways to divide 318 declinations, a few numbers each at a time.
    assert peak < 5e6


@given(st.tuples(COUNT, COUNT), st.tuples(EXPOSURE, EXPOSURE))
def test_with_two_weeks_the_exact_homogeneity_test_is_the_binomial_one(counts, exposures):
    assume(any(counts))
    expected = rates.rate_ratio(counts, exposures).p_value
    assert rates.exact_homogeneity(counts, exposures) == pytest.approx(expected, rel=1e-6)


@given(st.permutations([0, 1, 2]), st.lists(st.integers(0, 15), min_size=3, max_size=3))
def test_the_order_of_weeks_does_not_matter_for_homogeneity(order, counts):
    assume(any(counts))
    exposures = [1.0, 1.5, 2.0]
    shuffled = ([counts[i] for i in order], [exposures[i] for i in order])
    for test in (rates.homogeneity, rates.exact_homogeneity):
        found = test(counts, exposures)
        assert 0 < found <= 1
        assert test(*shuffled) == pytest.approx(found)


def test_counts_in_proportion_to_exposure_are_as_likely_as_can_be():
    assert rates.homogeneity([10, 20, 30], [1, 2, 3]) == pytest.approx(1)
    assert rates.exact_homogeneity([10, 20, 30], [1, 2, 3]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("counts", "exposures", "said"),
    [
        ([0, 0], [1, 1], "not all 0"),
        ([1, -1], [1, 1], "whole numbers"),
        ([1.5, 1], [1, 1], "whole numbers"),
        ([1, 1], [1, 0], "positive"),
        ([1, 1], [1, math.inf], "positive"),
        ([1], [1], "two periods"),
        ([1, 1], [1, 1, 1], "one exposure"),
    ],
)
def test_what_is_no_count_or_no_exposure_is_refused(counts, exposures, said):
    for compare in (rates.rate_ratio, rates.homogeneity, rates.exact_homogeneity):
        with pytest.raises(ValueError, match=said):
            compare(counts, exposures)


def test_a_ratio_takes_two_weeks_and_dispersion_needs_positive_counts():
    with pytest.raises(ValueError, match="3 periods"):
        rates.rate_ratio(REPORTED, ISSUED)
    for counts, dispersion in (([0, 1], 2), ([1, 1], 0)):
        with pytest.raises(ValueError, match="positive"):
            rates.dispersed_rate_ratio(counts, [1, 1], dispersion)
