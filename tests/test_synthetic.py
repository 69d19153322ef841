import re

import numpy as np
import pandas as pd
import pytest

from helpers import datapackage, evidence, series, synthetic

# Assumed shares of the offices in the three states that several of them divide.
DIVIDED = {
    "California": {"Los Angeles": 0.5, "San Francisco": 0.4, "San Diego": 0.1},
    "Texas": {"Houston": 0.35, "Dallas": 0.3, "San Antonio": 0.3, "El Paso": 0.05},
    "New York": {"New York City": 0.85, "Buffalo": 0.15},
}
SMALL = {"weeks": 60}


@pytest.fixture(scope="module")
def made():
    return synthetic.panel(1)


def office_of_state(ledger):
    """Office of each state that lies wholly within one area, from the notes of the facts."""
    areas = evidence.published(ledger, "aor_whole_states_or_territories")
    return {
        state.removeprefix("US "): office
        for office, note in zip(areas["aor"], areas["note"], strict=True)
        for state in re.split(r"; ", note.split(". ")[0].removeprefix("whole: "))
        if state != "none"
    }


def by_office(states, ledger):
    found = dict.fromkeys(synthetic.OFFICES, 0.0)
    whole = office_of_state(ledger)
    for state, count in states.items():
        for office, share in DIVIDED.get(state, {whole.get(state): 1}).items():
            found[office] += share * count
    return {office: 1000 * count / sum(found.values()) for office, count in found.items()}


def test_offices_are_the_areas_of_responsibility_before_harlingen_s(ledger):
    areas = evidence.published(ledger, "aor_whole_states_or_territories")
    assert set(synthetic.OFFICES) == set(areas["aor"]) - {"Harlingen"}


def test_shares_of_the_offices_are_the_published_ones_by_state(ledger, root):
    facts = evidence.published(ledger, "detainers_issued", window="2002-10-01/2015-11-30")
    states = facts[facts["place_level"].eq("state")]
    issued = dict(zip(states["jurisdiction"], states["value"].astype(float), strict=True))
    table = datapackage.load("declined_by_state_year_2007_2015", root)
    declined = table.groupby("state")["declined"].sum().to_dict()
    for position, counts in enumerate((issued, declined)):
        published = by_office(counts, ledger)
        used = {office: shares[position] for office, shares in synthetic.OFFICES.items()}
        assert used == pytest.approx(published, abs=0.501)


def test_national_counts_are_about_as_published(made, root):
    weekly = series.weekly_issued(datapackage.load("weekly_detainers", root))
    published = weekly.groupby(weekly["week_start"].dt.year)["detainers"].mean()
    frame, _ = made
    national = frame.groupby("week_start")[["issued", "declined"]].sum()
    yearly = national.groupby(national.index.year).mean()
    assert yearly.index.tolist() == [2016, 2017, 2018]
    assert yearly["issued"].to_numpy() == pytest.approx(published[yearly.index].to_numpy(), rel=0.1)
    weeks_reported_on = national.loc["2017-01-28":"2017-02-11"].mean()
    assert weeks_reported_on["issued"] == pytest.approx((3083 + 2825 + 2868) / 3, rel=0.1)
    outside_travis = (206 - 142 + 47 - 2 + 65 - 10) / 3
    assert weeks_reported_on["declined"] == pytest.approx(outside_travis, rel=0.4)


def test_a_panel_has_each_office_and_week_once_in_order(made):
    frame, truth = made
    assert frame.columns.tolist() == [
        "office",
        "week_start",
        "issued",
        "declined",
        "stopped",
        "resumed",
    ]
    assert len(frame) == len(synthetic.OFFICES) * 156 == len(truth["expected"])
    assert frame.equals(frame.sort_values(["office", "week_start"]))
    assert not frame.duplicated(["office", "week_start"]).any()
    assert (frame["week_start"].dt.day_of_week == 5).all()
    assert frame["week_start"].diff().dropna().isin(pd.to_timedelta([7, -7 * 155], "D")).all()


def test_half_of_the_offices_stop_and_resume_one_after_another(made):
    frame, _ = made
    offices = frame.groupby("office")
    resumed = offices["resumed"].first().dropna()
    assert len(resumed) == len(synthetic.OFFICES) / 2
    assert resumed.is_unique
    assert resumed.min() == pd.Timestamp("2017-02-25")
    ever = frame["resumed"].notna()
    assert offices["stopped"].any().equals(offices["resumed"].first().notna().rename("stopped"))
    first_stop = frame[frame["stopped"]].groupby("office")["week_start"].min()
    last_stop = frame[frame["stopped"]].groupby("office")["week_start"].max()
    assert (first_stop > synthetic.FIRST_WEEK).all()
    assert (last_stop + pd.Timedelta(weeks=1)).equals(resumed.rename("week_start"))
    assert not frame.loc[~ever, "stopped"].any()


