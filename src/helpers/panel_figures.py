"""Figures of the panel of offices and weeks: the event study, and what effects could be seen."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import figures
from helpers.figures import COLOURS


def event_study(ratios: pd.DataFrame, two_way: float) -> Figure:
    """Draw rate ratios by weeks since resumption, with interval, band and the truth.

    Parameters
    ----------
    ratios
        As `helpers.panel.EventStudy.ratios`, with the true ratio of each span as `truth` where it
        is known.
    two_way
        The one ratio of two-way fixed effects.
    """
    fig, ax = figures.new(height=3.9)
    edges = [*ratios["first"], ratios["last"].iloc[-1] + 1]
    middle = (ratios["first"] + ratios["last"] + 1) / 2
    ax.bar(
        middle,
        ratios["band_high"] - ratios["band_low"],
        bottom=ratios["band_low"],
        width=0.92 * (ratios["last"] - ratios["first"] + 1),
        color=COLOURS["light"],
        alpha=0.55,
        label="95% band of all spans",
    )
    ax.errorbar(
        middle,
        ratios["value"],
        [ratios["value"] - ratios["low"], ratios["high"] - ratios["value"]],
        fmt="o",
        color=COLOURS["blue"],
        label="imputation, 95% interval",
    )
    if "truth" in ratios:
        truth = {"color": COLOURS["orange"], "lw": 2, "label": "truth"}
        ax.stairs(ratios["truth"], edges, baseline=None, **truth)
    look = {"color": COLOURS["red"], "linestyle": "--", "linewidth": 1.5}
    ax.hlines(two_way, 0, edges[-1], label="two-way fixed effects", **look)
    ax.axvline(0, color=COLOURS["ink"], linewidth=1)
    ends = 0.95 * ratios["band_low"].min(), 1.35 * ratios["band_high"].max()
    _log_ratios(ax, [0.25, 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4], ends)
    ax.set_xticks(edges)
    ax.set_xlabel("weeks since the office resumed issuing (before: weeks of stop)")
    ax.set_ylabel("ratio of declinations, log scale")
    ax.legend(loc="upper left", ncols=2)
    return fig


def power(two_weeks: Mapping[float, float], curves: pd.DataFrame, dispersion: float) -> Figure:
    """Draw the weakest rise shown, of two national weeks and of panels by their weeks.

    Parameters
    ----------
    two_weeks
        Rise that two national weeks show, by dispersion.
    curves
        One row a panel: `offices` (three numbers), `weeks`, `dispersion`, `ratio`.
    dispersion
        That of the lines; a band around the one of most offices holds the others.
    """
    fig, ax = figures.new(height=3.9)
    for of, rise in two_weeks.items():
        ax.plot(2, rise, "D", color=COLOURS["ink"], markersize=6)
        ax.text(2.25, rise, f"dispersion {of:g}", va="center", fontsize=9.5)
    top = max(two_weeks.values())
    ax.text(1.85, 1.1 * top, "two national weeks", fontsize=9.5, weight="bold")
    lines = curves[curves["dispersion"].eq(dispersion)].groupby("offices")
    for (offices, line), colour in zip(lines, ("purple", "orange", "blue"), strict=True):
        ax.plot(line["weeks"], line["ratio"], "o-", color=COLOURS[colour], markersize=4)
        end = line["weeks"].iloc[-1] * 1.07, line["ratio"].iloc[-1]
        ax.text(*end, f"{offices} offices", va="center", color=COLOURS[colour], fontsize=9.5)
    band = curves[curves["offices"].eq(curves["offices"].max())].groupby("weeks")["ratio"]
    ax.fill_between(
        band.min().index, band.min(), band.max(), color=COLOURS["sky"], alpha=0.35, linewidth=0
    )
    ax.set_xscale("log")
    ax.set_xlim(1.7, 330)
    weeks = sorted({2, *curves["weeks"]})
    ax.set_xticks(weeks, [f"{number}" for number in weeks])
    ax.set_xticks([], minor=True)
    ends = 1, 1.1 * max(top, curves["ratio"].max())
    _log_ratios(ax, [1, 1.25, 1.5, 2, 3, 4, 6, 8], ends)
    ax.set_xlabel(f"weeks counted (lines: dispersion {dispersion:g}; band: the others)")
    ax.set_ylabel("weakest rise shown, ratio, log scale")
    return fig


def _log_ratios(ax: Axes, ticks: list[float], ends: tuple[float, float]) -> None:
    ax.set_yscale("log")
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_yticks([], minor=True)
    ax.set_ylim(*ends)
