import numpy as np
import pandas as pd
import pytest

from helpers import combination_results as of_steps
from helpers import coverage, datapackage, interrupted, issuance, rates, series, withheld
from helpers import interrupted_results as of_issuing
from helpers import issuance_results as of_weeks
from helpers import withheld_results as of_places
from helpers.results import Results

CHOSEN = {"exclude_travis": True, "apply_withdrawals": True, "reattribute_state_jail": False}
ORDER, MEMORANDUM = pd.Timestamp(2017, 1, 25), pd.Timestamp(2017, 2, 20)
DATES = ["fact:B005", "fact:B010"]


@pytest.fixture
def results():
    return Results("03_issuance_policy")


@pytest.fixture(scope="module")
def records(ledger):
    return issuance.report_records(ledger)


@pytest.fixture(scope="module")
def weeks(records):
    return issuance.report_weeks(records)


@pytest.fixture(scope="module")
def table(weeks):
    found = issuance.all_steps(weeks, weeks["issued"])
    return found.assign(chosen=found["steps"].eq(issuance.in_words(**CHOSEN)))


@pytest.fixture(scope="module")
def weekly(root):
    return series.weekly_issued(datapackage.load("weekly_detainers", root))


@pytest.fixture(scope="module")
def national(weekly):
    return series.weekly_periods(weekly).query("'2015-01-01' <= start <= '2017-12-24'")


def interval(results, name):
    found = results.get(name)
    return found["interval"], found["level"]


def test_what_was_published_is_put_by_week_and_part_with_its_facts(results, records, weeks, ledger):
    of_weeks.put_weeks(results, records, weeks)
    assert [results.value(f"issuance.declined.week_{week}") for week in (1, 2, 3)] == [206, 47, 65]
    assert results.value("issuance.parts.week_1.county") == 128
    assert results.value("issuance.week_1.outside_travis") == 64
    assert results.value("issuance.travis.share_week_1") == 142 / 206
    assert results.get("issuance.issued.week_3")["caveat"] == of_weeks.ONE_SOURCE
    assert results.get("issuance.issued.week_1")["caveat"] is None
    facts = {f"fact:{fact}" for fact in ledger.facts["fact_id"]}
    for name in ("issuance.issued.week_1", "issuance.parts.week_1.withdrawn"):
        inputs = set(results.get(name)["inputs"])
        assert inputs <= facts | {of_weeks.POLICY}
        assert len(inputs) > 1


def test_the_fall_is_made_of_three_parts(results, records, weeks):
    of_weeks.put_fall(results, records, weeks)
    parts = [results.value(f"issuance.fall.{part}") for part in ("travis", "withdrawn", "other")]
    assert sum(parts) == results.value("issuance.raw.fall") == 159
    assert results.value("issuance.fall.other_share") == parts[2] / 159
    assert results.value("issuance.raw.expected_week_2") == pytest.approx(206 * 2825 / 3083)


def test_a_comparison_puts_the_tests_of_the_counts_given(results, records, weeks):
    counts, issued = [55, 45, 55], weeks["issued"]
    of_weeks.put_comparison(
        results, "issuance.adjusted", records, weeks, counts,
        parts=of_weeks.PARTS, method="chosen", steps=of_weeks.OF_STEPS, caveat="once",
    )  # fmt: skip
    two = rates.rate_ratio(counts[:2], issued[:2])
    assert results.value("issuance.adjusted.rate_ratio") == two.value
    assert interval(results, "issuance.adjusted.rate_ratio") == ([two.low, two.high], 0.95)
    assert results.value("issuance.adjusted.p_value") == two.p_value
    chi_square = rates.homogeneity(counts, issued)
    assert results.value("issuance.adjusted.homogeneity_p_value") == chi_square
    assert results.value("issuance.adjusted.rate_week_2") == 1000 * 45 / 2825
    for name, first, estimator in (
        ("p_value", "once", "rate_ratio"),
        ("homogeneity_p_value", of_weeks.ONE_SOURCE, "homogeneity"),
    ):
        said = results.get(f"issuance.adjusted.{name}")["caveat"].splitlines()
        assert said == [first, coverage.caveat(estimator)]
    assert set(of_weeks.OF_STEPS) <= set(results.get("issuance.adjusted.rate_ratio")["inputs"])


