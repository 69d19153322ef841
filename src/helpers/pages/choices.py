"""'Change one choice': a notebook's specifications, computed in the run, behind plain controls."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from helpers.pages import words
from helpers.pages.run import Run

_Row = Mapping[str, str]


class _Panel(NamedTuple):
    """What a panel shows of a figure's data.

    `choices` gives for each column that a reader chooses its question and the column or the words
    that name its options; `number` gives value, low and high; `axis` names what is drawn.
    """

    figure: str
    question: str
    choices: dict[str, tuple[str, str | dict[str, str]]]
    number: tuple[str, str, str]
    axis: str
    says: Callable[[_Row], str]


def _growth(row: _Row) -> str:
    low, high = float(row["factor_low"]), float(row["factor_high"])
    spread = f" (range {low:.2f} to {high:.2f})" if f"{low:.2f}" != f"{high:.2f}" else ""
    return (
        f"The later count is {float(row['factor']):.2f} times the earlier{spread}, "
        f"{_signed(100 * float(row['annual_rate']))}% a year."
    )


def _issuance(row: _Row) -> str:
    p = float(row["p_value"])
    return (
        f"{row['week_1']} declinations in week 1 and {row['week_2']} in week 2. Per detainer "
        f"issued, week 2 has {float(row['ratio']):.2f} times as many as week 1 (95% interval "
        f"{float(row['low']):.2f} to {float(row['high']):.2f}; "
        f"p {'under 0.001' if p < 0.001 else f'= {p:.3f}'})."
    )


def _signed(number: float) -> str:
    return f"{number:.1f}".replace("-", "\N{MINUS SIGN}")


_PANELS = {
    "01_jurisdiction_growth": _Panel(
        "growth_specifications",
        "Which two counts are joined?",
        {
            "baseline": ("Earlier count", "baseline_label"),
            "endpoint": ("Later count", "endpoint_label"),
        },
        ("factor", "factor_low", "factor_high"),
        "later count over earlier count",
        _growth,
    ),
    "03_issuance_policy": _Panel(
        "issuance_rate_ratios",
        "Which records are compared?",
        {
            "exclude_travis": (
                "Travis County",
                {"True": "left out of every week", "False": "counted"},
            ),
            "apply_withdrawals": (
                "Records that ICE withdrew from week 1",
                {"True": "left out", "False": "counted"},
            ),
            "reattribute_state_jail": (
                "14 records of week 1 held at the state jail",
                {"True": "counted apart from Travis County", "False": "left with Travis County"},
            ),
        },
        ("ratio", "low", "high"),
        "declinations per detainer issued, week 2 over week 1",
        _issuance,
    ),
}


def panel(run: Run, notebook: str) -> str:
    """Return a notebook's panel as Markdown; empty where it has none or the run lacks its figure.

    Without a script a reader has the table of all specifications.
    """
    about = _PANELS.get(notebook)
    if about is None or about.figure not in run.figures:
        return ""
    with (run.figure_folder / f"{about.figure}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    controls = "\n".join(_control(about, name, rows) for name in about.choices)
    data = json.dumps(_data(about, rows)).replace("<", "\\u003c")
    columns = [question for question, _ in about.choices.values()]
    listed = [
        [words.text(_label(about, name, row)) for name in about.choices]
        + [words.text(about.says(row))]
        for row in rows
    ]
    return "\n".join(
        [
            "## Change one choice",
            "",
            f"{about.question} Every answer below was computed in this run; nothing is computed "
            "on this page.",
            "",
            '<form class="choices" hidden>',
            controls,
            '<p><output aria-live="polite"></output></p>',
            '<div class="chart"></div>',
            "</form>",
            f'<script type="application/json" class="choices-data">{data}</script>',
            words.folded(
                "All choices as a table",
                words.table("Result of every choice", [*columns, "Result"], listed, tools="sort"),
            ),
        ]
    )


def _control(about: _Panel, name: str, rows: Sequence[_Row]) -> str:
    options = {row[name]: _label(about, name, row) for row in rows}
    used = next((row[name] for row in rows if row["chosen"] == "True"), rows[0][name])
    legend = f"<legend>{words.text(about.choices[name][0])}</legend>"
    if len(options) > 3:
        listed = "".join(
            f'<option value="{words.text(key)}"{" selected" if key == used else ""}>'
            f"{words.text(label)}</option>"
            for key, label in sorted(options.items(), key=lambda item: item[1])
        )
        inside = (
            f'<select name="{name}" aria-label="{words.text(about.choices[name][0])}">{listed}'
            "</select>"
        )
    else:
        inside = "".join(
            f'<label><input type="radio" name="{name}" value="{words.text(key)}"'
            f"{' checked' if key == used else ''}> {words.text(label)}</label>"
            for key, label in options.items()
        )
    return f"<fieldset>{legend}{inside}</fieldset>"


def _label(about: _Panel, name: str, row: _Row) -> str:
    labels = about.choices[name][1]
    return row[labels] if isinstance(labels, str) else labels[row[name]]


def _data(about: _Panel, rows: Sequence[_Row]) -> dict[str, object]:
    """Return what the script draws: names of the controls, axis, and one entry a specification."""
    value, low, high = about.number
    return {
        "choices": list(about.choices),
        "axis": about.axis,
        "specifications": [
            {
                "key": [row[name] for name in about.choices],
                "says": about.says(row),
                "value": float(row[value]),
                "low": float(row[low]),
                "high": float(row[high]),
            }
            for row in rows
        ],
    }
