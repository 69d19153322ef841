"""The figures of the study of ages, drawn from its tables."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import ages, figures
from helpers.figures import COLOURS

TINTS = dict(zip(ages.GROUPS, ("blue", "sky", "purple", "orange", "grey"), strict=True))
"""Colour of each group of Travis County's detainers."""

_FAMILIES = {
    "exponential": ("-", "blue"),
    "Weibull": ("--", "green"),
    "log-normal": (":", "red"),
    "gamma": ("-.", "orange"),
}
_WAYS = {"on_receipt": (":", "grey"), "at_release": ("--", "orange"), "whole_stock": ("-", "blue")}
_AGES = {1: "1 day", 7: "1 week", 30: "1 month", 91: "3 months", 365: "1 year", 1826: "5 years"}
_LOW = {"facecolor": "white", "edgecolor": "none", "pad": 1}


def invented_jail(stays: pd.DataFrame, look: float, shown: float, ways: pd.DataFrame) -> Figure:
    """Draw an invented jail: each stay as a line, and ages by the way of declining.

    Parameters
    ----------
    stays, look
        As from, and in, `helpers.stock.invented_stays`.
    shown
        End of the time axis in weeks.
    ways
        As from `helpers.stock.ages_by_way`.
    """
    fig, (above, below) = figures.new(5.4, nrows=2, height_ratios=[1.25, 1])
    of_stay = np.where(stays["stays"] == stays["stays"].max(), COLOURS["blue"], COLOURS["orange"])
    colours = np.where(stays["present"], of_stay, COLOURS["light"])
    above.hlines(stays.index, stays["comes"], stays["leaves"], colours, linewidth=2)
    above.axvline(look, color=COLOURS["ink"], linewidth=1.2)
    above.text(look + 0.2, 1, "the day we look", va="bottom")
    above.set(xlim=(0, shown), xticks=range(0, int(shown), 5), yticks=[], ylabel="one line a stay")
    above.set_xlabel("week; in colour: present on the day (blue: long stays)")
    for way, (style, colour) in _WAYS.items():
        label = "whole stock in one day" if way == "whole_stock" else way.replace("_", " ")
        below.plot(ways["weeks"], ways[way], style, color=COLOURS[colour], label=label)
    below.legend(title="detainers declined", frameon=False, loc="upper right", alignment="left")
    below.set(xlim=(0, ways["weeks"].max()), ylim=(-0.02, 1.02), ylabel="share that is older")
    below.yaxis.set_major_formatter("{x:.0%}")
    below.set_xlabel("age in weeks, if each detainer is issued on the day of booking")
    return fig


def weeks_held(
    groups: Mapping[str, pd.DataFrame],
    medians: Mapping[str, tuple[float, float, float]],
    said: Mapping[str, str],
    last: int,
    divide: float,
) -> Figure:
    """Draw detainers by completed weeks since booking, a panel a group.

    Parameters
    ----------
    groups
        By group, as from `helpers.ages.travis_group`.
    medians
        By group: median, and low and high end of its interval.
    said
        What stands in each panel.
    last
        End of the axis in weeks.
    divide
        Weeks back to the first day of 2017, marked in each panel.
    """
    height = 1.0 + 1.3 * len(groups)
    fig, axes = figures.new(height, nrows=len(groups), sharex=True, squeeze=False)
    for ax, (group, rows) in zip(axes[:, 0], groups.items(), strict=True):
        median, low, high = medians[group]
        top = rows["detainers"].max() * 1.7
        counts = ages.by_week(rows["weeks"], rows["detainers"])
        ax.stairs(counts, fill=True, color=COLOURS[TINTS[group]])
        ax.fill_between([low, high], top, color=COLOURS["light"], alpha=0.5, zorder=0, lw=0)
        ax.axvline(median, color=COLOURS["ink"])
        ax.axvline(divide, color=COLOURS["red"], linestyle="--", linewidth=1.5)
        ax.set(ylim=(0, top), ylabel="detainers")
        at_corner = {"transform": ax.transAxes, "ha": "right", "va": "top"}
        ax.text(0.985, 0.9, said[group], bbox=_LOW, **at_corner)
        ax.yaxis.get_major_locator().set_params(integer=True)
    first = axes[0, 0]
    height = first.get_ylim()[1] * 0.4
    first.annotate(
        "booked in 2017 to the left,\nearlier to the right",
        (divide, height),
        (0.33 * last, height),
        color=COLOURS["red"],
        va="center",
        arrowprops={"arrowstyle": "-", "color": COLOURS["red"]},
    )
    axes[-1, 0].set(xlim=(0, last), xlabel="completed weeks from booking to 1 February 2017")
    return fig


