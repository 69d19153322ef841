"""Bounds of a distribution of which only a few counts were published."""

import datetime as dt
import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def distribution_bounds(
    parts: pd.DataFrame, whole: int, at: ArrayLike, ends: tuple[str, str] = ("lowest", "highest")
) -> pd.DataFrame:
    """Return the lowest and the highest share at or below given values that counts allow.

    The records are divided into parts; of each part it is known how few and how many belong to it
    and between which values they lie, and nothing else. The share is lowest when as few records
    as allowed are in parts that must lie at or below the value, and highest when as many as
    allowed are in parts that may. Both are attained, so that no bound can be narrower without
    another figure or an assumption (worst-case bounds: Manski 2003, Partial Identification of
    Probability Distributions, ch. 1).

    Parameters
    ----------
    parts
        One row a part: `fewest`, `most` (records), and the columns of `ends`.
    whole
        All records.
    at
        Values at which the share is bounded.
    ends
        Columns with the lowest and the highest value of a part; infinite where nothing is known.

    Returns
    -------
    pandas.DataFrame
        One row a value: `at`, `low`, `high` (shares). Sharp at each value, one by one.

    Raises
    ------
    ValueError
        If the parts cannot add up to the whole, or a part's ends are upside down.
    """
    fewest, most = parts["fewest"].to_numpy(), parts["most"].to_numpy()
    lowest, highest = (parts[end].to_numpy(float) for end in ends)
    if (fewest > most).any() or (lowest > highest).any():
        raise ValueError("a part has its fewest above its most, or its lowest above its highest")
    if not fewest.sum() <= whole <= most.sum():
        raise ValueError(f"parts of {fewest.sum()} to {most.sum()} records cannot make {whole}")
    value = np.asarray(at, dtype=float)
    must, may = highest <= value[:, np.newaxis], lowest <= value[:, np.newaxis]
    low = np.maximum(must @ fewest, whole - ~must @ most)
    high = np.minimum(may @ most, whole - ~may @ fewest)
    return pd.DataFrame({"at": value, "low": low / whole, "high": high / whole})


def issued_part(
    fewest: int, most: int, first: dt.date | None, last: dt.date, declined: tuple[dt.date, dt.date]
) -> dict[str, float]:
    """Return a part of declined detainers of which the days of issue are known within limits.

    Parameters
    ----------
    fewest, most
        Detainers that belong to the part.
    first, last
        First day of issue, None where nothing is known, and last.
    declined
        First and last day on which they were declined.

    Returns
    -------
    dict
        A row of `parts`: ages in whole days between `lowest` and `highest`, and days of issue
        between `first` and `last`, counted as by `datetime.date.toordinal`.
    """
    return {
        "fewest": fewest,
        "most": most,
        "lowest": max((declined[0] - last).days, 0),
        "highest": math.inf if first is None else (declined[1] - first).days,
        "first": -math.inf if first is None else first.toordinal(),
        "last": last.toordinal(),
    }
