"""Do two runs give the same? Results, figures' data and pictures compared, with stated tolerance."""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

TABLE_TOLERANCE = 1e-6
"""Relative difference within which a number drawn in a figure is the same."""

PIXEL_TOLERANCE = 16
"""Steps of 255 within which a channel of a pixel is the same."""


@dataclass(frozen=True)
class Difference:
    """Something that is not the same in two runs.

    Attributes
    ----------
    level
        `text` (of a cell), `result`, `figure data` or `picture`.
    what
        The cell, result or figure.
    where
        The part of it: a result's field, a column and row of a figure's data.
    stored, now
        The two values as text.
    size, allowed
        How far apart they are and may be; None where that is no number. Relative to the stored
        value for numbers, steps of 255 for pictures.
    """

    level: str
    what: str
    where: str
    stored: str
    now: str
    size: float | None = None
    allowed: float | None = None


def results(
    stored: Mapping[str, dict[str, Any]], now: Mapping[str, dict[str, Any]]
) -> list[Difference]:
    """Compare results by name: numbers and ends of intervals within the stored tolerance.

    Parameters
    ----------
    stored, now
        Results by name, as in results.json.
    """
    found = _lone("result", stored, now)
    for name in [name for name in stored if name in now]:
        before, after = stored[name], now[name]
        for part in ("value", "interval"):
            old, new = _as_list(before[part]), _as_list(after[part])
            if len(old) != len(new):
                found.append(_unlike(name, part, before[part], after[part]))
                continue
            for number, (a, b) in enumerate(zip(old, new, strict=True)):
                where = f"{part} {number + 1} of {len(old)}" if len(old) > 1 else part
                if (size := _distance(a, b)) > before["tolerance"]:
                    found.append(_unlike(name, where, a, b, size, before["tolerance"]))
        for part in ("unit", "level", "inputs", "synthetic", "caveat"):
            if before[part] != after[part]:
                found.append(_unlike(name, part, before[part], after[part]))
    return found


def tables(figure: str, stored: pd.DataFrame, now: pd.DataFrame) -> list[Difference]:
    """Compare the data behind a figure, by column; numbers within `TABLE_TOLERANCE`.

    Of each column that differs the worst cell is given.

    Parameters
    ----------
    figure
        Name of the figure.
    stored, now
        Its data.
    """
    found = []
    if list(stored.columns) != list(now.columns):
        columns = ", ".join(stored.columns), ", ".join(now.columns)
        return [Difference("figure data", figure, "columns", *columns)]
    if len(stored) != len(now):
        return [Difference("figure data", figure, "rows", str(len(stored)), str(len(now)))]
    for column in stored.columns:
        pairs = list(zip(stored[column].tolist(), now[column].tolist(), strict=True))
        sizes = [_distance(a, b) for a, b in pairs]
        if sizes and (size := max(sizes)) > TABLE_TOLERANCE:
            row = sizes.index(size)
            where = f"column {column}, row {row + 1}"
            where += f" and {sum(s > TABLE_TOLERANCE for s in sizes) - 1} more rows"
            a, b = pairs[row]
            found.append(
                Difference(
                    "figure data", figure, where, str(a), str(b), _finite(size), TABLE_TOLERANCE
                )
            )
    return found


def pictures(figure: str, stored: bytes, now: bytes) -> list[Difference]:
    """Compare two PNG pictures: no channel of a pixel may differ by more than `PIXEL_TOLERANCE`.

    Parameters
    ----------
    figure
        Name of the figure.
    stored, now
        The files' bytes.
    """
    if stored == now:
        return []
    old, new = (np.asarray(Image.open(io.BytesIO(p)).convert("RGB"), int) for p in (stored, now))
    if old.shape != new.shape:
        sizes = ("{1} by {0} pixels".format(*picture.shape) for picture in (old, new))
        return [Difference("picture", figure, "size", *sizes)]
    apart = np.abs(old - new).max(axis=2)
    size = int(apart.max())
    if size <= PIXEL_TOLERANCE:
        return []
    rows, columns = np.nonzero(apart > PIXEL_TOLERANCE)
    where = f"pixels {columns.min()} to {columns.max()} across, {rows.min()} to {rows.max()} down"
    row, column = np.unravel_index(apart.argmax(), apart.shape)
    worst = (f"colour {tuple(map(int, p[row, column]))}" for p in (old, new))
    return [Difference("picture", figure, where, *worst, size, PIXEL_TOLERANCE)]


def _lone(level: str, stored: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    gone = [
        Difference(level, name, "all of it", "there", "missing")
        for name in stored
        if name not in now
    ]
    new = [
        Difference(level, name, "all of it", "missing", "there")
        for name in now
        if name not in stored
    ]
    return gone + new


def _unlike(
    name: str,
    where: str,
    a: object,
    b: object,
    size: float | None = None,
    allowed: float | None = None,
) -> Difference:
    return Difference(
        "result", name, where, str(a), str(b), None if size is None else _finite(size), allowed
    )


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - number, text, list or None
    return value if isinstance(value, list) else [value]


def _finite(size: float) -> float | None:
    return size if math.isfinite(size) else None


def _distance(a: Any, b: Any) -> float:  # noqa: ANN401 - number, text or None
    """Return the difference relative to the first; infinite between unlike things."""
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (a, b))
    if not numbers:
        return 0.0 if a == b else math.inf
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    return abs(a - b) / abs(a) if a and not math.isnan(a) and not math.isnan(b) else math.inf