def fits(curve: pd.DataFrame, fitted: pd.DataFrame) -> Figure:
    """Draw fitted distributions against the counted one, and what lies between them.

    Parameters
    ----------
    curve
        As from `helpers.ages.cumulative`.
    fitted
        As from `helpers.censored.cumulative_shares`, of the same weeks.
    """
    fig, (above, below) = figures.new(5.4, nrows=2, sharex=True, height_ratios=[1.2, 1])
    weeks = curve["weeks"]
    for ax, minus in ((above, 0), (below, curve["share"])):
        band = [100 * (curve[end] - minus) for end in ("band_low", "band_high")]
        shade = {"color": COLOURS["light"], "alpha": 0.45, "lw": 0}
        ax.fill_between(weeks, *band, label="95% band, all weeks at once", **shade)
        for family, (style, colour) in _FAMILIES.items():
            points = 100 * (fitted[family] - minus)
            ax.plot(weeks, points, style, color=COLOURS[colour], label=family)
    dots = {"color": COLOURS["ink"], "markersize": 5, "label": "counted"}
    above.plot(weeks, 100 * curve["share"], ".", **dots)
    above.legend(frameon=False, loc="lower right")
    above.set(xlim=(0, weeks.max()), ylim=(0, 100), ylabel="share booked\nwithin that time")
    above.yaxis.set_major_formatter("{x:.0f}%")
    below.axhline(0, color=COLOURS["ink"], linewidth=1)
    below.set(ylabel="fitted less counted\n(percentage points)")
    below.yaxis.set_major_formatter(
        lambda x, _: f"{x:+.0f}".replace("-", "\N{MINUS SIGN}") if x else "0"
    )
    below.set_xlabel("weeks from booking to 1 February 2017")
    return fig


def cumulative(curves: Mapping[str, pd.DataFrame], said: Mapping[str, str]) -> Figure:
    """Draw the cumulative shares of two groups, with intervals at each week and bands for all.

    Parameters
    ----------
    curves
        By group, as from `helpers.ages.cumulative`.
    said
        What stands at the end of each line.
    """
    fig, ax = figures.new(4.2)
    for (group, curve), style in zip(curves.items(), ("-", "--"), strict=True):
        colour, weeks = COLOURS[TINTS[group]], curve["weeks"]
        ax.fill_between(weeks, curve["low"], curve["high"], color=colour, alpha=0.18, lw=0)
        ax.plot(weeks, curve[["band_low", "band_high"]], color=colour, linewidth=0.8)
        ax.plot(weeks, curve["share"], style, color=colour)
        end = weeks.iloc[-1], curve["share"].iloc[-1]
        at_end = {"textcoords": "offset points", "va": "center", "fontweight": "bold"}
        ax.annotate(said[group], end, (6, 0), color=colour, **at_end)
    ax.axhline(0.5, color=COLOURS["grey"], linewidth=1, linestyle=":")
    ax.text(1, 0.5, "half", transform=ax.get_yaxis_transform(), ha="right", va="bottom")
    last = max(curve["weeks"].iloc[-1] for curve in curves.values())
    ax.set(xlim=(0, 1.5 * last), ylim=(0, 1), yticks=np.linspace(0, 1, 6))
    ax.yaxis.set_major_formatter("{x:.0%}")
    ax.set_xlabel("weeks from booking to 1 February 2017")
    ax.set_ylabel("share booked within that time")
    return fig


def flow(table: pd.DataFrame, cohorts: pd.DataFrame) -> Figure:
    """Draw the stock with its decreasing density, and the shares still held that follow.

    Parameters
    ----------
    table
        One row a week: `weeks`, `detainers`, `density`, `surviving`, `surviving_two_weeks`,
        `low`, `high`, `older_in_stock`.
    cohorts
        One row a cohort: `from_week`, `to_week`, `low`, `high`.
    """
    fig, (above, below) = figures.new(5.8, nrows=2, sharex=True, height_ratios=[0.8, 1.2])
    weeks, blue = table["weeks"], {"color": COLOURS["blue"], "where": "post"}
    above.stairs(table["detainers"], fill=True, color=COLOURS["light"], label="counted")
    density = table["density"] * (table["detainers"].iloc[0] / table["density"].iloc[0])
    above.step(weeks, density, label="best density that never rises", **blue)
    above.legend(frameon=False)
    above.set_ylabel("detainers a week\nin the stock")
    band = {"step": "post", "color": COLOURS["blue"], "alpha": 0.15, "lw": 0}
    below.fill_between(weeks, table["low"], table["high"], label="95% interval, each week", **band)
    below.step(weeks, table["surviving"], label="flow, if steady (base: week 0)", **blue)
    pooled = table["surviving_two_weeks"]
    below.step(weeks, pooled, ":", label="the same, weeks 0 and 1 pooled", **blue)
    grey = {"color": COLOURS["grey"], "label": "stock: share older"}
    below.plot(weeks, table["older_in_stock"], "--", **grey)
    for place, found in enumerate(cohorts.itertuples()):
        label = None if place else "counted: still there, of those booked"
        span = [found.from_week, found.to_week]
        orange = {"color": COLOURS["orange"], "lw": 2, "zorder": 3}
        below.fill_between(span, found.low, found.high, label=label, **orange)
    below.legend(frameon=False, loc="upper right")
    below.set(xlim=(0, weeks.max() + 1), ylim=(0, 1), ylabel="share still held")
    below.yaxis.set_major_formatter("{x:.0%}")
    below.set_xlabel("weeks since booking")
    return fig


