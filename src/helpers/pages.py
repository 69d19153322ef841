"""A finished run as HTML pages that need no server and no network; nothing is executed."""

import io
import json
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import nbformat
from docutils.nodes import make_id  # type: ignore[import-untyped]
from markdown_it import MarkdownIt
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.console import strip_escape_sequences
from sphinx.util.docutils import docutils_namespace, patch_docutils

from helpers import datapackage, evidence, lineage, paths
from helpers.results import shown

_THEME = Path(__file__).parent / "pages_theme"
_TITLE = "Declined Detainers"
_STUDY = """\
Immigration and Customs Enforcement (ICE) asks a jail to hold a person for it with a *detainer*.
A jail that does not do so *declines* it, and ICE staff record that when they learn of it.
The study asks how many places ICE or others counted as declining detainers between 2017 and 2021,
how old the declined detainers were, and what one policy of ICE's own field offices did to the
counts.

Each number on these pages leads to its [lineage](results.md): method, interval, caveat and the
published figures it rests on. Each notebook keeps its code under *Show code*."""
_FIGURE_FILES = (".csv", ".svg", ".png")
_LINEAGE = "results.json#"
_PYTHON = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}


class PagesError(RuntimeError):
    """The pages of a run cannot be made; the message is one line."""


class _Run(NamedTuple):
    name: str
    notebooks: dict[str, Any]
    results: dict[str, dict[str, Any]]


def build(run: str) -> Path:
    """Render a run to the folder site/: an index, one page a notebook, one page of results.

    The new pages replace the old ones when they are complete; after a failure the old ones stand.

    Parameters
    ----------
    run
        Name of a run in papermill_runs/.

    Returns
    -------
    Path
        The index page.

    Raises
    ------
    PagesError
        If the run is missing or unfinished, data/ lacks what its results rest on, or a page
        cannot be rendered without a warning.
    """
    try:
        finished = _read(run)
        site = paths.output_root() / "site"
        with tempfile.TemporaryDirectory(prefix="detainers-site-") as temporary:
            source, target = Path(temporary, "source"), Path(temporary, "html")
            _write_sources(source, finished)
            _render(source, target)
            _replace(site, target)
    except (paths.PathError, datapackage.DataError, SphinxError, OSError) as error:
        raise PagesError(" ".join(f"pages of run {run!r}: {error}".split())) from error
    except (LookupError, TypeError, AttributeError, ValueError, nbformat.ValidationError) as error:
        what = f"{type(error).__name__}: {error}".split()
        raise PagesError(
            f"run {run!r} has a damaged file ({' '.join(what)[:120]}); run it again"
        ) from error
    return site / "index.html"


def _read(run: str) -> _Run:
    folder = paths.run_folder(run)
    found = [p for p in sorted(folder.glob("*.ipynb")) if not p.name.endswith(".failed.ipynb")]
    if not found or not (folder / "results.json").is_file():
        others = sorted(path.parent.name for path in folder.parent.glob("*/results.json"))
        raise PagesError(
            f"there is no finished run {run!r}; finished runs: {', '.join(others) or 'none'}"
        )
    try:
        notebooks = {path.stem: nbformat.read(path, as_version=4) for path in found}
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))["results"]
    except (ValueError, KeyError, TypeError) as error:
        raise PagesError(f"run {run!r} has an unreadable file: {str(error)[:200]!r}") from None
    return _Run(run, notebooks, results)


def _write_sources(source: Path, run: _Run) -> None:
    """Write what Sphinx reads: notebooks, index, results page and the figures' files."""
    figures = _copy_figures(paths.figure_folder(run.name), source / "extra" / "figures")
    (source / "index.md").write_text(_index(run), encoding="utf-8")
    (source / "results.md").write_text(_results_page(run), encoding="utf-8")
    for name in run.notebooks:
        nbformat.write(_prepared(run, name, figures), source / f"{name}.ipynb")


def _copy_figures(folder: Path, target: Path) -> dict[tuple[str, str], str]:
    """Copy pictures and drawn data; return the names of figures by notebook and cell."""
    target.mkdir(parents=True)
    for path in folder.glob("*"):
        if path.suffix in _FIGURE_FILES:
            shutil.copyfile(path, target / path.name)
    about = {path.stem: json.loads(path.read_bytes()) for path in folder.glob("*.json")}
    return {(figure["notebook"], figure["cell"]): name for name, figure in about.items()}


def _prepared(run: _Run, name: str, figures: Mapping[tuple[str, str], str]) -> Any:  # noqa: ANN401
    """Return a notebook with folded code, anchors at the cells that made results, and alt text."""
    makers = {entry["cell"] for entry in run.results.values() if entry["notebook"] == name}
    cells = []
    for cell in run.notebooks[name].cells:
        if cell.id in makers:
            cells.append(nbformat.v4.new_markdown_cell(f"({_cell_anchor(name, cell.id)})="))
        if cell.cell_type == "code":
            cell.metadata["tags"] = sorted({"hide-input", *cell.metadata.get("tags", [])})
            for output in cell.outputs:
                if alt := output.get("metadata", {}).get("image/png", {}).get("alt"):
                    cell.metadata["mystnb"] = {"image": {"alt": alt}}
            cell.outputs = [_output(output, run.results) for output in cell.outputs]
            if figure := figures.get((name, cell.id)):
                cell.outputs.append(_html_output(_downloads(figure)))
        cells.append(cell)
    return nbformat.v4.new_notebook(metadata=_PYTHON, cells=cells)


