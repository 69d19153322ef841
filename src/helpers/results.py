"""Named results with their lineage, and sentences that take their numbers from them."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from IPython.display import Markdown

from helpers import paths
from helpers.errors import UserError, meant
from helpers.inputs import once_each
from helpers.notebooks import declared_reads, running_cell, stored

SCHEMA = 1

_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
_PLACE = re.compile(r"\{([a-z0-9_.]+)(?::([a-z]+))?\}")

Value = float | int | str | list[float]


class ResultError(UserError):
    """A result is unknown, or cannot be stored as asked."""


class Results:
    """The results of one notebook in one run.

    Parameters
    ----------
    notebook
        Name of the notebook, for example `01_jurisdiction_growth`.
    """

    def __init__(self, notebook: str) -> None:
        self.notebook = notebook
        self._own: dict[str, dict[str, Any]] = {}
        self._earlier = earlier_results(declared_reads(stored(notebook)))

    def put(
        self,
        name: str,
        value: Value,
        *,
        unit: str,
        inputs: Iterable[str],
        method: str,
        interval: Sequence[float | None] | None = None,
        level: float | None = None,
        decimals: int = 0,
        tolerance: float = 1e-6,
        synthetic: bool = False,
        caveat: str | None = None,
    ) -> None:
        """Keep a result under a name.

        Parameters
        ----------
        name
            Dotted name, for example `growth.factor`.
        value
            Number, text or list of numbers, at full precision.
        unit
            What the value counts or measures.
        inputs
            What the value was made from, as in `helpers.inputs.KINDS`: `fact:A028` and so on.
        method
            How, in a few words.
        interval, level
            [low, high] in `unit` (None: unbounded), and its confidence level; None where the
            interval is no confidence interval.
        decimals
            Decimal places that readers see.
        tolerance
            Relative difference within which a rerun gives the same result.
        synthetic
            Whether synthetic data went in.
        caveat
            Known shortfalls, one a line, shown wherever the value is.

        Raises
        ------
        ResultError
            If the name is malformed or taken by another cell, an input is malformed or none is
            given, or a number is not finite.
        """
        if not _NAME.fullmatch(name):
            raise ResultError(f"result name {name!r}: dotted lower-case words are allowed")
        cell = running_cell(self.notebook)
        if name in self._own and (cell is None or self._own[name]["cell"] != cell):
            raise ResultError(f"result {name} is put twice in {self.notebook}")
        try:
            inputs = once_each(inputs, f"result {name}")
        except ValueError as error:
            raise ResultError(str(error)) from None
        self._own[name] = {
            "value": _plain(name, value),
            "unit": unit,
            "interval": None if interval is None else _interval(name, interval),
            "level": level,
            "method": method,
            "inputs": inputs,
            "notebook": self.notebook,
            "cell": cell,
            "synthetic": synthetic,
            "caveat": caveat,
            "tolerance": tolerance,
            "decimals": decimals,
        }

    def get(self, name: str) -> dict[str, Any]:
        """Return a result of this notebook, or of an earlier one.

        Raises
        ------
        ResultError
            If there is none of that name.
        """
        return named(self._all(), name)

    def value(self, name: str) -> Any:  # noqa: ANN401 - number, text or list
        """Return the value of a result of this notebook, or of an earlier one."""
        return self.get(name)["value"]

    def under(self, prefix: str) -> list[str]:
        """Return the results whose names begin with a prefix, as inputs of a result or figure."""
        return [f"result:{name}" for name in self._all() if name.startswith(prefix)]

    def text(self, template: str) -> str:
        """Fill a template with rounded results.

        Parameters
        ----------
        template
            Text with `{name}` for a value, `{name:interval}` for its interval, and
            `{name:percent}` and `{name:percentinterval}` for those of a share.

        Returns
        -------
        str
            The text, each number rounded by its result's `decimals`.
        """
        return fill(template, self._all())

    def say(self, template: str) -> Markdown:
        """Fill a template as `text` does, each number a link to its lineage, caveats below."""
        found = self._all()
        linked = fill(template, found, lambda name, text: f"[{text}](results.json#{name})")
        said = (f"*Caveat: {caveat}*" for caveat in caveats(template, found))
        return Markdown("\n\n".join([linked, *said]))

    def table(self, names: Iterable[str] | None = None) -> Markdown:
        """Return results as a Markdown table; all of this notebook's when no names are given."""
        rows = ["| result | value | unit | interval | method |", "|---|---:|---|---|---|"]
        for name in self._own if names is None else names:
            result = self.get(name)
            caveat = result["caveat"] and f"caveat: {result['caveat']}"
            notes = [result["method"], caveat, "synthetic" if result["synthetic"] else ""]
            cells = [
                f"[`{name}`](results.json#{name})",
                shown(result),
                result["unit"],
                shown(result, "interval") if result["interval"] else "none",
                "; ".join(note for note in notes if note),
            ]
            one_line = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
            rows.append(f"| {' | '.join(one_line)} |")
        return Markdown("\n".join(rows))

    def write(self) -> Markdown:
        """Write NN_name.results.json into the run's folder, and return the table of results."""
        path = paths.run_folder() / f"{self.notebook}.results.json"
        content = {"schema": SCHEMA, "run": paths.run_name(), "results": self._own}
        paths.write_atomically(path, paths.as_json(content))
        return self.table()

    def _all(self) -> dict[str, dict[str, Any]]:
        return {**self._earlier, **self._own}


