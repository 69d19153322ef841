import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers import ages, bounds, censored, lifetimes, stock
from helpers import ages_figures as draw
from helpers.figures import COLOURS


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def frame(pair):
    return pd.DataFrame({"weeks": pair[0], "detainers": pair[1]})


def words(ax):
    return [text.get_text() for text in ax.texts]


def labels(ax):
    return ax.get_legend_handles_labels()[1]


def test_every_stay_of_the_invented_jail_is_a_line_and_those_present_are_coloured():
    coming = {1: 2, 10: 1}
    stays = stock.invented_stays(coming, look=15.5, shown=22)
    ways = stock.ages_by_way(coming, np.arange(0, 11, 0.5))
    above, below = draw.invented_jail(stays, 15.5, 22, ways).axes
    (lines,) = above.collections
    assert len(lines.get_segments()) == len(stays)
    grey = plt.matplotlib.colors.to_rgba(COLOURS["light"])
    coloured = [tuple(colour) != grey for colour in lines.get_colors()]
    assert coloured == stays["present"].tolist()
    assert labels(below) == ["on receipt", "at release", "whole stock in one day"]


def test_each_group_has_a_panel_with_its_counts_and_its_median(in_travis):
    groups = {group: frame(in_travis(group)) for group in ("released_by_policy", "reinstated")}
    medians = {"released_by_policy": (10.4, 8.6, 13.8), "reinstated": (10.5, 8.5, 18.5)}
    said = {group: f"{group}!" for group in groups}
    axes = draw.weeks_held(groups, medians, said, 80, 4.4).axes
    assert len(axes) == 2
    for ax, (group, rows) in zip(axes, groups.items(), strict=True):
        (steps,) = (patch for patch in ax.patches if hasattr(patch, "get_data"))
        assert steps.get_data().values.sum() == rows["detainers"].sum()
        assert medians[group][0] in [line.get_xdata()[0] for line in ax.lines]
        assert f"{group}!" in words(ax)


def test_fits_are_drawn_in_percent_and_their_gaps_in_points(in_travis):
    curve = ages.without_few(ages.cumulative(*in_travis("accepted")))
    table = censored.compare(*in_travis("accepted"), seed=1, replications=20)
    fitted = censored.cumulative_shares(table, curve["weeks"].iloc[-1])
    above, below = draw.fits(curve, fitted).axes
    drawn = {line.get_label(): line.get_ydata() for line in above.lines}
    gaps = {line.get_label(): line.get_ydata() for line in below.lines}
    for family in censored.FAMILIES:
        assert drawn[family] == pytest.approx(100 * fitted[family])
        assert gaps[family] == pytest.approx(drawn[family] - drawn["counted"])


def test_two_groups_are_told_apart_by_line_colour_and_words(in_travis):
    curves = {g: ages.cumulative(*in_travis(g)) for g in ("released_by_policy", "accepted")}
    (ax,) = draw.cumulative(curves, {group: f"{group}!" for group in curves}).axes
    lines = [line for line in ax.lines if line.get_linewidth() > 1 and len(line.get_xdata()) > 2]
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    assert lines[0].get_color() != lines[1].get_color()
    assert {"released_by_policy!", "accepted!"} <= set(words(ax))


def test_the_flow_shows_the_density_in_detainers_and_every_cohort(in_travis):
    present = in_travis("all")
    table = stock.decreasing_density(*present).merge(
        stock.surviving_interval(*present), on="weeks", how="left"
    )
    table = table.assign(surviving_two_weeks=0.5, older_in_stock=0.5)
    cohorts = pd.DataFrame(
        {"from_week": [18, 44], "to_week": [44, 70], "low": [0.26, 0.12], "high": [0.3, 0.14]}
    )
    above, below = draw.flow(table, cohorts).axes
    (density,) = above.lines
    assert density.get_ydata().sum() == pytest.approx(present[1].sum())
    assert labels(below).count("counted: still there, of those booked") == 1
    blocks = [c for c in below.collections if c.get_zorder() == 3]
    assert len(blocks) == len(cohorts)


def test_possible_shares_are_areas_and_the_county_a_line_in_the_first_week(in_travis):
    parts = pd.DataFrame({"fewest": [5], "most": [5], "lowest": [3], "highest": [900]})
    band = bounds.distribution_bounds(parts, 5, np.arange(1000))
    county = ages.cumulative(*in_travis("released_by_policy"))
    axes = draw.possible_ages([{"all places": band}, {"all places": band}], county).axes
    assert [len(ax.collections) for ax in axes] == [1, 1]
    assert [len(ax.lines) for ax in axes] == [1, 0]
    assert axes[0].lines[0].get_xdata()[1] == 7


def test_the_active_stock_marks_the_years(root):
    starts = pd.date_range("2018-01-07", periods=120, freq="W-SUN")
    weekly = pd.DataFrame({"week_start": starts, "detainers": 900.0, "still_active": 300.0})
    (ax,) = draw.active_stock(weekly, "still active: many").axes
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2019", "2020"]
    assert "still active: many" in words(ax)


def test_the_surface_marks_the_central_case_on_each_map():
    weeks = pd.DataFrame(
        {
            "week_start": pd.date_range("2018-01-07", periods=190, freq="W-SUN"),
            "detainers": 2_500.0,
        }
    )
    since, as_of = (day.date() for day in weeks["week_start"].iloc[[0, -1]])
    grid = {"since": [since], "as_of": [as_of], "shape": [0.5, 1, 2], "never_closed": [0, 0.1]}
    surface = lifetimes.life_sensitivity(weeks, 96_689, grid)
    said = {"mean_days": "mean", "median_days": "half-life"}
    axes = draw.life_surface(surface, 1.0, said).axes
    # The study's style puts titles on the left, matplotlib's own in the middle.
    titles = [ax.get_title(loc="left") or ax.get_title() for ax in axes]
    assert titles == ["mean", "half-life"]
    for ax in axes:
        (dot,) = ax.lines
        assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (1.0, 0)
