"""Named results of the weekly report: `report.*`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from helpers import ages
from helpers.disclosure import shown
from helpers.results import Results

WORDS = {
    "similar_name": "agency of the same name in another state",
    "state_jail": "state jail or county jail of one name",
    "transferred": "transferred before the refusal",
    "above_past": "far above the agency's past",
    "never_held": "never held there",
}
"""The kinds of error in short."""

PUBLISHED = WORDS | {"above_past": "listing or count that the agency disputes"}
"""The same, as far as published: what agencies had got before was not."""

SIMULATED = "Synthetic records: how errors come about in ICE's files was not published."
"""Caveat of what the checks find in simulations."""


@dataclass(frozen=True)
class Basis:
    """What results and figures of the records rest on.

    Attributes
    ----------
    inputs
        The records, or the seed of synthetic ones, and the parameters.
    synthetic
        Whether they are synthetic.
    minimum_cell
        The smallest count shown.
    """

    inputs: Sequence[str]
    synthetic: bool
    minimum_cell: int

    @property
    def label(self) -> str:
        """The word that stands before everything made from synthetic records."""
        return "SYNTHETIC: " if self.synthetic else ""

    def said(self, words: str) -> str:
        """Return a sentence under that word; without it, with a capital."""
        return self.label + words if self.synthetic else words[0].upper() + words[1:]

    def count(self, number: int | None) -> int | str:
        """Return a count, or in words that it is too small to be shown."""
        return f"fewer than {self.minimum_cell}" if number is None else number

    def cell(self, number: Any) -> str:  # noqa: ANN401 - a cell of a table
        """Return a cell of a table for readers; what is hidden need not be small."""
        return "hidden" if pd.isna(number) else f"{int(number):,}"


def put_count(
    results: Results, basis: Basis, name: str, number: int | None, method: str, unit: str
) -> None:
    """Put a count under `report.NAME`; as words where it is too small to be shown, or hidden."""
    value = "hidden" if number is None else basis.count(shown(number, basis.minimum_cell))
    results.put(
        f"report.{name}",
        value,
        unit=unit,
        inputs=basis.inputs,
        method=f"{basis.label}{method}",
        synthetic=basis.synthetic,
    )


def put_shown(results: Results, basis: Basis, name: str, counts: pd.Series, method: str) -> None:
    """Put how many cells of a table there are and how many are shown, as `report.NAME.*`."""
    for part, number in (("cells", len(counts)), ("cells_shown", int(counts.notna().sum()))):
        results.put(
            f"report.{name}.{part}",
            number,
            unit="cells",
            inputs=basis.inputs,
            method=f"{basis.label}{method}"
            + ("; those that the small-cell rule shows" if part == "cells_shown" else ""),
            synthetic=basis.synthetic,
        )


def put_fidelity(results: Results, basis: Basis, summary: pd.DataFrame) -> None:
    """Put what each check finds, as `report.fidelity.CHECK.records` and `.agencies`."""
    for row in summary.itertuples():
        about: dict[str, Any] = {
            "inputs": basis.inputs,
            "method": f"{basis.label}{row.finds}",
            "synthetic": basis.synthetic,
        }
        if not row.possible:
            found: int | str = "cannot be checked"
        elif not row.any:
            found = 0
        elif row.check == "above_past":
            found = "of whole agencies"
        else:
            found = basis.count(None if pd.isna(row.records) else int(row.records))
        results.put(f"report.fidelity.{row.check}.records", found, unit="records", **about)
        if row.possible:
            name = f"report.fidelity.{row.check}.agencies"
            agencies = "hidden" if pd.isna(row.agencies) else int(row.agencies)
            results.put(name, agencies, unit="agencies", **about)


def put_rates(results: Results, rates: pd.DataFrame, inputs: Sequence[str]) -> None:
    """Put how often the checks find planted errors, and how often they err.

    `report.checks.CHECK.sensitivity` (of the records with the error), `.sensitivity_known` (of
    those whose person is not redacted) and `.false_alarms` (of weeks without error), with the exact
    interval of each share.
    """
    measures = {
        "sensitivity": ("found", "planted", "records with the error that are flagged"),
        "sensitivity_known": ("found_known", "known", "the same, of persons not redacted"),
        "false_alarms": ("false_alarms", "weeks", "weeks without error in which any is flagged"),
    }
    for check in rates.index:
        for name, (part, whole, words) in measures.items():
            some, of = int(rates.loc[check, part]), int(rates.loc[check, whole])
            results.put(
                f"report.checks.{check}.{name}",
                some / of,
                unit="share",
                interval=tuple(float(end) for end in ages.share_interval(some, of)),
                level=0.95,
                inputs=inputs,
                method=f"SYNTHETIC: {words}, {some} of {of}; exact interval",
                synthetic=True,
                caveat=SIMULATED,
                decimals=2,
            )


def put_published(results: Results, errors: pd.DataFrame, names: pd.DataFrame, policy: str) -> None:
    """Put what was published on the errors of 2017, as `report.published.*`.

    Parameters
    ----------
    results
        The notebook's results.
    errors, names
        As from `helpers.published_errors`.
    policy
        The source policy, as an input.
    """
    for kind, rows in errors.groupby("kind"):
        said = "; ".join(rows["said"].unique())
        about: dict[str, Any] = {"inputs": [*("fact:" + rows["fact"]), policy]}
        method = f"ICE's reports of 2017: {PUBLISHED[str(kind)]}; {said}"
        records = int(rows["records"].sum())
        results.put(
            f"report.published.{kind}.records", records, unit="records", method=method, **about
        )
        results.put(
            f"report.published.{kind}.places", len(rows), unit="places", method=method, **about
        )
    known = names["elsewhere"].ne("")
    withdrawn = names["fact"].isin(errors["corrects"])
    lists = ["series:policies_2008_2015", "series:listed_jurisdictions_2017"]
    inputs = [*("fact:" + names["fact"]), *lists, policy]
    rows = {
        "listed_counties": (len(names), "counties", "counties of Section I in week 1"),
        "listed_counties_same_name": (
            int(known.sum()),
            "counties",
            "those whose name a county of another state has in the published figures and lists",
        ),
        "listed_counties_same_name_withdrawn": (
            int((known & withdrawn).sum()),
            "counties",
            "those of them that ICE later withdrew as belonging to places of similar names",
        ),
        "issued_same_name": (
            int(names.loc[known, "issued"].sum()),
            "detainers",
            "detainers that Section I credits to them",
        ),
    }
    for name, (value, unit, words) in rows.items():
        results.put(f"report.published.{name}", value, unit=unit, inputs=inputs, method=words)
