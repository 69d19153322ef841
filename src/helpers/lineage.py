"""Where a number comes from, down to its sources, and what rests on a published figure."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from helpers import conflicts, datapackage, evidence, parameters, paths
from helpers.results import named, shown


class LineageError(ValueError):
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
        Table `claims`.
    known
        Description of each fact, series and assumption by its name as an input (`fact:A028`).
    """

    run: str
    results: Mapping[str, dict[str, Any]]
    figures: Mapping[str, dict[str, Any]]
    claims: pd.DataFrame
    known: Mapping[str, dict[str, Any]]


def load(run: str) -> Lineage:
    """Read a finished run, and describe the evidence it can rest on.

    Raises
    ------
    LineageError
        If the run is not there or cannot be read.
    helpers.datapackage.DataError
        If a table of data/ is missing or malformed.
    """
    folder = paths.run_folder(run)
    try:
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))["results"]
        figures = {
            path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(paths.figure_folder(run).glob("*.json"))
        }
    except FileNotFoundError:
        raise LineageError(f"there is no finished run {run!r}") from None
    except (ValueError, KeyError, TypeError):
        raise LineageError(f"run {run!r} has a file that cannot be read; run it again") from None
    return Lineage(run, results, figures, datapackage.load("claims"), described(evidence.load()))


def described(ledger: evidence.Ledger) -> dict[str, dict[str, Any]]:
    """Describe each fact, series and assumption, by its name as an input of a result.

    Returns
    -------
    dict
        For a fact its value as printed, unit, place, window, definition, whose record it is, its
        source with address, and the conflict it is in (None where there is none); for a series
        its title, file and sources; for an assumption its value, range, unit, meaning and reason.
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
    return facts | series | assumptions


def below(name: str, results: Mapping[str, dict[str, Any]]) -> list[str]:
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


def above(item: str, results: Mapping[str, dict[str, Any]]) -> list[str]:
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
        The result (`name`, `shown` as readers see it, `value`, `unit`, `interval`, `level`,
        `method`, `notebook`, `cell`, `caveat`, `synthetic`) with `inputs`: for each the input's
        name and description; for a result the same tree.

    Raises
    ------
    helpers.results.ResultError
        If there is no such result.
    """
    result = named(lineage.results, name)
    about = ["value", "unit", "interval", "level", "method", "notebook", "cell", "caveat"]
    return {
        "input": f"result:{name}",
        "name": name,
        "shown": shown(result),
        "shown_interval": shown(result, "interval") if result["interval"] else None,
        **{key: result[key] for key in [*about, "synthetic"]},
        "inputs": [_explained(item, lineage) for item in result["inputs"]],
    }


def dependents(lineage: Lineage, fact: str) -> dict[str, Any]:
    """Return every result, figure and claim that moves with a published figure.

    A figure depends on what it names as its inputs, a claim on the results that settle it.

    Parameters
    ----------
    lineage
        The run.
    fact
        Identifier of a fact, for example `A028`.

    Returns
    -------
    dict
        `fact` (its description), `results`, `figures` and `claims` (names, in the run's order).

    Raises
    ------
    LineageError
        If there is no such fact.
    """
    item = f"fact:{fact}"
    if item not in lineage.known:
        raise LineageError(f"there is no fact {fact!r} in data/evidence/facts.csv")
    moved = above(item, lineage.results)
    touched = {item, *(f"result:{name}" for name in moved)}
    return {
        "fact": {"input": item, **lineage.known[item]},
        "results": moved,
        "figures": [n for n, about in lineage.figures.items() if touched & {*about["inputs"]}],
        "claims": [
            row.claim
            for row in lineage.claims.itertuples()
            if touched & {f"result:{name}" for name in row.result.split(";")}
        ],
    }


def unused(lineage: Lineage) -> list[str]:
    """Return the identifiers of the facts that no result names, in the order of the evidence."""
    used = _named_inputs(lineage.results.values())
    facts = (item.partition(":") for item in lineage.known)
    return [key for kind, _, key in facts if kind == "fact" and f"fact:{key}" not in used]


def groundless(lineage: Lineage) -> list[str]:
    """Return the results that lead to no source, stated assumption or simulation.

    An input that is not there counts as none.
    """
    return [
        name
        for name in lineage.results
        if not any(_is_ground(item, lineage) for item in below(name, lineage.results))
    ]


def _named_inputs(results: Iterable[Mapping[str, Any]]) -> set[str]:
    return {item for result in results for item in result["inputs"]}


