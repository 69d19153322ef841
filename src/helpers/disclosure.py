"""Disclosure control: the one rule for counts made from individual records.

A count from 1 to `minimum_cell` - 1 is hidden (primary suppression), and so many further counts
that what is published says no more of a hidden one than the rule itself: at least
`minimum_cell` - 1 values remain possible (secondary suppression; Hundepool et al. 2012,
*Statistical Disclosure Control*, chapter 4). Zeros are shown.

The proof is by construction. Counts of a column may be moved between rows, in exchange for another
column of the same rows or together with the rows' totals, without changing any total. Hidden cells
of such rows can therefore not be told from those of many other tables.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MINIMUM_CELL = 11
"""The smallest count shown, as in the cell suppression policy of the CMS for health records."""

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]


def shown(count: int, minimum_cell: int = MINIMUM_CELL) -> int | None:
    """Return a count that stands alone, or None where it is too small to be shown."""
    return None if 0 < count < minimum_cell else count


def protect(
    table: pd.DataFrame,
    count: str,
    parts: Sequence[str] = (),
    minimum_cell: int = MINIMUM_CELL,
) -> pd.DataFrame:
    """Hide small counts, and what would give them away.

    Parameters
    ----------
    table
        One row a category (month, agency, class, ...).
    count
        Column with the number of records of the category.
    parts
        Columns that count disjoint parts of it (declined, ...); what they leave is a part, too.
    minimum_cell
        The smallest count shown.

    Returns
    -------
    pandas.DataFrame
        The same rows, with `count` and `parts` as Int64 and NA where hidden. Totals of columns over
        all rows may be published beside it, and nothing else of the same table. Compute shares from
        what is returned, so that they are hidden, too. A part that cannot be protected is hidden in
        all rows; where nothing can be shown safely, there are no rows.

    Raises
    ------
    ValueError
        If a count is missing or negative, parts exceed their row's count, or the minimum is not
        positive.
    """
    counts = _counts(table, [*parts, count])
    if minimum_cell < 1:
        raise ValueError(f"minimum_cell = {minimum_cell}: a positive number is needed")
    kept = list(range(len(parts)))
    while True:
        hidden, failed = _suppressed(_columns(counts, kept), minimum_cell)
        if failed is None:
            break
        if not kept:
            return table.iloc[:0].astype(dict.fromkeys([*parts, count], "Int64"))
        # A part that fails is given up; where the row's rest or count fails, all parts are.
        kept = [part for at, part in enumerate(kept) if failed < len(kept) and at != failed]
    protected = table.copy()
    protected[count] = table[count].astype("Int64").mask(hidden[:, -1])
    for at, part in enumerate(parts):
        mask = hidden[:, kept.index(at)] if at in kept else np.ones(len(table), dtype=bool)
        protected[part] = table[part].astype("Int64").mask(mask)
    return protected


def _counts(table: pd.DataFrame, names: Sequence[str]) -> Counts:
    if table[names].isna().any(axis=None):
        raise ValueError(f"a count is missing in {', '.join(names)}")
    counts = table[names].to_numpy(np.int64)
    if (counts < 0).any() or (counts[:, :-1].sum(axis=1) > counts[:, -1]).any():
        raise ValueError(f"{', '.join(names)}: counts and parts do not fit together")
    return counts


def _columns(counts: Counts, kept: Sequence[int]) -> Counts:
    """Return the parts that are kept, the rest of each row, and its count; or its count alone."""
    total = counts[:, -1:]
    if not kept:
        return total
    parts = counts[:, kept]
    return np.hstack([parts, total - parts.sum(axis=1, keepdims=True), total])


def _suppressed(x: Counts, minimum_cell: int) -> tuple[Mask, int | None]:
    """Return the cells to hide, and the column that cannot be protected, if one cannot."""
    hidden = (x > 0) & (x < minimum_cell)
    queue = [(int(row), int(column)) for row, column in np.argwhere(hidden)]
    while queue:
        row, column = queue.pop()
        partners = [other for other in range(x.shape[1]) if other != column] or [column]
        options = [
            option
            for other in partners
            if (option := _exchange(x, hidden, row, column, other, max(minimum_cell - 2, 1)))
            is not None
        ]
        if not options:
            return hidden, column
        added = min(options, key=lambda option: _loss(x, option))
        hidden |= added
        queue += [(int(row), int(column)) for row, column in np.argwhere(added)]
    return hidden, None


def _loss(x: Counts, added: Mask) -> tuple[int, int]:
    """Return how many cells are hidden in addition, and their sum; the rest is not shown anyway."""
    displayed = added.copy()
    if x.shape[1] > 1:
        displayed[:, -2] = False
    return int(displayed.sum()), int(x[displayed].sum())


def _exchange(x: Counts, hidden: Mask, row: int, column: int, other: int, room: int) -> Mask | None:
    """Find cells to hide so that one can be another number, by `room` units in all, up or down.

    Rows with both columns hidden can exchange units: more in `column` and less in `other` here, the
    reverse elsewhere. With the row's count as `other` (or alone) both move the same way. No cell
    falls below 1, since zeros are never hidden.

    Returns
    -------
    array of bool or None
        The cells to hide in addition; None if no cells would do.
    """
    pair = np.array([column, other])
    fits = (x[:, pair] > 0).all(axis=1)
    if not fits[row]:
        return None
    here, there = x[:, column] - 1, x[:, other] - 1
    together = x.shape[1] - 1 in (column, other)
    if together:
        here = there = np.minimum(here, there)
    members = hidden[:, pair].all(axis=1)
    members[row] = False

    def rooms(more_up: Counts, more_down: Counts) -> Counts:
        """Room of the cell with further rows as partners, one at a time."""
        up, down = here[members].sum() + more_up, there[members].sum() + more_down
        return (
            up + here[row] if together else np.minimum(there[row], up) + np.minimum(here[row], down)
        )

    nobody = np.zeros(1, dtype=np.int64)
    while not members.any() or rooms(nobody, nobody)[0] < room:
        candidates = np.flatnonzero(fits & ~members & (np.arange(len(x)) != row))
        if not len(candidates):
            return None
        enough = rooms(here[candidates], there[candidates]) >= room
        lost = np.where(hidden[:, pair], 0, x[:, pair]).sum(axis=1)[candidates]
        most = np.minimum(here, there)[candidates].argmax()
        best = np.flatnonzero(enough)[lost[enough].argmin()] if enough.any() else most
        members[candidates[best]] = True
    members[row] = True
    added = np.zeros_like(hidden)
    added[np.ix_(members, pair)] = True
    return added & ~hidden
