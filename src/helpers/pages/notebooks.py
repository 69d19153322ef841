"""Executed notebooks as Sphinx reads them: folded code, linked numbers, described figures."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat

from helpers import learning
from helpers.pages import choices, findings, gallery, words
from helpers.pages.run import Run
from helpers.results import ResultError

_FEW_RESULTS, _MOST_RESULTS = 8, 25  # more are folded; more still are listed on their own page
_MOST_ROWS = 30  # a longer table is folded
_TRY = '<a href="#change-one-choice">Change one choice</a>, and see how the answer moves.'
_PYTHON = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
_CAPTION = re.compile(r"<caption>(.*?)</caption>", re.S)


def prepared(run: Run, name: str) -> Any:  # noqa: ANN401 - nbformat's own type is untyped
    """Return a notebook to be rendered.

    Its code is folded, the cells that made results have anchors, outputs are accessible HTML, and
    each figure is followed by its data and description. After the question stands what was found,
    after the first cell what will be learnt, at the end exercises.
    """
    first, *others = run.notebooks[name].cells
    lesson = learning.load(name)
    panel = choices.panel(run, name)
    paragraphs = first.source.split("\n\n", 2)  # title, question, all else
    opened = [
        "\n\n".join(paragraphs[:2]),
        findings.of_notebook(run, name),
        panel and f"<p>{_TRY}</p>",
        *paragraphs[2:],
        learning.goals(lesson) if lesson else "",
    ]
    closed = [panel, _exercises(lesson, run) if lesson else ""]
    before, after = ([_markdown(text) for text in texts if text] for texts in (opened, closed))
    cells = [*before, *_body(run, name, others), *after]
    return nbformat.v4.new_notebook(metadata=_PYTHON, cells=cells)


def _body(run: Run, name: str, cells: Iterable[Any]) -> Iterator[Any]:
    """Yield a notebook's cells prepared, with the anchors of those that made results."""
    makers = {entry["cell"] for entry in run.results.values() if entry["notebook"] == name}
    drawn = {f["cell"]: stem for stem, f in run.figures.items() if f["notebook"] == name}
    for ids, cell in _joined(cells):
        anchors = (words.anchor("cell", name, made) for made in ids if made in makers)
        yield from (_markdown(f"({anchor})=") for anchor in anchors)
        if cell.cell_type == "code":
            _prepare_code(cell, run.results)
            if stem := drawn.get(ids[-1]):
                cell.outputs = _with_files(cell.outputs, run, stem)
        yield cell


def _joined(cells: Iterable[Any]) -> Iterator[tuple[list[str], Any]]:
    """Yield cells with their ids, code that shows nothing joined to the code after it."""
    ids, code = [], []
    for cell, after in pairwise([*cells, None]):
        ids.append(cell.id)
        if cell.cell_type == "code":
            code.append(cell.source)
            if after and after.cell_type == "code" and not cell.outputs:
                continue
            cell.source = "\n\n".join(code)
        yield ids, cell
        ids, code = [], []


def _prepare_code(cell: Any, results: Mapping[str, Any]) -> None:  # noqa: ANN401 - untyped
    cell.metadata["tags"] = sorted({"hide-input", *cell.metadata.get("tags", [])})
    for output in cell.outputs:
        if alt := output.get("metadata", {}).get("image/png", {}).get("alt"):
            cell.metadata["mystnb"] = {"image": {"alt": alt}}
    cell.outputs = [_output(output, results) for output in cell.outputs]


def _output(output: Any, results: Mapping[str, Any]) -> Any:  # noqa: ANN401 - untyped
    data = output.get("data", {})
    if (text := data.get("text/markdown")) is not None:
        # HTML at once: MyST-NB reads the Markdown of outputs without tables.
        return _html(_said(text, results))
    if "<table" in (made := data.get("text/html", "")):
        caption = _CAPTION.search(made)
        named = re.sub(r"<[^>]*>", "", caption[1]) if caption else "Table"
        return _html(_table(made, html.unescape(named)))
    return output


def _table(made: str, name: str) -> str:
    """Put a table into its box, and a long one behind a line that unfolds it."""
    box, rows = words.scrolling(made, name), made.count("<tr") - 1
    return words.folded(f"{name} ({rows} rows)", box) if rows > _MOST_ROWS else box


def _said(markdown: str, results: Mapping[str, Any]) -> str:
    """Render what a notebook said, a long table of results folded and only in part."""
    head, *rows = re.split(r"\n(?=\| \[`)", markdown)
    made = words.rendered("\n".join([head, *rows[:_MOST_RESULTS]]), results)
    made = made.replace("<p><em>Caveat:", '<p class="caveat"><em>Caveat:')
    if len(rows) <= _FEW_RESULTS:
        return made
    shown = min(len(rows), _MOST_RESULTS)
    return (
        words.folded(f"Results of this notebook ({shown} of {len(rows)})", made)
        + '<p><a href="results.html">All results</a>, each with its lineage</p>'
    )


def _with_files(outputs: list[Any], run: Run, stem: str) -> list[Any]:
    """Return a cell's outputs with a figure's mark before its picture, and its files after it."""
    pictures = [at for at, output in enumerate(outputs) if "image/png" in output.get("data", {})]
    at = pictures[-1] if pictures else len(outputs) - 1
    mark = gallery.synthetic(run, stem)
    before = [_html(mark)] if mark else []
    after = _html(gallery.beside(run, stem))
    return [*outputs[:at], *before, *outputs[at : at + 1], after, *outputs[at + 1 :]]


def _exercises(lesson: learning.Lesson, run: Run) -> str:
    try:
        return learning.exercises(lesson, run.results)
    except ResultError:
        return "## Exercises\n\nThe exercises are shown with a run of the whole study."


def _markdown(source: str) -> Any:  # noqa: ANN401 - untyped
    return nbformat.v4.new_markdown_cell(source)


def _html(text: str) -> Any:  # noqa: ANN401 - untyped
    return nbformat.v4.new_output("display_data", {"text/html": text})


def write(run: Run, source: Path) -> None:
    """Write every notebook of a run, prepared, into a folder."""
    for name in run.notebooks:
        nbformat.write(prepared(run, name), source / f"{name}.ipynb")
