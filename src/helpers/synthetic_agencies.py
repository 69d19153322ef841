"""The invented agencies of synthetic records: their names, how they respond, and since when."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers import synthetic

COOPERATING, RESTRICTING, KNOWN = 0, 1, 2
"""Kinds of agencies: without a policy; with one, and sent detainers all the time; with one, and
known not to cooperate, so that an office that has stopped sends it none."""

DECLINED_ELSEWHERE = 0.09
"""Share of an office's declinations that come from agencies without a policy: 19 of 206 in ICE's
report on week 1 (facts A009 and A004)."""

STATES = {
    "Atlanta": "GA",
    "Baltimore": "MD",
    "Boston": "MA",
    "Buffalo": "NY",
    "Chicago": "IL",
    "Dallas": "TX",
    "Denver": "CO",
    "Detroit": "MI",
    "El Paso": "TX",
    "Houston": "TX",
    "Los Angeles": "CA",
    "Miami": "FL",
    "New Orleans": "LA",
    "New York City": "NY",
    "Newark": "NJ",
    "Philadelphia": "PA",
    "Phoenix": "AZ",
    "Salt Lake City": "UT",
    "San Antonio": "TX",
    "San Diego": "CA",
    "San Francisco": "CA",
    "Seattle": "WA",
    "St Paul": "MN",
    "Washington": "VA",
}
"""The state in which an office's agencies stand, the one of its seat."""

_COLLIDING = (
    ("Houston", COOPERATING, "EXAMPLE", "COUNTY"),
    ("Philadelphia", RESTRICTING, "EXAMPLE", "COUNTY"),
    ("St Paul", RESTRICTING, "EXAMPLE", "COUNTY"),
    ("Denver", COOPERATING, "PLACEHOLDER", "STATE"),
    ("Denver", RESTRICTING, "PLACEHOLDER", "COUNTY"),
)
"""Names that collide: of counties in three states, and of a state jail and a county jail."""


class Agencies(NamedTuple):
    """The agencies, one an entry of each array.

    Attributes
    ----------
    offices
        Names of the offices.
    facility, code, city, county, state
        What records say of them.
    office
        Position of the office among `offices`.
    kind
        One of `COOPERATING`, `RESTRICTING`, `KNOWN`.
    weight
        Share of the detainers that the office issues to agencies in general, or to known ones.
    declines
        Probability of declining a detainer.
    since
        Day from which a policy is in force; empty for none.
    """

    offices: list[str]
    facility: list[str]
    code: list[str]
    city: list[str]
    county: list[str]
    state: list[str]
    office: NDArray[np.int64]
    kind: NDArray[np.int64]
    weight: NDArray[np.float64]
    declines: NDArray[np.float64]
    since: NDArray[np.datetime64]

    @property
    def beginner(self) -> int:
        """Position of the agency that begins to decline on a policy day."""
        return position(self, "Atlanta", COOPERATING, 1)


def agencies(rng: np.random.Generator, plan: synthetic.Plan) -> Agencies:
    """Make the agencies of the plan's offices; random numbers are for the days of policies."""
    table = pd.concat([_of_office(at, plan) for at in range(len(plan.offices))], ignore_index=True)
    number = range(1, len(table) + 1)
    months = rng.integers(12 * 5, size=len(table)).astype("timedelta64[M]")
    since = (np.datetime64("2011-01") + months).astype("datetime64[D]")
    since[table["kind"] == COOPERATING] = np.datetime64("NaT")
    made = Agencies(
        offices=plan.offices,
        facility=[f"SYNTHETIC {at:03} COUNTY JAIL" for at in number],
        code=[f"SYN{at:04}" for at in number],
        city=[f"SYNTHETIC TOWN {at:03}" for at in number],
        county=[f"SYNTHETIC {at:03}" for at in number],
        state=[STATES[plan.offices[at]] for at in table["office"]],
        office=table["office"].to_numpy(np.int64),
        kind=table["kind"].to_numpy(np.int64),
        weight=table["weight"].to_numpy(),
        declines=table["declines"].to_numpy(),
        since=since,
    )
    for office, kind, name, jail in _COLLIDING:
        at = position(made, office, kind)
        made.county[at], made.facility[at] = name, f"{name} {jail} JAIL"
    return made


def position(to: Agencies, office: str, kind: int, rank: int = 0) -> int:
    """Return the position of an office's agency of a kind, by rank of size."""
    of_office = to.office == to.offices.index(office)
    return int(np.flatnonzero(of_office & (to.kind == kind))[rank])


def _of_office(at: int, plan: synthetic.Plan) -> pd.DataFrame:
    """Make an office's agencies, those of a kind in order of size.

    Their probabilities of declining give the office's share of declinations.
    """
    share = float(plan.share[at, 0])
    restricting = (1 - DECLINED_ELSEWHERE) * share / synthetic.DECLINED_KNOWN
    elsewhere = DECLINED_ELSEWHERE * share / (1 - restricting)
    many = 6 + synthetic.OFFICES[plan.offices[at]][0] // 4
    kinds = [
        (COOPERATING, many, 1 - restricting, elsewhere),
        (RESTRICTING, 3, restricting, synthetic.DECLINED_KNOWN),
        (KNOWN, 2, 1.0, synthetic.DECLINED_KNOWN),
    ]
    return pd.concat(
        [
            pd.DataFrame(
                {"office": at, "kind": kind, "weight": of * _falling(number), "declines": declines}
            )
            for kind, number, of, declines in kinds
        ]
    )


def _falling(number: int) -> NDArray[np.float64]:
    """Return shares of agencies by rank of size, in inverse proportion to the rank."""
    sizes = 1 / np.arange(1, number + 1)
    return sizes / sizes.sum()
