"""'Change one choice': a notebook's specifications, computed in the run, behind plain controls."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from helpers import choices
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
    data = json.dumps(made).replace("<", "\\u003c")
    return "\n".join(
        [
            "## Change one choice",
            "",
            f"{made['legend']}. All answers were computed in this run; the page only shows them.",
            "",
            '<form class="choices" hidden>',
            *(_control(control, made["states"]) for control in made["controls"]),
            '<p><output aria-live="polite"></output></p>',
            '<div class="chart"></div>',
            '<p>The same run: <code class="command"></code></p>',
            "</form>",
            f'<script type="application/json" class="choices-data">{data}</script>',
            words.folded("All choices as a table", _table(made)),
        ]
    )


def _control(control: Mapping[str, Any], states: list[dict[str, Any]]) -> str:
    name, legend = control["name"], words.text(control["legend"])
    used = next((s["choices"][name] for s in states if s["chosen"]), None)
    options = [
        (words.text(option["value"]), words.text(option["label"]), option["value"] == used)
        for option in control["options"]
    ]
    if len(options) > _MOST_RADIOS:
        listed = "".join(
            f'<option value="{value}"{" selected" if chosen else ""}>{label}</option>'
            for value, label, chosen in sorted(options, key=lambda option: option[1])
        )
        inside = f'<select name="{name}" aria-label="{legend}">{listed}</select>'
    else:
        inside = "".join(
            f'<label><input type="radio" name="{name}" value="{value}"'
            f"{' checked' if chosen else ''}> {label}</label>"
            for value, label, chosen in options
        )
    return f"<fieldset><legend>{legend}</legend>{inside}</fieldset>"


def _table(made: choices.Panel) -> str:
    labels = {
        control["name"]: {option["value"]: option["label"] for option in control["options"]}
        for control in made["controls"]
    }
    rows = [
        [words.text(labels[name][value]) for name, value in state["choices"].items()]
        + [words.text(state["text"])]
        for state in made["states"]
    ]
    columns = [*(control["legend"] for control in made["controls"]), "Result"]
    return words.table("Result of every choice", columns, rows, tools="sort")
