"""Statements of the press, settled by results."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

HOLDS = "holds"
HOLDS_WITH_CAVEAT = "holds with a caveat"
DOES_NOT_HOLD = "does not hold"
CANNOT_BE_TESTED = "cannot be tested"
VERDICTS = (HOLDS, HOLDS_WITH_CAVEAT, DOES_NOT_HOLD, CANNOT_BE_TESTED)
OWN_SOURCE = "The only source of the figure is the article itself."


def verdict(low: float, high: float, at_least: float, at_most: float, caveat: str) -> str:
    """Return the verdict on a claim.

    Parameters
    ----------
    low, high
        All that the result which settles the claim can be; equal where it is one number.
    at_least, at_most
        The claim holds if the result lies between them, both included; NaN is no bound.
    caveat
        What a reader must know even where the claim holds; "" if nothing.

    Returns
    -------
    str
        One of `VERDICTS`; `CANNOT_BE_TESTED` where the result lies on both sides of a bound.
    """
    if high < at_least or low > at_most:
        return DOES_NOT_HOLD
    if low < at_least or high > at_most:
        return CANNOT_BE_TESTED
    return HOLDS_WITH_CAVEAT if caveat else HOLDS


def settle(
    claims: pd.DataFrame, results: Mapping[str, Mapping[str, Any]], sources: Mapping[str, str]
) -> pd.DataFrame:
    """Return the claims with their verdicts.

    Parameters
    ----------
    claims
        Table `claims`; a claim that names no result cannot be tested.
    results
        Results by name; every result that a claim names must be among them. An interval without
        a confidence level says what a result can be, else its value does.
    sources
        Source of each fact, by fact id. Where a result rests on facts of the article alone, the
        claim gets that as a caveat.

    Returns
    -------
    pandas.DataFrame
        The table with its caveats completed and the column `verdict`.

    Raises
    ------
    KeyError
        If a claim names a result that is not there.
    """
    caveats, verdicts = [], []
    for row in claims.itertuples():
        caveat, found = row.caveat, results[row.result] if row.result else None
        if found and {sources.get(fact) for fact in _facts(found)} == {row.source_id}:
            caveat = f"{caveat} {OWN_SOURCE}".strip()
        caveats.append(caveat)
        verdicts.append(
            verdict(*_range(found), row.at_least, row.at_most, caveat)
            if found
            else CANNOT_BE_TESTED
        )
    return claims.assign(caveat=caveats, verdict=verdicts)


def _facts(result: Mapping[str, Any]) -> list[str]:
    kinds = (item.partition(":") for item in result["inputs"])
    return [name for kind, _, name in kinds if kind == "fact"]


def _range(result: Mapping[str, Any]) -> tuple[float, float]:
    value = result["value"]
    numbers = value if isinstance(value, list) else [value]
    if result["interval"] and result["level"] is None:
        low, high = result["interval"]
        return float("-inf") if low is None else low, float("inf") if high is None else high
    return min(numbers), max(numbers)
