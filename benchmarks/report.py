"""Make the page of a benchmark from what was measured."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

OURS = "detainers run"
NOTHING = "detainers run, nothing changed"
CHANGED = "detainers run, one notebook changed"
WARM = "detainers run, libraries imported"
SWEEP = "detainers sweep"
LOOP = "papermill, a command each"
BARE = "cells alone, one process"

_TARGETS = (
    ("benchmark notebooks, over papermill's commands", ("notebooks", OURS), LOOP, 0.25),
    ("whole study, over papermill's commands", ("study", OURS), LOOP, 0.40),
    ("whole study, over the cells alone", ("study", OURS), BARE, 1.3),
    ("a setting of a sweep, over papermill's commands", ("settings", SWEEP), LOOP, 0.10),
    ("a run with nothing to do, seconds, best of five", ("notebooks", NOTHING), None, 0.5),
)
"""What is compared, its block and way, the way it is divided by, and the most it may be."""


def targets(measurements: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each target with what was reached: median, lowest and highest over repetitions."""
    rows = pd.DataFrame(measurements)
    reached = []
    for name, (block, way), other, most in _TARGETS:
        found = _best(rows, block, way)
        if other:
            found = (found / _best(rows, block, other)).dropna()  # one of them may have failed
        ends = [found.min(), found.median(), found.max()] if len(found) else [None] * 3
        low, middle, high = (None if end is None else round(end, 3) for end in ends)
        met = middle is not None and bool(middle <= most)
        numbers = {"at most": most, "reached": middle, "spread": [low, high], "met": met}
        reached.append({"what": name, **numbers})
    return reached


def _best(rows: pd.DataFrame, block: str, what: str) -> pd.Series:
    """Return the seconds of the largest case, by repetition: of a setting, of all notebooks."""
    own = rows[rows["block"].eq(block) & rows["what"].eq(what)]
    own = own[own["size"].eq(own["size"].max())].set_index("repetition")
    seconds = own["seconds"] / (own["size"] if block == "settings" else 1)
    return seconds.groupby("repetition").min()


def of_targets(reached: Sequence[dict[str, Any]]) -> str:
    """Return the targets as a Markdown table."""
    lines = []
    for target in reached:
        numbers = "not measured"
        if target["reached"] is not None:
            low, high = target["spread"]
            numbers = f"**{target['reached']:.2f}** ({low:.2f} to {high:.2f})"
        met = "yes" if target["met"] else "no"
        lines.append((target["what"], f"{target['at most']:g}", numbers, met))
    return table(("what", "at most", "reached", "met"), lines)


def page(results: dict[str, Any]) -> str:
    """Return the page, in Markdown."""
    rows = pd.DataFrame(results["measurements"])
    machine = results["machine"]
    notes = ["A quick try of small cases: its figures mean nothing."] if results["quick"] else []
    notes += [f"Not run: {what}." for what in results["missing"]]
    said = "".join(f"\n**{note}**\n" for note in notes)
    largest = {block: of["size"].max() for block, of in rows.groupby("block")}
    return f"""# Benchmarks

How long the notebooks take with `detainers` and with other ways to execute them. `make bench`
measures it again and rewrites this page from [results.json](results.json).
{said}
## Targets

A ratio is the median of those of {rows["repetition"].nunique()} repetitions, with the lowest and
the highest.

{of_targets(results["targets"])}

## {largest["notebooks"]} benchmark notebooks

Each reads a table of 1,500 rows, fits a Poisson model with a dummy for each of 25 areas, draws two
figures and shows two tables ([notebook.ipynb](notebook.ipynb)): under half a second of own work,
after imports that take seconds. *Cells alone* is the limit: one process that imports everything
once and makes all outputs, but sends no message and writes no notebook.

{_of_block(rows, "notebooks")}

## The study, {largest["study"]} notebooks

{_of_block(rows, "study")}

## A sweep

One benchmark notebook under many settings, seconds a setting. Papermill's command was run for
{rows.loc[rows["block"].eq("settings") & rows["what"].eq(LOOP), "size"].max()} of them.

{_of_growth(rows, "settings", "a setting")}

## Growth

Seconds in all, by number of notebooks.

{_of_growth(rows[rows["what"].isin([OURS, LOOP])], "notebooks")}

## How it was measured

{results["made"]}, on {machine["processors"]} processors ({machine["processor"]}) with
{machine["memory GB"]} GB, {machine["system"]}, Python {machine["python"]}; load before the start
{machine["load before"]}. {", ".join(f"{k} {v}" for k, v in results["versions"].items())}.

A repetition runs every way once, one after another, in a new copy of the project. Times are
wall-clock seconds of whole commands, start of Python included; *libraries imported* alone is
measured within a process, from when its kernel server is up. Snakemake runs as many notebooks at a
time as `detainers` on two processors: two. Memory is the largest sum of the resident set sizes of
all processes, looked at five times a second; pages that forked kernels share are counted for each.
"""


def _of_block(rows: pd.DataFrame, block: str) -> str:
    own = rows[rows["block"].eq(block)]
    own = own[own["size"].eq(own["size"].max())]
    loop = own.loc[own["what"].eq(LOOP), "seconds"].median()
    lines = [
        (
            f"`{what}`" if what != BARE else what,
            _spread(of["seconds"]),
            f"{of['seconds'].median() / loop:.2f}",
            f"{of['megabytes'].max():,.0f}",
        )
        for what, of in own.groupby("what", sort=False)
    ]
    return table(("how", "seconds", "over papermill's", "peak MB"), lines)


def _of_growth(rows: pd.DataFrame, block: str, per: str = "") -> str:
    own = rows[rows["block"].eq(block)]
    own = own.assign(seconds=own["seconds"] / (own["size"] if per else 1))
    lines = [
        (f"`{what}`", str(size), _spread(of["seconds"]), f"{of['megabytes'].max():,.0f}")
        for (what, size), of in own.groupby(["what", "size"], sort=False)
    ]
    return table(("how", block, f"seconds {per}".strip(), "peak MB"), lines)


def _spread(seconds: pd.Series) -> str:
    return f"{seconds.median():.2f} ({seconds.min():.2f} to {seconds.max():.2f})"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, numbers to the right of the first column."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines))
