"""Named results of the panel of offices and weeks and of power."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from helpers import coverage
from helpers.panel import EventStudy
from helpers.rates import RateRatio
from helpers.results import Results

FEW_OFFICES = "Synthetic counts. The interval rests on few offices of very unequal size."
"""Caveat of an interval by jackknife over offices."""

_EQUAL_OFFICES = (
    "An approximation for offices of one size and one effect everywhere; where they differ, less "
    "is shown."
)


def put_ratios(
    results: Results, rows: Mapping[str, tuple[str, float | RateRatio]], seed: int
) -> pd.DataFrame:
    """Put ratios of declinations of synthetic counts as `issuance.panel.*`.

    Parameters
    ----------
    results
        The notebook's results.
    rows
        By the end of the name: what the ratio is in words, and a number or an estimate.
    seed
        Seed of the counts.

    Returns
    -------
    pandas.DataFrame
        For readers, one row a ratio: what it is, `ratio`, `95% interval` (text).
    """
    table = []
    for name, (words, found) in rows.items():
        about: dict[str, Any] = {}
        if isinstance(found, RateRatio):
            of_method = coverage.caveat("two_way" if name.startswith("two_way") else "imputed")
            about = {"interval": (found.low, found.high), "level": 0.95}
            about["caveat"] = f"{FEW_OFFICES}\n{of_method}"
        results.put(
            f"issuance.panel.{name}",
            found.value if isinstance(found, RateRatio) else found,
            unit="ratio",
            decimals=2,
            method=f"SYNTHETIC counts: declinations after resumption over those without it: {words}"
            + ("; interval by jackknife over offices, Student's t" if about else ""),
            **_synthetic(seed),
            **about,
        )
        interval = results.text(f"{{issuance.panel.{name}:interval}}") if about else ""
        table.append((words, results.text(f"{{issuance.panel.{name}}}"), interval))
    columns = ["declinations after resumption over those without it", "ratio", "95% interval"]
    return pd.DataFrame(table, columns=columns)


def put_counts(results: Results, counts: Mapping[str, tuple[int, str, str]], seed: int) -> None:
    """Put counts of the synthetic panel as `issuance.panel.*`: value, unit and words by name."""
    for name, (count, unit, words) in counts.items():
        results.put(f"issuance.panel.{name}", count, unit=unit, method=words, **_synthetic(seed))


def put_event_study(
    results: Results,
    study: EventStudy,
    prefix: str,
    inputs: Sequence[str],
    *,
    places: str = "offices",
    synthetic: bool = False,
) -> None:
    """Put the ratios by weeks since resumption, with their band, and the test of those before.

    They are named `PREFIX.weeks_before.24` or `PREFIX.weeks_after.0`, by the distance of a span's
    first week, and `PREFIX.pre_trend_p_value`.

    Parameters
    ----------
    results
        The notebook's results.
    study
        As from `helpers.panel.event_study`.
    prefix
        Beginning of the names.
    inputs
        What the counts rest on.
    places
        How the rows of the panel are called.
    synthetic
        Whether the counts are.
    """
    label = "SYNTHETIC counts: " if synthetic else ""
    measured = coverage.caveat("event_study")
    about: dict[str, Any] = {
        "inputs": inputs,
        "decimals": 2,
        "caveat": f"{FEW_OFFICES}\n{measured}" if synthetic else measured,
        "synthetic": synthetic,
    }
    ratios = study.ratios
    for row in ratios.itertuples():
        side = "before" if row.first < 0 else "after"
        results.put(
            f"{prefix}.weeks_{side}.{abs(row.first)}",
            row.value,
            unit="ratio",
            interval=(row.band_low, row.band_high),
            level=0.95,
            method=f"{label}weeks {row.first} to {row.last} since resumption, imputation; band of "
            f"{len(ratios)} spans (Bonferroni), jackknife over {places}, Student's t",
            **about,
        )
    results.put(
        f"{prefix}.pre_trend_p_value",
        study.pre_trend_p_value,
        unit="p-value",
        method=f"{label}all ratios before resumption are 1 (parallel trends); jackknife over "
        f"{places}, Student's t, Bonferroni",
        **about,
    )


def put_two_weeks(
    results: Results, pairs: Mapping[float, tuple[float, float]], inputs: Iterable[str]
) -> None:
    """Put the weakest fall and rise that two national weeks show, by dispersion."""
    of_level = list(inputs)
    for dispersion, pair in pairs.items():
        for way, weakest in zip(("fall", "rise"), pair, strict=True):
            results.put(
                f"issuance.power.two_weeks.{way}_dispersion_{dispersion:g}",
                weakest,
                unit="ratio",
                inputs=of_level,
                decimals=2,
                method=f"weakest {way} between two weeks of equal exposure shown with power 0.8 at "
                "the 5% level: exact conditional test, week 2's count expected, dispersion "
                f"{dispersion:g} as batches",
            )


def put_panel_power(results: Results, curves: pd.DataFrame, inputs: Iterable[str]) -> None:
    """Put the weakest rise that a synthetic design shows: `offices`, `weeks`, `dispersion`."""
    of_level = list(inputs)
    for row in curves.itertuples():
        results.put(
            f"issuance.power.offices_{row.offices}.weeks_{row.weeks}",
            row.ratio,
            unit="ratio",
            inputs=of_level,
            synthetic=True,
            decimals=2,
            method="SYNTHETIC design: weakest rise shown by imputation with power 0.8 at the 5% "
            f"level, {row.offices} equal offices, {row.weeks} weeks, dispersion {row.dispersion:g}",
            caveat=_EQUAL_OFFICES,
        )


def _synthetic(seed: int) -> dict[str, Any]:
    return {"inputs": [f"simulation:{seed}"], "synthetic": True}
