import pandas as pd
import pytest

from helpers import datapackage, evidence, series, withheld


@pytest.fixture(scope="module")
def places(ledger, root):
    weekly = series.weekly_issued(datapackage.load("weekly_detainers", root))
    assumptions = datapackage.load("assumptions", root).set_index("assumption")
    table = datapackage.load("withheld_places", root)
    return withheld.places(ledger, table, weekly, assumptions)


def test_a_period_counts_both_its_ends():
    assert withheld.days("2016-01-01/2016-12-31") == 366
    assert withheld.days("2017-01-28/2017-02-03") == 7


def test_national_growth_takes_whole_weeks_only():
    weekly = pd.DataFrame(
        {
            "week_start": pd.to_datetime(["2016-01-03", "2016-01-10", "2016-12-27", "2017-01-08"]),
            "detainers": [10.0, 20.0, 1000.0, 60.0],
        }
    )
    whole = ("2016-01-01/2016-12-31", "2017-01-01/2017-12-31")
    assert withheld.national_growth(weekly, *whole) == 4
    with pytest.raises(ValueError, match="no whole week"):
        withheld.national_growth(weekly, "2015-01-01/2015-12-31", whole[1])


def test_national_growth_agrees_with_trac_over_fiscal_years(ledger, root):
    years = ("2015-10-01/2016-09-30", "2016-10-01/2017-09-30")
    first, second = (
        evidence.pick(ledger, "detainers_issued", window=year, basis="TRAC").value for year in years
    )
    weekly = series.weekly_issued(datapackage.load("weekly_detainers", root))
    found = withheld.national_growth(weekly, *years)
    assert found == pytest.approx(second / first, rel=0.03)


def test_the_places_have_their_published_rates(places):
    found = places.set_index("place")[["before", "after"]]
    assert found.loc["New York police"].tolist() == pytest.approx([7 * 80 / 366, 7 * 1526 / 365])
    assert found.loc["New York jails"].tolist() == pytest.approx([7 * 51 / 366, 7 * 536 / 365])
    assert found.loc["San Francisco"].tolist() == pytest.approx([7 * 133 / 366, 7 * 519 / 365])
    assert found.loc["Los Angeles County"].tolist() == pytest.approx(
        [7 * 1603 / 366, 7 * 2540 / 304]
    )
    assert places.loc[places["before_at_most"], "place"].tolist() == ["Miami-Dade County"]
    assert places.loc[places["declined_share"].eq(""), "place"].tolist() == ["Miami-Dade County"]


def test_the_ratio_of_ratios_is_the_place_s_growth_over_the_nation_s(places):
    rise = places["after"] / places["before"]
    assert (places["ratio_of_ratios"] * places["growth"]).tolist() == pytest.approx(rise.tolist())
    beyond = (places["after"] - places["scaled"]).clip(lower=0)
    assert places["withheld"].tolist() == pytest.approx(beyond.tolist())
    assert (places["withheld"] <= places["withheld_high"]).all()


def test_the_central_size_holds_its_value(places):
    added = places[places["declined_share"].ne("")]
    assert added["withheld"].sum() == pytest.approx(46.29014, rel=1e-6)
    assert (added["withheld"] * added["share"]).sum() == pytest.approx(26.13481, rel=1e-6)


def test_withheld_is_the_rise_beyond_growth_and_never_negative():
    made = pd.DataFrame({"before": [10.0, 10.0], "after": [25.0, 12.0]})
    assert withheld.withheld(made, 1.0).tolist() == [15, 2]
    assert withheld.withheld(made, [2.0, 1.5]).tolist() == [5, 0]


def test_a_tornado_varies_one_assumption_at_a_time():
    made = pd.DataFrame(
        {
            "place": ["a", "b"],
            "declined_share": ["issuance_declined_share_old_town", "issuance_declined_share_b"],
            "before": [10.0, 0.0],
            "after": [30.0, 4.0],
            "share": [0.5, 0.5],
            "share_low": [0.0, 0.5],
            "share_high": [1.0, 0.5],
        }
    )
    made["growth"] = 2.0
    found = withheld.tornado(made, [made["growth"] - 0.5, made["growth"] + 0.5])
    ranges = {row.assumption: (row.low, row.high) for row in found.itertuples()}
    assert ranges == {
        "the rise is resumption: all, or none": (0, 7),
        "share declined in Old Town": (2, 12),
        "share declined in B": (7, 7),
        "growth elsewhere: national, or none": (7, 12),
        "counting of overlapping weeks": (4.5, 9.5),
        "without a": (2, 7),
        "without b": (5, 7),
    }
    assert found["assumption"].iloc[0] == "share declined in Old Town"
    assert (found["high"] - found["low"]).is_monotonic_decreasing


def test_low_shares_are_what_the_figures_they_rest_on_say(ledger, root):
    shares = datapackage.load("assumptions", root).set_index("assumption")
    week_1, week_2, _ = evidence.REPORT_WEEKS
    asked = {
        "new_york": ("us-ny:new_york_city", week_2, "us-ny:new_york_city"),
        "los_angeles": (
            "us-ca:los_angeles_city_and_county_jails",
            week_1,
            "us-ca:los_angeles_county",
        ),
        "san_francisco": ("us", week_2, "us"),
    }
    for name, (declining, window, receiving) in asked.items():
        declined = evidence.pick(ledger, "detainers_declined", declining, window).value
        issued = evidence.pick(ledger, "detainers_issued", receiving, week_2).value
        row = shares.loc[f"issuance_declined_share_{name}"]
        assert row["low"] == pytest.approx(declined / issued, abs=0.005)
        assert row["value"] == pytest.approx((row["low"] + row["high"]) / 2, abs=0.006)
