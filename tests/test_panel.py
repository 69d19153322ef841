import math

import numpy as np
import pandas as pd
import pyfixest
import pytest
import statsmodels.api as sm
from scipy import stats

from helpers import panel, synthetic

WEEKS = pd.date_range("2016-01-02", periods=20, freq="7D")
RESUMED = {"A": 8, "B": 11, "C": 14, "D": None, "E": None, "F": None}
STOPPED_FROM = 2


def small(seed, *, effect=1.5, size=8.0):
    """A panel of six offices and twenty weeks; three resume, each in a week of its own."""
    rng = np.random.default_rng(seed)
    week = np.arange(len(WEEKS))
    rows = []
    for position, (office, resumed) in enumerate(RESUMED.items()):
        level = size * (1 + position) / 3 * (1 + 0.3 * np.sin(week))
        after = resumed is not None and week >= resumed
        stopped = (week >= STOPPED_FROM) & ~after if resumed else np.zeros(len(week), dtype=bool)
        rows.append(
            pd.DataFrame(
                {
                    "office": office,
                    "week_start": WEEKS,
                    "issued": 100,
                    "declined": rng.poisson(np.where(after, effect, 1) * level),
                    "stopped": stopped,
                    "resumed": pd.NaT if resumed is None else WEEKS[resumed],
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def used(frame):
    """Rows that the estimators use, with the weeks since resumption."""
    since = (frame["week_start"] - frame["resumed"]).dt.days // 7
    kept = frame["stopped"] | frame["resumed"].isna() | (since >= 0)
    return frame.assign(since=since, treated=(since >= 0).astype(float))[kept]


def glm(rows, columns, offset=None):
    """Coefficients of a Poisson regression with dummies of offices and weeks, by statsmodels."""
    dummies = pd.get_dummies(rows[["office", "week_start"]].astype(str)).astype(float)
    first_week = f"week_start_{rows['week_start'].min():%Y-%m-%d}"
    design = pd.concat([columns, dummies.drop(columns=first_week)], axis=1)
    model = sm.GLM(rows["declined"], design, family=sm.families.Poisson(), offset=offset)
    return model.fit(tol=1e-13, maxiter=100), design


def imputed_by_statsmodels(frame):
    rows = used(frame)
    untreated = rows[rows["treated"].eq(0)]
    fitted, design = glm(untreated, pd.DataFrame(index=untreated.index))
    after = rows[rows["treated"].eq(1)]
    dummies = pd.get_dummies(after[["office", "week_start"]].astype(str)).astype(float)
    expected = fitted.predict(dummies.reindex(columns=design.columns, fill_value=0))
    return after["declined"].sum() / expected.sum()


def jackknife(frame, estimate):
    """Interval and p-value of a ratio, office by office, the obvious way."""
    offices = frame["office"].unique()
    whole = math.log(estimate(frame))
    parts = [math.log(estimate(frame[frame["office"].ne(office)])) for office in offices]
    count = len(offices)
    error = math.sqrt((count - 1) / count * sum((part - whole) ** 2 for part in parts))
    reach = stats.t.ppf(0.975, count - 1) * error
    p_value = 2 * stats.t.sf(abs(whole) / error, count - 1)
    return [math.exp(whole), math.exp(whole - reach), math.exp(whole + reach), p_value]


def as_list(ratio):
    return [ratio.value, ratio.low, ratio.high, ratio.p_value]


@pytest.fixture(scope="module")
def made():
    return synthetic.panel(1)


@pytest.fixture(scope="module")
def limit(made):
    """The panel with expected declinations in place of the counts: what endless data would show."""
    frame, truth = made
    return frame.assign(declined=truth["expected"])


# Against other implementations


def test_two_way_is_statsmodels_poisson_regression_with_a_jackknife_over_offices():
    frame = small(1)

    def estimate(part):
        rows = used(part)
        return math.exp(glm(rows, rows[["treated"]])[0].params["treated"])

    assert as_list(panel.two_way(panel.cells(frame))) == pytest.approx(
        jackknife(frame, estimate), rel=1e-7
    )


def test_imputed_is_a_regression_without_treated_weeks_with_a_jackknife_over_offices():
    frame = small(2)
    assert as_list(panel.imputed(panel.cells(frame))) == pytest.approx(
        jackknife(frame, imputed_by_statsmodels), rel=1e-7
    )


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of pandas, to pyfixest
def test_two_way_and_its_error_are_those_of_pyfixest(made):
    frame, _ = made
    found = panel.two_way(panel.cells(frame))
    model = pyfixest.fepois(
        "declined ~ treated | office + week_start",
        used(frame),
        vcov={"CRV3": "office"},
        ssc=pyfixest.ssc(k_adj=False, G_adj=False),
        iwls_tol=1e-12,
    )
    assert math.log(found.value) == pytest.approx(model.coef()["treated"], abs=1e-8)
    offices = frame["office"].nunique()
    error = math.log(found.high / found.value) / stats.t.ppf(0.975, offices - 1)
    # pyfixest leaves the jackknife's factor (G - 1) / G to its small-sample correction.
    expected = model.se()["treated"] * math.sqrt((offices - 1) / offices)
    assert error == pytest.approx(expected, rel=1e-6)


def test_imputed_is_wooldridge_s_regression_with_an_effect_for_each_treated_office_and_week():
    frame = small(3)
    rows = used(frame)
    cell = (rows["office"] + rows["week_start"].astype(str)).where(rows["treated"].eq(1))
    fitted, design = glm(rows, pd.get_dummies(cell).astype(float))
    after = rows["treated"].eq(1)
    without = design.loc[after].copy()
    without.loc[:, without.columns.isin(cell.dropna())] = 0
    ratio = rows.loc[after, "declined"].sum() / fitted.predict(without).sum()
    assert panel.imputed(panel.cells(frame)).value == pytest.approx(ratio, rel=1e-6)


def test_ratios_before_resumption_are_coefficients_of_statsmodels():
    frame = small(4)
    rows = used(frame)
    rows = rows[rows["treated"].eq(0)]
    spans = {first: rows["since"].between(first, first + 1).astype(float) for first in (-4, -2)}
    fitted, _ = glm(rows, pd.DataFrame(spans))
    found = panel.event_study(panel.cells(frame), before=4, after=6, width=2).ratios
    assert found["first"].tolist() == [-4, -2, 0, 2, 4]
    assert found["value"].iloc[:2].to_numpy() == pytest.approx(
        np.exp(fitted.params[[-4, -2]]).to_numpy(), rel=1e-7
    )


def test_per_issued_is_a_regression_with_an_offset():
    frame = small(5)
    frame["issued"] = np.random.default_rng(5).integers(50, 150, size=len(frame))
    rows = used(frame)
    fitted, _ = glm(rows, rows[["treated"]], offset=np.log(rows["issued"]))
    found = panel.two_way(panel.cells(frame, per_issued=True))
    assert found.value == pytest.approx(math.exp(fitted.params["treated"]), rel=1e-7)


# Known truths


def test_with_endless_data_imputed_finds_the_true_mean_effect_and_two_way_does_not(made, limit):
    _, truth = made
    cells = panel.cells(limit)
    assert panel.imputed(cells).value == pytest.approx(truth["rate_ratio"], rel=1e-9)
    assert math.log(panel.two_way(cells).value) < 0.97 * math.log(truth["rate_ratio"])


def test_without_offices_that_never_stopped_two_way_misses_more(made, limit):
    _, truth = made
    rows = limit["resumed"].notna()
    cells = panel.cells(limit[rows])
    offices, weeks = np.unique(limit.loc[rows, "office"]), cells.treated.shape[1]
    expected, untreated = (
        truth[name][rows].reshape(len(offices), weeks)[cells.treated].sum()
        for name in ("expected", "untreated")
    )
    true = expected / untreated
    assert panel.imputed(cells).value == pytest.approx(true, rel=1e-9)
    assert math.log(panel.two_way(cells).value) < 0.8 * math.log(true)


@pytest.mark.parametrize("per_issued", [False, True])
def test_an_effect_of_one_size_is_found_by_both(per_issued):
    frame, truth = synthetic.panel(3, pattern="constant", effect=1.6)
    cells = panel.cells(
        frame.assign(declined=truth["expected"], issued=1000), per_issued=per_issued
    )
    for estimate in (panel.two_way, panel.imputed):
        assert estimate(cells).value == pytest.approx(1.6, rel=1e-9)


def test_per_issued_finds_no_effect_where_declinations_only_follow_issuing():
    frame, truth = synthetic.panel(3, pattern="constant", effect=1.6)
    following = frame.assign(issued=50 * truth["expected"], declined=truth["expected"])
    assert panel.imputed(panel.cells(following)).value == pytest.approx(1.6)
    assert panel.imputed(panel.cells(following, per_issued=True)).value == pytest.approx(1)


def test_over_many_panels_imputed_is_unbiased_and_two_way_is_not():
    misses = []
    for seed in range(50):
        frame, truth = synthetic.panel(seed, effect=3)
        cells = panel.cells(frame)
        found = [estimate(cells).value for estimate in (panel.imputed, panel.two_way)]
        misses.append(np.log(found) - math.log(truth["rate_ratio"]))
    mean, error = np.mean(misses, axis=0), np.std(misses, axis=0) / math.sqrt(len(misses))
    assert abs(mean[0]) < 3 * error[0]
    assert mean[1] < -10 * error[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "covers"),
    [
        ({"effect": 1, "pattern": "constant"}, (0.95, 0.95)),
        ({"effect": 2, "pattern": "constant"}, (0.95, 0.95)),
        ({"effect": 3}, (0.95, 1)),
        ({"effect": 2, "dispersion": 4}, (0.95, 1)),
    ],
)
def test_intervals_of_imputed_cover(options, covers):
    runs = 400
    covered = []
    for seed in range(runs):
        frame, truth = synthetic.panel(seed, **options)
        found = panel.imputed(panel.cells(frame))
        covered.append(found.low <= truth["rate_ratio"] <= found.high)
    error = 3 * math.sqrt(0.05 * 0.95 / runs)
    assert covers[0] - error <= np.mean(covered) <= covers[1] + error


def test_the_event_study_follows_a_growing_effect_and_is_1_before_resumption(made, limit):
    frame, truth = made
    found = panel.event_study(panel.cells(limit))
    since = (frame["week_start"] - frame["resumed"]).dt.days // 7
    for row in found.ratios.to_dict("records"):
        rows = since.between(row["first"], row["last"])
        sums = [truth[name][rows].sum() for name in ("expected", "untreated")]
        true = sums[0] / sums[1] if row["first"] >= 0 else 1
        assert row["value"] == pytest.approx(true, rel=1e-8)


def test_the_band_is_wider_than_the_intervals_and_both_hold_the_estimate(made):
    found = panel.event_study(panel.cells(made[0])).ratios
    order = ["band_low", "low", "value", "high", "band_high"]
    assert (found[order].diff(axis=1).iloc[:, 1:] > 0).all(axis=None)
    reach = {name: np.log(found[f"{name}high"] / found["value"]) for name in ("", "band_")}
    factor = stats.t.isf(0.025 / len(found), 23) / stats.t.isf(0.025, 23)
    assert (reach["band_"] / reach[""]).to_numpy() == pytest.approx(factor)


def test_a_trend_before_resumption_is_seen(made):
    frame, _ = made
    since = (frame["week_start"] - frame["resumed"]).dt.days // 7
    rising = frame["declined"] * np.where(since.between(-16, -1), 3, 1)
    assert panel.event_study(panel.cells(frame)).pre_trend_p_value > 0.05
    assert panel.event_study(panel.cells(frame.assign(declined=rising))).pre_trend_p_value < 0.001


def test_a_placebo_finds_nothing(made, limit):
    frame, _ = made
    for estimate in (panel.imputed, panel.two_way):
        assert estimate(panel.cells(panel.placebo(limit))).value == pytest.approx(1, rel=1e-9)
        found = estimate(panel.cells(panel.placebo(frame)))
        assert found.low < 1 < found.high


def test_a_placebo_moves_resumption_and_ends_before_the_true_one():
    moved = panel.placebo(small(1), weeks=4)
    office = moved[moved["office"].eq("B")]
    assert office["resumed"].unique() == [WEEKS[7]]
    assert office["week_start"].max() == WEEKS[10]
    assert office.loc[office["stopped"], "week_start"].tolist() == list(WEEKS[2:7])
    assert len(moved[moved["office"].eq("D")]) == len(WEEKS)


# Reading a panel


def test_cells_tell_stop_from_resumption_and_leave_the_weeks_before_a_stop_out():
    cells = panel.cells(small(1))
    assert cells.untreated[1].nonzero()[0].tolist() == list(range(2, 11))
    assert cells.treated[1].nonzero()[0].tolist() == list(range(11, 20))
    assert cells.since[1].tolist() == list(range(-11, 9))
    assert cells.untreated[3].all()
    assert not cells.treated[3].any()
    assert np.isnan(cells.since[3]).all()


def test_the_order_of_rows_does_not_matter(made):
    frame, _ = made
    shuffled = frame.sample(frac=1, random_state=1)
    assert panel.imputed(panel.cells(shuffled)) == panel.imputed(panel.cells(frame))


def test_a_missing_week_is_as_one_not_used():
    frame = small(6)
    cells = panel.cells(frame.drop(index=[25, 70]))
    assert not (cells.untreated | cells.treated)[1, 5]
    assert not (cells.untreated | cells.treated)[3, 10]
    without = jackknife(frame.drop(index=[25, 70]), imputed_by_statsmodels)
    assert as_list(panel.imputed(cells)) == pytest.approx(without, rel=1e-7)


def test_an_office_without_declinations_is_left_out():
    frame = small(7)
    with_empty = pd.concat([frame, frame[frame["office"].eq("D")].assign(office="G", declined=0)])
    assert panel.imputed(panel.cells(with_empty)) == panel.imputed(panel.cells(frame))


def test_weeks_that_one_office_tells_the_level_of_are_left_out():
    cells = panel.cells(small(1).query("office not in ['E', 'F']"))
    assert cells.treated[0].nonzero()[0].tolist() == list(range(8, 14))
    assert not cells.treated[2].any()
    assert not cells.untreated[:, 14:].any()


def test_settling_leaves_the_first_weeks_of_a_stop_out_and_undoes_the_bias_of_a_delay():
    assert panel.cells(small(1), settling=3).untreated[0].nonzero()[0].tolist() == [5, 6, 7]
    frame, truth = synthetic.panel(3, delay=3)
    late = frame.assign(declined=truth["expected"])
    at_once, settled = (
        panel.imputed(panel.cells(late, settling=settling)).value for settling in (0, 16)
    )
    assert at_once < 0.99 * truth["rate_ratio"]
    assert settled == pytest.approx(truth["rate_ratio"], rel=2e-3)


def changed(column, value, office="A", week=5):
    frame = small(1).astype({"declined": float})
    rows = frame["office"].eq(office) & frame["week_start"].eq(WEEKS[week])
    frame.loc[rows, column] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (small(1).drop(columns="resumed"), "lacks the column 'resumed': first day of the first"),
        (small(1).astype({"week_start": str}), "'week_start' holds str, not dates"),
        (small(1).astype({"stopped": int}), "'stopped' holds int64, not true and false"),
        (changed("week_start", WEEKS[5] + pd.Timedelta(days=1)), "begins on another day: A"),
        (pd.concat([small(1), small(1)]), "a week twice: A, week from 2016-01-02"),
        (changed("declined", -1), "missing or below 0: A, week from 2016-02-06"),
        (changed("declined", np.nan), "missing or below 0: A, week from 2016-02-06"),
        (changed("resumed", WEEKS[9]), "two weeks of resumption: A"),
        (changed("stopped", True, week=15), "a week of stop after it resumed: A"),
        (small(1).assign(stopped=False), "no week of stop before it resumed: A"),
        (small(1).query("office not in ['A', 'B']"), "two offices that resumed"),
        (small(1).query("office in ['A', 'B']"), "two others had stopped"),
    ],
)
def test_what_is_no_panel_is_refused(frame, said):
    with pytest.raises(ValueError, match=said):
        panel.cells(frame)


def test_a_span_without_declinations_is_refused():
    frame = small(1)
    late = frame["week_start"] >= WEEKS[18]
    empty = frame.assign(declined=frame["declined"].where(~late | frame["resumed"].isna(), 0))
    with pytest.raises(ValueError, match="widen it"):
        panel.event_study(panel.cells(empty), before=2, after=12, width=2)


@pytest.mark.parametrize(("before", "after"), [(0, 40), (24, 4), (20, 40), (24, 44)])
def test_weeks_that_are_no_multiples_of_a_span_are_refused(made, before, after):
    with pytest.raises(ValueError, match="multiples of 8 are needed"):
        panel.event_study(panel.cells(made[0]), before=before, after=after)


# Frozen


def test_estimates_of_a_seed_stay(made):
    cells = panel.cells(made[0])
    assert as_list(panel.imputed(cells)) == pytest.approx(
        [1.37474832, 1.14277761, 1.65380641, 0.00165495631], rel=1e-7
    )
    assert as_list(panel.two_way(cells)) == pytest.approx(
        [1.33340592, 1.09037594, 1.63060398, 0.00704802813], rel=1e-7
    )
    assert panel.event_study(cells).pre_trend_p_value == pytest.approx(0.963115104, rel=1e-7)
