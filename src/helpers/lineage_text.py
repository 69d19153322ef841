"""What `helpers.lineage` found, as lines of text for a terminal."""

from collections.abc import Mapping
from typing import Any


def as_lines(explained: Mapping[str, Any], depth: int = 0) -> list[str]:
    """Return a tree from `helpers.lineage.explain`, or one of its inputs, as indented lines."""
    pad = "  " * depth
    about = _result_lines(explained) if "method" in explained else input_lines(explained)
    first, *more = about
    lines = [f"{pad}- {first}", *(f"{pad}    {line}" for line in more)]
    branches = explained.get("inputs", [])
    return lines + [line for item in branches for line in as_lines(item, depth + 1)]


def dependent_lines(found: Mapping[str, Any]) -> list[str]:
    """Return what `helpers.lineage.dependents` found as lines of text."""
    first, *more = input_lines(found)
    lines = [first, *(f"  {line}" for line in more)]
    for kind in ("results", "figures", "claims"):
        lines += [f"{kind} that move with it: {len(found[kind])}"]
        lines += [f"- {name}" for name in found[kind] if kind != "claims"]
    for claim, readings in found["claims"].items():
        lines.append(f"- {claim}{'' if 'main' in readings else ' (in its other reading)'}")
    return lines


def unused_lines(found: Mapping[str, list[str]]) -> list[str]:
    """Return what `helpers.lineage.unused` found as lines of text."""
    facts, results = found["facts"], found["results"]
    return [
        f"facts that no result and no figure names: {len(facts)}",
        *(f"- {name}" for name in facts),
        f"results that only their notebook's table of all results shows: {len(results)}",
        *(f"- {name}" for name in results),
    ]


def input_lines(item: Mapping[str, Any]) -> list[str]:
    """Return an input's description as lines: its name and value first.

    Parameters
    ----------
    item
        `input` (its name) with its description, as `helpers.lineage.described` gives it.
    """
    lines = _input_lines(item)
    return [*lines, "changed since the run"] if item.get("changed") else lines


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
    if kind == "simulation":
        return [f"{name}: drawn from this seed; the cell states what it assumes"]
    if kind in ("fact", "series", "assumption"):
        return [f"{name}: data/ does not have it any more"]
    set_to = f" = {item['value']}" if "value" in item else ""
    meaning = f": {item['meaning']}" if "meaning" in item else ""
    return [f"{name}{set_to}{meaning}"]


def result_head(result: Mapping[str, Any]) -> str:
    """Return a result of `helpers.lineage.explain` in a line: name, value, unit and interval."""
    kind = f"{result['level']:.0%} interval" if result["level"] else "range"
    range_ = f" ({kind} {result['shown_interval']})" if result["shown_interval"] else ""
    return f"{result['name']} = {result['shown']} {result['unit']}{range_}"


def _result_lines(result: Mapping[str, Any]) -> list[str]:
    if result.get("repeated"):
        return [f"{result_head(result)}: as above"]
    lines = [result_head(result), f"method: {result['method']}"]
    lines.append(f"made in: {result['notebook']}, cell {result['cell'] or 'unknown'}")
    lines += ["synthetic: from made-up records"] if result["synthetic"] else []
    lines += [f"caveat: {line}" for line in (result["caveat"] or "").splitlines()]
    return lines


def _fact_lines(fact: Mapping[str, Any]) -> list[str]:
    source, conflict = fact["source"], fact["conflict"]
    where = "; ".join(filter(None, (fact["qualifier"], fact["place"], fact["window"])))
    printed_by = ", ".join(filter(None, (source["publisher"], source["published"])))
    lines = [f"{fact['definition']} ({where}); whose record: {fact['whose']}"]
    lines += filter(None, [f"source: {source['title']} ({printed_by})", source["url"]])
    if conflict:
        choice = f"judged: {conflict['judged']}" if conflict["judged"] else "both stand"
        others = ", ".join(conflict["with"])
        lines.append(f"conflict with {others}; {conflict['counter']}; {choice}")
        lines.append(f"reason: {conflict['reason']}")
    return lines
