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
            return _nothing(table, [*parts, count])
        # A part that fails is given up; where the row's rest or count fails, all parts are.
        kept = [part for at, part in enumerate(kept) if failed < len(kept) and at != failed]
    given_up = [part for part in range(len(parts)) if part not in kept]
    if not all(_is_open(counts, part) for part in given_up):
        return _nothing(table, [*parts, count])
    protected = table.copy()
    protected[count] = table[count].astype("Int64").mask(hidden[:, -1])
    for at, part in enumerate(parts):
        mask = hidden[:, kept.index(at)] if at in kept else np.ones(len(table), dtype=bool)
        protected[part] = table[part].astype("Int64").mask(mask)
    return protected


def shown_days(flows: Counts, minimum_cell: int = MINIMUM_CELL) -> Mask:
    """Choose the days of a stock that may be shown: differences of stocks are counts, too.

    Parameters
    ----------
    flows
        Days by kinds of flow (issued, ended, ...): the counts that change the stock.
    minimum_cell
        The smallest count shown.

    Returns
    -------
    array of bool
        The days such that between two of them, before the first and after the last, each flow is 0
        or at least `minimum_cell`.
    """
    until = np.vstack([np.zeros_like(flows[:1]), np.cumsum(flows, axis=0)])

    def tells_little(since: int, day: int) -> bool:
        between = until[day] - until[since]
        return bool(((between == 0) | (between >= minimum_cell)).all())

    ends = [0]  # a day shown has its end here, as the number of days until then
    for day in range(1, len(until)):
        if tells_little(ends[-1], day):
            ends.append(day)
    while len(ends) > 1 and not tells_little(ends[-1], len(flows)):
        ends.pop()
    shown: Mask = np.isin(np.arange(1, len(until)), ends)
    return shown


def _nothing(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    return table.iloc[:0].astype(dict.fromkeys(names, "Int64"))


def _is_open(counts: Counts, part: int) -> bool:
    """Whether every cell of a part hidden in all rows could be another number.

    It could if a unit of the part could be one of the rest of its row, the reverse in another row.
    """
    here, rest = counts[:, part] > 0, counts[:, -1] > counts[:, :-1].sum(axis=1)
    elsewhere = np.array([np.delete(rest, row).any() for row in range(len(counts))])
    received = np.array([np.delete(here, row).any() for row in range(len(counts))])
    return bool((~here | elsewhere | (received & rest)).all())


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
    room = max(minimum_cell - 2, 1)
    while (exposed := _exposed(x, hidden, room)).any():
        row, column = np.argwhere(exposed)[0]
        options = [_added(x, hidden, row, column, other, room) for other in _partners(x, column)]
        if not (found := [option for option in options if option is not None]):
            return hidden, int(column)
        hidden |= min(found, key=lambda option: _loss(x, option))
    return hidden, None


def _partners(x: Counts, column: int) -> list[int]:
    """Columns with which one can exchange units; a column alone, with itself."""
    return [other for other in range(x.shape[1]) if other != column] or [column]


def _exposed(x: Counts, hidden: Mask, room: int) -> Mask:
    """Whether each hidden cell has less room than is needed, whatever column it exchanges with."""
    exposed = hidden.copy()
    for column in range(x.shape[1]):
        for other in _partners(x, column):
            both = np.flatnonzero(hidden[:, column] & hidden[:, other])
            if len(both) > 1:
                here, there, together = _movable(x, column, other)
                here, there = here[both], there[both]
                up, down = here.sum() - here, there.sum() - there
                exposed[both, column] &= _room(here, there, up, down, together) < room
    return exposed


def _movable(x: Counts, column: int, other: int) -> tuple[Counts, Counts, bool]:
    """Units that cells of two columns can lose, and whether both columns move the same way.

    Rows with both columns hidden can exchange units: more in `column` and less in `other` here, the
    reverse elsewhere. With the rows' count as `other`, or alone, both move the same way. No cell
    falls below 1, since zeros are never hidden.
    """
    here, there = x[:, column] - 1, x[:, other] - 1
    if x.shape[1] - 1 not in (column, other):
        return here, there, False
    both = np.minimum(here, there)
    return both, both, True


def _room(here: Counts, there: Counts, up: Counts, down: Counts, together: bool) -> Counts:
    """By how many units in all a cell can be another number, up or down.

    `here` and `there` are the units that its row can lose, `up` and `down` those of its partners.
    """
    return here + up if together else np.minimum(there, up) + np.minimum(here, down)


def _added(x: Counts, hidden: Mask, row: int, column: int, other: int, room: int) -> Mask | None:
    """Return the cells to hide in addition so that one has room; None if no cells would do."""
    pair = np.array([column, other])
    fits: Mask = np.all(x[:, pair] > 0, axis=1)
    if not fits[row]:
        return None
    here, there, together = _movable(x, column, other)
    lost = np.where(hidden[:, pair], 0, x[:, pair]).sum(axis=1)
    members: Mask = np.all(hidden[:, pair], axis=1)
    members[row] = fits[row] = False
    while True:
        up, down = here[members].sum(), there[members].sum()
        if members.any() and _room(here[row], there[row], up, down, together) >= room:
            break
        free = np.flatnonzero(fits & ~members)
        if not len(free):
            return None
        rooms = _room(here[row], there[row], up + here[free], down + there[free], together)
        enough = np.flatnonzero(rooms >= room)
        # The cheapest row that does; where none does alone, the one that gives most.
        best = enough[lost[free][enough].argmin()] if len(enough) else rooms.argmax()
        members[free[best]] = True
    members[row] = True
    added = np.zeros_like(hidden)
    added[np.ix_(members, pair)] = True
    return added & ~hidden


def _loss(x: Counts, added: Mask) -> tuple[int, int]:
    """Return how many cells are hidden in addition, and their sum; the rest is not shown anyway."""
    displayed = added.copy()
    if x.shape[1] > 1:
        displayed[:, -2] = False
    return int(displayed.sum()), int(x[displayed].sum())
