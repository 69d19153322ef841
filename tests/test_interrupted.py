import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize, signal, stats

from helpers import datapackage, interrupted, series

ORDER, MEMORANDUM = pd.Timestamp(2017, 1, 25), pd.Timestamp(2017, 2, 20)
DATES = [ORDER, MEMORANDUM]
TRUTH = {
    "constant": math.log(1800),
    "step_1": math.log(1.4),
    "step_2": math.log(1.1),
    "trend": 0.05,
    "slope": -0.04,
    "sine_1": 0.02,
    "cosine_1": -0.03,
    "sine_2": 0.01,
    "cosine_2": 0.01,
    "holidays": -0.1,
}


def weekly(first, last):
    """Weeks from a Sunday to a Sunday, without counts."""
    start = pd.Series(pd.date_range(first, last, freq="7D", unit="us"))
    return pd.DataFrame({"start": start, "end": start + pd.Timedelta(days=7)})


WEEKS = weekly("2015-01-04", "2017-12-24")
TERMS = interrupted.terms(WEEKS, DATES)
MEANS = np.exp(TERMS @ pd.Series(TRUTH)).to_numpy()


def negative_binomial(rng, means, dispersion, correlation=0.0):
    """Counts with a variance of about dispersion times the mean, by a Gaussian copula."""
    noise = rng.normal(size=len(means) + 100) * math.sqrt(1 - correlation**2)
    normal = signal.lfilter([1], [1, -correlation], noise)[100:]
    size = np.mean(means) / (dispersion - 1)
    return stats.nbinom.ppf(stats.norm.cdf(normal), size, size / (size + means))


@pytest.fixture(scope="module")
def history(root):
    return series.weekly_periods(series.weekly_issued(datapackage.load("weekly_detainers", root)))


@pytest.fixture(scope="module")
def national(history):
    return history[history["start"].between("2015-01-01", "2017-12-25")]


@pytest.fixture(scope="module")
def travis(root):
    months = series.travis_months(datapackage.load("travis_monthly_2006_2016", root))
    return series.monthly_periods(months)


# Terms


def test_a_week_that_holds_a_date_belongs_to_the_step_by_its_days_from_the_date_on():
    found = TERMS.set_index(WEEKS["start"])
    assert found.loc["2017-01-15":"2017-02-05", "step_1"].tolist() == [0, 4 / 7, 1, 1]
    assert found.loc["2017-02-12":"2017-02-26", "step_2"].tolist() == [0, 6 / 7, 1]


def test_trend_is_in_years_from_the_first_date_and_the_slope_starts_there():
    found = TERMS.set_index(WEEKS["start"])
    assert found["trend"].diff().iloc[1:].to_numpy() == pytest.approx(7 / 365.25)
    middle = pd.Timestamp(2017, 1, 29) + pd.Timedelta(days=3.5)
    years = (middle - ORDER) / pd.Timedelta(days=365.25)
    assert found.loc["2017-01-29", "trend"] == pytest.approx(years)
    assert found.loc[:"2017-01-15", "slope"].eq(0).all()
    after = found.loc["2017-01-29":]
    assert after["slope"].tolist() == after["trend"].tolist()


def test_the_season_comes_back_every_year_and_holidays_are_counted_by_week():
    found = TERMS.set_index(WEEKS["start"])
    for wave in ("sine_1", "cosine_2"):
        assert found.loc["2015-06-07", wave] == pytest.approx(
            found.loc["2017-06-04", wave], abs=0.1
        )
    assert found.loc["2015-11-22", "holidays"] == 1
    assert found.loc["2015-11-29", "holidays"] == 0
    assert found["holidays"].sum() == 29  # ten a year, but for the first New Year's Day


def test_terms_can_be_left_out():
    bare = interrupted.terms(WEEKS, DATES, trend=False, harmonics=0, holidays=False)
    assert list(bare) == ["constant", "step_1", "step_2"]
    assert list(interrupted.terms(WEEKS, [], harmonics=1, trend=False)) == [
        "constant", "sine_1", "cosine_1", "holidays",
    ]  # fmt: skip


