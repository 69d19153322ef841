"""Statements of the press, settled by results."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

HOLDS = "holds"
HOLDS_WITH_CAVEAT = "holds with a caveat"
DOES_NOT_HOLD = "does not hold"
CANNOT_BE_TESTED = "cannot be tested"
VERDICTS = (HOLDS, HOLDS_WITH_CAVEAT, DOES_NOT_HOLD, CANNOT_BE_TESTED)
OWN_SOURCE = "Only the article itself prints the figure, which cannot confirm it."


def within(low: float, high: float, at_least: float, at_most: float) -> str:
    """Return what one result says of a claim.

    Parameters
    ----------
    low, high
        All that the result can be; equal where it is one number.
    at_least, at_most
        The claim holds if the result lies between them, both included; NaN is no bound.

    Returns
    -------
    str
        `HOLDS`, `DOES_NOT_HOLD`, or `CANNOT_BE_TESTED` where the result lies on both sides of a
        bound.
    """
    if high < at_least or low > at_most:
        return DOES_NOT_HOLD
    if low < at_least or high > at_most:
        return CANNOT_BE_TESTED
    return HOLDS


def verdict(outcomes: Sequence[str], caveat: str) -> str:
    """Return the verdict on a claim that rests on all of its results.

    Parameters
    ----------
    outcomes
        What each result says, as from `within`.
    caveat
        What a reader must know even where the claim holds; "" if nothing.

    Returns
    -------
    str
        One of `VERDICTS`. One result suffices to say that a claim does not hold; without any
        result it cannot be tested.
    """
    if DOES_NOT_HOLD in outcomes:
        return DOES_NOT_HOLD
    if CANNOT_BE_TESTED in outcomes or not outcomes:
        return CANNOT_BE_TESTED
    return HOLDS_WITH_CAVEAT if caveat else HOLDS


def own_facts(articles: pd.DataFrame, facts: pd.DataFrame) -> dict[str, frozenset[str]]:
    """Return the figures whose source is an article itself, by article.

    Parameters
    ----------
    articles
        Table `articles`; several sources of one article are copies of its text.
    facts
        As in `helpers.evidence.Ledger.facts`.
    """
    sources = articles.set_index("article")["sources"].str.split(";")
    return {
        str(article): frozenset(facts.loc[facts["source_id"].isin(names), "fact_id"])
        for article, names in sources.items()
    }


def settle(
    claims: pd.DataFrame,
    tests: pd.DataFrame,
    results: Mapping[str, Mapping[str, Any]],
    own: Mapping[str, Collection[str]],
) -> pd.DataFrame:
    """Return the claims with their verdicts.

    A result that rests on figures of the article alone can contradict the article's claim and
    cannot confirm it.

    Parameters
    ----------
    claims
        Table `claims`, or some of its rows.
    tests
        Rows of the table `claim_tests`, of one reading. A claim without a row cannot be tested.
    results
        Results by name; every result that a test names must be among them. An interval without
        a confidence level says what a result can be, else its value does.
    own
        Figures of each article, as from `own_facts`.

    Returns
    -------
    pandas.DataFrame
        The claims with the column `verdict`, and with the caveats of their results in `caveat`.

    Raises
    ------
    KeyError
        If a test names a result that is not there.
    """
    caveats, verdicts = [], []
    for claim in claims.itertuples():
        outcomes, said = [], [claim.caveat]
        for row in tests[tests["claim"].eq(claim.claim)].itertuples():
            result = results[row.result]
            facts = _facts(result)
            outcome = within(*_range(result), row.at_least, row.at_most)
            if outcome == HOLDS and facts and facts <= set(own[claim.article]):
                outcome = CANNOT_BE_TESTED
                said.append(OWN_SOURCE)
            outcomes.append(outcome)
            said += (result["caveat"] or "").splitlines()
        caveat = " ".join(dict.fromkeys(filter(None, said)))
        caveats.append(caveat)
        verdicts.append(verdict(outcomes, caveat))
    return claims.assign(caveat=caveats, verdict=verdicts)


def _facts(result: Mapping[str, Any]) -> set[str]:
    kinds = (item.partition(":") for item in result["inputs"])
    return {name for kind, _, name in kinds if kind == "fact"}


def _range(result: Mapping[str, Any]) -> tuple[float, float]:
    value = result["value"]
    numbers = value if isinstance(value, list) else [value]
    if result["interval"] and result["level"] is None:
        low, high = result["interval"]
        return float("-inf") if low is None else low, float("inf") if high is None else high
    return min(numbers), max(numbers)
