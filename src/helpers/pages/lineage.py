"""Results: a table of all, and for each notebook a page with the lineage of each of its results."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from helpers import datapackage, evidence
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
    known = _known_inputs()
    made = {}
    for notebook in dict.fromkeys(entry["notebook"] for entry in run.results.values()):
        title = opening(run, notebook)[0] if notebook in run.notebooks else notebook
        lines = [f"# Lineage: {words.plain(title)}", ""]
        lines += ["What each number is, how it was made, and the published figures it rests on."]
        for name, entry in run.results.items():
            if entry["notebook"] == notebook:
                lines += ["", f"({words.anchor(name)})=", f"## {words.plain(name)}", ""]
                lines += _lineage(name, run, known)
        made[words.results_page(notebook)] = "\n".join([*lines, ""])
    return made


def result_link(name: str, run: Run) -> str:
    """Return the HTML link from a result's name to its lineage."""
    if name not in run.results:
        return f"{words.text(name)}, of an earlier run"
    return f'<a href="{words.result_address(name, run.results)}">{words.text(name)}</a>'


def below(name: str, run: Run) -> list[str]:
    """Return all inputs of a result but results, through every result that it rests on."""
    found: dict[str, None] = {}
    seen, waiting = {name}, [name]
    while waiting:
        for item in run.results[waiting.pop(0)]["inputs"]:
            kind, _, key = item.partition(":")
            if kind != "result":
                found[item] = None
            elif key in run.results and key not in seen:
                seen.add(key)
                waiting.append(key)
    return list(found)


def _lineage(name: str, run: Run, known: Mapping[str, str]) -> Iterator[str]:
    entry = run.results[name]
    head = ", ".join(filter(None, (words.value(entry), words.interval(entry))))
    yield f'<p class="result">{head}</p>'
    yield from (f"<p>{note}</p>" for note in words.notes(entry))
    yield f"<p>Method: {words.text(entry['method'])}</p>"
    yield f"<p>Made in: {_maker_link(entry, run)}</p>"
    yield _listed("Computed from", [_input(item, run, known) for item in entry["inputs"]])
    through = [item for item in below(name, run) if item not in entry["inputs"]]
    if through:
        yield _listed("Through those results, from", [_input(i, run, known) for i in through])


def _listed(words_before: str, items: list[str]) -> str:
    made = "<ul>\n" + "\n".join(f"<li>{item}</li>" for item in items) + "\n</ul>"
    if len(items) > _MOST_LISTED:
        return words.folded(f"{words_before} {len(items)} inputs", made)
    return f"<p>{words_before}:</p>\n{made}"


def _known_inputs() -> dict[str, str]:
    """Return the HTML that describes each fact, series and assumption, by input name."""
    ledger = evidence.load().facts.to_dict("records")
    assumptions = datapackage.load("assumptions").to_dict("records")
    return {
        **{f"fact:{row['fact_id']}": _fact(row) for row in ledger},
        **{f"assumption:{row['assumption']}": _assumption(row) for row in assumptions},
        **{f"series:{table.name}": _series(table) for table in datapackage.package().resources},
    }


def _fact(row: Mapping[str, Any]) -> str:
    where = ", ".join(filter(None, (row["qualifier"], row["jurisdiction"], row["window"])))
    return (
        f'<a href="{facts.address(row)}">fact {words.text(row["fact_id"])}</a>: '
        f"<strong>{words.text(row['value_text'])}</strong> {words.text(row['unit'])} "
        f"({words.text(where)}), {words.text(row['publisher'])}"
    )


def _assumption(row: Mapping[str, Any]) -> str:
    tried = [f"{row[end]:g}" for end in ("low", "high") if not math.isnan(row[end])]
    varied = f" (varied: {words.text(' to '.join(tried))})" if tried else ""
    return (
        f"assumption {words.text(row['assumption'])}: "
        f"<strong>{words.text(format(row['value'], 'g'))}</strong> {words.text(row['unit'])}"
        f"{varied}: {words.text(row['meaning'])}. {words.text(row['reason'])}"
    )


def _series(table: Any) -> str:  # noqa: ANN401 - frictionless is untyped
    sources = [words.link(source["title"], source.get("path", "")) for source in table.sources]
    origin = f" Source: {'; '.join(sources)}." if sources else ""
    return (
        f'series <a href="data.html#{words.anchor("table", table.name)}">'
        f"{words.text(table.name)}</a>: {words.text(table.title)}.{origin}"
    )


def _input(item: str, run: Run, known: Mapping[str, str]) -> str:
    kind, _, key = item.partition(":")
    if kind == "result":
        return f"result {result_link(key, run)}"
    if kind in ("parameter", "simulation"):
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
