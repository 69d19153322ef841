"""Simulated panels of offices and weeks with a known effect, for the estimators of `panel`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from helpers import panel, synthetic
from helpers.rates import RateRatio
from helpers.validation import ALPHA, COSTLY, COSTLY_STRESS, Replication, Scenario, log_error

WEEKS = 104
"""Weeks of each simulated panel; fewer than the study's, so that a thousand can be drawn."""

FEW = 8
"""Offices left under stress: those with most declinations, half of which had stopped."""

WEAK = 1.2
"""Effect where power is measured."""

LATE = 8
"""Mean number of weeks to the record of a declination, under stress."""

_ESTIMATORS = {"two_way": panel.two_way, "imputed": panel.imputed}
_SAID = ("dispersion", "delay")


def scenarios() -> list[Scenario]:
    """Return the scenarios of resumed issuing, by `helpers.synthetic.panel`."""
    both = ("two_way", "imputed")
    differ = "effects that differ by office and grow"
    return [
        # No effect is one effect: the two-way model holds, and its test has nothing to find.
        _effects("none", "no effect", ("two_way.model", "two_way.null", "imputed.null"), effect=1),
        _effects("growing", differ, ("two_way.stress_effects_differ", "imputed.model")),
        _event_study(differ),
        _effects(
            "weak",
            f"one effect of {WEAK:g}",
            tuple(f"{estimator}.power" for estimator in both),
            effect=WEAK,
            pattern="constant",
        ),
        _effects("few", differ, ("imputed.stress_few_offices",), offices=FEW),
        _effects("dispersed", differ, ("imputed.stress_dispersion_4",), dispersion=4),
        _effects("late", differ, ("imputed.stress_recorded_late",), delay=LATE),
    ]


def _effects(
    name: str,
    words: str,
    asked: Sequence[str],
    offices: int = len(synthetic.OFFICES),
    **options: Any,  # noqa: ANN401 - those of synthetic.panel
) -> Scenario:
    estimators = {each.partition(".")[0] for each in asked}

    def replicate(rng: Generator) -> Mapping[str, Replication]:
        frame, truth = _drawn(rng, offices, **options)
        after = (frame["week_start"] >= frame["resumed"]).to_numpy()
        ratio = truth["expected"][after].sum() / truth["untreated"][after].sum()
        cells = panel.cells(frame)
        judged = {name: _judged(_ESTIMATORS[name](cells), ratio) for name in estimators}
        return {each: judged[each.partition(".")[0]] for each in asked}

    extra = [f"{name} {value:g}" for name, value in options.items() if name in _SAID]
    words = ", ".join([words, f"{offices} offices, {WEEKS} weeks", *extra])
    stress = all(".stress" in each for each in asked)
    return Scenario(f"panel_{name}", words, replicate, COSTLY_STRESS if stress else COSTLY)


def _judged(found: RateRatio, truth: float) -> Replication:
    covered = found.low <= truth <= found.high
    return Replication(log_error(found.value, truth), covered, found.p_value < ALPHA)


def _drawn(
    rng: Generator,
    offices: int,
    **options: Any,  # noqa: ANN401
) -> tuple[pd.DataFrame, dict[str, NDArray[np.float64]]]:
    """Return a panel of the offices with most declinations, and its expected declinations."""
    frame, truth = synthetic.panel(int(rng.integers(2**32)), weeks=WEEKS, **options)
    largest = sorted(synthetic.OFFICES, key=lambda name: -synthetic.OFFICES[name][1])[:offices]
    kept = frame["office"].isin(largest).to_numpy()
    return frame[kept], {name: truth[name][kept] for name in ("expected", "untreated")}


def _event_study(words: str) -> Scenario:
    def replicate(rng: Generator) -> Mapping[str, Replication]:
        frame, truth = _drawn(rng, len(synthetic.OFFICES))
        found = panel.event_study(panel.cells(frame))
        ratios = found.ratios
        since = (frame["week_start"] - frame["resumed"]).dt.days.to_numpy() // 7
        inside = (ratios[["first"]].to_numpy() <= since) & (since <= ratios[["last"]].to_numpy())
        true = (inside @ truth["expected"]) / (inside @ truth["untreated"])
        # Before resumption the ratios compare weeks of stop with each other.
        true[ratios["first"] < 0] = 1
        covered = ratios["band_low"].le(true) & ratios["band_high"].ge(true)
        return {
            "event_study.model": Replication(covered=covered.all()),
            "event_study.null": Replication(rejected=found.pre_trend_p_value < ALPHA),
        }

    return Scenario("panel_event_study", f"{words}, {WEEKS} weeks", replicate, COSTLY)
