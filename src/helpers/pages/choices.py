"""'Change one choice': a notebook's specifications, computed in the run, behind plain controls."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from helpers import choices, paths
from helpers.pages import words
from helpers.pages.run import Run

_MOST_RADIOS = 3  # more options stand in a list

_PANELS: dict[str, tuple[Callable[..., choices.Panel], tuple[str, ...]]] = {
    "01_jurisdiction_growth": (choices.growth, ("growth_specifications", "growth_curve")),
    "03_issuance_policy": (choices.issuance, ("issuance_rate_ratios",)),
}
"""What makes a notebook's panel, and the figures whose data it takes."""


def panel(run: Run, notebook: str) -> str:
    """Return a notebook's panel as Markdown; empty where it has none or the run lacks its figures.

    Without a script a reader has the table of all specifications.
    """
    if notebook not in _PANELS:
        return ""
    make, figures = _PANELS[notebook]
    if not set(figures) <= set(run.figures):
        return ""
    made = make(*(pd.read_csv(run.figure_folder / f"{figure}.csv") for figure in figures))
    whose = "the study's choice" if run.name == paths.REFERENCE else "this run's choice"
    for state in made["states"]:
        state["compared"] = _compared(state, made, whose)
    data = json.dumps({**made, "whose": whose}).replace("<", "\\u003c")
    return "\n".join(
        [
            "## Change one choice",
            "",
            f"{made['legend']}: see how the answer moves. The answers were computed before; "
            f"“{whose}” is the one that the numbers of this page rest on.",
            "",
            '<form class="choices" hidden>',
            *(_control(control, made["states"], whose) for control in made["controls"]),
            '<output aria-live="polite"></output>',
            '<div class="chart"></div>',
            '<p>To make the run anew under this choice: <code class="command"></code></p>',
            "</form>",
            f'<script type="application/json" class="choices-data">{data}</script>',
            words.folded("All choices as a table", _table(made)),
        ]
    )


def _compared(state: Mapping[str, Any], made: choices.Panel, whose: str) -> str:
    """Return what a state changes, and by how much, against the one that the run was made with."""
    base = next((each for each in made["states"] if each["chosen"]), None)
    if base is None:
        return ""
    if state is base:
        return f"This is {whose}."
    chosen, used = state["choices"], base["choices"]
    changed = [c["legend"] for c in made["controls"] if chosen[c["name"]] != used[c["name"]]]
    before, after = round(base["value"], 2), round(state["value"], 2)
    moved = f"{'rises' if after > before else 'falls'} by {abs(after - before):.2f} to {after:.2f}"
    if after == before:
        moved = "does not move"
    return f"Changed: {'; '.join(changed)}. From {before:.2f}, {whose}, the ratio {moved}."


def _control(control: Mapping[str, Any], states: list[dict[str, Any]], whose: str) -> str:
    name, legend = control["name"], words.text(control["legend"])
    used = next((s["choices"][name] for s in states if s["chosen"]), None)
    options = [
        (words.text(each["value"]), words.text(each["label"]), each["value"] == used)
        for each in control["options"]
    ]
    mark = f" ({words.text(whose)})"
    if len(options) > _MOST_RADIOS:
        listed = "".join(
            f'<option value="{value}" selected>{words.text(whose.capitalize())}: {label}</option>'
            if own
            else f'<option value="{value}">{label}</option>'
            for value, label, own in sorted(options, key=lambda option: (not option[2], option[1]))
        )
        inside = f'<select name="{name}" aria-label="{legend}">{listed}</select>'
    else:
        inside = "".join(
            f'<label><input type="radio" name="{name}" value="{value}"'
            f"{' checked' if own else ''}> {label}{mark if own else ''}</label>"
            for value, label, own in options
        )
    return f"<fieldset><legend>{legend}</legend>{inside}</fieldset>"


def _table(made: choices.Panel) -> str:
    labels = {
        control["name"]: {option["value"]: option["label"] for option in control["options"]}
        for control in made["controls"]
    }
    rows = [
        [words.text(labels[name][value]) for name, value in state["choices"].items()]
        + [f"{words.text(state['text'])} {words.text(state['compared'])}"]
        for state in made["states"]
    ]
    columns = [*(control["legend"] for control in made["controls"]), "Result"]
    return words.table("Result of every choice", columns, rows, tools="sort")
