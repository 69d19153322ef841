"""How the number of declining places depends on the declinations that are counted."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from helpers import evidence
from helpers.evidence import REPORT_WEEKS, Fact, Ledger

_NPR = "NPR copy of the ICE FOIA file"
_FULL_YEARS = [f"{year}-01-01/{year}-12-31" for year in range(2008, 2015)]

OBSERVED = {
    "week 1: jails": ("declining_facilities_count", REPORT_WEEKS[0], None),
    "week 2: jurisdictions": ("jurisdictions_with_a_decline", REPORT_WEEKS[1], None),
    "2014-17: jurisdictions": ("jurisdictions_with_a_decline", "2014-01-01/2017-05-31", None),
    **{
        f"{year[:4]}: facilities": ("facilities_with_any_decline", year, _NPR)
        for year in _FULL_YEARS
    },
}
"""Periods of which both the declinations and the places that declined are published: series of
the places, window and basis, by period and what a place is."""


def observed(ledger: Ledger) -> dict[str, tuple[Fact, Fact]]:
    """Return the declinations of each period of `OBSERVED`, and the places that made them."""
    return {
        name: (
            evidence.pick(ledger, "detainers_declined", window=window, basis=basis),
            evidence.pick(ledger, places, window=window, basis=basis),
        )
        for name, (places, window, basis) in OBSERVED.items()
    }


def at_least(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many facilities declined at least n detainers, at every n that occurs.

    Parameters
    ----------
    table
        Table `facilities_by_declined_count_2007_2015`.

    Returns
    -------
    pandas.DataFrame
        One row a threshold, ascending: `declined` (n), `facilities` (with at least n), `share`
        (of all facilities), `share_of_declinations` (that these facilities declined).
    """
    ordered = table.sort_values("declined_by_facility", ascending=False).astype(int)
    facilities = ordered["facilities"].cumsum()
    declinations = (ordered["declined_by_facility"] * ordered["facilities"]).cumsum()
    return (
        pd.DataFrame(
            {
                "declined": ordered["declined_by_facility"],
                "facilities": facilities,
                "share": facilities / facilities.iloc[-1],
                "share_of_declinations": declinations / declinations.iloc[-1],
            }
        )
        .iloc[::-1]
        .reset_index(drop=True)
    )


def expected_places(
    declined: Sequence[int], places: Sequence[int], declinations: ArrayLike
) -> np.ndarray:
    """Return how many places would appear among so many declinations, drawn at random.

    Rarefaction: of N declinations in all, m are drawn without replacement; a place with n of
    them is missed with probability C(N - n, m) / C(N, m) (Hurlbert 1971, Ecology 52: 577).

    Parameters
    ----------
    declined, places
        Numbers of declinations, and how many places declined so many each.
    declinations
        Sizes m of the draw, 0 to N.

    Returns
    -------
    numpy.ndarray
        Expected number of places, one for each size.

    Raises
    ------
    ValueError
        If a size is negative or larger than the number of declinations.
    """
    each, number = np.asarray(declined), np.asarray(places)
    size = np.atleast_1d(declinations)[:, np.newaxis]
    whole = int((each * number).sum())
    if size.min() < 0 or size.max() > whole:
        raise ValueError(f"draws of 0 to {whole} declinations are possible")
    missed = stats.hypergeom.pmf(0, whole, each, size)
    return (number * (1 - missed)).sum(axis=1)
