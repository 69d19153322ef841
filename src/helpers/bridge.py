"""From one list of places to the next: what was added, what was removed, what was not seen."""

from collections.abc import Collection

import pandas as pd

from helpers.growth import Count

WHOLE_STATE = "State of "

CHANGES = ("whole state added", "place added", "perhaps added", "removed")
"""What can have happened to an entry between the two lists; perhaps: on the second list, and
whether on the first is not known."""


def named(listed: pd.DataFrame, none_before: Collection[str]) -> pd.DataFrame:
    """Return the places known by name that entered or left the list in its second week.

    Parameters
    ----------
    listed
        Table `listed_jurisdictions_2017`.
    none_before
        States (two-letter codes) of which no place was on the first list, so that a place of
        theirs on the second must be new.

    Returns
    -------
    pandas.DataFrame
        Rows of the table with `change`, in the order of `CHANGES`.
    """
    before, after = listed["listed_week_1"], listed["listed_week_2"]
    new = after.eq("yes") & (before.eq("no") | listed["state"].isin(none_before))
    whole = listed["jurisdiction"].str.startswith(WHOLE_STATE)
    cases = (
        new & whole,
        new & ~whole,
        after.eq("yes") & before.eq("unknown") & ~new,
        before.eq("yes") & after.eq("no"),
    )
    return pd.concat(
        [listed[case].assign(change=name) for case, name in zip(cases, CHANGES, strict=True)],
        ignore_index=True,
    )


def bridge(first: Count, last: Count, changes: pd.Series) -> pd.DataFrame:
    """Return the steps from the first list's length to the second's.

    What was not seen is what the two lengths leave over: additions not named, less removals not
    named, so that it bounds the former from below only.

    Parameters
    ----------
    first, last
        The lengths of the two lists, with their ranges.
    changes
        The column `change` of `named`.

    Returns
    -------
    pandas.DataFrame
        One row a step, in order: `step`, `low`, `high` (entries; removals negative), and `start`,
        `end` (length of the list before and after it, from the first length as used).
    """
    tally = changes.value_counts()
    states, places, perhaps, removed = (int(tally.get(change, 0)) for change in CHANGES)
    known = states + places - removed
    seen = first.value + known
    rows = [
        ("listed in week 1", first.low, first.high, first.value, first.value),
        ("removed, named", -removed, -removed, first.value, first.value - removed),
        ("whole states added", states, states, first.value - removed, seen - places),
        ("other places added, named", places, places, seen - places, seen),
        ("perhaps added, named", 0, perhaps, seen, seen + perhaps),
        (
            "not seen by name, net",
            last.low - first.high - known - perhaps,
            last.high - first.low - known,
            seen,
            last.value,
        ),
        ("listed in week 2", last.low, last.high, last.value, last.value),
    ]
    return pd.DataFrame(rows, columns=["step", "low", "high", "start", "end"])
