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

_STEPS, _PIXELS, _POINTS = "steps of 255", "pixels", "points"

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
    old, new = (pixels(picture) for picture in (stored, now))
    if old is None or new is None:
        a, b = ("unreadable" if each is None else "a picture" for each in (old, new))
        return [Difference("picture", figure, "all of it", a, b)]
    if old.shape != new.shape:
        a, b = ("{1} by {0} pixels".format(*picture.shape) for picture in (old, new))
        return [Difference("picture", figure, "size", a, b, unit=_PIXELS)]
    steps = np.abs(old - new).max(axis=2)
    size = int(steps.max())
    if size <= PIXEL_TOLERANCE:
        return []
    rows, columns = np.nonzero(steps > PIXEL_TOLERANCE)
    where = f"pixels {columns.min()} to {columns.max()} across, {rows.min()} to {rows.max()} down"
    row, column = np.unravel_index(steps.argmax(), steps.shape)
    a, b = (f"colour {tuple(map(int, p[row, column]))}" for p in (old, new))
    return [Difference("picture", figure, where, a, b, size, PIXEL_TOLERANCE, _STEPS)]


def pixels(picture: bytes) -> np.ndarray | None:
    """Return a picture (png) as numbers from 0 to 255: rows by columns by red, green and blue.

    None where it cannot be read.
    """
    try:
        return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), int)
    except Exception:  # there is no end to what a damaged file makes Pillow raise
        return None


def drawings(figure: str, stored: str, now: str) -> list[Difference]:
    """Compare two drawings (svg): words to the letter, coordinates within `POINT_TOLERANCE`.

    The first words that differ are given, and the first element that is drawn otherwise.

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
    found, pairs = [], list(zip(old, new, strict=True))
    for number, (a, b) in enumerate(pairs[::2]):  # between two tags
        if a != b:
            where = f"drawing, element {number}, words"
            found.append(Difference("picture", figure, where, _cut(a), _cut(b)))
            break
    for number, (a, b) in enumerate(pairs[1::2], 1):
        if (size := apart(a, b, lambda x, y: abs(x - y))) > POINT_TOLERANCE:
            where, known = f"drawing, element {number}", size if math.isfinite(size) else None
            texts = _cut(a), _cut(b)
            found.append(
                Difference("picture", figure, where, *texts, known, POINT_TOLERANCE, _POINTS)
            )
            break
    return found


def only_drawn(difference: Difference) -> bool:
    """Whether pixels or points differ, as from one environment to another, and nothing else."""
    return difference.unit in (_STEPS, _PIXELS, _POINTS)


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


def _cut(text: str) -> str:
    return text.strip()[:_SHOWN]


def _encoded(cell: Mapping[str, Any]) -> Iterator[str]:
    for output in cell.get("outputs", []):
        if picture := output.get("data", {}).get("image/png"):
            yield joined(picture)
