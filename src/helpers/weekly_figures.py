"""Figures of the weekly report; they draw what the small-cell rule shows, and nothing else."""

import textwrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from helpers import figures
from helpers.figures import COLOURS
from helpers.weekly_report import AGES_IN_ORDER


def issued(table: pd.DataFrame, minimum_cell: int) -> Figure:
    """Draw detainers issued by jurisdiction, most first.

    Parameters
    ----------
    table
        As from `helpers.weekly_report.issued`, its first rows.
    minimum_cell
        The smallest count shown: the line left of which counts are hidden.
    """
    fig, ax = figures.new(height=0.9 + 0.3 * len(table))
    names = [f"{row.jurisdiction}, {row.state}" for row in table.itertuples()]
    _bars(ax, names, table["detainers"], "blue")
    ax.axvline(minimum_cell, color=COLOURS["ink"], linewidth=1, linestyle="--")
    ax.set_xlim(0, 1.12 * max(minimum_cell, table["detainers"].fillna(0).max()))
    ax.set_xlabel("detainers issued in the week\n(dashed: the smallest count shown)")
    return fig


def ages(declined: pd.DataFrame, active: pd.DataFrame, words: str, absent: str) -> Figure:
    """Draw the ages of the declined detainers and of the active ones, side by side.

    Parameters
    ----------
    declined
        `age`, `detainers`.
    active
        `age`, `lowest`, `highest`.
    words
        How the declined were counted, the title of their panel.
    absent
        What stands where `declined` has no such age.
    """
    fig, axes = figures.new(height=3.4, ncols=2, sharey=True)
    order = sorted({*active["age"], *declined["age"]}, key=AGES_IN_ORDER.index)
    of_declined = declined.set_index("age")["detainers"].reindex(order)
    lowest = active.set_index("age")["lowest"].reindex(order)
    gaps = {age: absent for age in order if age not in set(declined["age"])}
    _bars(axes[0], order, of_declined, "orange", gaps)
    _bars(axes[1], order, lowest, "blue")
    axes[0].set_title(textwrap.fill(words, 28))
    axes[1].set_title("active at its end")
    for ax, most in zip(axes, (of_declined.max(), lowest.max()), strict=True):
        ax.set_xlim(0, 1.3 * (1 if pd.isna(most) else most))
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.xaxis.set_major_formatter("{x:,.0f}")
        ax.set_xlabel("detainers")
    axes[0].set_ylabel("age of the detainer")
    return fig


def rates(table: pd.DataFrame) -> Figure:
    """Draw how often each check finds an error, and how often it raises a false alarm.

    Parameters
    ----------
    table
        One row a check and measure: `check` (words), `measure` (`sensitivity`,
        `sensitivity_known`, `false_alarms`), `value`, `low`, `high` (shares).
    """
    fig, ax = figures.new(height=3.8)
    looks = {
        "sensitivity": ("blue", "o", -0.2, "planted errors found"),
        "sensitivity_known": ("green", "D", 0.0, "of them with a person's key"),
        "false_alarms": ("orange", "s", 0.2, "weeks without error flagged"),
    }
    checks = list(dict.fromkeys(table["check"]))
    for measure, (colour, mark, shift, words) in looks.items():
        rows = table[table["measure"].eq(measure)]
        at = [checks.index(check) + shift for check in rows["check"]]
        reach = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
        value = 100 * rows["value"]
        ax.errorbar(
            value,
            at,
            xerr=[100 * end for end in reach],
            fmt=mark,
            color=COLOURS[colour],
            label=words,
            markersize=5,
            linewidth=1.5,
        )
    ax.set_yticks(range(len(checks)), [textwrap.fill(check, 22) for check in checks])
    ax.set_ylim(len(checks) - 0.5, -0.5)
    ax.set_xlim(-3, 103)
    ax.set_xlabel("percent, with exact 95% interval")
    ax.grid(axis="y", visible=False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.52, 1))
    return fig


def _bars(
    ax: Axes,
    names: list[str],
    counts: pd.Series,
    colour: str,
    absent: dict[str, str] | None = None,
) -> None:
    """Draw horizontal bars with their counts; where one is hidden, the word in its place."""
    values = counts.astype("float64")
    ax.barh(range(len(names)), values.fillna(0), color=COLOURS[colour], height=0.7)
    for at, (name, value) in enumerate(zip(names, values, strict=True)):
        words = (absent or {}).get(name, "hidden") if pd.isna(value) else f"{value:,.0f}"
        place = 0 if pd.isna(value) else value
        ax.annotate(words, (place, at), (4, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
