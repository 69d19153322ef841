"""The project's own documents as pages: those of docs/, the changelog, and the benchmarks."""

import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from helpers import datapackage, paths
from helpers.pages import facts, words
from helpers.pages.run import Run

_BENCHMARKS = {"benchmarks": "README.md", "benchmarks-records": "records.md"}
_MEASURED = ("results.json", "records.json", "notebook.ipynb")


def pages(run: Run) -> dict[str, str]:
    """Return the documents as Markdown, by page name.

    What a document of docs/ names becomes a link: a fact, a table of data, a notebook and a section
    of it.
    """
    root = paths.project_root()
    targets = _targets(run)
    made = {p.stem: _linked(p.read_text("utf-8"), targets) for p in sorted(root.glob("docs/*.md"))}
    for page, name in _BENCHMARKS.items():
        if (file := root / "benchmarks" / name).is_file():
            made[page] = _leading_to_copies(file.read_text(encoding="utf-8"))
    changes = root / "CHANGELOG.md"
    if changes.is_file():
        made["changelog"] = changes.read_text(encoding="utf-8")
    return made


def copy_files(target: Path) -> None:
    """Copy what the page of benchmarks leads to into a folder."""
    target.mkdir(parents=True)
    for path in (paths.project_root() / "benchmarks" / name for name in _MEASURED):
        if path.is_file():
            shutil.copyfile(path, target / path.name)


def _leading_to_copies(text: str) -> str:
    """Return a page of benchmarks, its links led to what `copy_files` copies and to the others."""
    for name in _MEASURED:
        text = re.sub(rf"\[([^]]*)\]\({name}\)", rf'<a href="benchmarks/{name}">\1</a>', text)
    for page, name in _BENCHMARKS.items():
        text = text.replace(f"]({name})", f"]({page}.md)")
    return text


def _targets(run: Run) -> dict[str, str]:
    """Return the address of each thing that a document may name, by its name in small letters."""
    known = facts.addresses(run.ledger.facts)
    found = {f"fact {name}": address for name, address in known.items()}
    for table in datapackage.package().resource_names:
        found[f"table `{table}`"] = f"data.html#{words.anchor('table', table)}"
    for notebook, made in run.notebooks.items():
        number = notebook[:2]
        found[f"notebook {number}"] = f"{notebook}.html"
        for heading in (h for cell in made.cells for h in _headings(cell)):
            found[f"{number} § {heading}"] = f"{notebook}.html#{words.anchor(heading)}"
    return {name.lower(): address for name, address in found.items()}


def _headings(cell: Any) -> list[str]:  # noqa: ANN401 - nbformat's own type is untyped
    tokens = MarkdownIt().parse(cell.source) if cell.cell_type == "markdown" else []
    return [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]


def _linked(text: str, targets: dict[str, str]) -> str:
    """Return Markdown with what it names linked, headings left alone; lines may break in a name."""
    longest = sorted(targets, key=len, reverse=True)
    names = "|".join(r"\s+".join(map(re.escape, name.split())) for name in longest)

    def link(match: re.Match[str]) -> str:
        if match[0].startswith("#"):
            return match[0]
        return f'<a href="{targets[" ".join(match[0].split()).lower()]}">{match[0]}</a>'

    return re.sub(rf"(?mi)^#.*$|\b(?:{names})(?!\w)", link, text)
