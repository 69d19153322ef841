"""Where a number comes from, down to its sources, and what rests on a published figure.

A simulation is ground as a source is: what it assumes is no row of data/, but stated in the cell
that draws it and in the function called there.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import conflicts, datapackage, evidence, manifest, parameters, paths
from helpers.errors import UserError
from helpers.results import named, shown

ABOUT = ("value", "unit", "interval", "level", "method", "notebook", "cell", "caveat", "synthetic")
"""What `explain` repeats of a result as it is stored."""


class LineageError(UserError):
    """A run, a result or a figure is asked for that is not there."""


@dataclass(frozen=True)
class Lineage:
    """What a run's numbers rest on.

    Attributes
    ----------
    run
        Name of the run.
    results
        Its results by name.
    figures
        What is said of each of its figures (title, notebook, cell, inputs), by name.
    claims
        Which results settle each claim: `claim`, `reading` (`main` or `other`), `result`.
    known
        Description of each fact, series, assumption and parameter by its name as an input
        (`fact:A028`), as data/ is now; it is `changed` where data/ had another when the run was
        made.
    settings
        Value of each parameter in the run, by notebook and name.
    told
        The results that its notebooks tell in sentences and tables, the closing table of all
        results of a notebook apart.
    """

    run: str
    results: Mapping[str, dict[str, Any]]
    figures: Mapping[str, dict[str, Any]]
    claims: pd.DataFrame
    known: Mapping[str, dict[str, Any]]
    settings: Mapping[str, Mapping[str, Any]]
    told: frozenset[str] = frozenset()


def load(run: str) -> Lineage:
    """Read a finished run, and describe the evidence it can rest on, as data/ is now.

    Raises
    ------
    LineageError
        If the run is not there or cannot be read.
    helpers.datapackage.DataError
        If a table of data/ is missing or malformed.
    """
    folder = paths.run_folder(run)
    recorded = manifest.read(folder) or {"notebooks": {}}
    try:
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))["results"]
        figures = read_figures(run)
        settings = {n: each["key"]["parameters"] for n, each in recorded["notebooks"].items()}
        told = frozenset(each for name in settings for each in _told(folder / f"{name}.ipynb"))
        _check(results, figures)
    except FileNotFoundError:
        raise LineageError(paths.no_finished_run(run)) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LineageError(f"run {run!r} has a file that cannot be read; run it again") from None
    tests = datapackage.load("claim_tests")
    claims = tests[["claim", "reading", "result"]]
    known = described(evidence.load())
    for item in list(_changed(recorded, known)):
        known[item] |= {"changed": True}
    return Lineage(run, results, figures, claims, known, settings, told)


def read_figures(run: str) -> dict[str, dict[str, Any]]:
    """Return what is said of each figure of a run, by name in alphabetical order."""
    files = sorted(paths.figure_folder(run).glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


def _told(path: Path) -> Iterator[str]:
    """Yield the results that an executed notebook links, but for its closing table of all."""
    for cell in (manifest.read_json(path) or {"cells": []})["cells"]:
        if ".write()" not in "".join(cell["source"]):
            yield from re.findall(r"results\.json#([\w.]*\w)", json.dumps(cell.get("outputs", [])))


def _changed(recorded: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the facts, assumptions and series that data/ had otherwise when a run was made."""
    root = paths.project_root()
    for file, kind in manifest.BY_ROW.items():
        before, now = recorded.get("rows", {}).get(file, {}), manifest.hashes_of_rows(root / file)
        yield from (f"{kind}:{name}" for name, row in now.items() if before.get(name, row) != row)
    for item, about in known.items():
        before = recorded.get("data", {}).get(about.get("file"))
        if before and before != manifest.sha256(root / about["file"]):
            yield item


