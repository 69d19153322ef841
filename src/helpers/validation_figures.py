"""The figures of the simulations: one row a setting, with its Monte Carlo interval."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory
from numpy.typing import NDArray

from helpers import figures
from helpers.figures import COLOURS
from helpers.validation import REACH

_MARKS = {
    "model": ("o", "blue", "assumptions hold"),
    "null": ("o", "blue", "no difference: false alarms"),
    "power": ("s", "green", "a difference: power"),
    "bounds": ("^", "green", "bounds: all should hold it"),
    "range": ("s", "grey", "a range without a level"),
    "stress": ("D", "orange", "an assumption fails: no target"),
}


def dots(rows: pd.DataFrame, label: str, target: float) -> Figure:
    """Draw a measure, a row a setting, against what it should be.

    Parameters
    ----------
    rows
        Rows as from `helpers.validation_results.labelled`, of one kind of measure.
    label
        Label of the axis.
    target
        Where the line stands: a share, with a band of what chance allows about it, or 0.

    Returns
    -------
    matplotlib.figure.Figure
        A chart of dots with lines, stress tests as open marks.
    """
    fig, ax = figures.new(1.3 + 0.22 * len(rows))
    at = np.arange(len(rows))
    ax.axvline(target, color=COLOURS["grey"], linewidth=1.2, zorder=1)
    if target:
        _band(ax, at, rows["replications"], target)
    for kind, (mark, name, words) in _MARKS.items():
        own, colour = rows["kind"].eq(kind).to_numpy(), COLOURS[name]
        if own.any():
            part, face = rows[own], "white" if kind == "stress" else colour
            ax.hlines(at[own], part["low"], part["high"], color=colour, linewidth=1.5)
            ax.plot(part["value"], at[own], mark, color=colour, markerfacecolor=face, label=words)
    _name_rows(ax, at, rows)
    ax.set_xlabel(f"{label}\n(grey band: what chance allows)" if target else label)
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        bbox_transform=blended_transform_factory(fig.transFigure, ax.transAxes),
        ncols=2 if rows["kind"].nunique() > 3 else 3,
        frameon=False,
        handletextpad=0.2,
        columnspacing=1,
    )
    if target:
        ax.xaxis.set_major_formatter("{x:.0%}")
        ax.set_xlim(-0.02 if target < 0.5 else None, 1.02)
    return fig


def _band(ax: Axes, at: NDArray[np.int64], replications: pd.Series, target: float) -> None:
    reach = REACH * np.sqrt(target * (1 - target) / replications)
    ax.barh(at, 2 * reach, 1, target - reach, color=COLOURS["light"], lw=0, zorder=0)


def _name_rows(ax: Axes, at: NDArray[np.int64], rows: pd.DataFrame) -> None:
    """Name an estimator at its first row, and part it from the one above by a line."""
    first = ~rows["estimator"].duplicated()
    ax.set_yticks(at, rows["label"].where(first, rows["label"].str.partition(": ")[2]))
    for edge in at[first][1:] - 0.5:
        ax.axhline(edge, color=COLOURS["light"], linewidth=0.8)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
