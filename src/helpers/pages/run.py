"""What the pages show: a finished run, read and never executed."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from helpers import evidence, paths
from helpers.errors import UserError

FIGURE_FILES = (".csv", ".svg", ".png")
"""Files of a figure that readers may download."""


class PagesError(UserError):
    """The pages of a run cannot be made; the message is one line."""


class Run(NamedTuple):
    """A finished run: its notebooks, results and figures (as `figures.save` describes them).

    With it comes the evidence in data/, on which its results rest.
    """

    name: str
    notebooks: dict[str, Any]
    results: dict[str, dict[str, Any]]
    figures: dict[str, dict[str, Any]]
    figure_folder: Path
    ledger: evidence.Ledger


def read(name: str) -> Run:
    """Read a finished run.

    Raises
    ------
    PagesError
        If the run is missing, unfinished or unreadable.
    """
    folder, figure_folder = paths.run_folder(name), paths.figure_folder(name)
    found = [p for p in sorted(folder.glob("*.ipynb")) if not p.name.endswith(".failed.ipynb")]
    if not found or not (folder / "results.json").is_file():
        raise PagesError(paths.no_finished_run(name))
    try:
        notebooks = {path.stem: nbformat.read(path, as_version=4) for path in found}
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))["results"]
        figures = {p.stem: json.loads(p.read_bytes()) for p in sorted(figure_folder.glob("*.json"))}
    except (ValueError, KeyError, TypeError) as error:
        raise PagesError(f"run {name!r} has an unreadable file: {str(error)[:200]!r}") from None
    return Run(name, notebooks, results, figures, figure_folder, evidence.load())


def opening(run: Run, notebook: str) -> tuple[str, str]:
    """Return title and question of a notebook: heading and first paragraph of its first cell.

    Raises
    ------
    PagesError
        If the first cell has no title.
    """
    cells = run.notebooks[notebook].cells
    title, _, rest = (cells[0].source if cells else "").partition("\n")
    if not title.startswith("# "):
        raise PagesError(f"{notebook}: its first cell does not begin with '# ' and a title")
    question = " ".join(rest.strip().split("\n\n")[0].split())
    return title.removeprefix("# ").strip(), question.removeprefix("**Question.** ")