def _check(results: Mapping[str, Any], figures: Mapping[str, Any]) -> None:
    """Raise KeyError or TypeError where a result or figure lacks what is read of it here."""
    for result in results.values():
        shown(result)
        _ = [result[part] for part in (*ABOUT, "inputs")]
    for figure in figures.values():
        _ = [figure[part] for part in ("title", "notebook", "cell", "inputs")]


def described(ledger: evidence.Ledger) -> dict[str, dict[str, Any]]:
    """Describe each fact, series, assumption and parameter, by its name as an input of a result.

    Returns
    -------
    dict
        For a fact its value as printed, unit, place, window, definition, whose record it is, its
        source with address, and the conflict it is in with the fact that the judgement chooses,
        whatever the run's `source_policy` (None where there is no conflict); for a series
        its title, file and sources; for an assumption its value, range, unit, meaning and reason;
        for a parameter its meaning.
    """
    disputes = {
        fact: row for row in conflicts.judged(ledger).to_dict("records") for fact in row["facts"]
    }
    facts = {
        f"fact:{row['fact_id']}": _fact(row, disputes.get(row["fact_id"]))
        for row in ledger.facts.to_dict("records")
    }
    series = {f"series:{table.name}": _series(table) for table in datapackage.package().resources}
    assumptions = {
        f"assumption:{row['assumption']}": _assumption(row)
        for row in datapackage.load("assumptions").to_dict("records")
    }
    settings = {
        f"parameter:{row['name']}": {"meaning": row["meaning"]}
        for notebook in parameters.MODELS
        for row in parameters.describe(notebook)
    }
    return facts | series | assumptions | settings


