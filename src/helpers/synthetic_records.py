"""Synthetic individual detainer records with a known truth; they say nothing of any agency.

Offices, weeks, stops and resumptions are those of `helpers.synthetic.plan`: each of its detainers
becomes a record, sent to one of the invented agencies of its office. The records add up to the
counts by office and week that `helpers.synthetic.panel` has, with the same true effect.

Weeks are drawn each from a seed of its own, so that a week is the same in whatever span it stands;
only what had not been recorded by the end of the span is missing in a shorter one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers import synthetic
from helpers.synthetic_agencies import COOPERATING, KNOWN, Agencies, agencies
from helpers.synthetic_errors import plant

Rows = dict[str, NDArray[Any]]

REASONS = {
    "Booked into Detention": ("taken_into_custody", 0.690),
    "Case Closed": ("ended_by_ice", 0.267),
    "Prosecutorial Discretion": ("ended_by_ice", 0.020),
    "Early Release": ("left_custody", 0.011),
    "No longer in State, Local, or Federal Custody": ("left_custody", 0.006),
    "Insufficient Notice to ICE": ("left_custody", 0.003),
    "Not Amenable to Removal": ("not_removable", 0.003),
    "Detainer Declined by LEA": ("declined", 0.0),
    "Superseding - New Form Issued": ("administrative", 0.0),
    "Duplicate": ("administrative", 0.0),
}
"""Lift reasons of the later vocabulary with their group, and their share of the detainers that are
not declined and have a reason. Shares of groups are near those of 2007 to 2015 (series
`lift_reasons_by_year_2007_2015`); within groups they are assumed. Those of share 0 come about."""

CITIZENSHIPS = {"MEXICO": 0.74, "GUATEMALA": 0.07, "HONDURAS": 0.06, "EL SALVADOR": 0.05}
"""Shares of citizenships, near the published ones of 2006 to 2020 (facts A088 to A091); each of
`OTHER_CITIZENSHIPS` has an equal part of the rest, which is assumed."""
OTHER_CITIZENSHIPS = ("CUBA", "DOMINICAN REPUBLIC", "ECUADOR", "NICARAGUA", "PERU", "JAMAICA")

CRIMINALITY = {
    "1 Convicted Criminal": 0.44,
    "2 Pending Criminal Charges": 0.53,
    "3 Other Immigration Violator": 0.03,
}
"""Classes of criminal history; the first as in ICE's report on week 1 (facts A007 and A008, of
declined detainers), the last assumed."""

CONVICTIONS = {
    "Driving Under Influence Liquor": 0.3,
    "Traffic Offense": 0.2,
    "Assault": 0.2,
    "Dangerous Drugs": 0.15,
    "Larceny": 0.1,
    "Burglary": 0.05,
}
"""Most serious conviction of the convicted; shares are assumed."""

REDACTED = 0.125
"""Share of rows whose person is redacted, as in the releases of 2025 and 2026."""

WEEKS = 156
"""Weeks of the plan from `synthetic.FIRST_WEEK` on."""

NEW_FORM = int(np.datetime64("2017-04-02").astype(int))
"""Day from 1970 on which form I-247A replaced the others (fact DAT003)."""

_SHOCKS = 0.08  # as the synthetic panel has by default
_LIFE = 60.0  # mean days until a detainer that is not declined ends; assumed
_NEVER_UPDATED = 0.05  # share of records whose end nobody enters; assumed
_MOVED = 0.03  # share of persons who are moved within a week, and get a second detainer; assumed
_COPIED = 0.015  # share of records that are there twice; assumed
_MISSPELT = 0.02  # share of rows in which the facility is written in another way; assumed
_MALE = 0.93  # assumed
_DEPARTED, _UNTIL_DEPARTURE = 0.6, 40.0  # share of those taken, mean days from then; assumed
_NOTICE_ONLY = 0.15  # share of form I-247N until April 2017; assumed

_REASON = {reason: at for at, reason in enumerate(REASONS)}
DECLINED, BOOKED = _REASON["Detainer Declined by LEA"], _REASON["Booked into Detention"]
_NONE = -1  # no reason, or no day


@dataclass(frozen=True)
class Design:
    """What records are drawn from; `design` makes one.

    Attributes
    ----------
    seed
        Seed of the random numbers.
    plan
        What is expected by office and week.
    agencies
        The invented agencies.
    weeks
        First week and the one after the last, counted from `synthetic.FIRST_WEEK`.
    scale
        Detainers over those of the plan, which has the nation's number.
    dispersion, delay
        As of `synthetic.panel`.
    policy_day
        Day on which one agency begins to decline, and declines all it holds; None for no such day.
    errors
        Number of records with each kind of error (`synthetic_errors.KINDS`).
    errors_from
        First of the seven days in which they are.
    """

    seed: int
    plan: synthetic.Plan
    agencies: Agencies
    weeks: tuple[int, int]
    scale: float
    dispersion: float
    delay: float
    policy_day: pd.Timestamp | None
    errors: Mapping[str, int] = field(default_factory=dict)
    errors_from: pd.Timestamp = synthetic.FIRST_WEEK


def design(
    seed: int,
    *,
    weeks: tuple[int, int] = (0, WEEKS),
    scale: float = 1.0,
    effect: float = 2.0,
    pattern: synthetic.Pattern = "growing",
    dispersion: float = 1.5,
    delay: float = 2.0,
    policy_day: pd.Timestamp | None = None,
    errors: Mapping[str, int] | None = None,
    errors_from: pd.Timestamp | None = None,
) -> Design:
    """Choose what records to draw.

    Parameters
    ----------
    seed
        Seed of the random numbers.
    weeks
        First week and the one after the last, from -`synthetic.BURN_IN` to `WEEKS`.
    scale
        Detainers over the nation's number (about 1,700 a week, later 3,050).
    effect, pattern, dispersion, delay
        As of `synthetic.panel`.
    policy_day
        Day on which a large agency begins to decline, and declines every detainer it holds.
    errors, errors_from
        Number of records with each kind of error, and the first of the seven days they are in.

    Raises
    ------
    ValueError
        If the span, the scale or an error is out of range.
    """
    if not -synthetic.BURN_IN <= weeks[0] < weeks[1] <= WEEKS:
        raise ValueError(f"weeks {weeks}: a span within -{synthetic.BURN_IN} and {WEEKS} is needed")
    if not 0 < scale < np.inf:
        raise ValueError(f"scale = {scale}: a positive number is needed")
    rng = np.random.default_rng(seed)
    plan = synthetic.plan(rng, effect=effect, pattern=pattern, shocks=_SHOCKS, weeks=WEEKS)
    first_day = synthetic.FIRST_WEEK if errors_from is None else errors_from
    if errors and (errors_from is None or not weeks[0] <= _week_of(first_day) < weeks[1]):
        raise ValueError("errors need the first of the days in which they are, within the weeks")
    return Design(
        seed=seed,
        plan=plan,
        agencies=agencies(rng, plan),
        weeks=weeks,
        scale=scale,
        dispersion=dispersion,
        delay=delay,
        policy_day=policy_day,
        errors=errors or {},
        errors_from=first_day,
    )


def weeks(made: Design) -> Iterator[Rows]:
    """Draw the records, a week at a time, as arrays.

    Yields
    ------
    dict of array
        One entry a record: `agency` and `written` (positions of the agency that got the detainer,
        and of the one that the record names), `prepared`, `lifted`, `refused`, `apprehended`,
        `departed` (days from 1970; -1 for none), `reason` (position in `REASONS`; -1 for none),
        `person` (number), `redacted`, `copy`, `error` (0, or 1 and on for the kinds of
        `helpers.synthetic_errors`), and what `helpers.synthetic_tables` makes the other columns of.
    """
    for week in range(*made.weeks):
        yield _week(made, week)


def frame(made: Design) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Count the records by office and week, as `synthetic.panel` does, with their truth.

    Copies are left out. The truth knows nothing of a policy day, nor of errors.
    """
    first = _days(synthetic.FIRST_WEEK) - 7 * synthetic.BURN_IN
    counts = np.zeros((2, *made.plan.others.shape), np.int64)
    for rows in weeks(made):
        office = made.agencies.office[rows["agency"]]
        for kind, day, which in (
            (0, rows["prepared"], ~rows["copy"]),
            (1, rows["lifted"], rows["reason"] == DECLINED),
        ):
            np.add.at(counts[kind], (office[which], (day[which] - first) // 7), 1)
    found, truth = synthetic.assembled(made.plan, counts[0], counts[1], made.delay)
    return found, truth


def _week(made: Design, week: int) -> Rows:
    """Draw the records issued in a week, as arrays; days are counted from 1970."""
    rng = np.random.default_rng([made.seed, week + synthetic.BURN_IN])
    rows = _sent(made, week, rng)
    _outcomes(made, rows, rng)
    _move(made, rows, rng)
    _describe(rows, rng)
    if made.errors and week == _week_of(made.errors_from):
        plant(rng, rows, made.agencies, _days(made.errors_from), made.errors, DECLINED, BOOKED)
    rows = _with_copies(rows, rng)
    _until(rows, _days(synthetic.FIRST_WEEK) + 7 * made.weeks[1] - 1)
    return rows


def _sent(made: Design, week: int, rng: np.random.Generator) -> Rows:
    """Draw to which agency on which day each detainer goes."""
    at, to = week + synthetic.BURN_IN, made.agencies
    means = made.scale * np.array([made.plan.others[:, at], made.plan.known[:, at]])
    if made.dispersion > 1:
        # The least number keeps a mean of 0, of an office that has stopped, within gamma's range.
        means = rng.gamma(means / (made.dispersion - 1) + 1e-300, made.dispersion - 1)
    sent = rng.poisson(means[(to.kind == KNOWN).astype(int), to.office] * to.weight)
    agency = rng.permutation(np.repeat(np.arange(len(sent)), sent))
    agency = agency[np.argsort(to.office[agency], kind="stable")]
    start, size = _days(synthetic.FIRST_WEEK) + 7 * week, len(agency)
    return {
        "agency": agency,
        "written": agency.copy(),
        "start": np.full(size, start),
        "prepared": start + rng.integers(7, size=size),
        # Far apart for every week, so that no two persons get one number.
        "person": (np.int64(at) << 40) + np.arange(size),
        "redacted": rng.random(size) < REDACTED,
        "error": np.zeros(size, np.int8),
    }


def _outcomes(made: Design, rows: Rows, rng: np.random.Generator) -> None:
    """Draw how and when each detainer ends, and when a refusal was."""
    size, prepared = len(rows["agency"]), rows["prepared"]
    chance = made.agencies.declines[rows["agency"]]
    if made.policy_day is not None:
        begun = rows["agency"] == made.agencies.beginner
        begun &= prepared >= _days(made.policy_day)
        chance = np.where(begun, synthetic.DECLINED_KNOWN, chance)
    declined = rng.random(size) < chance
    shares = [share for _, share in REASONS.values()]
    rows["reason"] = np.where(declined, DECLINED, _drawn(rng, shares, size))
    later = 7 * (rng.geometric(1 / (1 + made.delay), size) - 1)
    first_day = np.where(later == 0, prepared - rows["start"], 0)
    recorded = rows["start"] + later + _part(rng, first_day, 6)
    ended = prepared + rng.exponential(_LIFE, size).astype(np.int64)
    rows["lifted"] = np.where(declined, recorded, ended)
    rows["never"] = ~declined & (rng.random(size) < _NEVER_UPDATED)
    rows["refused"] = _part(rng, prepared, rows["lifted"])
    if made.policy_day is not None:
        _decline_all_held(rows, made.agencies.beginner, _days(made.policy_day))


def _decline_all_held(rows: Rows, agency: int, day: int) -> None:
    """Let an agency decline on a day all detainers it has got and that have not ended."""
    there = (rows["agency"] == agency) & (rows["prepared"] < day)
    held = there & (rows["lifted"] >= day)
    rows["reason"][held], rows["never"][held] = DECLINED, False
    rows["lifted"][held] = rows["refused"][held] = day


def _move(made: Design, rows: Rows, rng: np.random.Generator) -> None:
    """Let some persons move within the week: the first detainer ends when the second is issued."""
    first = np.arange(0, len(rows["agency"]) - 1, 2)
    first = first[rng.random(len(first)) < 2 * _MOVED]
    second, office = first + 1, made.agencies.office[rows["agency"]]
    fits = (
        (office[first] == office[second])
        & (rows["prepared"][first] < rows["prepared"][second])
        & (rows["reason"][first] != DECLINED)
    )
    first, second = first[fits], second[fits]
    for name in ("person", "redacted"):
        rows[name][second] = rows[name][first]
    rows["reason"][first] = _REASON["Superseding - New Form Issued"]
    rows["lifted"][first], rows["never"][first] = rows["prepared"][second], False
    rows["paired"] = np.zeros(len(rows["agency"]), bool)
    rows["paired"][first] = rows["paired"][second] = True


def _describe(rows: Rows, rng: np.random.Generator) -> None:
    """Draw what else a record says, as positions in the lists of this module."""
    size = len(rows["agency"])
    rest = (1 - sum(CITIZENSHIPS.values())) / len(OTHER_CITIZENSHIPS)
    rows["citizenship"] = _drawn(
        rng, [*CITIZENSHIPS.values(), *[rest] * len(OTHER_CITIZENSHIPS)], size
    )
    rows["criminality"] = _drawn(rng, list(CRIMINALITY.values()), size)
    rows["conviction"] = _drawn(rng, list(CONVICTIONS.values()), size)
    rows["conviction"][rows["criminality"] > 0] = _NONE
    rows["male"] = rng.random(size) < _MALE
    rows["threat"] = rng.integers(4, size=size)  # 0: none
    rows["misspelt"] = rng.random(size) < _MISSPELT
    rows["notice_only"] = rng.random(size) < _NOTICE_ONLY
    days = rng.exponential(_UNTIL_DEPARTURE, size).astype(np.int64)
    rows["departs_after"] = np.where(rng.random(size) < _DEPARTED, days, _NONE)


def _with_copies(rows: Rows, rng: np.random.Generator) -> Rows:
    """Add copies of some records of known persons, which ICE ends as duplicates."""
    size = len(rows["agency"])
    fits = ~rows["redacted"] & ~rows["paired"] & (rows["error"] == 0)
    which = np.flatnonzero(fits & (rng.random(size) < _COPIED))
    copies = {name: values[which] for name, values in rows.items()}
    copies["reason"] = np.full(len(which), _REASON["Duplicate"])
    copies["lifted"], copies["never"] = copies["prepared"] + 1, np.zeros(len(which), bool)
    both = {name: np.concatenate([values, copies[name]]) for name, values in rows.items()}
    return both | {"copy": np.arange(size + len(which)) >= size}


def _until(rows: Rows, last: int) -> None:
    """Leave out what had not been recorded by the last day, and what nobody ever enters."""
    ended = ~rows["never"] & (rows["lifted"] <= last)
    taken = ended & (rows["reason"] == BOOKED)
    declined = ended & (rows["reason"] == DECLINED)
    departed = rows["lifted"] + rows["departs_after"]
    leaves = taken & (rows["departs_after"] >= 0) & (departed <= last)
    rows["departed"] = np.where(leaves, departed, _NONE)
    rows["apprehended"] = np.where(taken, rows["lifted"], _NONE)
    rows["refused"] = np.where(declined, rows["refused"], _NONE)
    rows["reason"] = np.where(ended, rows["reason"], _NONE)
    rows["lifted"] = np.where(ended, rows["lifted"], _NONE)


def policies(made: Design) -> pd.DataFrame:
    """Return the restricting policies, as `helpers.weekly_policies` takes them.

    Returns
    -------
    pandas.DataFrame
        One row a policy: `jurisdiction` (text), `state` (two letters), `since` (date).
    """
    of = made.agencies
    restricts = np.flatnonzero(of.kind != COOPERATING)
    since = of.since[restricts]
    if made.policy_day is not None:
        restricts = np.append(restricts, of.beginner)
        since = np.append(since, np.datetime64(made.policy_day, "D"))
    return pd.DataFrame(
        {
            "jurisdiction": [f"{of.county[at].title()} County" for at in restricts],
            "state": [of.state[at] for at in restricts],
            "since": pd.to_datetime(since),
        }
    )


def _drawn(rng: np.random.Generator, shares: list[float], size: int) -> NDArray[np.int64]:
    """Draw positions in a list with given shares."""
    until = np.cumsum(shares) / sum(shares)
    return np.searchsorted(until, rng.random(size), side="right").astype(np.int64)


def _part(rng: np.random.Generator, first: Any, last: Any) -> NDArray[np.int64]:  # noqa: ANN401
    """Draw whole numbers from `first` to `last`, all alike likely."""
    return first + (rng.random(len(first)) * (last - first + 1)).astype(np.int64)


def _week_of(day: pd.Timestamp) -> int:
    return (day - synthetic.FIRST_WEEK).days // 7


def _days(day: pd.Timestamp) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))
