"""Published figures: read them, and use one by a stated policy where sources disagree."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers import datapackage
from helpers.errors import UserError
from helpers.parameters import POLICIES

REPORT_WEEKS = ("2017-01-28/2017-02-03", "2017-02-04/2017-02-10", "2017-02-11/2017-02-17")
"""Windows of the three weekly reports that ICE published, Saturday to Friday."""


_KINDS = ("primary or official", "data repository", "research", "press", "advocacy or think tank")
_QUALIFIERS = ("exact", "approximate", "at least", "at most", "text")


class EvidenceError(UserError):
    """No published figure answers what was asked."""


@dataclass(frozen=True)
class Ledger:
    """All published figures, the resolutions of their conflicts, and the policy in force.

    Attributes
    ----------
    facts
        One row a figure: the columns of data/evidence/facts.csv, its `unit_class`, and the
        source's `title`, `publisher`, `published`, `url` and `kind` (as corrected in
        data/judgements/source_kinds.csv).
    resolutions
        data/judgements/resolutions.csv.
    policy
        One of `helpers.parameters.POLICIES`.
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
        `latest`, by its date of publication (unknown dates last; of a month or year known
        without its day, the day that wins least). Ties go by fact id.
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
    sources = datapackage.load("sources", root).set_index("source_id")
    corrected = datapackage.load("source_kinds", root).set_index("source_id")["kind"]
    sources["kind"] = corrected.reindex(sources.index).fillna(sources["kind"])
    facts = (
        datapackage.load("facts", root)
        .merge(datapackage.load("units", root), on="unit", how="left", validate="m:1")
        .merge(
            sources[["title", "publisher", "published", "url", "kind"]],
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
    return choose(found, ledger)


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


def choose(found: pd.DataFrame, ledger: Ledger) -> Fact:
    """Return the figure that the ledger's policy puts first among rows of its facts."""
    return _as_fact(_first(found, ledger))


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
    keys = pd.DataFrame({"id": found["fact_id"]})
    if ledger.policy == "judgement":
        keys["chosen"] = ~found["fact_id"].isin(ledger.resolutions["chosen_fact"])
        keys["qualifier"] = found["qualifier"].map(_QUALIFIERS.index)
        return keys.assign(kind=kind).sort_values(["chosen", "qualifier", "kind", "id"])
    if ledger.policy == "primary_first":
        return keys.assign(kind=kind).sort_values(["kind", "id"])
    newest = ledger.policy == "latest"
    # A month stands for its last day where early dates win, and for its first where late ones do.
    later = "" if newest else "-99"
    date = found["published"].replace("", None) + later
    return keys.assign(date=date).sort_values(
        ["date", "id"], ascending=[not newest, True], na_position="last"
    )
