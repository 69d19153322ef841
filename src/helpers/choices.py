"""The panels 'change one choice': every specification of a finished run, ready for a page.

A panel is a dictionary of plain values, so that a page can embed it as JSON and show another
specification without computing anything. It has

- `legend`: a heading; `axis`: what the figure's axis shows; `interval`: what `low` and `high` are;
- `controls`: each with `name` (a parameter of the notebook), `legend` and `options` (`value` of
  the parameter, `label`);
- `states`, one for every combination of options: `choices` (value by control), `value`, `low` and
  `high` (ratios), `chosen` (whether the run was made so), `text` (a sentence), `command` (which
  makes the run anew under this choice).
"""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

Panel = dict[str, Any]

_USED = ["earlier_value", "earlier_day", "later_value", "later_day"]
_COUNTS = ["earlier_count", "later_count"]
_PLACES = ["earlier_places", "earlier_date", "later_places", "later_date"]
_STEPS = {
    "exclude_travis": ("Travis County's records", "taken out", "left in"),
    "apply_withdrawals": ("Records of week 1 that ICE withdrew", "taken out", "left in"),
    "reattribute_state_jail": (
        "Records of the Travis County State Jail",
        "counted apart, so that they stay in",
        "counted with Travis County",
    ),
}


def growth(pairs: pd.DataFrame, curve: pd.DataFrame) -> Panel:
    """Return the panel of the growth between an earlier and a later count.

    Parameters
    ----------
    pairs
        Data of the figure `growth_specifications`, one row a pair of counts.
    curve
        Data of the figure `growth_curve`, which has the numbers of places and their days.

    Raises
    ------
    ValueError
        If a pair is not in the curve.
    """
    as_used = curve.loc[curve[_USED].eq("as used").all(axis=1), [*_COUNTS, *_PLACES]]
    found = pairs.merge(as_used, left_on=["baseline", "endpoint"], right_on=_COUNTS)
    if len(found) != len(pairs):
        raise ValueError(f"of {len(pairs)} pairs of counts {len(found)} are in the curve")
    legends = {"baseline": "Earlier count", "endpoint": "Later count"}
    return {
        "legend": "Choose which two counts are joined",
        "axis": "later count over earlier count (ratio; 1 is no growth)",
        "interval": "range of printed values and rounding",
        "controls": [
            {"name": name, "legend": legend, "options": _options(found, name)}
            for name, legend in legends.items()
        ],
        "states": [
            _state(row, "01", {name: row[name] for name in legends}, "factor", _growth_text)
            for row in found.to_dict("records")
        ],
    }


def issuance(table: pd.DataFrame) -> Panel:
    """Return the panel of the comparison of week 2 with week 1.

    Parameters
    ----------
    table
        Data of the figure `issuance_rate_ratios`, one row a combination of steps.
    """
    return {
        "legend": "Choose which records are counted",
        "axis": "rate of week 2 over rate of week 1 (ratio; 1 is no change)",
        "interval": "exact 95% interval",
        "controls": [
            {
                "name": step,
                "legend": legend,
                "options": [{"value": "true", "label": yes}, {"value": "false", "label": no}],
            }
            for step, (legend, yes, no) in _STEPS.items()
        ],
        "states": [
            _state(row, "03", {step: _truth(row[step]) for step in _STEPS}, "ratio", _weeks_text)
            for row in table.rename(columns={"low": "ratio_low", "high": "ratio_high"}).to_dict(
                "records"
            )
        ],
    }


def _options(found: pd.DataFrame, name: str) -> list[dict[str, str]]:
    labels = found.drop_duplicates(name).set_index(name)[f"{name}_label"]
    return [{"value": str(value), "label": str(label)} for value, label in labels.items()]


def _state(
    row: Mapping[Any, Any],
    notebook: str,
    choices: dict[str, str],
    outcome: str,
    text: Callable[[Mapping[Any, Any]], str],
) -> dict[str, Any]:
    asked = " ".join(f"-p {notebook}.{name}={value}" for name, value in choices.items())
    return {
        "choices": choices,
        "value": float(row[outcome]),
        "low": float(row[f"{outcome}_low"]),
        "high": float(row[f"{outcome}_high"]),
        "chosen": bool(row["chosen"]),
        "text": text(row),
        "command": f"detainers run --only {notebook} {asked}",
    }


def _growth_text(row: Mapping[Any, Any]) -> str:
    ends = [f"{row[f'factor_{end}']:.2f}" for end in ("low", "high")]
    span = f" (range {' to '.join(ends)})" if ends[0] != ends[1] else ""
    rate = f"{row['annual_rate']:.1%}".replace("-", "\N{MINUS SIGN}")
    alike = (
        "In both counts an entry is one facility or agency, but what puts it there differs."
        if row["like_for_like"]
        else "An entry is not the same thing in the two counts, so that the ratio is no growth "
        "in the number of places."
    )
    return (
        f"Earlier: {row['earlier_places']:,.0f}, {row['baseline_label']}. "
        f"Later: {row['later_places']:,.0f}, {row['endpoint_label']}. "
        f"That is {row['factor']:.2f} times as many{span}, or {rate} a year. {alike}"
    )


def _weeks_text(row: Mapping[Any, Any]) -> str:
    p_value = f"p = {row['p_value']:.3f}" if row["p_value"] >= 0.001 else "p under 0.001"
    told_apart = (
        "One rate for both weeks fits badly."
        if row["p_value"] < 0.05
        else "One rate for both weeks is not contradicted at 5%; a moderate change could be missed."
    )
    return (
        f"Week 1 counts {row['week_1']:,} declinations, week 2 counts {row['week_2']:,}. Per "
        f"detainer issued, week 2 has {row['ratio']:.2f} times the declinations of week 1 (95% "
        f"interval {row['ratio_low']:.2f} to {row['ratio_high']:.2f}; {p_value}). {told_apart}"
    )


def _truth(value: object) -> str:
    return str(bool(value)).lower()