# Fits


def test_steps_dispersion_and_correlation_planted_in_negative_binomial_series_are_recovered():
    rng = np.random.default_rng(20170125)
    runs, dispersion, correlation = 200, 20, 0.4
    counts = [negative_binomial(rng, MEANS, dispersion, correlation) for _ in range(runs)]
    fits = [interrupted.fit(seen, TERMS) for seen in counts]
    for term in ("step_1", "step_2", "slope"):
        found = np.array([fitted.estimates[term] for fitted in fits])
        assert found.mean() == pytest.approx(TRUTH[term], abs=4 * found.std() / math.sqrt(runs))
        errors = [math.sqrt(fitted.covariance.at[term, term]) for fitted in fits]
        assert np.mean(errors) == pytest.approx(found.std(), rel=0.15)
        ratios = [fitted.ratio(term) for fitted in fits]
        covered = np.mean([r.low <= math.exp(TRUTH[term]) <= r.high for r in ratios])
        assert covered == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / runs))
    assert np.mean([fitted.correlation for fitted in fits]) == pytest.approx(correlation, abs=0.04)
    # The copula keeps the dispersion at the mean of the series, and lets it grow with the mean.
    assert np.mean([fitted.dispersion for fitted in fits]) == pytest.approx(dispersion, rel=0.15)


def test_newey_west_errors_are_too_small_for_two_steps_a_month_apart():
    rng = np.random.default_rng(20170220)
    runs = 100
    counts = [negative_binomial(rng, MEANS, 20, 0.4) for _ in range(runs)]
    ratios = [interrupted.newey_west(seen, TERMS).ratio("step_2") for seen in counts]
    covered = np.mean([r.low <= math.exp(TRUTH["step_2"]) <= r.high for r in ratios])
    assert covered < 0.88


def test_without_correlation_the_errors_are_those_of_quasi_poisson():
    counts = negative_binomial(np.random.default_rng(3), MEANS, 20)
    maker_only = interrupted.fit(counts, TERMS)
    quasi = sm.GLM(counts, TERMS, family=sm.families.Poisson()).fit(scale="X2")
    assert maker_only.correlation == pytest.approx(0, abs=0.2)
    assert maker_only.dispersion == pytest.approx(quasi.scale, rel=0.02)
    assert maker_only.estimates.to_numpy() == pytest.approx(quasi.params.to_numpy())
    error = np.sqrt(np.diag(maker_only.covariance))
    assert error == pytest.approx(quasi.bse.to_numpy(), rel=0.25)


def test_estimates_solve_the_poisson_likelihood_found_by_scipy():
    counts = negative_binomial(np.random.default_rng(4), MEANS, 20)
    matrix = TERMS.to_numpy()

    def loss(values):
        return np.exp(matrix @ values).sum() - counts @ matrix @ values

    found = interrupted.fit(counts, TERMS)
    start = found.estimates.to_numpy() + 0.01
    scipy = optimize.minimize(
        loss,
        start,
        jac=lambda values: matrix.T @ (np.exp(matrix @ values) - counts),
        method="BFGS",
        options={"gtol": 1e-3},
    )
    assert found.estimates.to_numpy() == pytest.approx(scipy.x, abs=1e-5)
    assert found.means.to_numpy() == pytest.approx(np.exp(matrix @ found.estimates))


def test_newey_west_errors_are_the_textbook_double_sum():
    counts = negative_binomial(np.random.default_rng(5), MEANS, 20, 0.4)
    found = interrupted.newey_west(counts, TERMS, lags=3)
    matrix, means = TERMS.to_numpy(), found.means.to_numpy()
    scores = matrix * (counts - means)[:, None]
    meat = scores.T @ scores
    for lag in (1, 2, 3):
        cross = scores[lag:].T @ scores[:-lag]
        meat += (1 - lag / 4) * (cross + cross.T)
    bread = np.linalg.inv(matrix.T @ (matrix * means[:, None]))
    n, k = matrix.shape
    expected = n / (n - k) * bread @ meat @ bread
    assert found.covariance.to_numpy() == pytest.approx(expected, rel=1e-6, abs=1e-12)
    assert found.dispersion == interrupted.fit(counts, TERMS).dispersion


