"""Results: a table of all, and for each notebook a page with the lineage of each of its results."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from helpers import lineage, lineage_graph
from helpers.pages import facts, words
from helpers.pages.run import PagesError, Run, opening

_MOST_LISTED = 12  # more inputs are folded


def overview(run: Run) -> str:
    """Return the page that lists every result of a run, as Markdown."""
    rows = [
        [
            result_link(name, run),
            words.value(entry),
            words.interval(entry),
            " ".join(words.notes(entry)),
        ]
        for name, entry in run.results.items()
    ]
    return "\n".join(
        [
            "# All results",
            "",
            f"Every result of the run `{run.name}`. Each leads to its method, the cell that made "
            "it and the published figures that it rests on.",
            "",
            words.table(
                "Results of the run",
                ["Result", "Value", "Interval", "Note"],
                rows,
                tools="sort filter",
            ),
            "",
        ]
    )


def pages(run: Run) -> dict[str, str]:
    """Return the lineage of all results as Markdown, by page name: one page a notebook."""
    addresses = facts.addresses(run.ledger.facts)
    known = {
        item: _described(item, about, addresses)
        for item, about in lineage.described(run.ledger).items()
    }
    made = {}
    for notebook in dict.fromkeys(entry["notebook"] for entry in run.results.values()):
        title = opening(run, notebook)[0] if notebook in run.notebooks else notebook
        lines = [f"# Lineage: {words.plain(title)}", ""]
        lines += ["What each number is, how it was made, and the published figures it rests on."]
        for name, entry in run.results.items():
            if entry["notebook"] == notebook:
                lines += ["", f"({words.anchor(name)})=", f"## {_heading(name)}", ""]
                lines += _lineage(name, run, known)
        made[words.results_page(notebook)] = "\n".join([*lines, ""])
    return made


def result_link(name: str, run: Run) -> str:
    """Return the HTML link from a result's name to its lineage."""
    if name not in run.results:
        return f"{words.text(name)}, of an earlier run"
    return f'<a href="{words.result_address(name, run.results)}">{words.name(name)}</a>'


def _heading(name: str) -> str:
    return re.sub(r"(\\[._])", r"\1<wbr>", words.plain(name))


def drawings(run: Run) -> dict[str, str]:
    """Return the lineage of each result as a picture (SVG), by the picture's file name."""
    found = lineage.load(run.name)
    return {f"{words.anchor(name)}.svg": lineage_graph.svg(found, name) for name in run.results}


def _lineage(name: str, run: Run, known: Mapping[str, str]) -> Iterator[str]:
    entry = run.results[name]
    head = ", ".join(filter(None, (words.value(entry), words.interval(entry))))
    yield f'<p class="result">{head}</p>'
    yield from (f"<p>{note}</p>" for note in words.notes(entry))
    yield f"<p>Method: {words.text(entry['method'])}</p>"
    drawing = f'<a href="lineage/{words.anchor(name)}.svg">drawn as a picture</a>'
    yield f"<p>Made in: {_maker_link(entry, run)}; lineage {drawing}</p>"
    yield _listed("Computed from", [_input(item, run, known) for item in entry["inputs"]])
    through = [item for item in lineage.below(name, run.results) if item not in entry["inputs"]]
    if through:
        yield _listed("Through those results, from", [_input(i, run, known) for i in through])


def _listed(words_before: str, items: list[str]) -> str:
    made = "<ul>\n" + "\n".join(f"<li>{item}</li>" for item in items) + "\n</ul>"
    if len(items) > _MOST_LISTED:
        return words.folded(f"{words_before} {len(items)} inputs", made)
    return f"<p>{words_before}:</p>\n{made}"


def _described(item: str, about: Mapping[str, Any], addresses: Mapping[str, str]) -> str:
    """Return the HTML for an input and its description (of `helpers.lineage.described`)."""
    kind, _, key = item.partition(":")
    named = f"{kind} {words.text(key)}"
    if kind == "fact":
        return f'<a href="{addresses[key]}">{named}</a>: {_fact(about)}'
    if kind == "series":
        return f'<a href="data.html#{words.anchor("table", key)}">{named}</a>: {_series(about)}'
    said = _assumption(about) if kind == "assumption" else words.text(about["meaning"])
    return f"{named}: {said}"


def _fact(item: Mapping[str, Any]) -> str:
    parts = (item["qualifier"], item["place"], words.period(item["window"]))
    where = ", ".join(filter(None, parts))
    return (
        f"<strong>{words.text(item['printed'])}</strong> {words.text(item['unit'])} "
        f"({words.text(where)}), {words.text(item['source']['publisher'])}"
    )


def _assumption(item: Mapping[str, Any]) -> str:
    tried = [f"{item[end]:g}" for end in ("low", "high") if item[end] is not None]
    varied = f" (varied: {words.text(' to '.join(tried))})" if tried else ""
    return (
        f"<strong>{words.text(format(item['value'], 'g'))}</strong> {words.text(item['unit'])}"
        f"{varied}: {words.text(item['meaning'])}. {words.text(item['reason'])}"
    )


def _series(item: Mapping[str, Any]) -> str:
    sources = [words.link(source["title"], source["url"]) for source in item["sources"]]
    origin = f" Source: {'; '.join(sources)}." if sources else ""
    return f"{words.text(item['title'])}.{origin}"


def _input(item: str, run: Run, known: Mapping[str, str]) -> str:
    kind, _, key = item.partition(":")
    if kind == "result":
        return f"result {result_link(key, run)}"
    if kind in ("simulation", "records"):
        return f"{kind} {words.text(key)}"
    if item not in known:
        raise PagesError(f"run {run.name!r} rests on {item}, which data/ does not have; run again")
    return known[item]


def _maker_link(entry: Mapping[str, Any], run: Run) -> str:
    notebook, cell = entry["notebook"], entry["cell"]
    if notebook not in run.notebooks:
        return f"{words.text(notebook)}, not part of this run"
    has_cell = cell in {c.id for c in run.notebooks[notebook].cells}
    target = f"#{words.anchor('cell', notebook, cell)}" if has_cell else ""
    return f'<a href="{notebook}.html{target}">{words.text(opening(run, notebook)[0])}</a>'