def test_every_combination_is_put_and_those_below_5_percent_are_counted(results, records, table):
    of_steps.put_combinations(results, records, table)
    for row in table.itertuples():
        name = f"issuance.combinations.{of_weeks.slug(row.steps)}"
        assert results.value(f"{name}.ratio") == row.ratio
        assert results.value(f"{name}.exact_p_value_3_weeks") == row.homogeneity_exact
    prefix = "issuance.combinations.below_5_percent"
    assert results.value(f"{prefix}_two_weeks") == 5
    assert results.value(f"{prefix}_two_weeks_without_travis") == 1
    assert results.value("issuance.combinations.with_travis_distinct") == 2


def test_other_models_are_put_for_the_raw_and_the_chosen_counts(results, records, weeks, table):
    equal = issuance.all_steps(weeks, np.ones(3))
    dispersions = {"value": 2.0, "high": 4.0}
    wider = {
        end: issuance.all_steps(weeks, weeks["issued"], factor)
        for end, factor in dispersions.items()
    }
    of_steps.put_other_models(results, records, table, equal, wider, dispersions)
    expected = rates.rate_ratio([55, 45], [1, 1]).p_value
    assert results.value("issuance.adjusted.p_value_equal_weeks") == expected
    expected = rates.dispersed_rate_ratio([206, 47], [3083, 2825], 4).p_value
    assert results.value("issuance.raw.p_value_dispersed") == pytest.approx(expected)
    equal_inputs = results.get("issuance.raw.p_value_equal_weeks")["inputs"]
    issued = issuance.inputs(records, ["issued"], [1])[0]
    assert issued not in equal_inputs
    assert results.value("issuance.combinations.below_5_percent_dispersed_high") == 4


def test_the_days_to_the_memoranda_are_counted_from_the_last_week(results, ledger):
    of_weeks.put_timing(results, issuance.timeline(ledger), DATES)
    assert results.value("issuance.timing.weeks_before_memoranda") == 3
    assert results.value("issuance.timing.days_to_memoranda") == 3


def test_the_size_has_a_range_and_no_level(results, ledger, root, weekly):
    assumptions = datapackage.load("assumptions", root).set_index("assumption")
    table = datapackage.load("withheld_places", root)
    places = withheld.places(ledger, table, weekly, assumptions)
    added = places[places["declined_share"].ne("")]
    ranges = withheld.tornado(added, [added["growth"]])
    of_places.put_places(results, places)
    of_places.put_size(results, places, ranges)
    of_places.put_new_york(results, ledger, places)
    for name in ("issuance.withheld_per_week", "issuance.declinations_avoided_per_week"):
        (low, high), level = interval(results, name)
        assert level is None
        assert low == 0
        assert low < results.value(name) < high
        assert "no national upper bound" in results.get(name)["caveat"]
    miami = results.get("issuance.places.miami_dade_county.earlier")
    assert miami["interval"] == [None, miami["value"]]
    ratio = results.get("issuance.places.miami_dade_county.ratio_of_ratios")
    assert ratio["interval"] == [ratio["value"], None]
    assert results.value("issuance.new_york.mean_2017") == pytest.approx(7 * (1526 + 536) / 365)


def test_steps_are_put_as_chosen_and_under_other_models(results, national):
    terms = interrupted.terms(national, [ORDER, MEMORANDUM])
    chosen = interrupted.fit(national["count"], terms)
    of_issuing.put_steps(results, chosen, DATES)
    other = {"by Newey": interrupted.newey_west(national["count"], terms)}
    of_issuing.put_variants(results, other, DATES)
    step = chosen.ratio("step_2")
    assert interval(results, "issuance.national.step_at_memoranda") == ([step.low, step.high], 0.95)
    found = results.get("issuance.national.variants.by_newey.memoranda")
    assert found["value"] == pytest.approx(step.value)
    assert found["interval"] != [step.low, step.high]
    assert results.value("issuance.national.dispersion") > 20