def named(found: Mapping[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """Return a result by name.

    Raises
    ------
    ResultError
        If there is none of that name.
    """
    if name not in found:
        raise ResultError(f"no result is named {name!r}{meant(name, found)}")
    return found[name]


def fill(
    template: str,
    found: Mapping[str, dict[str, Any]],
    wrap: Callable[[str, str], str] = lambda name, text: text,
) -> str:
    """Return a template, as in `Results.text`, filled from results by name.

    Parameters
    ----------
    template
        Text with places in braces.
    found
        Results by name.
    wrap
        Makes of a result's name and its rounded text what stands in the sentence.

    Raises
    ------
    ResultError
        If a place is malformed, names no result, or asks for a part that its result lacks.
    """
    if odd := re.search(r"\{[^{}]*\}|[{}]", _PLACE.sub("", template)):
        raise ResultError(f"{odd[0]!r} in a sentence: a place is {{name}} or {{name:interval}}")

    def place(match: re.Match[str]) -> str:
        name, part = match[1], match[2]
        try:
            return wrap(name, shown(named(found, name), part))
        except (KeyError, TypeError):
            raise ResultError(f"result {name} has no {part}") from None

    return _PLACE.sub(place, template)


def caveats(template: str, found: Mapping[str, dict[str, Any]]) -> list[str]:
    """Return the caveats of the results that a template names, each once, in their order."""
    names = (match[1] for match in _PLACE.finditer(template))
    lines = (line for name in names for line in (found[name]["caveat"] or "").splitlines())
    return list(dict.fromkeys(lines))


def earlier_results(notebooks: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the results of notebooks by name: of each from this run, else from the reference run.

    While the runner stages a notebook, the run's folder is named by DETAINERS_PREVIOUS. A notebook
    without results gives none.

    Raises
    ------
    ResultError
        If a file cannot be read.
    """
    found: dict[str, dict[str, Any]] = {}
    for notebook in notebooks:
        path = paths.results_file(paths.previous_folder(), notebook)
        try:
            found |= json.loads(path.read_text(encoding="utf-8"))["results"]
        except FileNotFoundError:
            continue
        except (ValueError, KeyError, TypeError):
            raise ResultError(f"{path.name} in run {path.parent.name} is no results file") from None
    return found


def shown(result: Mapping[str, Any], part: str | None = None) -> str:
    """Return a result as readers see it.

    Parameters
    ----------
    result
        One result.
    part
        None for the value, `interval` for its interval; `percent` and `percentinterval` show a
        share as a percentage.

    Raises
    ------
    KeyError, TypeError
        If the part is unknown, or the result has no interval.
    """
    decimals = result["decimals"]
    if part is None:
        value = result["value"]
        return _to(value if isinstance(value, list) else [value], decimals)
    if part == "interval":
        low, high = result["interval"]
        if low is None:
            return f"at most {_rounded(high, decimals)}"
        return f"at least {_rounded(low, decimals)}" if high is None else _to([low, high], decimals)
    scaled = {"percent": None, "percentinterval": "interval"}[part]
    return shown(_as_percent(result), scaled) + "%"


def _as_percent(result: Mapping[str, Any]) -> dict[str, Any]:
    def times_100(number: Any) -> Any:  # noqa: ANN401 - number, None or list of either
        if isinstance(number, list):
            return [times_100(item) for item in number]
        return None if number is None else 100 * number

    parts = {part: times_100(result[part]) for part in ("value", "interval")}
    return {**result, **parts, "decimals": max(result["decimals"] - 2, 0)}


def _to(values: Iterable[float | str], decimals: int) -> str:
    return " to ".join(_rounded(value, decimals) for value in values)


def _rounded(value: float | str, decimals: int) -> str:
    if isinstance(value, str):
        return value
    least = 10.0**-decimals
    if 0 < value < least and round(value, decimals) == 0:
        return f"under {least:.{decimals}f}"
    return f"{value:z,.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _plain(name: str, value: Any) -> Value:  # noqa: ANN401 - numpy numbers come too
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return [_number(name, item) for item in value]
    return _number(name, value)


def _number(name: str, value: Any) -> float | int:  # noqa: ANN401 - numpy numbers come too
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, bool) or not isinstance(plain, int | float) or not math.isfinite(plain):
        raise ResultError(f"result {name}: {value!r} is no finite number")
    return plain


def _interval(name: str, interval: Sequence[float | None]) -> list[float | None]:
    low, high = (None if end is None else _number(name, end) for end in interval)
    if low is None and high is None:
        raise ResultError(f"result {name}: an interval needs at least one end")
    if low is not None and high is not None and low > high:
        raise ResultError(f"result {name}: interval [{low}, {high}] is upside down")
    return [low, high]
