"""How often the checks of `helpers.fidelity` find planted errors, and how often they err."""

import datetime as dt
from collections.abc import Iterable

import pandas as pd

from helpers import fidelity, synthetic, synthetic_records, synthetic_tables
from helpers.synthetic_errors import AS_IN_2017

_PAST = 8  # weeks of records before the one with errors
_CLEAN = 4  # of them, the last, in which the checks should find nothing


def rates(seeds: Iterable[int], start: dt.date) -> pd.DataFrame:
    """Check synthetic records with errors in one week and none in the weeks before.

    Parameters
    ----------
    seeds
        Seeds, one a set of records.
    start
        First day of the week with errors, as many as in ICE's report on week 1 of 2017.

    Returns
    -------
    pandas.DataFrame
        One row a check (index): `planted` and `found` (records with the error, and those of them
        that were flagged), `known` and `found_known` (the same of persons not redacted), `weeks`
        and `false_alarms` (weeks without error, and those in which something was flagged).
    """
    sets = [_one(seed, start) for seed in seeds]
    return sum(sets[1:], sets[0])


def _one(seed: int, start: dt.date) -> pd.DataFrame:
    week = (pd.Timestamp(start) - synthetic.FIRST_WEEK).days // 7
    made = synthetic_records.design(
        seed,
        weeks=(week - _PAST, week + 1),
        errors=AS_IN_2017,
        errors_from=pd.Timestamp(start),
    )
    with synthetic_tables.connect(made) as database:
        truth = database.execute(
            "SELECT \"row\", error, person IS NOT NULL AS known FROM drawn WHERE error <> ''"
        ).df()
        flags = fidelity.flagged(database, start)
        clean = [
            fidelity.flagged(database, start - dt.timedelta(weeks=back))
            for back in range(1, _CLEAN + 1)
        ]
    rows = {}
    for check in fidelity.CHECKS:
        planted = truth[truth["error"].eq(check)]
        found = planted["row"].isin(flags[check]["row"])
        rows[check] = {
            "planted": len(planted),
            "found": int(found.sum()),
            "known": int(planted["known"].sum()),
            "found_known": int((found & planted["known"]).sum()),
            "weeks": len(clean),
            "false_alarms": sum(not week[check].empty for week in clean),
        }
    return pd.DataFrame.from_dict(rows, orient="index")