def test_the_negative_binomial_is_the_likeliest_by_scipy_and_statsmodels():
    counts = negative_binomial(np.random.default_rng(6), MEANS, 20)
    alpha = interrupted.negative_binomial_alpha(counts, TERMS)
    found = interrupted.fit(counts, TERMS, alpha)
    whole = sm.NegativeBinomial(counts, TERMS).fit(disp=0, maxiter=500)
    assert found.estimates.to_numpy() == pytest.approx(whole.params.to_numpy()[:-1], abs=1e-5)
    means = found.means.to_numpy()

    def loss(a):
        return -stats.nbinom.logpmf(counts, 1 / a, 1 / (1 + a * means)).sum()

    scipy = optimize.minimize_scalar(loss, bounds=(alpha / 3, 3 * alpha), method="bounded")
    assert alpha == pytest.approx(scipy.x, rel=1e-3)
    assert found.dispersion == pytest.approx(1, abs=0.35)


def test_a_step_that_is_detectable_is_found_as_often_as_promised():
    counts = negative_binomial(np.random.default_rng(7), MEANS, 20)
    found = interrupted.fit(counts, TERMS)
    error = math.sqrt(found.covariance.at["step_2", "step_2"])
    step = math.log(found.detectable("step_2"))
    beyond = stats.t.isf(0.025, found.degrees)
    assert stats.norm.sf(beyond - step / error) == pytest.approx(0.8)


def test_what_is_projected_without_steps_is_what_was_fitted_before_them():
    counts = negative_binomial(np.random.default_rng(8), MEANS, 20)
    found = interrupted.fit(counts, TERMS)
    projected = interrupted.projected(found, TERMS, ["step_1", "step_2", "slope"])
    before = WEEKS["end"] <= ORDER
    assert projected.loc[before, "mean"].tolist() == pytest.approx(found.means[before].tolist())
    last = TERMS.index[-1]
    lifted = found.estimates["step_1"] + found.estimates["step_2"]
    lifted += found.estimates["slope"] * TERMS.at[last, "slope"]
    assert found.means[last] == pytest.approx(projected.at[last, "mean"] * math.exp(lifted))
    assert (projected["low"] < projected["mean"]).all()
    assert (projected["mean"] < projected["high"]).all()
    # The error of a log mean, by the delta method written out for one row.
    row = TERMS.iloc[0].to_numpy()
    error = math.sqrt(row @ found.covariance.to_numpy() @ row)
    reach = stats.t.isf(0.025, found.degrees) * error
    assert projected.at[0, "high"] == pytest.approx(projected.at[0, "mean"] * math.exp(reach))


# Dates


def test_the_profile_is_lowest_at_the_planted_date():
    truth = pd.Series(TRUTH) * pd.Series(TRUTH).index.isin(["constant", "step_1", "trend"])
    means = np.exp(TERMS @ truth).to_numpy()
    seen = WEEKS.assign(count=negative_binomial(np.random.default_rng(9), means, 20))
    candidates = [ORDER + pd.Timedelta(weeks=n) for n in range(-20, 21)]
    found = interrupted.profile(seen, candidates).set_index("date")
    assert abs(found["loss"].idxmin() - ORDER) <= pd.Timedelta(weeks=1)
    assert found.at[ORDER, "compatible"]
    assert found["compatible"].sum() < 8


