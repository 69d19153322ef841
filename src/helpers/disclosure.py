"""Disclosure control: the one rule for counts made from individual records.

A count from 1 to `minimum_cell` - 1 is hidden, and so many further counts that no hidden one can be
worked out from the totals.
"""

from collections.abc import Sequence

import pandas as pd

MINIMUM_CELL = 11
"""The smallest count shown, as in the cell suppression policy of the CMS for health records."""


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
        The same rows, with `count` and `parts` as Int64 and NA where hidden. The totals of all
        columns over all rows may be published beside it if they are not small themselves. Compute
        shares from what is returned, so that they are hidden, too. No rows at all where nothing
        can be shown safely.
    """
    raise NotImplementedError
