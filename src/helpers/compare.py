"""Do two runs give the same? Texts, results and the data behind figures; with tolerances."""

import difflib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TABLE_TOLERANCE = 1e-6
"""Relative difference within which a number drawn in a figure is the same."""

_NOISE = 1e-12
"""Part of a column's largest number below which a difference is arithmetic's, not the data's."""


@dataclass(frozen=True)
class Difference:
    """Something that is not the same in two runs.

    Attributes
    ----------
    level
        `notebook`, `text` (of a cell), `result`, `figure data` or `picture`.
    what
        The notebook, cell, result or figure.
    where
        The part of it: a result's field, a column and row of a figure's data.
    stored, now
        The two values as text.
    size, allowed
        How far apart they are and may be; None where that is no number. Relative to the stored
        value for numbers; `unit` says of what where they are anything else.
    """

    level: str
    what: str
    where: str
    stored: str
    now: str
    size: float | None = None
    allowed: float | None = None
    unit: str = ""


def texts(notebook: str, stored: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Compare what the code cells of a notebook printed and showed, as nbval does: to the letter.

    Beyond nbval, the alt texts of pictures are compared, too.
    Of each cell that differs one kind of output is given, and of that the lines that differ.
    Cells after one that failed are left out: they follow from it.

    Parameters
    ----------
    notebook
        Its name.
    stored, now
        The executed notebooks (nbformat JSON).
    """
    before, after = code_cells(notebook, stored), code_cells(notebook, now)
    found = lone("text", before, after)
    for name in [name for name in before if name in after]:
        old, new = _texts_of(before[name]), _texts_of(after[name])
        if old != new:
            found.append(_unlike_texts(name, old, new))
            if "error" in new and "error" not in old:
                break
    return found


def results(
    stored: Mapping[str, dict[str, Any]], now: Mapping[str, dict[str, Any]]
) -> list[Difference]:
    """Compare results by name: numbers and ends of intervals within the stored tolerance.

    Parameters
    ----------
    stored, now
        Results by name, as in results.json.
    """
    found = lone("result", stored, now)
    for name in [name for name in stored if name in now]:
        before, after = stored[name], now[name]
        for part in ("value", "interval"):
            old, new = _as_list(before[part]), _as_list(after[part])
            if len(old) != len(new):
                found.append(_unlike(name, part, before[part], after[part]))
                continue
            for number, (a, b) in enumerate(zip(old, new, strict=True)):
                where = f"{part} {number + 1} of {len(old)}" if len(old) > 1 else part
                if (size := _distance(a, b)) > before["tolerance"]:
                    found.append(_unlike(name, where, a, b, size, before["tolerance"]))
        for part in _EXACT:
            if before[part] != after[part]:
                found.append(_unlike(name, part, before[part], after[part]))
    return found


def tables(
    figure: str, stored: Sequence[Sequence[str]], now: Sequence[Sequence[str]]
) -> list[Difference]:
    """Compare the data behind a figure, by column: numbers within `TABLE_TOLERANCE`, else texts.

    Of each column that differs the worst cell is given.

    Parameters
    ----------
    figure
        Name of the figure.
    stored, now
        Its rows of cells, as its csv has them; the first has the columns' names.
    """
    before, after = (list(zip(*rows, strict=True)) for rows in (stored, now))
    names = [[column[0] for column in columns] for columns in (before, after)]
    if names[0] != names[1]:
        a, b = map(", ".join, names)
        return [Difference("figure data", figure, "columns", a, b)]
    if len(stored) != len(now):
        a, b = (str(len(rows) - 1) for rows in (stored, now))
        return [Difference("figure data", figure, "rows", a, b)]
    columns = zip(before, after, strict=True)
    return [found for old, new in columns for found in _unlike_columns(figure, old, new)]


def _unlike_columns(figure: str, old: Sequence[str], new: Sequence[str]) -> list[Difference]:
    name, *numbers = map(_value, old)
    finite = (abs(a) for a in numbers if isinstance(a, float) and math.isfinite(a))
    noise = _NOISE * max(finite, default=0.0)
    sizes = [_distance(a, _value(b), noise) for a, b in zip(numbers, new[1:], strict=True)]
    size = max(sizes, default=0.0)
    if size <= TABLE_TOLERANCE:
        return []
    row = sizes.index(size) + 1
    more = sum(size > TABLE_TOLERANCE for size in sizes) - 1
    where = f"column {name}, row {row}" + (f" and {more} more" if more else "")
    texts = old[row], new[row]
    return [Difference("figure data", figure, where, *texts, _finite(size), TABLE_TOLERANCE)]


def _value(cell: str) -> float | str:
    """Return the number that a cell is, as pandas and JSON write one; other text stays as it is."""
    return float(cell) if _WRITTEN.fullmatch(cell) else cell


def descriptions(
    figure: str, stored: Mapping[str, Any], now: Mapping[str, Any]
) -> list[Difference]:
    """Compare what is said of a figure: title, alt text, source, notebook; to the letter.

    Not the cell that drew it, which nbval leaves unknown.

    Parameters
    ----------
    figure
        Name of the figure.
    stored, now
        What is said of it, by kind.
    """
    return [
        Difference("figure data", figure, part, str(stored.get(part)), str(now.get(part)))
        for part in {**stored, **now}
        if part != "cell" and stored.get(part) != now.get(part)
    ]


def code_cells(notebook: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the code cells of a notebook (nbformat JSON), by notebook and cell."""
    cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    return {f"{notebook}, cell {c.get('id', n)}": c for n, c in enumerate(cells)}


def joined(content: Any) -> str:  # noqa: ANN401 - text, lines or JSON
    """Return content of an output as one text."""
    if isinstance(content, list) and all(isinstance(line, str) for line in content):
        return "".join(content)
    return content if isinstance(content, str) else json.dumps(content, sort_keys=True)


def apart(a: str, b: str, distance: Callable[[float, float], float]) -> float:
    """Return the largest distance of two texts' numbers; infinite if other signs differ, too."""
    if _NUMBER.sub("0", a) != _NUMBER.sub("0", b):
        return math.inf
    numbers = ([float(x.replace(",", "")) for x in _NUMBER.findall(text)] for text in (a, b))
    return max((distance(x, y) for x, y in zip(*numbers, strict=True)), default=0.0)


def lone(level: str, stored: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Return what is in one of two collections only."""
    gone = [
        Difference(level, name, "all of it", "there", "missing")
        for name in stored
        if name not in now
    ]
    new = [
        Difference(level, name, "all of it", "missing", "there")
        for name in now
        if name not in stored
    ]
    return gone + new


_WRITTEN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[-+]?\d+)?", re.ASCII)
_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
_SILENT = ("image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json")
_READABLE = ("error", "stderr", "stdout", "text/markdown", "text/plain")
_END = 40
_EXACT = (
    *("unit", "level", "method", "inputs", "notebook"),
    *("synthetic", "caveat", "tolerance", "decimals"),
)


def _texts_of(cell: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the texts of a cell's outputs by kind: stream, MIME type or `error`."""
    found: dict[str, list[str]] = {}
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            # Where one write of a stream ends and the next begins is chance.
            found[output["name"]] = ["".join([*found.get(output["name"], []), *output["text"]])]
        elif output["output_type"] == "error":
            found.setdefault("error", []).append(f"{output['ename']}: {output['evalue']}")
        for kind, content in output.get("data", {}).items():
            if kind not in _SILENT:
                found.setdefault(kind, []).append(joined(content))
            elif alt := output.get("metadata", {}).get(kind, {}).get("alt"):
                found.setdefault("alt text", []).append(alt)
    return found


def _unlike_texts(
    what: str, old: Mapping[str, list[str]], new: Mapping[str, list[str]]
) -> Difference:
    kinds = [kind for kind in {**old, **new} if old.get(kind) != new.get(kind)]
    kind = min(kinds, key=lambda k: _READABLE.index(k) if k in _READABLE else len(_READABLE))
    whole = ["\n".join(texts.get(kind, [])) for texts in (old, new)]
    before, after = (text.splitlines() for text in whole)
    blocks = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    changed = [block for block in blocks if block[0] != "equal"]
    a = "\n".join(line for _, start, end, _, _ in changed for line in before[start:end])
    b = "\n".join(line for _, _, _, start, end in changed for line in after[start:end])
    if not changed:  # the line break at the end is all that differs
        a, b = (repr(text[-_END:]) for text in whole)
    line = f", line {changed[0][1] + 1}" if changed and len(before) > 1 else ""
    size = _finite(apart(a, b, _distance))
    return Difference("text", what, kind + line, a, b, size, None if size is None else 0.0)


def _unlike(
    name: str,
    where: str,
    a: object,
    b: object,
    size: float | None = None,
    allowed: float | None = None,
) -> Difference:
    return Difference(
        "result", name, where, str(a), str(b), None if size is None else _finite(size), allowed
    )


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - number, text, list or None
    return value if isinstance(value, list) else [value]


def _finite(size: float) -> float | None:
    return size if math.isfinite(size) else None


def _distance(a: Any, b: Any, noise: float = 0.0) -> float:  # noqa: ANN401 - number, text or None
    """Return the difference relative to the first; infinite between unlike things."""
    if not (_is_number(a) and _is_number(b)):
        return 0.0 if a == b and isinstance(a, bool) == isinstance(b, bool) else math.inf
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    apart = abs(a - b)
    if math.isnan(apart):
        return math.inf
    if apart <= noise:
        return 0.0
    return apart / abs(a) if a else math.inf


def _is_number(x: object) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)
