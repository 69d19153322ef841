"""Simulated panels of offices and weeks with a known effect, for the estimators of `panel`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from helpers import panel, synthetic
from helpers.validation import (
    ALPHA,
    COSTLY_NO_TARGET,
    Replication,
    Scenario,
    judge_each,
)

WEEKS = 78
"""Weeks of each simulated panel; fewer than the study's, so that a thousand can be drawn."""

FEW = 8
"""Offices under stress: those with most declinations, half of which had stopped."""

LATE = 8
"""Mean number of weeks to the record of a declination, under stress."""

WEAK = 1.2
"""Effect where power is measured."""

_ALL = len(synthetic.OFFICES)
_EFFECTS = {"two_way": panel.two_way, "imputed": panel.imputed}


def scenarios() -> list[Scenario]:
    """Return the scenarios of resumed issuing, drawn by `helpers.synthetic.panel`."""
    differ, rare = "effects that differ by office and grow", COSTLY_NO_TARGET
    return [
        # No effect is one effect: the two-way model holds, and its test has nothing to find.
        _panel("none", "no effect", ["two_way.model", "two_way.null", "imputed.null"], effect=1),
        _panel("growing", differ, ["two_way.stress_effects_differ", "imputed.model"], events=True),
        _panel(
            "weak",
            f"one effect of {WEAK:g}",
            ["two_way.power", "imputed.power"],
            rare,
            effect=WEAK,
            pattern="constant",
        ),
        _panel("few", differ, ["imputed.stress_few_offices"], rare, offices=FEW),
        _panel(
            "dispersed",
            f"{differ}, dispersion 4",
            ["imputed.stress_dispersion"],
            rare,
            dispersion=4,
        ),
        _panel(
            "late",
            f"{differ}, recorded {LATE} weeks late on average",
            ["imputed.stress_recorded_late"],
            rare,
            delay=LATE,
        ),
    ]


def _panel(
    name: str,
    words: str,
    asked: Sequence[str],
    share: float = 1.0,
    *,
    offices: int = _ALL,
    events: bool = False,
    **options: Any,  # noqa: ANN401 - those of synthetic.panel
) -> Scenario:
    def replicate(rng: Generator) -> Mapping[str, Replication]:
        frame, truth = _drawn(rng, offices, **options)
        cells = panel.cells(frame)
        after = _since(frame) >= 0
        judged = judge_each(asked, lambda name: _EFFECTS[name](cells), _ratio(truth, after))
        return judged | (_event_study(cells, frame, truth) if events else {})

    words = f"{offices} offices, {WEEKS} weeks, {words}"
    return Scenario(f"panel_{name}", words, replicate, share)


def _drawn(rng: Generator, offices: int, **options: Any) -> tuple[pd.DataFrame, pd.DataFrame]:  # noqa: ANN401
    """Return a panel of the offices with most declinations, and what was expected of each row."""
    frame, truth = synthetic.panel(int(rng.integers(2**32)), weeks=WEEKS, **options)
    largest = sorted(synthetic.OFFICES, key=lambda name: -synthetic.OFFICES[name][1])[:offices]
    expected = pd.DataFrame({name: truth[name] for name in ("expected", "untreated")})
    kept = frame["office"].isin(largest)
    return frame[kept], expected[kept]


def _since(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return weeks since resumption, NaN where an office did not resume."""
    return (frame["week_start"] - frame["resumed"]).dt.days.to_numpy() // 7


def _ratio(truth: pd.DataFrame, rows: NDArray[np.bool_]) -> float:
    sums = truth[rows].sum()
    return float(sums["expected"] / sums["untreated"])


def _event_study(
    cells: panel.Cells, frame: pd.DataFrame, truth: pd.DataFrame
) -> dict[str, Replication]:
    found, since = panel.event_study(cells), _since(frame)
    # Before resumption the ratios compare weeks of stop with each other.
    true = [
        _ratio(truth, (since >= span.first) & (since <= span.last)) if span.first >= 0 else 1.0
        for span in found.ratios.itertuples()
    ]
    covered = found.ratios["band_low"].le(true) & found.ratios["band_high"].ge(true)
    return {
        "event_study.model": Replication(covered=bool(covered.all())),
        "event_study.null": Replication(rejected=found.pre_trend_p_value < ALPHA),
    }
