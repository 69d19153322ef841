"""Synthetic counts with a known truth, for teaching and validation; they say nothing of any office.

The names of the offices and the rough size of their counts are real, so that the data look like
data; which offices stop, when, and with what effect is drawn at random and means nothing.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import lfilter

Array = NDArray[np.float64]

OFFICES = {
    "Los Angeles": (128, 260),
    "San Francisco": (104, 208),
    "Atlanta": (81, 6),
    "Dallas": (70, 4),
    "Houston": (67, 3),
    "San Antonio": (58, 2),
    "Phoenix": (57, 1),
    "Miami": (53, 63),
    "Chicago": (43, 32),
    "New Orleans": (40, 10),
    "New York City": (35, 141),
    "Seattle": (35, 45),
    "Denver": (30, 63),
    "San Diego": (26, 52),
    "Salt Lake City": (24, 24),
    "St Paul": (24, 14),
    "Philadelphia": (24, 13),
    "Washington": (21, 2),
    "Detroit": (21, 5),
    "El Paso": (19, 5),
    "Newark": (18, 4),
    "Boston": (12, 5),
    "Buffalo": (6, 25),
    "Baltimore": (4, 11),
}
"""Areas of responsibility before Harlingen's, with their shares in thousandths of the detainers
issued (TRAC, fiscal years 2003 to 2015) and of those declined (NPR's copy of ICE's file, 2007 to
2015). The published counts are by state; the shares of California (Los Angeles 0.5, San Francisco
0.4, San Diego 0.1), Texas (Houston 0.35, Dallas 0.3, San Antonio 0.3, El Paso 0.05) and New York
(New York City 0.85, Buffalo 0.15) within their states are assumed."""

FIRST_WEEK = pd.Timestamp("2016-01-02")
"""A Saturday: the weeks run to Friday, as those of ICE's reports."""

DECLINED_KNOWN = 0.5
"""Share declined of the detainers issued to agencies known not to cooperate."""

BURN_IN = 26
"""Weeks before the first, whose detainers are still being declined in the first ones."""

Pattern = Literal["constant", "growing"]
"""Whether the effect is one number, or differs by office and builds up after resumption."""

_ISSUED_BEFORE, _ISSUED_AFTER = 1700.0, 3050.0  # a week nationwide, about as published
_STEP = (53.0, 1.5)  # weeks from the first to the middle of the rise, and its scale in weeks
_SEASON = 0.05  # amplitude; highest in July
_DECLINED = 1 / 60  # of the detainers issued while known uncooperative agencies get none
_STOPPED = (0.05, 0.12)  # stops lie between these shares of the weeks
_RESUMED = (0.385, 0.75)  # resumptions are spread evenly over these shares of the weeks
_BUILD_UP = 26.0  # weeks to reach 1 - 1/e of the full effect on the log scale
_FRAME = ("office", "week_start", "issued", "declined", "stopped", "resumed")


