"""Do two runs draw the same? Pictures by pixel and drawings by coordinate; with tolerances."""

import base64
import io
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PIL import Image

from helpers.compare import Difference, apart, code_cells, joined, lone

PIXEL_TOLERANCE = 16
"""Steps of 255 within which a channel of a pixel is the same."""

POINT_TOLERANCE = 0.05
"""Points (1/72 inch) within which a coordinate of a drawing (svg) is the same."""

_TAG = re.compile(r"(<[^>]*>)")
_ID = re.compile(r"\b[a-z]?[0-9a-f]{10}\b")
_SHOWN = 300


def pictures(figure: str, stored: bytes, now: bytes) -> list[Difference]:
    """Compare two pictures (png): no channel of a pixel may differ by more than `PIXEL_TOLERANCE`.

    Parameters
    ----------
    figure
        Name of the figure.
    stored, now
        The files' bytes.
    """
    if stored == now:
        return []
    try:
        old, new = (pixels(picture) for picture in (stored, now))
    except OSError as error:
        return [Difference("picture", figure, "all of it", "a picture", f"unreadable: {error}")]
    if old.shape != new.shape:
        a, b = ("{1} by {0} pixels".format(*picture.shape) for picture in (old, new))
        return [Difference("picture", figure, "size", a, b)]
    steps = np.abs(old - new).max(axis=2)
    size = int(steps.max())
    if size <= PIXEL_TOLERANCE:
        return []
    rows, columns = np.nonzero(steps > PIXEL_TOLERANCE)
    where = f"pixels {columns.min()} to {columns.max()} across, {rows.min()} to {rows.max()} down"
    row, column = np.unravel_index(steps.argmax(), steps.shape)
    a, b = (f"colour {tuple(map(int, p[row, column]))}" for p in (old, new))
    return [Difference("picture", figure, where, a, b, size, PIXEL_TOLERANCE, "steps of 255")]


def pixels(picture: bytes) -> np.ndarray:
    """Return a picture (png) as numbers from 0 to 255: rows by columns by red, green and blue."""
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), int)


def drawings(figure: str, stored: str, now: str) -> list[Difference]:
    """Compare two drawings (svg): words to the letter, coordinates within `POINT_TOLERANCE`.

    Parameters
    ----------
    figure
        Name of the figure.
    stored, now
        The files' text.
    """
    old, new = (_TAG.split(_ID.sub("id", text)) for text in (stored, now))
    if len(old) != len(new):
        a, b = (f"{len(parts) // 2} elements" for parts in (old, new))
        return [Difference("picture", figure, "drawing", a, b)]
    for number, (a, b) in enumerate(zip(old, new, strict=True)):
        where, allowed = f"drawing, element {number // 2 + 1}", POINT_TOLERANCE
        if number % 2:
            size = apart(a, b, lambda x, y: abs(x - y))
        else:  # words between two tags
            where, allowed, size = f"{where}, words", 0.0, 0.0 if a == b else math.inf
        if size > allowed:
            known = size if math.isfinite(size) else None
            a, b = a.strip()[:_SHOWN], b.strip()[:_SHOWN]
            return [Difference("picture", figure, where, a, b, known, allowed, "points")]
    return []


def inline(notebook: str, stored: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Compare the pictures that the code cells of a notebook show; see `pictures`.

    Parameters
    ----------
    notebook
        Its name.
    stored, now
        The executed notebooks (nbformat JSON).
    """
    before, after = shown(notebook, stored), shown(notebook, now)
    common = [name for name in before if name in after]
    unlike = (pictures(name, before[name], after[name]) for name in common)
    return lone("picture", before, after) + [each for found in unlike for each in found]


def shown(notebook: str, content: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the pictures (png) that the code cells of a notebook show, by notebook and cell."""
    return {
        f"{name}, picture {number}": base64.b64decode(picture)
        for name, cell in code_cells(notebook, content).items()
        for number, picture in enumerate(_encoded(cell), 1)
    }


def _encoded(cell: Mapping[str, Any]) -> Iterator[str]:
    for output in cell.get("outputs", []):
        if picture := output.get("data", {}).get("image/png"):
            yield joined(picture)