def _output(output: Any, results: Mapping[str, Any]) -> Any:  # noqa: ANN401
    # HTML at once: MyST-NB reads the Markdown of outputs without tables.
    text = output.get("data", {}).get("text/markdown")
    return output if text is None else _html_output(_markdown_to_html(text, results))


def _downloads(figure: str) -> str:
    files = (f'<a href="figures/{quote(figure + kind)}">{kind[1:]}</a>' for kind in _FIGURE_FILES)
    return f'<p class="figure-files">Data and picture: {", ".join(files)}</p>'


def _html_output(text: str) -> Any:  # noqa: ANN401 - nbformat's own type is untyped
    return nbformat.v4.new_output("display_data", {"text/html": text})


def _markdown_to_html(text: str, results: Mapping[str, Any]) -> str:
    """Render an output's Markdown: HTML in it stays text, links to results lead to their page."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    blocks = markdown.parse(text)
    for token in (child for block in blocks for child in block.children or []):
        target = str(token.attrGet("href") or "")
        if target.startswith(_LINEAGE):
            name = target.removeprefix(_LINEAGE)
            token.attrSet("href", "results.html" + (f"#{make_id(name)}" if name in results else ""))
    return str(markdown.renderer.render(blocks, markdown.options, {}))


def _cell_anchor(notebook: str, cell: str) -> str:
    return make_id(f"cell {notebook} {cell}")


def _opening(run: _Run, notebook: str) -> tuple[str, str]:
    """Return title and question of a notebook: heading and first paragraph of its first cell."""
    cells = run.notebooks[notebook].cells
    title, _, rest = (cells[0].source if cells else "").partition("\n")
    if not title.startswith("# "):
        raise PagesError(f"{notebook}: its first cell does not begin with '# ' and a title")
    question = " ".join(rest.strip().split("\n\n")[0].split())
    return title.removeprefix("# ").strip(), question.removeprefix("**Question.** ")


def _index(run: _Run) -> str:
    lines = [f"# {_TITLE}", "", _STUDY, "", "## Notebooks", ""]
    for notebook in run.notebooks:
        title, question = _opening(run, notebook)
        lines += [f"- **[{title}]({notebook}.ipynb)**", "", f"  {question}", ""]
    lines += ["## Results", "", f"All results of the run `{run.name}`.", ""]
    lines += ["| Result | Value | Interval | Note |", "|---|---|---|---|"]
    for name, entry in run.results.items():
        notes = " ".join(_notes(entry))
        row = (_result_link(name, run), _value(entry), _interval(entry), notes)
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join([*lines, "", "```{toctree}", ":hidden:", *run.notebooks, "results", "```", ""])


def _results_page(run: _Run) -> str:
    lines = ["# Results and their lineage", ""]
    lines += ["What each number is, how it was made, and the published figures it rests on.", ""]
    known = lineage.described(evidence.load())
    for notebook in dict.fromkeys(entry["notebook"] for entry in run.results.values()):
        title = _opening(run, notebook)[0] if notebook in run.notebooks else _plain(notebook)
        lines += [f"## {title}", ""]
        for name, entry in run.results.items():
            if entry["notebook"] == notebook:
                lines += [f"({make_id(name)})=", f"### {_plain(name)}", ""]
                lines += [", ".join(filter(None, (_value(entry), _interval(entry)))), ""]
                lines += [paragraph for note in _notes(entry) for paragraph in (note, "")]
                lines += [*_lineage(name, run, known), ""]
    return "\n".join(lines)


def _described(item: Mapping[str, Any]) -> str:
    """Return the Markdown for a description of `helpers.lineage.described`."""
    if "printed" in item:
        return _fact(item)
    if "file" in item:
        return _series(item)
    return _assumption(item) if "reason" in item else _plain(item["meaning"])


def _fact(item: Mapping[str, Any]) -> str:
    where, source = (item["qualifier"], item["place"], item["window"]), item["source"]
    origin = [_link(source["title"], source["url"])]
    origin += [_plain(source["publisher"]), _plain(source["published"])]
    return (
        f"**{_plain(item['printed'])}** {_plain(item['unit'])} "
        f"({_plain(', '.join(filter(None, where)))}): "
        f"{_plain(item['definition'])}. Source: {', '.join(filter(None, origin))}."
    )


def _assumption(item: Mapping[str, Any]) -> str:
    tried = [f"{item[end]:g}" for end in ("low", "high") if item[end] is not None]
    varied = f" (varied: {_plain(' to '.join(tried))})" if tried else ""
    number = f"**{_plain(format(item['value'], 'g'))}** {_plain(item['unit'])}"
    return f"{number}{varied}: {_plain(item['meaning'])}. {_plain(item['reason'])}"


def _series(item: Mapping[str, Any]) -> str:
    sources = [_link(source["title"], source["url"]) for source in item["sources"]]
    return f"{_plain(item['title'])}." + (f" Source: {'; '.join(sources)}." if sources else "")


def _lineage(name: str, run: _Run, known: Mapping[str, Any]) -> Iterator[str]:
    entry = run.results[name]
    yield f"- Method: {_plain(entry['method'])}"
    yield f"- Made in: {_maker_link(entry, run)}"
    yield "- Computed from:"
    for item in entry["inputs"]:
        yield f"  - {_input(item, run, known)}"
    below = [item for item in lineage.below(name, run.results) if item not in entry["inputs"]]
    if below:
        yield "- Through those results, from:"
    for item in below:
        yield f"  - {_input(item, run, known)}"


def _input(item: str, run: _Run, known: Mapping[str, Any]) -> str:
    kind, _, key = item.partition(":")
    if kind == "result":
        return f"result {_result_link(key, run)}"
    if kind == "simulation":
        return f"{kind} {_plain(key)}"
    if item not in known:
        raise PagesError(f"run {run.name!r} rests on {item}, which data/ does not have; run again")
    return f"{kind} {_plain(key)}: {_described(known[item])}"


def _maker_link(entry: Mapping[str, Any], run: _Run) -> str:
    notebook, cell = entry["notebook"], entry["cell"]
    if notebook not in run.notebooks:
        return f"{_plain(notebook)}, not part of this run"
    has_cell = cell in {c.id for c in run.notebooks[notebook].cells}
    target = f"#{_cell_anchor(notebook, cell)}" if has_cell else f"{notebook}.ipynb"
    return f"[{_opening(run, notebook)[0]}]({target})"


def _result_link(name: str, run: _Run) -> str:
    if name not in run.results:
        return f"{_plain(name)}, of an earlier run"
    return f"[{_plain(name)}](#{make_id(name)})"


def _value(entry: Mapping[str, Any]) -> str:
    return f"**{_plain(shown(entry))}** {_plain(entry['unit'])}"


def _interval(entry: Mapping[str, Any]) -> str:
    if not entry["interval"]:
        return ""
    kind = f"{entry['level']:.0%} interval" if entry["level"] else "range"
    return f"{_plain(shown(entry, 'interval'))} ({kind})"


def _notes(entry: Mapping[str, Any]) -> list[str]:
    made_up = ["*Synthetic: from made-up records, not from observations.*"]
    caveat = [f"*Caveat:* {_plain(entry['caveat'])}"] if entry["caveat"] else []
    return (made_up if entry["synthetic"] else []) + caveat


def _link(text: str, address: str) -> str:
    if not re.match(r"https?://", address):
        return f"{_plain(text)} ({_plain(address)})" if address else _plain(text)
    return f"[{_plain(text)}](<{quote(address, safe=':/?#@!$&()*+,;=%~')}>)"


def _plain(value: object) -> str:
    """Escape a value so that Markdown shows it as text, in a paragraph, heading or table cell."""
    printable = "".join(sign for sign in " ".join(str(value).split()) if sign.isprintable())
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", printable)


def _render(source: Path, target: Path) -> None:
    messages = io.StringIO()
    with patch_docutils(), docutils_namespace(), warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # between Sphinx and MyST-NB
        app = Sphinx(
            source,
            None,
            target,
            source.with_name("doctrees"),
            "html",
            confoverrides=_settings(source),
            status=None,
            warning=messages,
        )
        app.build()
    if text := strip_escape_sequences(messages.getvalue()).strip():
        raise PagesError(text.splitlines()[0].replace(f"{source}{os.sep}", ""))


def _settings(source: Path) -> dict[str, Any]:
    return {
        "project": _TITLE,
        "html_title": _TITLE,
        "language": "en",
        "extensions": ["myst_nb"],
        "nb_execution_mode": "off",
        "nb_code_prompt_show": "Show code",
        "nb_code_prompt_hide": "Hide code",
        "exclude_patterns": ["jupyter_execute"],
        "smartquotes": False,  # a figure is shown as printed
        "html_theme": "pydata_sphinx_theme",
        "html_theme_options": {"navbar_center": [], "footer_start": [], "footer_end": []},
        "html_sidebars": {"**": ["contents"]},
        "templates_path": [str(_THEME / "templates")],
        "html_static_path": [str(_THEME / "static")],
        "html_css_files": ["study.css"],
        "html_extra_path": [str(source / "extra")],
        "html_copy_source": False,
        "html_show_copyright": False,
        "html_use_index": False,
        "html_show_search_summary": False,  # it fetches pages, which browsers refuse for files
    }


def _replace(site: Path, new: Path) -> None:
    """Put a finished folder in the place of another, which stands until the copy is complete."""
    beside = site.with_name(f".site.{os.getpid()}.part")
    old = site.with_name(f".site.{os.getpid()}.old.part")
    try:
        shutil.copytree(new, beside)
        if site.exists():
            site.rename(old)
        beside.rename(site)
    finally:
        if old.exists() and not site.exists():
            old.rename(site)
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
