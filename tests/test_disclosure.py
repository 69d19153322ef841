from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import disclosure


def frame(rows, parts=1):
    """Rows of parts and their total."""
    names = [f"part_{number}" for number in range(parts)]
    return pd.DataFrame(rows, columns=[*names, "n"]).assign(name=range(len(rows))), names


def possible(published, parts, totals):
    """Every table that whoever knows the totals and the rule must think possible, by brute force.

    Each row is a tuple of parts, rest and total. A hidden cell is 1 or more, unless its column is
    hidden in all rows.
    """
    columns = [*parts, "n"]
    withheld = [name for name in parts if published[name].isna().all()]
    choices = []
    for row in published[columns].itertuples(index=False):
        options = []
        most = totals[-1] if pd.isna(row[-1]) else row[-1]
        for total in range(1, most + 1) if pd.isna(row[-1]) else [most]:
            ranges = [
                range(0 if name in withheld else 1, min(total, totals[at]) + 1)
                if pd.isna(cell)
                else [cell]
                for at, (name, cell) in enumerate(zip(parts, row[:-1], strict=True))
            ]
            for cells in product(*ranges):
                if sum(cells) <= total:
                    options.append((*cells, total))
        choices.append(options)
    for table in product(*choices):
        if tuple(map(sum, zip(*table, strict=True))) == tuple(totals):
            yield [(*row[:-1], row[-1] - sum(row[:-1]), row[-1]) for row in table]


@st.composite
def tables(draw, parts):
    rows = draw(st.integers(1, 4))
    cell = st.one_of(st.just(0), st.integers(0, 3), st.integers(0, 7))
    made = [draw(st.lists(cell, min_size=parts + 1, max_size=parts + 1)) for _ in range(rows)]
    return [(*row[:-1], sum(row)) for row in made]


@pytest.mark.parametrize("parts", [0, 1, 2])
@given(data=st.data(), minimum=st.integers(1, 5))
def test_no_small_cell_is_determined_by_what_is_published(parts, data, minimum):
    rows = data.draw(tables(parts))
    table, names = frame(rows, parts)
    published = disclosure.protect(table, "n", names, minimum)
    if published.empty:
        return
    totals = table[[*names, "n"]].sum().tolist()
    truth = [(*row[:-1], row[-1] - sum(row[:-1]), row[-1]) for row in rows]
    values = {}
    for option in possible(published, names, totals):
        for place, value in np.ndenumerate(np.array(option)):
            values.setdefault(place, set()).add(value)
    for (row, column), seen in values.items():
        value = truth[row][column]
        assert value in seen
        if 0 < value < minimum:
            assert len(seen) >= 2, (published, row, column)
