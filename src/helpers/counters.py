"""Everyone who counted non-cooperating places, and how fast each one's count grew."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf

from helpers import evidence
from helpers.evidence import Ledger
from helpers.growth import DAYS_PER_YEAR

COUNTERS = {
    ("listed_jurisdictions", "ICE weekly report"): "ICE weekly list",
    ("jurisdictions_with_noncompliance_policy", "as quoted"): "ICE list of 2014, via CIS",
    ("municipalities_that_declined_any", "as quoted"): "ICE, fiscal 2016",
    ("noncooperative_jails", "as quoted"): "ICE declaration, jails",
    ("jurisdictions_with_a_decline", "as quoted"): "OIG letter, declined 2014-2017",
    ("agencies_with_a_decline", "TRAC"): "TRAC, agencies",
    ("sanctuary_jurisdictions_cis", "as quoted"): "CIS",
    ("sanctuary_jurisdictions_fair", "as quoted"): "FAIR",
    ("sanctuary_entries_ojjpac", "as quoted"): "OJJPAC",
    ("counties_not_holding_on_detainers_ilrc", "as quoted"): "ILRC, counties",
    ("sanctuary_jurisdictions_dhs", "as quoted"): "DHS",
    ("sanctuary_jurisdictions_doj", "as quoted"): "DOJ",
}
"""Each published count of non-cooperating places in words, by series and basis."""

ICE = "ICE"
LONGEST_PERIOD = 366
"""Most days a count may cover to be a point in time."""


def panel(ledger: Ledger) -> pd.DataFrame:
    """Return every published national count of non-cooperating places, one a row.

    Of several figures for one count and period, the ledger's policy picks one.

    Returns
    -------
    pandas.DataFrame
        By count and time: `count` (in words), `counter` (whose it is: all lists and declarations
        of ICE's are one counter's), `start`, `end` (dates of the period), `time` (its middle),
        `brief` (whether it covers at most `LONGEST_PERIOD` days), `places`, `qualifier`, `unit`,
        `definition`, `fact_id`.
    """
    facts = ledger.facts
    count = pd.Series(
        [COUNTERS.get(key) for key in zip(facts["series"], facts["basis"], strict=True)],
        index=facts.index,
    )
    national = facts["place_level"].isin(["country", "group"]) & facts["value"].notna()
    rows = facts[count.notna() & national]
    quantities = rows[["series", "place_id", "window", "breakdown", "basis"]].drop_duplicates()
    picked = [evidence.pick(ledger, *key).id for key in quantities.itertuples(index=False)]
    chosen = rows[rows["fact_id"].isin(picked)]
    start, end = chosen["period_start"], chosen["period_end"]
    named = count[chosen.index]
    return pd.DataFrame(
        {
            "count": named,
            "counter": named.where(~named.str.startswith(ICE), ICE),
            "start": start,
            "end": end,
            "time": start + (end - start) / 2,
            "brief": (end - start).dt.days <= LONGEST_PERIOD,
            "places": chosen["value"],
            "qualifier": chosen["qualifier"],
            "unit": chosen["unit"],
            "definition": chosen["definition"],
            "fact_id": chosen["fact_id"],
        }
    ).sort_values(["counter", "time"], ignore_index=True)


def repeated(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the points in time of counters that have more than one: all that a rate can rest on.

    Parameters
    ----------
    panel
        As `panel` returns it.

    Returns
    -------
    pandas.DataFrame
        Rows of the panel, with `years` since 2000.
    """
    points = panel[panel["brief"]]
    several = points.groupby("counter")["time"].transform("nunique") > 1
    since = points["time"] - pd.Timestamp(2000, 1, 1)
    return points.assign(years=since.dt.days / DAYS_PER_YEAR)[several].reset_index(drop=True)


def own_rates(points: pd.DataFrame) -> pd.DataFrame:
    """Return each counter's compound annual rate: the slope of its own log counts on time.

    Parameters
    ----------
    points
        As `repeated` returns it.

    Returns
    -------
    pandas.DataFrame
        One row a counter: `counter`, `counts`, `first`, `last` (times), `annual_rate` (share a
        year; through both points where there are two, by least squares where there are more).
    """
    return pd.DataFrame(
        {
            "counter": counter,
            "counts": len(own),
            "first": own["time"].min(),
            "last": own["time"].max(),
            "annual_rate": float(np.expm1(np.polyfit(own["years"], np.log(own["places"]), 1)[0])),
        }
        for counter, own in points.groupby("counter")
    )


def pooled_rate(points: pd.DataFrame) -> float:
    """Return the compound annual rate common to all counters, each at a level of its own.

    Least squares of the log count on time with an effect for every counter (Wooldridge 2010,
    Econometric Analysis of Cross Section and Panel Data, section 10.5).

    Parameters
    ----------
    points
        As `repeated` returns it.

    Returns
    -------
    float
        Share a year.
    """
    return _slope(smf.ols("np.log(places) ~ C(counter) + years", points).fit())


def pooled_rate_poisson(points: pd.DataFrame) -> float:
    """Return the common rate by Poisson regression, which gives large counts more weight.

    Poisson pseudo-likelihood with an effect for every counter (Santos Silva and Tenreyro 2006,
    Review of Economics and Statistics 88: 641).

    Parameters
    ----------
    points
        As `repeated` returns it.

    Returns
    -------
    float
        Share a year.
    """
    model = smf.glm("places ~ C(counter) + years", points, family=sm.families.Poisson())
    return _slope(model.fit())


def without_each(
    points: pd.DataFrame, rate: Callable[[pd.DataFrame], float] = pooled_rate
) -> dict[str, float]:
    """Return the common rate with each counter left out in turn, by the counter left out."""
    return {
        str(counter): rate(points[points["counter"].ne(counter)])
        for counter in points["counter"].unique()
    }


def _slope(fit: sm.regression.linear_model.RegressionResultsWrapper) -> float:
    return float(np.expm1(fit.params["years"]))
