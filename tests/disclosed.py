"""What a reader of published counts can work out, by brute force."""

from itertools import product

import pandas as pd


def options(row, parts, withheld, totals):
    """What a published row could be: parts and count. A hidden cell is 1 or more, unless its
    column is hidden in all rows."""
    counts = range(1, totals[-1] + 1) if pd.isna(row["n"]) else [row["n"]]
    ranges = [
        range(0 if name in withheld else 1, totals[at] + 1) if pd.isna(row[name]) else [row[name]]
        for at, name in enumerate(parts)
    ]
    return [
        (*cells, count) for cells in product(*ranges) for count in counts if sum(cells) <= count
    ]


def possible(published, parts, totals):
    """For each row, all that it can be for whoever knows the totals and the rule: brute force."""
    withheld = [name for name in parts if published[name].isna().all()]
    rows = [options(row, parts, withheld, totals) for row in published.to_dict("records")]

    def sums(choices):
        """Sums that the first 0, 1, 2, ... rows can have without exceeding the totals."""
        reached = [{(0,) * len(totals)}]
        for choice in choices:
            added = {tuple(map(sum, zip(a, b, strict=True))) for a in reached[-1] for b in choice}
            reached.append({s for s in added if all(map(int.__le__, s, totals))})
        return reached

    before, after = sums(rows), sums(rows[::-1])[::-1]
    for at, choice in enumerate(rows):
        yield [
            option
            for option in choice
            if any(
                tuple(t - f - o for t, f, o in zip(totals, first, option, strict=True))
                in after[at + 1]
                for first in before[at]
            )
        ]


def check(published, truth, count, parts, minimum):
    """Fail if someone who knows the totals and the rule can work out a small count, shown or not.

    At least minimum - 1 values must be possible, or two where a part is hidden in all rows.
    """
    published = published.rename(columns={count: "n"})
    names = [*parts, count]
    rows = [tuple(map(int, row)) for row in truth[names].itertuples(index=False)]
    totals = [int(total) for total in truth[names].sum()]
    least = 2 if published[list(parts)].isna().all().any() else max(2, minimum - 1)
    for row, choice in zip(rows, possible(published, parts, totals), strict=True):
        assert row in choice
        rests = {option[-1] - sum(option[:-1]) for option in choice}
        for at, seen in enumerate([*map(set, zip(*choice, strict=True)), rests]):
            value = (*row, row[-1] - sum(row[:-1]))[at]
            assert not 0 < value < minimum or len(seen) >= least, (published, row, at)
