"""The results of the simulations: each measure under its name, and words about many of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from helpers.results import Results
from helpers.validation import ALPHA, DIGITS, LEVEL, against_nominal, agreeing_digits

_WORDS = {"model": "as assumed", "null": "no difference", "power": "a difference", "stress": ""}
_METHODS = {
    "covered": ("share", "share of data sets whose 95% interval or band holds the truth"),
    "rejected": ("share", "share of data sets in which the test rejects at 5%"),
    "error": ("log ratio", "mean of log(estimate / truth), near the relative error"),
}
_KINDS = {
    "bounds": "share of data sets whose bounds hold the truth; all should",
    "range": "share of data sets whose range holds the truth; it promises none",
}
_SHORTFALLS = {
    (LEVEL, "below"): "Below the nominal 95%, by more than Monte Carlo error.",
    (ALPHA, "above"): "Above the nominal 5%, by more than Monte Carlo error.",
}


def labelled(found: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `helpers.validation.study` with words.

    Returns
    -------
    pandas.DataFrame
        The rows, with `kind` (of the setting, such as `stress`), `label` (estimator and setting)
        and `name` (of the result).
    """
    parts = found["setting"].str.partition("_")
    setting = parts[0].replace(_WORDS) + ", " + parts[2].str.replace("_", " ")
    return found.assign(
        kind=parts[0],
        label=found["estimator"].str.replace("_", " ") + ": " + setting.str.strip(", "),
        name="validation." + found["estimator"] + "." + found["measure"],
    )


def put_measures(
    results: Results,
    found: pd.DataFrame,
    inputs: Mapping[str, Sequence[str]],
    simulated: Sequence[str],
) -> None:
    """Put every measure, and how many data sets each estimator saw.

    Parameters
    ----------
    results
        The results.
    found
        As from `labelled`.
    inputs
        What each estimator's scenarios were made from.
    simulated
        What all of them were.
    """
    for row in found.to_dict("records"):
        unit, method = _METHODS[row["of"]]
        results.put(
            row["name"],
            row["value"],
            unit=unit,
            interval=(row["low"], row["high"]),
            level=LEVEL,
            inputs=inputs[row["estimator"]],
            method=f"{_KINDS.get(row['kind'], method)}: {row['words']}; Monte Carlo interval"
            + "; an assumption fails: no target" * (row["kind"] == "stress"),
            decimals=3,
            tolerance=0.01,
            caveat=_SHORTFALLS.get((row["nominal"], against_nominal(row))),
        )
    for estimator, rows in found[found["nominal"].notna()].groupby("estimator", sort=False):
        results.put(
            f"validation.{estimator}.replications",
            int(rows["replications"].min()),
            unit="data sets",
            inputs=simulated,
            method="fewest simulated in a setting that has a target",
        )


def put_readings(results: Results, found: pd.DataFrame, inputs: Sequence[str]) -> None:
    """Put how many coverages under their models are as nominal, above and below.

    Parameters
    ----------
    results
        The results.
    found
        Rows of `labelled` with coverages whose target is the level.
    inputs
        What they rest on.
    """
    about: dict[str, Any] = {"unit": "settings", "inputs": inputs}
    results.put(
        "validation.coverage.settings",
        len(found),
        method="settings with intervals in which the estimator's assumptions hold",
        **about,
    )
    for reading in ("as nominal", "above", "below"):
        results.put(
            f"validation.coverage.{reading.replace(' ', '_')}",
            len(read(found, reading)),
            method=f"settings whose coverage is {reading}, given its Monte Carlo interval",
            **about,
        )


def put_agreement(
    results: Results,
    pairs: Iterable[tuple[str, str, float, float, str]],
    inputs: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    """Put to how many digits two programs agree.

    Parameters
    ----------
    results
        The results.
    pairs
        Name, which begins with the estimator's; what is computed; the study's number; the other's;
        and who the other is.
    inputs
        As in `put_measures`.

    Returns
    -------
    pandas.DataFrame
        For readers, one row a number.
    """
    rows = []
    for name, words, ours, theirs, by in pairs:
        digits = agreeing_digits(ours, float(theirs))
        estimator = max((each for each in inputs if name.startswith(each)), key=len)
        results.put(
            f"validation.agreement.{name}",
            digits,
            unit="digits",
            inputs=inputs[estimator],
            method=f"significant digits, {DIGITS} at most, to which the study and {by} agree on: "
            f"{words}",
        )
        rows.append((words, f"{ours:.6g}", f"{theirs:.6g}", by, f"under 1e-{digits}"))
    columns = ["quantity", "ours", "theirs", "theirs by", "relative difference"]
    return pd.DataFrame(rows, columns=columns)


def read(found: pd.DataFrame, reading: str) -> pd.DataFrame:
    """Return the rows that read as given: `as nominal`, `above` or `below`."""
    return found[[against_nominal(row) == reading for row in found.to_dict("records")]]


def named(found: pd.DataFrame) -> str:
    """Return labels and values of shares, in words."""
    return "; ".join(f"{row.label} {row.value:.1%}" for row in found.itertuples()) or "none"


def extent(found: pd.DataFrame, form: str = ".1%") -> str:
    """Return the lowest and the highest value, each with its label."""
    ends = (found.loc[found["value"].idxmin()], found.loc[found["value"].idxmax()])
    return " to ".join(f"{row['value']:{form}} ({row['label']})" for row in ends)