def test_placebo_windows_are_of_one_length_and_hold_no_true_date(history):
    window = WEEKS["start"].iloc[0], WEEKS["end"].iloc[-1]
    found = interrupted.placebos(history, DATES, window)
    lead, rest = ORDER - window[0], window[1] - ORDER
    assert ((found["date"] + rest <= ORDER) | (found["date"] - lead >= MEMORANDUM)).all()
    assert (found["date"] - lead >= history["start"].min()).all()
    assert (found["date"] + rest <= history["end"].max()).all()
    assert ((found["date"] - ORDER).dt.days % 7 == 0).all()
    assert len(found) == 623


def test_a_placebo_step_is_what_the_model_gives_in_its_window(history):
    window = WEEKS["start"].iloc[0], WEEKS["end"].iloc[-1]
    found = interrupted.placebos(history, DATES, window).set_index("date")
    move = pd.Timedelta(weeks=-200)
    first, last = (day + move for day in window)
    inside = history[history["start"].ge(first) & history["end"].le(last)]
    alone = interrupted.fit(
        inside["count"], interrupted.terms(inside, [date + move for date in DATES])
    )
    moved = found.loc[ORDER + move]
    assert moved["step_1"] == pytest.approx(alone.estimates["step_1"], rel=1e-6)
    assert moved["step_2"] == pytest.approx(alone.estimates["step_2"], rel=1e-6)


def test_the_rank_counts_the_true_step_and_both_signs():
    assert interrupted.placebo_p(0.5, [0.1, -0.7, 0.5, 0.2]) == 3 / 5
    assert interrupted.placebo_p(-0.9, [0.1, -0.7, 0.5, 0.2]) == 1 / 5


def test_the_rank_is_a_p_value_when_the_true_date_is_like_the_others():
    rng = np.random.default_rng(10)
    p_values = [interrupted.placebo_p(steps[0], steps[1:]) for steps in rng.normal(size=(2000, 40))]
    for level in (0.05, 0.2, 0.5):
        error = math.sqrt(level * (1 - level) / 2000)
        assert np.mean(np.array(p_values) <= level) == pytest.approx(level, abs=4 * error)


# Breaks


def test_planted_breaks_are_found_and_a_flat_series_has_none():
    rng = np.random.default_rng(11)
    levels = np.repeat([10.0, 200.0, 80.0, 25.0], 30)
    found = interrupted.breaks(negative_binomial(rng, levels, 6, 0.3))
    assert np.abs(np.array(found) - [30, 60, 90]).max() <= 3
    flat = [
        interrupted.breaks(negative_binomial(rng, np.full(120, 60.0), 6, 0.3)) for _ in range(10)
    ]
    assert sum(map(bool, flat)) <= 1


def test_one_break_is_where_a_plain_search_finds_it():
    rng = np.random.default_rng(12)
    counts = negative_binomial(rng, np.repeat([60.0, 120.0], [25, 35]), 5)
    stable = np.sqrt(counts + 3 / 8)
    plain = min(
        range(12, 49), key=lambda at: stable[:at].var() * at + stable[at:].var() * (60 - at)
    )
    assert interrupted.breaks(counts, most=1) == [plain]


def test_a_series_too_short_for_two_levels_has_no_break():
    assert interrupted.breaks([1.0] * 10 + [100.0] * 9, shortest=12) == []


# The study's series


def test_travis_county_s_levels_change_in_2009_in_2012_and_at_the_end_of_2014(travis):
    positions = interrupted.breaks(travis["count"])
    months = travis["start"].iloc[positions]
    assert months.dt.strftime("%Y-%m").tolist() == ["2009-09", "2012-04", "2015-01"]
    of_terms = interrupted.terms(travis, list(months), trend=False, holidays=False)
    found = interrupted.fit(travis["count"], of_terms)
    ratios = [found.ratio(f"step_{number}").value for number in (1, 2, 3)]
    assert ratios == pytest.approx([37.95842, 0.3952813, 0.3177833], rel=1e-6)