def possible_ages(panels: Sequence[Mapping[str, pd.DataFrame]], county: pd.DataFrame) -> Figure:
    """Draw the shares that published figures allow at each age, a panel a week.

    Parameters
    ----------
    panels
        By week: bands by place, wider ones first, as from `helpers.bounds.distribution_bounds`.
    county
        The county's own times since booking, as from `helpers.ages.cumulative`; in the first panel.
    """
    fig, axes = figures.new(5.8, nrows=len(panels), sharex=True)
    for week, (ax, bands) in enumerate(zip(axes, panels, strict=True), start=1):
        for (place, band), colour in zip(bands.items(), ("light", "sky"), strict=False):
            steps, label = _steps(band), f"{place}: possible"
            shade = {"step": "post", "color": COLOURS[colour], "lw": 0}
            ax.fill_between(steps["at"], steps["low"], steps["high"], label=label, **shade)
        if week == 1:
            orange = {"color": COLOURS["orange"], "where": "post"}
            label = "Travis County:\nbooked within that time"
            ax.step(7 * county["weeks"], county["share"], label=label, **orange)
        ax.set(ylim=(0, 1), ylabel=f"week {week}: share of\ndetainers no older")
        ax.yaxis.set_major_formatter("{x:.0%}")
        ax.legend(loc="upper left", frameon=False, borderaxespad=0.2)
    axes[-1].set(xscale="log", xlim=(1, max(b["at"].max() for b in panels[0].values())))
    axes[-1].set_xticks(list(_AGES), _AGES.values())
    axes[-1].minorticks_off()
    axes[-1].set_xlabel("age of the detainer when declined (logarithmic scale)")
    return fig


def _steps(band: pd.DataFrame) -> pd.DataFrame:
    """Return the rows at which a band changes, and its last: a picture of them is the same."""
    changes = band[["low", "high"]].diff().ne(0).any(axis=1)
    changes.iloc[-1] = True
    return band[changes]


def active_stock(weekly: pd.DataFrame, said: str) -> Figure:
    """Draw detainers by week of issue, and those still active.

    Parameters
    ----------
    weekly
        As from `helpers.lifetimes.lodged`, with `still_active`.
    said
        What stands beside those still active.
    """
    fig, ax = figures.new(3.4)
    start, blue = weekly["week_start"], COLOURS["blue"]
    ax.fill_between(start, weekly["detainers"], color=COLOURS["light"], lw=0)
    ax.plot(start, weekly["detainers"], color=COLOURS["grey"], linewidth=1)
    ax.fill_between(start, weekly["still_active"], color=blue, lw=0)
    ax.text(0.2, 0.5, "issued, since closed", ha="center", transform=ax.transAxes)
    at = weekly.iloc[len(weekly) * 4 // 5]
    ax.annotate(
        said,
        (at["week_start"], at["still_active"] * 0.8),
        (0, 88),
        textcoords="offset points",
        color=blue,
        fontweight="bold",
        arrowprops={"arrowstyle": "-", "color": blue},
    )
    ax.set(xlim=(start.iloc[0], start.iloc[-1]), ylim=(0, None), ylabel="detainers a week")
    ax.yaxis.set_major_formatter("{x:,.0f}")
    years = pd.date_range(start.iloc[0], start.iloc[-1], freq="YS")
    ax.set_xticks(years, years.strftime("%Y"))
    ax.set_xlabel("week of issue")
    return fig


def life_surface(surface: pd.DataFrame, shape: float, said: Mapping[str, str]) -> Figure:
    """Draw mean and half-life over the shape of the life and the share never closed.

    Parameters
    ----------
    surface
        As from `helpers.lifetimes.life_sensitivity` over `shape` and `never_closed`.
    shape
        Shape of the central case, marked at no share never closed.
    said
        Title of each map, by the column that it shows.
    """
    fig, axes = figures.new(3.5, ncols=len(said), sharey=True)
    for ax, (column, title) in zip(axes, said.items(), strict=True):
        _contours(ax, surface.pivot(index="never_closed", columns="shape", values=column))
        ax.plot(shape, 0, "o", color=COLOURS["orange"], markersize=9, clip_on=False, zorder=5)
        ax.set_title(title)
    axes[0].set_ylabel("share of detainers never closed")
    axes[0].yaxis.set_major_formatter("{x:.0%}")
    return fig


def _contours(ax: Axes, days: pd.DataFrame) -> None:
    steps = np.arange(0, days.to_numpy().max() + 50, 50)
    ax.contourf(days.columns, days.index, days, steps, cmap="Blues", alpha=0.45)
    lines = ax.contour(days.columns, days.index, days, steps, colors=COLOURS["ink"], linewidths=0.8)
    ax.clabel(lines, fmt="%.0f days", fontsize=9)
    ax.set_xticks(np.arange(days.columns.min(), days.columns.max() + 0.1, 0.5))
    ax.set_xlabel("shape of the Weibull life\n(1 = exponential)")
    ax.grid(visible=False)
