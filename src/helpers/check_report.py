"""The report of a check: on a terminal, and as one page that needs nothing beside it."""

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from helpers import compare_pictures

_SHOWN = 4000
"""Letters of a text that are shown; check.json has all."""

_SHOWN_DIFFERENCES = 10
"""How many differences are shown on a terminal; the page has all."""

_SHOWN_REASONS = 4


def show(report: Mapping[str, Any]) -> None:
    """Print the outcome: a table of the levels, the first differences, and where the page is.

    Parameters
    ----------
    report
        The content of check.json, with `folder`.
    """
    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=SIMPLE)
    for column in ("level", "compared", "different", "the same if"):
        table.add_column(column, overflow="fold")
    for level in report["levels"]:
        note = (
            "" if level["fails"] else " (pixels and points are reported only: another environment)"
        )
        counts = str(level["compared"]), str(level["different"])
        table.add_row(level["level"], *counts, level["same_if"] + note)
    console.print(table, soft_wrap=False)
    for difference in report["differences"][:_SHOWN_DIFFERENCES]:
        console.print("\n".join(_lines(difference)))
    if (more := len(report["differences"]) - _SHOWN_DIFFERENCES) > 0:
        console.print(f"and {more} more")
    console.print(escape(verdict(report)))
    console.print(f"report: {Path(report['folder'], 'check.html')}", markup=False)


def _lines(difference: Mapping[str, Any]) -> list[str]:
    first = {name: (difference[name].splitlines() or [""])[0][:200] for name in ("stored", "now")}
    reasons, more = difference["why"][:_SHOWN_REASONS], difference["why"][_SHOWN_REASONS:]
    why = "; ".join([*reasons, *([f"{len(more)} more"] if more else [])])
    return [
        f"[bold]{escape(difference['what'])}[/]: {escape(difference['where'])}",
        f"  stored: {escape(first['stored'])}",
        f"  now:    {escape(first['now'])}",
        f"  apart:  {escape(size(difference))}",
        f"  why:    {escape(why)}",
    ]


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
    two = report["kind"] == "compared"
    if failing:
        words = f"{failing} difference{'s' if failing > 1 else ''}"
        return f"{'The runs differ' if two else 'The run does not reproduce'}: {words}. {whole}."
    only = " but for pixels and points, which count in the locked environment only"
    outcome = "The runs are the same" if two else "The run reproduces"
    return f"{outcome}{only if report['differences'] else ''}. {whole}."


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
    old, new = (compare_pictures.pixels(picture) for picture in (stored, now))
    if old is not None and new is not None and old.shape == new.shape:
        unlike = np.abs(old - new).max(axis=2) > compare_pictures.PIXEL_TOLERANCE
        marked = np.where(unlike[..., None], (200, 0, 60), 255 - (255 - new) // 5)
        buffer = io.BytesIO()
        Image.fromarray(marked.astype(np.uint8)).save(buffer, "png", optimize=True)
        pair.append(("where they differ, in red", buffer.getvalue()))
    return [(name, base64.b64encode(picture).decode()) for name, picture in pair if picture]