def below(name: str, results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return all that a result rests on but results: its own inputs, and those of its results.

    Parameters
    ----------
    name
        Name of a result.
    results
        Results by name; inputs that name none of them are left out.
    """
    found: dict[str, None] = {}
    seen, waiting = {name}, [name]
    while waiting:
        for item in results[waiting.pop(0)]["inputs"]:
            kind, _, key = item.partition(":")
            if kind != "result":
                found[item] = None
            elif key in results and key not in seen:
                seen.add(key)
                waiting.append(key)
    return list(found)


def above(item: str, results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the results that rest on an input (`fact:A028`), directly or through others."""
    found: dict[str, None] = {}
    waiting = [item]
    while waiting:
        asked = waiting.pop(0)
        for name, result in results.items():
            if asked in result["inputs"] and name not in found:
                found[name] = None
                waiting.append(f"result:{name}")
    return list(found)


def explain(lineage: Lineage, name: str) -> dict[str, Any]:
    """Return a result with all that it rests on, as a tree of plain values.

    Returns
    -------
    dict
        The result (`name`, `shown` as readers see it, what `ABOUT` names) with `inputs`: for each
        the input's name and description; for a result the same tree, with `repeated` in place of
        `inputs` where it stands in the tree already.

    Raises
    ------
    helpers.results.ResultError
        If there is no such result.
    """
    return _tree(lineage, name, set())


def dependents(lineage: Lineage, item: str) -> dict[str, Any]:
    """Return every result, figure and claim that moves with an input.

    A figure depends on what it names as its inputs, a claim on the results that settle it.

    Parameters
    ----------
    lineage
        The run.
    item
        Name of an input, for example `fact:A028`.

    Returns
    -------
    dict
        `input` and its description, `results` and `figures` (names), and `claims`: for each the
        readings (`main`, `other`) that move.

    Raises
    ------
    LineageError
        If there is no such fact, series, assumption or parameter.
    """
    if item not in lineage.known:
        kind, _, name = item.partition(":")
        raise LineageError(f"there is no {kind} {name!r}")
    moved = above(item, lineage.results)
    touched = {item, *(f"result:{name}" for name in moved)}
    claims = lineage.claims[lineage.claims["result"].isin(moved)]
    return {
        "input": item,
        **lineage.known[item],
        "results": moved,
        "figures": [n for n, about in lineage.figures.items() if touched & {*about["inputs"]}],
        "claims": {
            claim: readings.unique().tolist()
            for claim, readings in claims.groupby("claim", sort=False)["reading"]
        },
    }


def unused(lineage: Lineage) -> dict[str, list[str]]:
    """Return what is there and put to no use.

    Returns
    -------
    dict
        `facts` that no result and no figure names, in the order of the evidence; `results` that no
        other result, figure, claim, sentence or table names, but for the closing table of all
        results of a notebook.
    """
    used = {item for _, inputs in _owners(lineage) for item in inputs}
    used |= {f"result:{name}" for name in (*lineage.told, *lineage.claims["result"])}
    facts = [item.removeprefix("fact:") for item in lineage.known if item.startswith("fact:")]
    return {
        "facts": [name for name in facts if f"fact:{name}" not in used],
        "results": [name for name in lineage.results if f"result:{name}" not in used],
    }


def groundless(lineage: Lineage) -> list[str]:
    """Return the results that lead to no source, stated assumption, simulation or records."""
    ground = ("fact:", "series:", "assumption:", "simulation:", "records:")
    return [
        name
        for name in lineage.results
        if not any(item.startswith(ground) for item in below(name, lineage.results))
    ]


def missing(lineage: Lineage) -> list[str]:
    """Return a line for each input of a result or figure that names something missing."""
    there = {*lineage.known, *(f"result:{name}" for name in lineage.results)}
    return [
        f"{owner}: {item}"
        for owner, inputs in _owners(lineage)
        for item in inputs
        if item not in there and not item.startswith(("simulation:", "records:"))
    ]


def _owners(lineage: Lineage) -> list[tuple[str, list[str]]]:
    results = [(f"result {name}", each["inputs"]) for name, each in lineage.results.items()]
    figures = [(f"figure {name}", each["inputs"]) for name, each in lineage.figures.items()]
    return results + figures


def _tree(lineage: Lineage, name: str, seen: set[str]) -> dict[str, Any]:
    result = named(lineage.results, name)
    tree = {
        "input": f"result:{name}",
        "name": name,
        "shown": shown(result),
        "shown_interval": shown(result, "interval") if result["interval"] else None,
        **{key: result[key] for key in ABOUT},
    }
    if name in seen:
        return {**tree, "repeated": True}
    seen.add(name)
    settings = lineage.settings.get(result["notebook"], {})
    inputs = [_branch(lineage, item, settings, seen) for item in result["inputs"]]
    return {**tree, "inputs": inputs}


def _branch(
    lineage: Lineage, item: str, settings: Mapping[str, Any], seen: set[str]
) -> dict[str, Any]:
    kind, _, key = item.partition(":")
    if kind == "result" and key in lineage.results:
        return _tree(lineage, key, seen)
    set_to = {"value": settings[key]} if kind == "parameter" and key in settings else {}
    return {"input": item, **lineage.known.get(item, {}), **set_to}


def _fact(row: Mapping[str, Any], conflict: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "printed": row["value_text"],
        "unit": row["unit"],
        "qualifier": row["qualifier"],
        "place": row["jurisdiction"],
        "window": row["window"],
        "definition": row["definition"],
        "whose": row["basis"],
        "source": {key: row[key] for key in ("title", "publisher", "published", "url")},
        "conflict": conflict
        and {
            "with": [fact for fact in conflict["facts"] if fact != row["fact_id"]],
            "counter": conflict["counter"],
            "judged": conflict["chosen_fact"] or None,
            "reason": conflict["reason"],
        },
    }


def _series(table: Any) -> dict[str, Any]:  # noqa: ANN401 - frictionless is untyped
    sources = [{"title": each["title"], "url": each.get("path", "")} for each in table.sources]
    return {"title": table.title, "file": f"data/{table.path}", "sources": sources}


def _assumption(row: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {end: None if math.isnan(row[end]) else row[end] for end in ("value", "low", "high")}
    return {**numbers, **{key: row[key] for key in ("unit", "meaning", "reason")}}