def test_the_seed_decides_everything():
    first, again, other = (synthetic.panel(seed, **SMALL)[0] for seed in (5, 5, 6))
    assert first.equals(again)
    assert not first["declined"].equals(other["declined"])
    assert not first["resumed"].equals(other["resumed"])


def test_a_constant_effect_is_the_true_ratio_in_every_office_and_week():
    _, truth = synthetic.panel(2, effect=1.7, pattern="constant", **SMALL)
    assert truth["rate_ratio"] == pytest.approx(1.7)
    for by in ("by_office", "by_weeks_since"):
        assert truth[by].to_numpy() == pytest.approx(1.7)


def test_without_an_effect_nothing_changes_at_resumption():
    _, truth = synthetic.panel(2, effect=1, **SMALL)
    assert truth["rate_ratio"] == pytest.approx(1)
    assert truth["expected"] == pytest.approx(truth["untreated"])


def test_a_growing_effect_differs_by_office_and_builds_up(made):
    _, truth = made
    early = truth["by_weeks_since"].loc[[0, 10, 20, 30]]
    assert early.is_monotonic_increasing
    assert early.iloc[0] < 1.05
    assert 1.2 < truth["by_office"].min() < truth["rate_ratio"] < truth["by_office"].max() < 2.83


def test_a_delay_spreads_the_effect_over_the_weeks_after_resumption():
    options = {"effect": 2, "pattern": "constant", "shocks": 0, **SMALL}
    _, at_once = synthetic.panel(3, **options)
    _, late = synthetic.panel(3, delay=3, **options)
    assert late["by_weeks_since"].loc[0] == pytest.approx(1.25, abs=0.03)
    assert late["by_weeks_since"].loc[0:12].is_monotonic_increasing
    assert 1.7 < late["rate_ratio"] < at_once["rate_ratio"]


@pytest.mark.parametrize("options", [{}, {"pattern": "constant", "delay": 2}, {"dispersion": 4}])
def test_counts_have_the_expected_means(options):
    seeds = range(60)
    rests = []
    for seed in seeds:
        frame, truth = synthetic.panel(seed, **options, **SMALL)
        rest = frame["declined"] - truth["expected"]
        rests.append(rest.groupby([frame["stopped"], frame["resumed"].notna()]).sum())
    rests = pd.DataFrame(rests)
    error = rests.std() / np.sqrt(len(rests))
    assert (rests.mean().abs() < 4 * error).all()


@pytest.mark.parametrize("dispersion", [1, 4])
def test_counts_have_the_dispersion_asked_for(dispersion):
    frame, truth = synthetic.panel(4, dispersion=dispersion, effect=1, shocks=0)
    squares = (frame["declined"] - truth["expected"]) ** 2 / truth["expected"]
    large = truth["expected"] > 2
    assert squares[large].mean() == pytest.approx(dispersion, rel=0.15)


def test_issuing_to_known_agencies_is_the_channel_to_declinations():
    options = {"pattern": "constant", "dispersion": 1, **SMALL}
    without, with_it = (synthetic.panel(7, effect=effect, **options) for effect in (1, 5))
    frame, truth = with_it
    added = frame["issued"] - without[0]["issued"]
    issuing = frame["resumed"].notna() & ~frame["stopped"]
    assert (added[issuing] >= 0).all()
    assert not added[~issuing].any()
    gained = truth["expected"] - without[1]["expected"]
    assert 0.5 * added.sum() == pytest.approx(gained.sum(), abs=2 * np.sqrt(gained.sum()))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"effect": 0.9}, "effect = 0.9: a number from 1 on"),
        ({"dispersion": 0.5}, "dispersion = 0.5"),
        ({"shocks": -0.1}, "shocks = -0.1: a number from 0 on"),
        ({"delay": float("inf")}, "delay = inf"),
        ({"weeks": 10}, "weeks = 10: a number from 20 on"),
        ({"pattern": "sudden"}, "'sudden': allowed are constant, growing"),
    ],
)
def test_an_option_out_of_range_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        synthetic.panel(1, **options)
