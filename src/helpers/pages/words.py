"""Values as text of a page: nothing that a value holds can become markup."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from docutils.nodes import make_id  # type: ignore[import-untyped]
from markdown_it import MarkdownIt

from helpers.results import shown

SYNTHETIC = "<strong>Synthetic:</strong> made-up data, not observations."
"""HTML that stands wherever a number or figure from synthetic data does."""

_TEXT = re.compile(r">[^<>]+<")
_LONG_NAME = re.compile(r"\b(?=[\w.]{12})[A-Za-z]\w*(?:[._]\w+)+")
_DATE = re.compile(r"\b\d{4}-\d\d(?:-\d\d)?\b(?: to\b)?")


def printable(value: object) -> str:
    """Return a value on one line, without signs that are not seen (such as bidi overrides)."""
    return "".join(sign for sign in " ".join(str(value).split()) if sign.isprintable())


def plain(value: object) -> str:
    """Escape a value so that Markdown shows it as text, in a paragraph, heading or table cell."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", printable(value))


def text(value: object) -> str:
    """Escape a value so that HTML shows it as text, in an element or a quoted attribute."""
    return html.escape(printable(value))


def coded(value: object) -> str:
    """Escape a value for HTML as `text` does, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text(value))


def name(dotted: str) -> str:
    """Return a dotted name as HTML that may break after each of its words."""
    return re.sub(r"([._])", r"\1<wbr>", text(dotted))


def link(words: str, address: str) -> str:
    """Return an HTML link to an address of the web; an address of any other kind is shown as text.

    Parameters
    ----------
    words
        What is linked, not yet escaped.
    address
        Address, from a source.
    """
    if not re.match(r"https?://", address):
        return f"{text(words)} ({text(address)})" if address else text(words)
    safe = quote(printable(address), safe=":/?#@!$&()*+,;=%~")
    return f'<a class="external" href="{html.escape(safe)}">{text(words)}</a>'


def anchor(*names: str) -> str:
    """Return an HTML id made of names."""
    return str(make_id(" ".join(names)))


def results_page(notebook: str) -> str:
    """Return the name of the page that holds the lineage of a notebook's results."""
    return f"results-{notebook}"


def result_address(name: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return where a result's lineage stands; the list of all results if the run has none such."""
    if name not in results:
        return "results.html"
    return f"{results_page(results[name]['notebook'])}.html#{anchor(name)}"


def period(window: object) -> str:
    """Return a period such as 2017-01-28/2017-02-03 as text with its ends told apart."""
    return printable(window).replace("/", " to ")


def unit(name: str) -> str:
    """Return a unit as it is said after a value; empty where the value says itself what it is."""
    return "" if name in ("date", "month", "text", "year") else name


def value(entry: Mapping[str, Any]) -> str:
    """Return a result's value with its unit as HTML."""
    return f"<strong>{text(shown(entry))}</strong> {text(unit(entry['unit']))}".strip()


def interval(entry: Mapping[str, Any]) -> str:
    """Return a result's interval and its kind as HTML; empty if it has none."""
    if not entry["interval"]:
        return ""
    kind = f"{entry['level']:.0%} interval" if entry["level"] else "range"
    return f"{text(shown(entry, 'interval'))} ({kind})"


def notes(entry: Mapping[str, Any]) -> list[str]:
    """Return what must stand beside a result's value: synthetic or not, and its caveat, as HTML."""
    caveat = [f"<em>Caveat:</em> {text(entry['caveat'])}"] if entry["caveat"] else []
    return ([SYNTHETIC] if entry["synthetic"] else []) + caveat


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, tools: str = ""
) -> str:
    """Return a table as HTML: caption, scoped headers, a box that scrolls and takes the focus.

    Parameters
    ----------
    caption
        What the table shows.
    columns
        Headers, as text.
    rows
        Cells, as HTML; the first of a row is its header.
    tools
        `sort` or `sort filter`: what the script adds to the table.
    """
    head = "".join(f'<th scope="col">{text(column)}</th>' for column in columns)
    body = "\n".join(
        f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"
        for first, *rest in rows
    )
    kind = f' data-tools="{tools}"' if tools else ""
    return scrolling(
        f"<table{kind}>\n<caption>{text(caption)}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>",
        caption,
    )


def scrolling(content: str, name: str) -> str:
    """Put HTML into a named box that scrolls sideways and can be reached with the keyboard.

    In its text a date stays on one line, and a long name may break after its dots and underscores.
    """
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{text(name)}">\n'
        f"{_TEXT.sub(_with_places_to_break, content)}\n</div>"
    )


def _with_places_to_break(between: re.Match[str]) -> str:
    named = _LONG_NAME.sub(lambda long: re.sub(r"([._])", r"\1<wbr>", long[0]), between[0])
    return _DATE.sub(r'<span class="date">\g<0></span>', named)


def folded(summary: str, content: str) -> str:
    """Put HTML behind a line that unfolds it."""
    return f"<details><summary>{text(summary)}</summary>\n{content}\n</details>"


def rendered(markdown: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Render Markdown with numbers linked to results.json: each leads to its lineage.

    HTML in the Markdown stays text.

    Parameters
    ----------
    markdown
        As from `Results.say` and `Results.table`.
    results
        The run's results by name.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    blocks = parser.parse(markdown)
    for token in (child for block in blocks for child in block.children or []):
        target = str(token.attrGet("href") or "")
        if target.startswith("results.json#"):
            token.attrSet("href", result_address(target.removeprefix("results.json#"), results))
    made = str(parser.renderer.render(blocks, parser.options, {}))
    made = made.replace("<th>", '<th scope="col">').replace("<th style", '<th scope="col" style')
    if "<table>" not in made:
        return made
    before, rest = made.split("<table>", 1)
    inside, after = rest.rsplit("</table>", 1)
    name = "Results of this notebook"
    return before + scrolling(f"<table>\n<caption>{name}</caption>{inside}</table>", name) + after