def panel(
    seed: int,
    *,
    effect: float = 2.0,
    pattern: Pattern = "growing",
    dispersion: float = 1.5,
    shocks: float = 0.08,
    delay: float = 0.0,
    weeks: int = 156,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Simulate detainers issued and declined by office and week, with the true effect.

    Half of the offices stop issuing to agencies known not to cooperate, one drawn from each pair
    of neighbours by declinations, and resume one after another in an order drawn at random.
    While an office has stopped, its expected declinations are those of all other agencies: a
    level of the office times a level of the week, which holds a national step in early 2017, a
    season and a common shock. Issuing to the known agencies adds detainers, half of which are
    declined; issuing is thus the channel by which resumption acts.

    Parameters
    ----------
    seed
        Seed of the random numbers.
    effect
        Declinations an office records once issuing has fully resumed, over those it would record
        had it stayed stopped; 1 or more. With pattern `growing`, its typical value.
    pattern
        `constant`: the same effect everywhere from the first week on. `growing`: the log of the
        full effect is 0.5 to 1.5 times that of `effect`, by office, and builds up over months.
    dispersion
        Variance of the counts over their mean, given the weeks before; 1 for Poisson counts.
    shocks
        Standard deviation of the log of a weekly shock to all offices.
    delay
        Mean number of weeks from issuing to the record of a declination (geometric); 0 for none.
    weeks
        Number of weeks from `FIRST_WEEK` on, 20 or more.

    Returns
    -------
    frame : pandas.DataFrame
        One row an office and week, in this order: `office` (text), `week_start` (date),
        `issued` (detainers issued in the week), `declined` (declinations recorded in the week,
        whenever the detainer was issued), `stopped` (whether the office had stopped in that
        week), `resumed` (first week of resumed issuing; empty where the office never stopped).
        The form is a contract: individual records add up to it, and `helpers.panel` reads it.
    truth : dict
        `rate_ratio`: expected declinations of offices that resumed, from resumption on, over
        those expected had they stayed stopped. `by_office` and `by_weeks_since`: the same by
        office and by weeks since resumption, as pandas.Series. `expected` and `untreated`:
        expected declinations as it was, and had nobody resumed, in the order of the frame.

    Raises
    ------
    ValueError
        If a number is out of range or the pattern unknown.
    """
    _check(effect, pattern, dispersion, shocks, delay, weeks)
    rng = np.random.default_rng(seed)
    made = plan(rng, effect=effect, pattern=pattern, shocks=shocks, weeks=weeks)
    others, known = (counts(rng, means, dispersion) for means in (made.others, made.known))
    declined = counts(rng, _recorded(made, others, known, delay), dispersion)
    return assembled(made, others + known, declined, delay)


class Plan(NamedTuple):
    """What is expected by office (rows) and week (columns), before anything is counted.

    Attributes
    ----------
    offices
        Names, one a row.
    week
        Number of each week from `FIRST_WEEK`, from -`BURN_IN` on.
    stop, resume
        Weeks of stop and of resumption of each office; infinite where it never stops.
    others, known
        Detainers expected to be issued to agencies in general, and to those known not to
        cooperate.
    share
        Share declined of the former by office, a column; of the latter it is `DECLINED_KNOWN`.
    """

    offices: list[str]
    week: NDArray[np.int64]
    stop: Array
    resume: Array
    others: Array
    known: Array
    share: Array


def plan(
    rng: np.random.Generator, *, effect: float, pattern: Pattern, shocks: float, weeks: int
) -> Plan:
    """Draw which offices stop and resume when, and what is expected of each.

    Parameters
    ----------
    rng
        The random numbers.
    effect, pattern, shocks, weeks
        As of `panel`.
    """
    names = sorted(OFFICES)
    issued_share, declined_share = np.array([OFFICES[name] for name in names]).T / 1000
    stop, resume = _policy(rng, declined_share, weeks)
    week = np.arange(-BURN_IN, weeks)
    others = np.outer(issued_share, _national(rng, week, shocks))
    share = (_DECLINED * declined_share / issued_share)[:, None]
    before, since = week < stop[:, None], week - resume[:, None]
    added = np.expm1(_log_effects(rng, np.log(effect), pattern, before, since))
    return Plan(names, week, stop, resume, others, added * share * others / DECLINED_KNOWN, share)


def assembled(
    made: Plan, issued: NDArray[np.int64], declined: NDArray[np.int64], delay: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return counts by office and week as `panel` does, with the truth of their plan.

    Parameters
    ----------
    made
        The plan.
    issued, declined
        Counts by office and week; those before `FIRST_WEEK` are left out.
    delay
        As of `panel`.
    """
    before, since = made.week < made.stop[:, None], made.week - made.resume[:, None]
    values = {
        "issued": issued,
        "declined": declined,
        "stopped": ~before & (since < 0),
        "since": since,
        "expected": _recorded(made, made.others, made.known, delay),
        "untreated": _recorded(made, made.others, np.where(before, made.known, 0.0), delay),
    }
    weeks = made.week[BURN_IN:]
    rows = pd.DataFrame({name: of[:, BURN_IN:].ravel() for name, of in values.items()})
    rows.insert(0, "office", np.repeat(made.offices, len(weeks)))
    rows.insert(1, "week_start", np.tile(first_days(weeks), len(made.offices)))
    rows["resumed"] = np.repeat(first_days(made.resume), len(weeks))
    return rows[list(_FRAME)], _truth(rows)


def _recorded(made: Plan, to_others: NDArray[Any], to_known: NDArray[Any], delay: float) -> Array:
    """Return declinations expected to be recorded, given the detainers issued until then."""
    stays = delay / (1 + delay)
    declined = made.share * to_others + DECLINED_KNOWN * to_known
    return lfilter([1 - stays], [1, -stays], declined)


def _check(
    effect: float, pattern: str, dispersion: float, shocks: float, delay: float, weeks: int
) -> None:
    if pattern not in ("constant", "growing"):
        raise ValueError(f"pattern {pattern!r}: allowed are constant, growing")
    numbers = {"effect": (effect, 1), "dispersion": (dispersion, 1), "weeks": (weeks, 20)}
    for name, (value, least) in (numbers | {"shocks": (shocks, 0), "delay": (delay, 0)}).items():
        if not least <= value < np.inf:
            raise ValueError(f"{name} = {value}: a number from {least} on is needed")


def _policy(rng: np.random.Generator, declined_share: Array, weeks: int) -> tuple[Array, Array]:
    """Return the weeks of stop and resumption, infinite for offices that never stop."""
    pairs = np.argsort(-declined_share, kind="stable").reshape(-1, 2)
    chosen = pairs[np.arange(len(pairs)), rng.integers(2, size=len(pairs))]
    stop, resume = np.full((2, len(declined_share)), np.inf)
    stop[chosen] = np.round(weeks * rng.uniform(*_STOPPED, size=len(chosen)))
    resume[rng.permutation(chosen)] = np.round(weeks * np.linspace(*_RESUMED, len(chosen)))
    return stop, resume


def _national(rng: np.random.Generator, week: NDArray[np.int64], shocks: float) -> Array:
    """Return detainers expected a week nationwide, but for those of resumed issuing."""
    middle, scale = _STEP
    rise = (_ISSUED_AFTER - _ISSUED_BEFORE) / (1 + np.exp((middle - week) / scale))
    season = 1 + _SEASON * np.cos(2 * np.pi * (week / 52.18 - 0.54))
    return (_ISSUED_BEFORE + rise) * season * np.exp(shocks * rng.standard_normal(len(week)))


def _log_effects(
    rng: np.random.Generator,
    log_effect: float,
    pattern: Pattern,
    before: NDArray[np.bool_],
    since: Array,
) -> Array:
    """Return the log effect of issuing to known agencies by office and week, 0 while stopped.

    Offices that never stop get none: what they issue is in their level.
    """
    ever = np.isfinite(since).any(axis=1, keepdims=True)
    full = np.full((len(since), 1), log_effect)
    built_up = np.where(since >= 0, 1.0, 0.0)
    if pattern == "growing":
        full = full * rng.uniform(0.5, 1.5, size=full.shape)
        built_up = 1 - np.exp(-np.maximum(since + 1, 0) / _BUILD_UP)
    return ever * full * np.where(before, 1.0, built_up)


def counts(rng: np.random.Generator, means: Array, dispersion: float) -> NDArray[np.int64]:
    """Draw counts of given means; gamma means give a variance of dispersion times the mean."""
    if dispersion > 1:
        means = rng.gamma(means / (dispersion - 1), dispersion - 1)
    return rng.poisson(means)


def first_days(week: NDArray[Any]) -> pd.DatetimeIndex:
    """Return the first day of weeks counted from `FIRST_WEEK`; none where infinite."""
    return FIRST_WEEK + pd.to_timedelta(7 * np.where(np.isfinite(week), week, np.nan), unit="D")


def _truth(rows: pd.DataFrame) -> dict[str, Any]:
    means = ["expected", "untreated"]
    after = rows[rows["since"] >= 0].astype({"since": int})
    sums = {
        "rate_ratio": after[means].sum(),
        "by_office": after.groupby("office")[means].sum(),
        "by_weeks_since": after.groupby("since")[means].sum(),
    }
    ratios = {name: of["expected"] / of["untreated"] for name, of in sums.items()}
    return ratios | {name: rows[name].to_numpy() for name in means}
