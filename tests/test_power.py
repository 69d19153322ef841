import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import rates as other

from helpers import panel, power, rates


def by_enumeration(first, second, level=0.05):
    total = 0.0
    for a in range(34):
        for b in range(34):
            if a + b and rates.rate_ratio([a, b], [1, 1]).p_value <= level:
                total += stats.poisson.pmf(a, first) * stats.poisson.pmf(b, second)
    return total


@pytest.mark.parametrize(("first", "second"), [(4, 11), (9, 4)])
def test_the_exact_power_is_a_plain_enumeration(first, second):
    assert power.exact_power(first, second) == pytest.approx(by_enumeration(first, second))


def test_the_exact_power_is_near_that_of_the_normal_approximation():
    approximate = other.power_poisson_ratio_2indep(
        60, 40, 1, value=1, alternative="two-sided", return_results=False
    )
    assert power.exact_power(40, 60) == pytest.approx(approximate, abs=0.06)


def test_the_power_against_equal_means_is_at_most_the_level():
    for mean in (3, 10, 47, 500):
        assert power.exact_power(mean, mean) <= 0.05
    assert power.exact_power(500, 500) > 0.04


@pytest.mark.parametrize("dispersion", [1, 2, 4])
def test_the_detectable_fall_and_rise_have_the_power_asked_for(dispersion):
    fall, rise = power.two_weeks(47, dispersion)
    assert fall < 1 < rise
    for ratio in (fall, rise):
        batches = 47 / dispersion
        assert power.exact_power(batches, ratio * batches) == pytest.approx(0.8)


def test_counts_in_batches_are_tested_as_smaller_counts():
    assert power.two_weeks(40, 4) == pytest.approx(power.two_weeks(10))
    rng = np.random.default_rng(8)
    _, rise = power.two_weeks(47, 2)
    counts = 2 * rng.poisson([47 / 2, rise * 47 / 2], size=(20_000, 2))
    assert counts.var(axis=0) / counts.mean(axis=0) == pytest.approx(2, rel=0.05)
    total = counts.sum(axis=1) // 2
    edge = stats.binom.cdf(counts.min(axis=1) // 2, total, 0.5)
    assert (2 * edge <= 0.05).mean() == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / 20_000))


def test_more_declinations_show_weaker_changes_and_dispersion_hides_them():
    rises = [power.two_weeks(count)[1] for count in (20, 47, 200)]
    assert rises == sorted(rises, reverse=True)
    dispersed = [power.two_weeks(47, dispersion)[1] for dispersion in (1, 2, 4)]
    assert dispersed == sorted(dispersed)


def test_half_of_the_offices_of_the_design_resume_one_after_another():
    untreated, treated = power.staggered(6, 40)
    assert treated.argmax(axis=1).tolist() == [10, 20, 30, 0, 0, 0]
    assert treated.sum(axis=1).tolist() == [30, 20, 10, 0, 0, 0]
    assert (untreated ^ treated).all()


def test_more_offices_and_weeks_show_weaker_effects():
    found = np.array(
        [
            [power.panel(2.0, *power.staggered(offices, weeks)) for weeks in (26, 52, 104)]
            for offices in (6, 12, 24)
        ]
    )
    assert (np.diff(found, axis=0) < 0).all()
    assert (np.diff(found, axis=1) < 0).all()


def test_detectable_effects_stay():
    assert power.two_weeks(47, 1) == pytest.approx((0.4878005, 1.6860891), rel=1e-6)
    assert power.two_weeks(47, 4) == pytest.approx((0.1215816, 2.5970251), rel=1e-6)
    assert power.panel(2.0, *power.staggered(24, 104), 2) == pytest.approx(1.2551053, rel=1e-6)


def test_twice_the_dispersion_is_as_half_of_the_declinations():
    design = power.staggered(12, 52)
    assert power.panel(2.0, *design, 2) == pytest.approx(power.panel(1.0, *design, 1))


def drawn(rng, means, dispersion):
    return rng.poisson(rng.gamma(means / (dispersion - 1), dispersion - 1)).astype(float)


def test_the_variance_behind_the_approximation_is_that_of_simulated_estimates():
    untreated, treated = power.staggered(12, 40)
    rng = np.random.default_rng(9)
    means = np.outer(np.linspace(1, 6, 12), 1 + 0.3 * np.sin(np.arange(40)))
    logs = []
    for _ in range(300):
        counts = drawn(rng, np.where(treated, 1.5, 1) * means, 2)
        since = np.where(treated, 0.0, np.nan)
        cells = panel.Cells(counts, np.ones_like(means), untreated, treated, since)
        logs.append(math.log(panel.imputed(cells).value))
    after = (means * treated).sum()
    variance = 2 * (1 / (1.5 * after) + power.level_variance(means, untreated, treated))
    assert np.var(logs) == pytest.approx(variance, rel=4 * math.sqrt(2 / 300))


@pytest.mark.slow
@pytest.mark.parametrize(("offices", "weeks"), [(6, 52), (12, 52), (24, 26), (24, 104)])
def test_the_detectable_effect_is_shown_in_four_of_five_simulated_panels(offices, weeks):
    design = power.staggered(offices, weeks)
    ratio = power.panel(2.0, *design, 2)
    rng = np.random.default_rng(10)
    shown = []
    for _ in range(1000):
        counts = drawn(rng, np.where(design[1], 2 * ratio, 2.0), 2)
        since = np.where(design[1], 0.0, np.nan)
        cells = panel.Cells(counts, np.ones_like(counts), *design, since)
        shown.append(panel.imputed(cells).p_value < 0.05)
    # The approximation is good to some points; with six offices it is at its worst.
    assert np.mean(shown) == pytest.approx(0.8, abs=0.1 if offices == 6 else 0.05)


@pytest.mark.parametrize(
    ("compute", "said"),
    [
        (lambda: power.two_weeks(0), "expected 0, .*a positive count"),
        (lambda: power.two_weeks(47, 0.5), "dispersion 0.5"),
        (lambda: power.two_weeks(47, power=0.04), "power 0.04"),
        (lambda: power.two_weeks(5), "not even a fall to nothing"),
        (lambda: power.panel(2.0, *power.staggered(2, 20)), "two offices that resumed and two"),
        (lambda: power.panel(0.001, *power.staggered(6, 13)), "thousandfold"),
    ],
)
def test_what_cannot_be_computed_is_refused(compute, said):
    with pytest.raises(ValueError, match=said):
        compute()
