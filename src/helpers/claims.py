"""Statements of the press, settled by results."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

HOLDS = "holds"
HOLDS_WITH_CAVEAT = "holds with a caveat"
DOES_NOT_HOLD = "does not hold"
CANNOT_BE_TESTED = "cannot be tested"
VERDICTS = (HOLDS, HOLDS_WITH_CAVEAT, DOES_NOT_HOLD, CANNOT_BE_TESTED)


def verdict(value: float | None, at_least: float, at_most: float, caveat: str) -> str:
    """Return the verdict on a claim.

    Parameters
    ----------
    value
        The result that settles the claim; None where none can.
    at_least, at_most
        The claim holds if the value lies between them, both included; NaN is no bound.
    caveat
        What a reader must know even where the claim holds; "" if nothing.

    Returns
    -------
    str
        One of `VERDICTS`.
    """
    if value is None:
        return CANNOT_BE_TESTED
    if value < at_least or value > at_most:
        return DOES_NOT_HOLD
    return HOLDS_WITH_CAVEAT if caveat else HOLDS


def settle(claims: pd.DataFrame, found: Mapping[str, Any]) -> pd.DataFrame:
    """Return the claims with the value that settles each, and the verdict.

    Parameters
    ----------
    claims
        Table `claims`.
    found
        Values of results by name; every result that a claim names must be among them.

    Returns
    -------
    pandas.DataFrame
        The table with the columns `value` (None where nothing can settle the claim) and
        `verdict`.

    Raises
    ------
    KeyError
        If a claim names a result that is not there.
    """
    values = [found[name] if name else None for name in claims["result"]]
    verdicts = [
        verdict(value, row.at_least, row.at_most, row.caveat)
        for value, row in zip(values, claims.itertuples(), strict=True)
    ]
    return claims.assign(
        value=pd.Series(values, index=claims.index, dtype=object), verdict=verdicts
    )
