"""The tidy series behind the figures, with the boundaries of their sources."""

import pandas as pd


def weekly_issued(weekly: pd.DataFrame, overlap_factor: float = 2.0) -> pd.DataFrame:
    """Detainers a week, with overlapping releases counted once.

    Where two releases feed a week its rows are counted about twice and are divided by
    `overlap_factor`; weeks that a release enters or leaves midway are dropped.

    Parameters
    ----------
    weekly
        Table `weekly_detainers`.
    overlap_factor
        How often a detainer of an overlapping week is counted: 1.9 to 2.05 is defensible.

    Returns
    -------
    pandas.DataFrame
        One row a week in order: `week_start` (Sunday), `detainers` (float, a week), `halved`.

    Raises
    ------
    ValueError
        If `overlap_factor` is not positive.
    """
    if overlap_factor <= 0:
        raise ValueError(f"overlap_factor = {overlap_factor}: a positive number is needed")
    whole = weekly[weekly["overlap"].ne("partial")].sort_values("week_start")
    halved = whole["overlap"].eq("full")
    counted = whole["detainers"].astype(float)
    return pd.DataFrame(
        {
            "week_start": whole["week_start"],
            "detainers": counted.where(~halved, counted / overlap_factor),
            "halved": halved,
        }
    ).reset_index(drop=True)


def weekly_periods(weeks: pd.DataFrame) -> pd.DataFrame:
    """Return weeks, as from `weekly_issued`, as periods of `helpers.interrupted`."""
    start = weeks["week_start"]
    return _periods(start, start + pd.Timedelta(days=7), weeks["detainers"])


def monthly_periods(months: pd.DataFrame) -> pd.DataFrame:
    """Return months, as from `travis_months`, as periods of `helpers.interrupted`."""
    start = months["month"]
    return _periods(start, start + pd.offsets.MonthBegin(), months["detainers"])


def travis_months(travis: pd.DataFrame) -> pd.DataFrame:
    """Bookings with a detainer in Travis County, every month of the published period.

    Parameters
    ----------
    travis
        Table `travis_monthly_2006_2016`: months with no booking are absent, the last partial.

    Returns
    -------
    pandas.DataFrame
        One row a month in order: `month` (first day), `detainers` (0 where absent); partial
        months are dropped.
    """
    complete = travis[travis["complete"].eq("yes")]
    counts = complete.set_index(pd.to_datetime(complete["month"]))["detainers"].astype(int)
    months = pd.date_range(counts.index.min(), counts.index.max(), freq="MS")
    return counts.reindex(months, fill_value=0).rename_axis("month").reset_index(name="detainers")


def adoptions(policies: pd.DataFrame) -> pd.DataFrame:
    """Cumulative number of dated local policies limiting detainers.

    Parameters
    ----------
    policies
        Table `policies_2008_2015`: adoptions only, so nothing is ever subtracted.

    Returns
    -------
    pandas.DataFrame
        One row a month with an adoption: `month` (first day), `adopted`, `cumulative`.
    """
    adopted = policies.groupby(pd.to_datetime(policies["date_enacted"])).size()
    return pd.DataFrame(
        {"month": adopted.index, "adopted": adopted.to_numpy(), "cumulative": adopted.cumsum()}
    ).reset_index(drop=True)


def _periods(start: pd.Series, end: pd.Series, count: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"start": start, "end": end, "count": count.astype(float)})
