"""The kinds of error of ICE's reports of 2017, planted in synthetic records.

How each came about in ICE's files was not published. Here, a record with a wrong name has the name
of one facility and the code of another; and of a person who was elsewhere there is a second record,
of the facility that did hold the person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.synthetic_agencies import COOPERATING, RESTRICTING, Agencies, position

KINDS = {
    "similar_name": "sent to an agency of another state, and credited to one of the same name",
    "state_jail": "sent to a state jail, and credited to the county jail of the same name",
    "transferred": "declined where the person was held first, after the transfer to another agency",
    "above_past": "of agencies with far more detainers than in their own past",
    "never_held": "declined by an agency that never held the person",
}
"""Kinds of error, and what is wrong with a record that has it."""

AS_IN_2017 = {
    "similar_name": 31,
    "state_jail": 14,
    "transferred": 7,
    "above_past": 89,
    "never_held": 2,
}
"""Records of each kind in ICE's report on week 1, as corrected or disputed later: facts A104 to
A107, A049, A108 and A109, A018 and A019 (disputed by A115 and A116), A110 and A111."""

IN_LARGER = 51 / 89
"""Part of the records above the past that the larger of two agencies has (facts A018, A019)."""

Rows = dict[str, NDArray[Any]]
Which = NDArray[np.int64]


@dataclass(frozen=True)
class _Week:
    """The records of a week while errors are planted; each record is taken once."""

    rows: Rows
    to: Agencies
    start: int
    rng: np.random.Generator
    free: NDArray[np.bool_]

    def take(self, office: str, number: int, error: str = "") -> Which:
        """Take records of an office, which are in no order, and mark them with an error."""
        of_office = self.to.office[self.rows["agency"]] == self.to.offices.index(office)
        found = np.flatnonzero(self.free & of_office)[:number]
        if len(found) < number:
            raise ValueError(f"{office}: the week has too few records to plant {number} errors")
        self.free[found] = False
        if error:
            self.rows["error"][found] = 1 + list(KINDS).index(error)
        return found

    def send(self, which: Which, agency: int, written: int | None = None) -> None:
        """Send records to an agency, under its own name or another's."""
        self.rows["agency"][which] = agency
        self.rows["written"][which] = agency if written is None else written

    def issue(self, which: Which, first: int, last: int) -> None:
        """Issue records between two days of the week, from 0; their ends move with them."""
        days = self._days(which, first, last)
        for name in ("lifted", "refused"):
            self.rows[name][which] += days - self.rows["prepared"][which]
        self.rows["prepared"][which] = days

    def end(self, which: Which, reason: int, first: int, last: int) -> None:
        """End records for a reason between two days of the week, from 0."""
        self.rows["reason"][which], self.rows["never"][which] = reason, False
        self.rows["lifted"][which] = self.rows["refused"][which] = self._days(which, first, last)

    def _days(self, which: Which, first: int, last: int) -> Which:
        return self.start + self.rng.integers(first, last + 1, size=len(which))


def plant(
    rng: np.random.Generator,
    rows: Rows,
    to: Agencies,
    start: int,
    errors: Mapping[str, int],
    declined: int,
    booked: int,
) -> None:
    """Change records of a week so that they have errors; each stays with its office.

    Parameters
    ----------
    rng
        Random numbers.
    rows
        The records of a week, which are changed.
    to
        The agencies.
    start
        First of the seven days in which the errors are, counted from 1970.
    errors
        Number of records of each of `KINDS`.
    declined, booked
        Numbers of these reasons.

    Raises
    ------
    ValueError
        If a kind is unknown, or the week has too few records.
    """
    if unknown := sorted(set(errors) - set(KINDS)):
        raise ValueError(f"error {unknown[0]!r}: allowed are {', '.join(KINDS)}")
    week = _Week(rows, to, start, rng, ~rows["paired"])
    _similar_names(week, errors.get("similar_name", 0))
    _state_jail(week, errors.get("state_jail", 0), declined)
    _transferred(week, errors.get("transferred", 0), declined)
    _above_past(week, errors.get("above_past", 0))
    _never_held(week, errors.get("never_held", 0), declined, booked)


def _similar_names(week: _Week, number: int) -> None:
    which = week.take("Houston", number, "similar_name")
    true = position(week.to, "Houston", COOPERATING)
    for at, office in enumerate(("Philadelphia", "St Paul")):
        named = position(week.to, office, RESTRICTING)
        week.send(which[at::2], true, named)
    week.issue(which, 0, 6)


def _state_jail(week: _Week, number: int, declined: int) -> None:
    which = week.take("Denver", number, "state_jail")
    true, named = (position(week.to, "Denver", kind) for kind in (COOPERATING, RESTRICTING))
    week.send(which, true, named)
    week.issue(which, 0, 2)
    week.end(which, declined, 3, 6)


def _transferred(week: _Week, number: int, declined: int) -> None:
    first, second = _pair(week, "San Francisco", number, "transferred")
    week.send(first, position(week.to, "San Francisco", COOPERATING, 1))
    week.send(second, position(week.to, "San Francisco", RESTRICTING))
    week.issue(first, 0, 1)
    week.issue(second, 2, 3)
    for which in (first, second):
        week.end(which, declined, 4, 6)


def _above_past(week: _Week, number: int) -> None:
    parts = {"Los Angeles": round(number * IN_LARGER), "New York City": 0}
    parts["New York City"] = number - parts["Los Angeles"]
    for office, part in parts.items():
        which = week.take(office, part, "above_past")
        week.send(which, position(week.to, office, RESTRICTING, -1))
        week.issue(which, 0, 6)


def _never_held(week: _Week, number: int, declined: int, booked: int) -> None:
    wrong, right = _pair(week, "Miami", number, "never_held")
    week.send(wrong, position(week.to, "Miami", COOPERATING, 1))
    week.send(right, position(week.to, "Miami", COOPERATING))
    week.issue(right, 0, 0)
    week.issue(wrong, 1, 2)
    week.end(wrong, declined, 3, 4)
    week.end(right, booked, 5, 6)


def _pair(week: _Week, office: str, number: int, error: str) -> tuple[Which, Which]:
    """Take records with the error and as many others of the same persons."""
    wrong, other = week.take(office, number, error), week.take(office, number)
    for name in ("person", "redacted"):
        week.rows[name][other] = week.rows[name][wrong]
    week.rows["paired"][wrong] = week.rows["paired"][other] = True
    return wrong, other
