"""Conflicts between published figures: found by rule, held against their judgements."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from helpers import evidence
from helpers.evidence import EvidenceError, Ledger

SAME, DIFFERENT = "same counter", "different counters"

_QUANTITY = ["series", "place_id", "breakdown", "window", "unit_class"]


def find(facts: pd.DataFrame) -> pd.DataFrame:
    """Find conflicts between published figures.

    Two figures conflict when series, place, breakdown, window and class of unit agree and their
    values cannot both be right (a bound, or half a unit of the last printed digit of a rounded
    figure, may allow both), or when one disputes the other. Text is never compared by value.
    Figures joined by conflicts form one conflict.

    Parameters
    ----------
    facts
        As in `Ledger.facts`.

    Returns
    -------
    pandas.DataFrame
        One row a conflict, by first fact: `conflict` (its first fact), `facts` (tuple of fact
        ids), `counter` (`same counter` if two of the figures that conflict come from one
        counter, else `different counters`), `series`, `jurisdiction` and `window` of the
        first fact.

    Raises
    ------
    EvidenceError
        If a figure disputes one that is not there.
    """
    by_id = facts.set_index("fact_id")
    pairs = sorted({*_differing(facts), *_disputed(facts)})
    rows = []
    for members in _components(pairs):
        same = any(by_id.at[a, "basis"] == by_id.at[b, "basis"] for a, b in pairs if a in members)
        first = by_id.loc[members[0]]
        rows.append(
            {
                "conflict": members[0],
                "facts": members,
                "counter": SAME if same else DIFFERENT,
                "series": first["series"],
                "jurisdiction": first["jurisdiction"],
                "window": first["window"],
            }
        )
    columns = ["conflict", "facts", "counter", "series", "jurisdiction", "window"]
    return pd.DataFrame(rows, columns=columns)


def judged(ledger: Ledger) -> pd.DataFrame:
    """Return the conflicts with their resolution.

    Returns
    -------
    pandas.DataFrame
        As `find`, with `chosen_fact`, `reason` ("" where there is none) and `problem`:
        what is missing in the judgement, "" if nothing.
    """
    found = find(ledger.facts).merge(
        ledger.resolutions.rename(columns={"facts": "facts_judged"}), on="conflict", how="left"
    )
    text = ["facts_judged", "chosen_fact", "reason"]
    found[text] = found[text].fillna("")
    found["problem"] = [_problem(row) for row in found.to_dict("records")]
    return found.drop(columns="facts_judged")


def unjudged(ledger: Ledger) -> list[str]:
    """Return one line for each conflict without a full judgement, and each judgement without one.

    An empty list means that every conflict found is resolved.
    """
    found = judged(ledger)
    lines = [
        f"data/judgements/resolutions.csv: conflict {row.conflict} ({row.series}, "
        f"{row.jurisdiction}): {row.problem}"
        for row in found[found["problem"].ne("")].itertuples()
    ]
    idle = sorted(set(ledger.resolutions["conflict"]) - set(found["conflict"]))
    return lines + [
        f"data/judgements/resolutions.csv: {name} is judged, but is no conflict" for name in idle
    ]


def known(disputes: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Hold disputes that are known from reading the sources against the conflicts found by rule.

    Parameters
    ----------
    disputes
        Table `known_disputes`.
    found
        Conflicts, as from `find` or `judged`.

    Returns
    -------
    pandas.DataFrame
        The table with `conflicts`: tuple of the conflicts that join two or more of a dispute's
        figures; empty where the rule does not find it.
    """
    joined = [
        tuple(
            conflict
            for conflict, members in zip(found["conflict"], found["facts"], strict=True)
            if len(set(members) & set(named.split(";"))) > 1
        )
        for named in disputes["facts"]
    ]
    return disputes.assign(conflicts=joined)