def test_the_national_steps_hold_their_value(national):
    found = interrupted.fit(national["count"], interrupted.terms(national, DATES))
    order, memoranda = found.ratio("step_1"), found.ratio("step_2")
    assert order.value == pytest.approx(1.554603, rel=1e-5)
    assert (order.low, order.high) == pytest.approx((1.289542, 1.874148), rel=1e-5)
    assert memoranda.value == pytest.approx(1.014444, rel=1e-5)
    assert (memoranda.low, memoranda.high) == pytest.approx((0.840164, 1.224876), rel=1e-5)
    assert found.dispersion == pytest.approx(26.86816, rel=1e-5)
    assert found.correlation == pytest.approx(0.480180, rel=1e-4)


@pytest.mark.parametrize("term", ["step_1", "step_2", "slope"])
def test_the_interval_whose_level_is_one_less_the_p_value_ends_at_1(term):
    found = interrupted.fit(negative_binomial(np.random.default_rng(7), MEANS, 20), TERMS)
    ratio = found.ratio(term, 1 - found.ratio(term).p_value)
    assert min(abs(ratio.low - 1), abs(ratio.high - 1)) < 1e-9


def test_errors_of_a_negative_binomial_fit_are_those_of_its_own_variance():
    counts = negative_binomial(np.random.default_rng(6), MEANS, 20)
    alpha = 19 / MEANS.mean()
    found = interrupted.fit(counts, TERMS, alpha)
    family = sm.families.NegativeBinomial(alpha=alpha)
    errors = sm.GLM(counts, TERMS, family=family).fit().bse * math.sqrt(found.dispersion)
    # These counts are independent; the correlation found in them by chance moves errors a little.
    assert abs(found.correlation) < 0.15
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(errors.to_numpy(), rel=0.15)


def test_a_holiday_on_the_first_of_a_month_is_of_that_month_alone():
    months = series.monthly_periods(
        pd.DataFrame({"month": pd.date_range("2015-12-01", periods=3, freq="MS"), "detainers": 1})
    )
    found = interrupted.terms(months, [], trend=False, harmonics=0)
    # Christmas; New Year and the third Monday of January; the third Monday of February.
    assert found["holidays"].tolist() == [1, 2, 1]


def test_dates_are_compatible_up_to_the_chi_square_quantile_of_one_degree():
    truth = pd.Series(TRUTH) * pd.Series(TRUTH).index.isin(["constant", "step_1", "trend"])
    means = np.exp(TERMS @ truth).to_numpy()
    seen = WEEKS.assign(count=negative_binomial(np.random.default_rng(9), means, 20))
    days = pd.date_range(ORDER - pd.Timedelta(days=7), ORDER + pd.Timedelta(days=7))
    found = interrupted.profile(seen, list(days))
    just_beyond = found[found["loss"].between(3.842, 5.99)]  # 5.99: of two degrees
    assert len(just_beyond)
    assert not just_beyond["compatible"].any()
    assert found[found["loss"] < 3.841]["compatible"].all()


def test_a_break_is_kept_where_it_explains_more_than_three_long_run_variances_times_log_n():
    noise = negative_binomial(np.random.default_rng(13), np.full(60, 60.0), 5) - 60

    def explained(counts):
        stable = 2 * np.sqrt(counts + 3 / 8)
        about = [
            np.append(stable[:at] - stable[:at].mean(), stable[at:] - stable[at:].mean())
            for at in range(12, 49)
        ]
        rest = min(about, key=lambda each: each @ each)
        carried = rest[1:] @ rest[:-1] / (rest @ rest)
        long_run = rest @ rest / 58 * (1 + carried) / (1 - carried)
        return (60 * stable.var() - rest @ rest) / (long_run * math.log(60))

    series_of = [noise + np.repeat([60.0, 60.0 + rise], 30) for rise in range(0, 40, 2)]
    ratios = np.array([explained(counts) for counts in series_of])
    assert {2, 3} <= set(ratios.astype(int))
    assert [bool(interrupted.breaks(counts, most=1)) for counts in series_of] == list(ratios > 3)
