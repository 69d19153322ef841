"""One style for all figures, and one way to save them: picture, data, title, alt text, source."""

import io
import re
import textwrap
from collections.abc import Iterable
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import PIL.Image
import seaborn as sns
from IPython.display import Image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers import paths
from helpers.inputs import once_each
from helpers.notebooks import running_cell

WIDTH = 7.0
"""Width of every figure in inches: a page's column."""

COLOURS = {
    "ink": "#222222",
    "grey": "#767676",
    "light": "#c8c8c8",
    "blue": "#0072b2",
    "orange": "#b35900",
    "green": "#00795b",
    "red": "#a3195b",
    "purple": "#5b4a9e",
    "sky": "#56b4e9",
}
"""Colours that stay apart for colour-blind readers and on white; after Okabe and Ito (2008)."""

_DPI, _DPI_SHOWN = 150, 100
_TITLE_CHARACTERS, _SOURCE_CHARACTERS = 60, 96
_SHORTEST_ALT = 40


class FigureError(ValueError):
    """A figure lacks what a reader needs."""


def use_style() -> None:
    """Set the style of all figures of a notebook, deterministic to the byte."""
    matplotlib.rcdefaults()  # not what the user's own matplotlibrc says
    sns.set_theme(
        style="whitegrid",
        font="DejaVu Sans",
        rc={
            "figure.dpi": _DPI_SHOWN,
            "font.size": 11,
            "axes.labelsize": 11,
            "axes.titlesize": 11,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "legend.fontsize": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": COLOURS["grey"],
            "axes.labelcolor": COLOURS["ink"],
            "text.color": COLOURS["ink"],
            "xtick.color": COLOURS["ink"],
            "ytick.color": COLOURS["ink"],
            "grid.color": "#e3e3e3",
            "grid.linewidth": 0.8,
            "lines.linewidth": 2,
            "axes.prop_cycle": plt.cycler(color=[COLOURS[c] for c in ("blue", "orange", "green")]),
            "svg.hashsalt": "declined-detainers",
            "svg.fonttype": "none",  # text stays text: to be searched, read aloud, and small
        },
    )


def new(height: float = 4.0, nrows: int = 1, ncols: int = 1, **kwargs: Any) -> tuple[Figure, Any]:  # noqa: ANN401
    """Return a figure at page width and its axes.

    Parameters
    ----------
    height
        Height of the plotting area in inches; title and source line are added to it.
    nrows, ncols, **kwargs
        As in `matplotlib.pyplot.subplots`.
    """
    fig, axes = plt.subplots(nrows, ncols, figsize=(WIDTH, height), layout="constrained", **kwargs)
    FigureCanvasAgg(fig)  # whatever backend is set: each measures text in its own way
    return fig, axes


def save(
    fig: Figure,
    name: str,
    *,
    data: pd.DataFrame,
    title: str,
    alt: str,
    source: str,
    inputs: Iterable[str],
    notebook: str,
) -> Image:
    """Write a figure into the run's folder: svg, png, csv and json, and return it for display.

    Parameters
    ----------
    fig
        The figure, from `new`; it is closed.
    name
        Stem of the files: lower-case words joined by underscores.
    data
        The numbers drawn, one row a mark.
    title
        What the figure shows, as a finding.
    alt
        What is seen: type, axes with their ranges, marks, meaning.
    source
        Whose data, as a sentence.
    inputs
        What is drawn, in the form of a result's inputs: `result:growth.factor`, `fact:A028`,
        `series:weekly_detainers` and so on.
    notebook
        Name of the notebook that draws it.

    Returns
    -------
    IPython.display.Image
        The picture at page width, with its alt text.

    Raises
    ------
    FigureError
        If the data is empty, title or source is missing, the alt text is under 40 characters or
        repeats the title, the name is no stem of a file, or an input is malformed or none given.
    """
    if data.empty or not data.columns.is_unique:
        raise FigureError(f"figure {name}: data must have rows, and columns of different names")
    if len(alt.strip()) < _SHORTEST_ALT or alt.strip() == title.strip():
        raise FigureError(f"figure {name}: alt text must say what is seen, beyond the title")
    if not (title.strip() and source.strip() and re.fullmatch(r"[a-z0-9_]+", name)):
        raise FigureError(f"figure {name}: a title, a source and a lower-case name are needed")
    try:
        rests_on = once_each(inputs, f"figure {name}")
    except ValueError as error:
        raise FigureError(str(error)) from None
    _frame(fig, title, source)
    about = {
        "title": title,
        "alt": alt,
        "source": source,
        "notebook": notebook,
        "cell": running_cell(notebook),
        "inputs": rests_on,
        "columns": [str(column) for column in data.columns],
    }
    # Laying out is slow, and done once; both pictures then show the same. Text is wider at some
    # resolutions than at others, so that it is measured at the one of the picture.
    fig.set_dpi(_DPI)
    fig.draw_without_rendering()
    fig.set_layout_engine("none")
    for ax in fig.axes:  # the last digits hang on where the solver's variables lie in memory
        ax.set_position(np.round(ax.get_position().bounds, 6))
    stem, picture = paths.figure_folder() / name, _png(fig)
    files = {
        ".svg": _svg(fig),
        ".png": picture,
        ".csv": data.to_csv(index=False, lineterminator="\n"),
        ".json": paths.as_json(about),
    }
    for suffix, content in files.items():
        paths.write_atomically(stem.with_suffix(suffix), content)
    plt.close(fig)
    return Image(data=picture, alt=alt, width=round(WIDTH * _DPI_SHOWN))


def _frame(fig: Figure, title: str, source: str) -> None:
    """Add title and source line, and make room for them above and below the axes."""
    title = _in_even_lines(title)
    source = textwrap.fill(f"Source: {source}", _SOURCE_CHARACTERS)
    top = 0.12 + 0.24 * (title.count("\n") + 1)
    bottom = 0.1 + 0.17 * (source.count("\n") + 1)
    height = fig.get_figheight() + top + bottom
    fig.set_figheight(height)
    edge = 0.012
    room = (edge / 2, bottom / height, 1 - edge, 1 - (top + bottom) / height)
    fig.set_layout_engine("constrained", rect=room)
    fig.text(edge, 1 - 0.06 / height, title, va="top", fontsize=12.5, fontweight="bold")
    fig.text(edge, 0.05 / height, source, va="bottom", fontsize=9, color=COLOURS["grey"])


def _in_even_lines(title: str) -> str:
    """Break a title into as few lines as it needs, of about the same length."""
    lines = textwrap.wrap(title, _TITLE_CHARACTERS, break_long_words=False)
    for width in range(1, _TITLE_CHARACTERS):
        narrower = textwrap.wrap(title, width, break_long_words=False)
        if len(narrower) == len(lines):
            return "\n".join(narrower)
    return "\n".join(lines)


def _svg(fig: Figure) -> str:
    # A picture's date and program version would change its bytes from run to run.
    text = _saved(fig, format="svg", metadata={"Date": None, "Creator": None}).decode()
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def _png(fig: Figure) -> bytes:
    """Return a picture of 256 colours: a third of the bytes, and no difference to the eye."""
    drawn = PIL.Image.open(io.BytesIO(_saved(fig, format="png", dpi=_DPI))).convert("RGB")
    buffer = io.BytesIO()
    drawn.quantize(256, dither=PIL.Image.Dither.NONE).save(buffer, "png", optimize=True)
    return buffer.getvalue()


def _saved(fig: Figure, **options: Any) -> bytes:  # noqa: ANN401 - passed on
    buffer = io.BytesIO()
    fig.savefig(buffer, **options)
    return buffer.getvalue()