def values(ledger: Ledger, found: pd.DataFrame) -> pd.DataFrame:
    """Return every published number of each quantity on which numbers conflict.

    Parameters
    ----------
    ledger
        The ledger; its policy says which number comes first.
    found
        The conflicts of its facts, as from `find` or `judged`.

    Returns
    -------
    pandas.DataFrame
        One row a figure: `conflict`, `series`, `jurisdiction`, `window`, `fact_id`, `value`,
        `basis`, `publisher`, `used` (whether the policy puts it first), `ratio` (value over the
        value put first; NaN where that is 0). Quantities stay together, in the order of their
        conflicts; figures that agree are among them.
    """
    numbers = ledger.facts[ledger.facts["value"].notna()]
    quantity = numbers.groupby(_QUANTITY, sort=False).ngroup()
    parts = []
    for conflict in found.itertuples():
        joined = numbers["fact_id"].isin(conflict.facts)
        for key, group in numbers[joined].groupby(quantity[joined], sort=False):
            if group["value"].nunique() > 1:
                whole = numbers[quantity.eq(key)]
                used = evidence.choose(whole, ledger)
                parts.append(
                    whole.assign(
                        conflict=conflict.conflict,
                        used=whole["fact_id"].eq(used.id),
                        ratio=whole["value"] / (used.value or math.nan),
                    )
                )
    columns = ["conflict", "series", "jurisdiction", "window", "fact_id", "value", "basis"]
    columns += ["publisher", "used", "ratio"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _differing(facts: pd.DataFrame) -> list[tuple[str, str]]:
    """Pairs of figures of one quantity whose values cannot both be right."""
    pairs = []
    comparable = facts[facts["value_type"].ne("text")]
    comparable = comparable[comparable.duplicated(_QUANTITY, keep=False)]
    for _, group in comparable.groupby(_QUANTITY, sort=False):
        for (_, a), (_, b) in combinations(group.iterrows(), 2):
            if _differ(a, b):
                first, second = sorted((a["fact_id"], b["fact_id"]))
                pairs.append((first, second))
    return pairs


def _differ(a: pd.Series, b: pd.Series) -> bool:
    if (a["value_type"] == "number") != (b["value_type"] == "number"):
        return False
    if a["value_type"] == "number":
        (a_low, a_high), (b_low, b_high) = evidence.span(a), evidence.span(b)
        return a_high < b_low or b_high < a_low
    digits = min(len(a["value_date"]), len(b["value_date"]))  # a month allows all its days
    return a["value_date"][:digits] != b["value_date"][:digits]


def _disputed(facts: pd.DataFrame) -> list[tuple[str, str]]:
    disputes, known = facts[facts["relation"].eq("disputes")], set(facts["fact_id"])
    pairs = []
    for row in disputes.itertuples():
        for other in row.related_facts.split(";"):
            if other not in known:
                raise EvidenceError(f"fact {row.fact_id} disputes {other!r}, which is no fact")
            first, second = sorted((row.fact_id, other))
            pairs.append((first, second))
    return pairs


def _components(pairs: list[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Group names joined by pairs; groups and their members in order."""
    names = sorted({name for pair in pairs for name in pair})
    index = {name: i for i, name in enumerate(names)}
    a, b = np.array([[index[x], index[y]] for x, y in pairs], dtype=int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs)), (a, b)), shape=(len(names), len(names)))
    labels = connected_components(graph, directed=False)[1] if names else []
    groups: dict[int, list[str]] = {}
    for name, label in zip(names, labels, strict=True):
        groups.setdefault(int(label), []).append(name)
    return [tuple(members) for members in groups.values()]


def _problem(row: dict) -> str:
    if not row["reason"]:
        return f"has no judgement; it joins {', '.join(row['facts'])}"
    if row["facts_judged"] != ";".join(row["facts"]):
        return f"was judged for {row['facts_judged']}; it now joins {';'.join(row['facts'])}"
    if row["counter"] == SAME and row["chosen_fact"] not in row["facts"]:
        return f"needs one of {', '.join(row['facts'])} as chosen_fact"
    return ""