def _is_ground(item: str, lineage: Lineage) -> bool:
    return item in lineage.known or item.startswith("simulation:")


def _explained(item: str, lineage: Lineage) -> dict[str, Any]:
    kind, _, key = item.partition(":")
    if kind == "result":
        return explain(lineage, key) if key in lineage.results else {"input": item}
    if kind == "parameter":
        return {"input": item, "meaning": _meaning(key)}
    return {"input": item, **lineage.known.get(item, {})}


def _meaning(parameter: str) -> str:
    rows = (row for notebook in parameters.MODELS for row in parameters.describe(notebook))
    return next((row["meaning"] for row in rows if row["name"] == parameter), "")


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
            "chosen": conflict["chosen_fact"] or None,
            "reason": conflict["reason"],
        },
    }


def _series(table: Any) -> dict[str, Any]:  # noqa: ANN401 - frictionless is untyped
    sources = [{"title": each["title"], "url": each.get("path", "")} for each in table.sources]
    return {"title": table.title, "file": f"data/{table.path}", "sources": sources}


def _assumption(row: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {end: None if math.isnan(row[end]) else row[end] for end in ("value", "low", "high")}
    return {**numbers, **{key: row[key] for key in ("unit", "meaning", "reason")}}


def as_lines(explained: Mapping[str, Any], depth: int = 0) -> list[str]:
    """Return a tree from `explain`, or one of its inputs, as indented lines of text."""
    pad = "  " * depth
    if "method" not in explained:
        first, *more = _input_lines(explained)
        return [f"{pad}- {first}", *(f"{pad}    {line}" for line in more)]
    range_ = explained["shown_interval"]
    kind = f"{explained['level']:.0%} interval" if explained["level"] else "range"
    head = f"{explained['name']} = {explained['shown']} {explained['unit']}"
    head += f" ({kind} {range_})" if range_ else ""
    lines = [f"method: {explained['method']}"]
    lines.append(f"made in: {explained['notebook']}, cell {explained['cell'] or 'unknown'}")
    lines += ["synthetic: from made-up records"] if explained["synthetic"] else []
    lines += [f"caveat: {explained['caveat']}"] if explained["caveat"] else []
    below = [line for item in explained["inputs"] for line in as_lines(item, depth + 1)]
    return [f"{pad}- {head}", *(f"{pad}    {line}" for line in lines), *below]


def dependent_lines(found: Mapping[str, Any]) -> list[str]:
    """Return what `dependents` found as lines of text."""
    first, *more = _input_lines(found["fact"])
    lines = [first, *(f"  {line}" for line in more)]
    for kind in ("results", "figures", "claims"):
        lines += [f"{kind} that move with it: {len(found[kind])}"]
        lines += [f"- {name}" for name in found[kind]]
    return lines


def _input_lines(item: Mapping[str, Any]) -> list[str]:
    kind, _, key = item["input"].partition(":")
    name = f"{kind} {key}"
    if "printed" in item:
        return [f"{name}: {item['printed']} {item['unit']}", *_fact_lines(item)]
    if "file" in item:
        origins = (" ".join(filter(None, source.values())) for source in item["sources"])
        return [f"{name}: {item['title']}, {item['file']}", *(f"source: {o}" for o in origins)]
    if "reason" in item:
        ends = [f"{item[end]:g}" for end in ("low", "high") if item[end] is not None]
        tried = f" (varied {' to '.join(ends)})" if ends else ""
        value = f"{item['value']:g} {item['unit']}{tried}"
        return [f"{name}: {value}: {item['meaning']}", f"reason: {item['reason']}"]
    return [f"{name}: {item['meaning']}" if item.get("meaning") else name]


def _fact_lines(fact: Mapping[str, Any]) -> list[str]:
    source, conflict = fact["source"], fact["conflict"]
    where = "; ".join(filter(None, (fact["qualifier"], fact["place"], fact["window"])))
    printed_by = ", ".join(filter(None, (source["publisher"], source["published"])))
    lines = [f"{fact['definition']} ({where}); whose record: {fact['whose']}"]
    lines += [f"source: {source['title']} ({printed_by})", source["url"]]
    if conflict:
        choice = f"chosen: {conflict['chosen']}" if conflict["chosen"] else "both stand"
        others = ", ".join(conflict["with"])
        lines.append(f"conflict with {others}; {conflict['counter']}; {choice}")
        lines.append(f"reason: {conflict['reason']}")
    return lines
