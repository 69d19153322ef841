"""The report of a check as one page that needs nothing beside it: for reviewers, and offline."""

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from helpers import compare_pictures

_SHOWN = 4000
"""Letters of a text that are shown; check.json has all."""


def page(
    report: Mapping[str, Any],
    manifest: Mapping[str, Any],
    pictures: Mapping[tuple[str, str], tuple[bytes, ...]],
) -> str:
    """Return the report as HTML: outcome, what was checked, on what, how to repeat it, and why.

    Whatever it shows is escaped, for a run may come from anyone.

    Parameters
    ----------
    report
        The content of check.json.
    manifest
        The manifest of the run.
    pictures
        Of each picture that differs, by file and name, its bytes in either run.
    """
    environment = Environment(
        loader=PackageLoader("helpers", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"size": size, "cut": _cut}
    shown = {key: _shown(*pair) for key, pair in pictures.items()}
    template = environment.get_template("check_report.html")
    return template.render(
        report=report, manifest=manifest, pictures=shown, verdict=verdict(report)
    )


def verdict(report: Mapping[str, Any]) -> str:
    """Return the outcome of a check in a sentence."""
    counts = {level["level"]: level for level in report["levels"]}
    cells, results = counts["text"]["compared"], counts["result"]["compared"]
    whole = (
        f"{len(report['notebooks'])} notebooks, {cells} cells, {results} results, "
        f"{counts['figure data']['compared']} files of figures' data and "
        f"{counts['picture']['compared']} pictures were compared"
    )
    failing = sum(each["fails"] for each in report["differences"])
    if failing:
        words = f"{failing} difference{'s' if failing > 1 else ''}"
        return f"The run does not reproduce: {words}. {whole}."
    only = " but for pictures, which count in the locked environment only"
    return f"The run reproduces{only if report['differences'] else ''}. {whole}."


def size(difference: Mapping[str, Any]) -> str:
    """Return in words how far apart two things are, and may be."""
    if difference["size"] is None:
        return "not the same"
    unit = difference["unit"]
    apart = (
        f"{difference['size']:.3g} {unit}" if unit else f"{difference['size']:.3g} of the stored"
    )
    allowed = f"{difference['allowed']:.3g}" if difference["allowed"] else "none"
    return f"{apart}; allowed: {allowed}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} … ({len(text)} letters in all)"


def _shown(stored: bytes, now: bytes) -> list[tuple[str, str]]:
    """Return the pictures to show, each with its name: either, and where they differ."""
    pair = [("stored", stored), ("now", now)]
    try:
        old, new = (compare_pictures.pixels(picture) for picture in (stored, now))
    except OSError:
        old, new = np.zeros(1), np.zeros(2)
    if old.shape == new.shape:
        unlike = np.abs(old - new).max(axis=2) > compare_pictures.PIXEL_TOLERANCE
        marked = np.where(unlike[..., None], (200, 0, 60), 255 - (255 - new) // 5)
        buffer = io.BytesIO()
        Image.fromarray(marked.astype(np.uint8)).save(buffer, "png", optimize=True)
        pair.append(("where they differ, in red", buffer.getvalue()))
    return [(name, base64.b64encode(picture).decode()) for name, picture in pair if picture]