def test_the_reports_three_weeks_are_set_beside_the_series(results, national, records, weeks):
    of_issuing.put_three_weeks(results, national, weeks, records)
    found = results.value("issuance.national.three_weeks")
    reported = results.value("issuance.national.three_weeks_reported")
    assert reported == 3083 + 2825 + 2868
    assert found == pytest.approx(reported, rel=0.01)


def test_ranks_are_put_for_all_placebo_dates_and_for_those_before(results, national):
    terms = interrupted.terms(national, [ORDER, MEMORANDUM])
    fitted = interrupted.fit(national["count"], terms)
    others = pd.DataFrame(
        {
            "date": pd.to_datetime(["2012-01-04", "2013-01-02", "2020-01-01"]),
            "step_1": [0.1, -0.6, 0.9],
            "step_2": [0.2, 0.0, 0.001],
        }
    )
    of_issuing.put_placebos(results, fitted, others, ORDER, DATES)
    assert results.value("issuance.national.larger_than_order") == 2
    assert results.value("issuance.national.placebo_p_order") == 3 / 4
    assert results.value("issuance.national.placebo_p_order_before") == 2 / 3
    assert results.value("issuance.national.larger_than_memoranda_before") == 1
    assert results.value("issuance.national.placebos_before") == 2


def test_fitting_dates_are_those_that_the_profile_calls_compatible(results):
    profile = pd.DataFrame(
        {
            "date": pd.to_datetime(["2017-01-01", "2017-01-08", "2017-01-15"]),
            "loss": [9.0, 0.0, 1.0],
            "compatible": [False, True, True],
        }
    )
    of_issuing.put_dates(results, profile, DATES)
    assert results.value("issuance.national.first_fitting_date") == "8 January 2017"
    assert results.value("issuance.national.last_fitting_date") == "15 January 2017"


def test_levels_and_months_of_travis_county_are_put(results, root):
    months = series.monthly_periods(
        series.travis_months(datapackage.load("travis_monthly_2006_2016", root))
    )
    breaks = [pd.Timestamp(2009, 9, 1), pd.Timestamp(2015, 1, 1)]
    terms = interrupted.terms(months, breaks, trend=False, holidays=False)
    of_issuing.put_levels(results, breaks, {"plain": interrupted.fit(months["count"], terms)})
    of_issuing.put_months(results, months)
    assert results.value("issuance.travis.breaks") == "September 2009 and January 2015"
    assert results.value("issuance.travis.plain.ratio_1") > 10
    assert results.value("issuance.travis.bookings_in_peak_year") == 2681
    assert results.value("issuance.travis.bookings_in_last_whole_year") == 243
    assert results.value("issuance.travis.bookings_in_lowest_month") == 5
    assert results.value("issuance.travis.bookings_in_highest_month_after") == 61


def test_means_are_of_whole_weeks_before_between_and_after_the_dates(results):
    start = pd.Series(pd.date_range("2016-10-02", "2017-06-25", freq="7D"))
    weeks = pd.DataFrame({"start": start, "end": start + pd.Timedelta(days=7)})
    weeks["count"] = np.where(weeks["end"] <= ORDER, 1.0, 50.0)
    weeks.loc[weeks["start"].between("2017-01-26", "2017-02-13"), "count"] = 2.0
    weeks.loc[weeks["start"] > "2017-02-21", "count"] = [3.0] * 13 + [99.0] * 5
    memoranda = pd.Series([MEMORANDUM, MEMORANDUM + pd.Timedelta(days=1)])
    of_issuing.put_means(results, weeks, ORDER, memoranda, DATES)
    means = [results.value(f"issuance.national.{name}") for name in of_issuing.PERIODS]
    assert means == [1, 2, 3]
