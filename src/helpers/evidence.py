"""Published figures: read them, find where they conflict, and use one by a stated policy."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from helpers import datapackage

POLICIES = ("judgement", "primary_first", "earliest", "latest")
SAME, DIFFERENT = "same counter", "different counters"

_KINDS = ("primary or official", "data repository", "research", "press", "advocacy or think tank")
_QUALIFIERS = ("exact", "approximate", "at least", "at most", "text")
_QUANTITY = ["series", "place_id", "breakdown", "window", "unit_class"]


class EvidenceError(LookupError):
    """No published figure answers what was asked."""


@dataclass(frozen=True)
class Ledger:
    """All published figures, the resolutions of their conflicts, and the policy in force.

    Attributes
    ----------
    facts
        One row a figure: the columns of data/evidence/facts.csv, its `unit_class`, and the
        source's `title`, `publisher`, `published`, `url` and `kind`.
    resolutions
        data/judgements/resolutions.csv.
    policy
        One of `POLICIES`.
    """

    facts: pd.DataFrame
    resolutions: pd.DataFrame
    policy: str


@dataclass(frozen=True)
class Fact:
    """One published figure in use: `value` in `unit`, and what its print allows: [low, high]."""

    id: str
    value: float
    low: float
    high: float
    unit: str
    printed: str

    @property
    def input(self) -> str:
        """The figure as an input of a result."""
        return f"fact:{self.id}"


@dataclass(frozen=True)
class Date:
    """One published date in use."""

    id: str
    value: pd.Timestamp

    @property
    def input(self) -> str:
        """The date as an input of a result."""
        return f"fact:{self.id}"


def load(policy: str = "judgement", root: Path | None = None) -> Ledger:
    """Read facts, sources and resolutions.

    Parameters
    ----------
    policy
        Which value is used where sources disagree: `judgement`, the one chosen in
        data/judgements/resolutions.csv; `primary_first`, by the source's kind; `earliest` or
        `latest`, by its date of publication (unknown dates last). Ties go by fact id.
    root
        The project's folder; found from the working directory when omitted.

    Raises
    ------
    ValueError
        If the policy is unknown.
    helpers.datapackage.DataError
        If a table is missing or malformed.
    """
    if policy not in POLICIES:
        raise ValueError(f"source policy {policy!r}: allowed are {', '.join(POLICIES)}")
    sources = datapackage.load("sources", root)
    facts = (
        datapackage.load("facts", root)
        .merge(datapackage.load("units", root), on="unit", how="left", validate="m:1")
        .merge(
            sources[["source_id", "title", "publisher", "published", "url", "kind"]],
            on="source_id",
            how="left",
            validate="m:1",
        )
    )
    return Ledger(facts, datapackage.load("resolutions", root), policy)


def published(
    ledger: Ledger,
    series: str | Iterable[str],
    place: str | None = None,
    window: str | None = None,
    breakdown: str = "",
    basis: str | None = None,
) -> pd.DataFrame:
    """Return all published figures of a series, in the ledger's order.

    Parameters
    ----------
    ledger
        The ledger.
    series
        Name or names of the series.
    place, window, basis
        Place id, period key and counter; any, where None.
    breakdown
        The part of the series, for example `citizenship=Mexico`; "" is the whole.

    Returns
    -------
    pandas.DataFrame
        Rows of `ledger.facts`; none if nothing was published.
    """
    facts = ledger.facts
    names = [series] if isinstance(series, str) else list(series)
    keep = facts["series"].isin(names) & facts["breakdown"].eq(breakdown)
    for column, wanted in (("place_id", place), ("window", window), ("basis", basis)):
        if wanted is not None:
            keep &= facts[column].eq(wanted)
    return facts[keep]


def pick(
    ledger: Ledger,
    series: str,
    place: str = "us",
    window: str = "",
    breakdown: str = "",
    basis: str | None = None,
) -> Fact:
    """Return the figure to use for a quantity, under the ledger's policy.

    Under `judgement` a chosen figure comes first, then exact before approximate before bounds,
    then by the source's kind. The other policies look at the source alone.

    Parameters
    ----------
    ledger, series, place, window, breakdown, basis
        As in `published`; place is a country unless given.

    Raises
    ------
    EvidenceError
        If no number was published for the quantity.
    """
    found = published(ledger, series, place, window, breakdown, basis)
    found = found[found["value"].notna()]
    if found.empty:
        what = ", ".join(filter(None, [series, place, window or "no window", breakdown, basis]))
        raise EvidenceError(f"no number is published for {what}")
    return _as_fact(_first(found, ledger))


def pick_date(ledger: Ledger, series: str, place: str = "us", window: str = "") -> Date:
    """Return the date to use for an event, under the ledger's policy.

    Parameters
    ----------
    ledger, series, place, window
        As in `pick`.

    Raises
    ------
    EvidenceError
        If no date was published for the event.
    """
    found = published(ledger, series, place, window)
    found = found[found["value_date"].ne("")]
    if found.empty:
        raise EvidenceError(f"no date is published for {series}, {place}, {window or 'no window'}")
    row = _first(found, ledger)
    return Date(row["fact_id"], pd.Timestamp(row["value_date"]))


def conflict_values(ledger: Ledger) -> pd.DataFrame:
    """Return every published value of each quantity on which numbers conflict.

    Returns
    -------
    pandas.DataFrame
        One row a figure: `conflict`, `series`, `jurisdiction`, `window`, `fact_id`, `value`,
        `basis`, `publisher`, `used` (whether the policy picks it), `ratio` (value over the value
        in use; NaN where that is 0). Quantities stay together, in the order of their conflicts.
    """
    facts = ledger.facts[ledger.facts["value"].notna()].set_index("fact_id")
    parts = []
    for found in conflicts(ledger.facts).itertuples():
        numbers = facts.loc[[name for name in found.facts if name in facts.index]]
        for _, group in numbers.groupby(_QUANTITY, sort=False):
            if group["value"].nunique() > 1:
                used = _as_fact(_first(group.reset_index(), ledger))
                parts.append(
                    group.reset_index().assign(
                        conflict=found.conflict,
                        used=group.index == used.id,
                        ratio=group["value"].to_numpy() / (used.value or math.nan),
                    )
                )
    columns = ["conflict", "series", "jurisdiction", "window", "fact_id", "value", "basis"]
    columns += ["publisher", "used", "ratio"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def fact(ledger: Ledger, fact_id: str) -> Fact:
    """Return one figure by its identifier, for a judgement that names it.

    Raises
    ------
    EvidenceError
        If there is no such figure, or it is no number.
    """
    found = ledger.facts[ledger.facts["fact_id"].eq(fact_id) & ledger.facts["value"].notna()]
    if found.empty:
        raise EvidenceError(f"no number with fact id {fact_id}")
    return _as_fact(found.iloc[0])


def conflicts(facts: pd.DataFrame) -> pd.DataFrame:
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
        As `conflicts`, with `chosen_fact`, `reason` ("" where there is none) and `problem`:
        what is missing in the judgement, "" if nothing.
    """
    found = conflicts(ledger.facts).merge(
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


def span(row: pd.Series) -> tuple[float, float]:
    """Return the values that a printed figure allows: [low, high] in its unit.

    Exact counts allow one value; percentages half a unit of the last printed digit; approximate
    figures half a unit of the last digit that is not a trailing zero; bounds are open at one end.

    Parameters
    ----------
    row
        A figure with `value`, `value_text`, `qualifier` and `unit`.
    """
    value, qualifier = float(row["value"]), row["qualifier"]
    if qualifier == "at least":
        return value, math.inf
    if qualifier == "at most":
        return -math.inf, value
    half = 0.0
    if qualifier == "approximate":
        digits = f"{value:.10g}"
        decimals = len(digits.partition(".")[2])
        zeros = len(digits) - len(digits.rstrip("0")) if decimals == 0 else 0
        half = 0.5 * 10.0 ** (zeros - decimals)
    elif row["unit"].startswith("percent"):
        half = 0.5 * 10.0 ** -len(row["value_text"].partition(".")[2])
    # Half units are no binary fractions; figures may meet exactly at the edge of their rounding.
    return round(value - half, 10), round(value + half, 10)


def _as_fact(row: pd.Series) -> Fact:
    low, high = span(row)
    return Fact(row["fact_id"], float(row["value"]), low, high, row["unit"], row["value_text"])


def _first(found: pd.DataFrame, ledger: Ledger) -> pd.Series:
    """Return the figure that the policy puts first."""
    return found.loc[_order(found, ledger).index[0]]


def _order(found: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    kind = found["kind"].map(_KINDS.index)
    date = found["published"].replace("", None)
    keys = pd.DataFrame({"id": found["fact_id"]})
    if ledger.policy == "judgement":
        keys["chosen"] = ~found["fact_id"].isin(ledger.resolutions["chosen_fact"])
        keys["qualifier"] = found["qualifier"].map(_QUALIFIERS.index)
        return keys.assign(kind=kind).sort_values(["chosen", "qualifier", "kind", "id"])
    if ledger.policy == "primary_first":
        return keys.assign(kind=kind).sort_values(["kind", "id"])
    newest = ledger.policy == "latest"
    return keys.assign(date=date).sort_values(
        ["date", "id"], ascending=[not newest, True], na_position="last"
    )


def _differing(facts: pd.DataFrame) -> list[tuple[str, str]]:
    """Pairs of figures of one quantity whose values cannot both be right."""
    pairs = []
    comparable = facts[facts["value_type"].ne("text")]
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
        (a_low, a_high), (b_low, b_high) = span(a), span(b)
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
