"""The section of 03 on individual records of the reader's: results, tables, figure and words."""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
from IPython.display import HTML, Image, Markdown

from helpers import coverage, figures, panel, panel_figures, panel_results, record_panel
from helpers.disclosure import MINIMUM_CELL
from helpers.panel import Cells, EventStudy
from helpers.rates import RateRatio
from helpers.record_panel import Counts
from helpers.records import connect, given
from helpers.results import Results
from helpers.tables import show

EARLIER = 26
"""Weeks by which the placebo moves the resumption."""

SPANS = (8, 12, 24)
"""Weeks of a span of the event study; the first is taken at which no span has a small count."""

_HEAD = """## The same question, asked of records of your own: {file}

Shown because the parameter `records` is set. The detainers of these records are counted by area
of responsibility and week, Saturday to Friday, and the methods of the section above, which
showed on synthetic counts what they find and miss, are applied to the counts. Results named
`issuance.records.*` are of these records; those named `issuance.panel.*` stay synthetic.

{basis}"""

_BY_DECLINE = """A declination counts in the week in which the detainer ended, as in ICE's weekly
reports, whenever it was issued."""
_BY_ISSUE = """These records do not say on which day a detainer was declined (of the published
ones only 2025-ICFO-18038 does). A declination therefore counts in the week in which its detainer
was **issued**: the question is how many of a week's detainers were ever declined, and not how
many a weekly report would have shown. Of weeks shortly before the end of the records fewer
declinations are known yet; that is common to all areas, and the levels of the weeks take it up."""

_WANTED = f"""**An effect cannot be estimated without the days of the policy.** No published
source says when which area stopped issuing detainers to agencies known not to cooperate, and
when it resumed; the records do not, either. Whoever knows gives them in a CSV file with the
columns `{", ".join(record_panel.POLICY_COLUMNS)}`, one row an area that stopped, days as
`2017-02-21`, `resumed` left empty where it has not resumed; areas that the file does not name
never stopped. Then: `detainers run --only 03 --records PATH -p 03.policy_dates=FILE`."""

_LIMITS = """**What this does not show.** The days of the policy are those of the file given, and
nothing here can test them beyond the ratios before resumption. Parallel trends are assumed. A
change in how declinations come to be known or are entered looks like a change in declinations.
Counts are of rows: likely repeats are left out, but a row without a person's key cannot be told
from a repeat."""


def section(results: Results, records: str, dates: str | None) -> Iterator[HTML | Image | Markdown]:
    """Put results named `issuance.records.*`, and give what the notebook shows, piece by piece.

    Parameters
    ----------
    results
        The notebook's results.
    records, dates
        The parameters `records` and `policy_dates`.

    Raises
    ------
    helpers.records.RecordsError
        If a file is not where it should be, or cannot be read.
    """
    read, source = given.records(records)
    with connect(read) as database:
        found = record_panel.counts(database)
    if found is None:
        yield Markdown(_HEAD.format(file=f"`{read.file}`", basis="They hold no whole week."))
        return
    basis = _BY_DECLINE if found.by_decline else _BY_ISSUE
    yield Markdown(_HEAD.format(file=f"`{read.file}`", basis=basis))
    inputs = [source, "parameter:records"]
    by_office = record_panel.by_office(found.frame, found.beside)
    yield _offices(found, by_office)
    left_out = record_panel.left_out(by_office, found.dropped)
    yield results.say(_counted(results, found, left_out, inputs))
    if dates is None:
        yield Markdown(_WANTED)
        return
    path = given.located("policy_dates", dates)
    policy = record_panel.read_policy(path, found.frame["office"])
    frame = record_panel.with_policy(found.frame, policy)
    inputs += [f"records:{given.identity(path)}", "parameter:policy_dates"]
    yield _estimates(results, frame, inputs)
    yield from _event_study(results, frame, inputs)
    yield Markdown(_LIMITS)


def _offices(found: Counts, by_office: pd.DataFrame) -> HTML:
    table = by_office[by_office["office"].isin(found.frame["office"])]
    said = table[["issued", "declined"]].map(lambda n: "hidden" if pd.isna(n) else f"{n:,}")
    weeks = found.frame["week_start"]
    last = weeks.max() + pd.Timedelta(days=6)
    return show(
        table[["office"]].join(said),
        f"Detainers issued and declined by area, {weeks.min():%Y-%m-%d} to {last:%Y-%m-%d}; "
        f"hidden: under {MINIMUM_CELL}, or would give away such a count",
    )


def _counted(results: Results, found: Counts, left_out: dict[str, int], inputs: list[str]) -> str:
    """Put how much was counted and left out; return it in words."""
    frame = found.frame
    counts = {
        "offices": (frame["office"].nunique(), "areas of responsibility"),
        "weeks": (frame["week_start"].nunique(), "weeks"),
    }
    words = []
    for why, number in left_out.items():
        counts[f"dropped.{why}"] = number, "detainers"
        words.append(f"{{issuance.records.dropped.{why}}} {record_panel.DROPPED[why]}")
    for name, (count, unit) in counts.items():
        results.put(
            f"issuance.records.{name}",
            count,
            unit=unit,
            inputs=inputs,
            method="records counted by area and week, Saturday to Friday"
            if "." not in name
            else f"rows left out: {record_panel.DROPPED[name.partition('.')[2]]}",
        )
    as_well = f" Left out as well: {'; '.join(words)}." if words else ""
    return (
        "The records hold {issuance.records.weeks} whole weeks of {issuance.records.offices} "
        "areas, likely repeats and rows without a day of issue left out (`02` counts them)."
        + as_well
    )


def _estimates(results: Results, frame: pd.DataFrame, inputs: list[str]) -> HTML:
    estimates: dict[str, tuple[str, Callable[[], RateRatio]]] = {
        "rate_ratio": ("imputation", lambda: panel.imputed(_cells(frame))),
        "two_way_rate_ratio": ("two-way fixed effects", lambda: panel.two_way(_cells(frame))),
        "per_issued_rate_ratio": (
            "imputation, per detainer issued: another question",
            lambda: panel.imputed(_cells(frame, per_issued=True)),
        ),
        "placebo_rate_ratio": (
            f"imputation, a resumption {EARLIER} weeks before the true one",
            lambda: panel.imputed(_cells(panel.placebo(frame, EARLIER))),
        ),
    }
    rows = []
    for name, (words, estimate) in estimates.items():
        try:
            found = estimate()
        except ValueError as why:
            rows.append((words, "not estimated", str(why)))
            continue
        value, low, high = map(_rounded, (found.value, found.low, found.high))
        of_method = "two_way" if name.startswith("two_way") else "imputed"
        name = f"issuance.records.{name}"
        results.put(
            name,
            value,
            unit="ratio",
            interval=(low, high),
            level=0.95,
            inputs=inputs,
            decimals=2,
            method="declinations after resumption over those without it, by area and week: "
            f"{words}; interval by jackknife over areas, Student's t",
            caveat=coverage.caveat(of_method),
        )
        rows.append((words, results.text(f"{{{name}}}"), results.text(f"{{{name}:interval}}")))
    columns = ["declinations after resumption over those without it", "ratio", "95% interval"]
    return show(pd.DataFrame(rows, columns=columns), "The effect of resumed issuing, by method")


def _cells(frame: pd.DataFrame, **options: Any) -> Cells:  # noqa: ANN401 - passed on
    """Read the panel; raise ValueError where it has too few declinations to be shown.

    A ratio of a few sums gives each of them away to whoever knows the declinations by area, and
    tries all others.
    """
    found = panel.cells(frame, **options)
    resumed = found.treated.any(axis=1, keepdims=True)
    then = found.treated.any(axis=0)
    sums = {
        "of areas that had resumed": found.treated,
        "of areas that had not yet resumed": found.untreated & resumed,
        "of areas that did not resume, before others had": found.untreated & ~resumed & ~then,
        "of areas that did not resume, after others had": found.untreated & ~resumed & then,
    }
    for words, of in sums.items():
        if of.any() and found.declined[of].sum() < MINIMUM_CELL:
            raise ValueError(f"under {MINIMUM_CELL} declinations in weeks {words}")
    return found


def _rounded(number: float) -> float:
    """Return a ratio to three digits: all of them would tell the few counts that it is made of."""
    return float(f"{number:.3g}")


def _event_study(
    results: Results, frame: pd.DataFrame, inputs: list[str]
) -> Iterator[Image | Markdown]:
    try:
        cells = _cells(frame)
        study = _study(cells)
    except ValueError as why:
        yield Markdown(f"No event study: {why}.")
        return
    panel_results.put_event_study(results, study, "issuance.records", inputs, places="areas")
    yield _figure(results, study, _rounded(panel.two_way(cells).value), inputs)
    yield results.say(_sentence(results))


def _study(cells: Cells) -> EventStudy:
    """Return the event study of the narrowest spans of which none has a small count."""
    for width in SPANS:
        ends = {"before": 24, "after": 48}
        try:
            study = panel.event_study(cells, width=width, **ends)
        except ValueError:
            continue
        spans = [
            (cells.since >= row.first) & (cells.since <= row.last)
            for row in study.ratios.itertuples()
        ]
        used = cells.treated | cells.untreated
        if min(cells.declined[span & used].sum() for span in spans) >= MINIMUM_CELL:
            weeks = study.ratios[["first", "last"]]
            ratios = weeks.join(study.ratios.drop(columns=weeks.columns).map(_rounded))
            return EventStudy(ratios, _rounded(study.pre_trend_p_value))
    raise ValueError(
        f"a span of {SPANS[-1]} weeks before or after resumption has under {MINIMUM_CELL} "
        "declinations, or none without some area"
    )


def _figure(results: Results, study: EventStudy, two_way: float, inputs: list[str]) -> Image:
    ratios = study.ratios
    first, last = ratios.iloc[0], ratios.iloc[-1]
    return figures.save(
        panel_figures.event_study(ratios, two_way),
        "issuance_records_event_study",
        data=ratios,
        title=f"Weeks {last['first']:.0f} to {last['last']:.0f} after resumed issuing: "
        f"{last['value']:.2f} times the declinations expected without it",
        alt="Ratio of declinations, log scale, by weeks since an area resumed issuing, from "
        f"{first['first']:.0f} to {last['last']:.0f}: points with intervals and a wider band, "
        f"from {first['value']:.2f} in the first weeks shown to {last['value']:.2f} at the end. "
        f"A dashed line marks the one ratio of two-way fixed effects, {two_way:.2f}.",
        source="individual records and days of policy given by the reader.",
        inputs=inputs,
        notebook=results.notebook,
    )


def _sentence(results: Results) -> str:
    quiet = results.value("issuance.records.pre_trend_p_value") >= 0.05
    low, high = results.get("issuance.records.rate_ratio")["interval"]
    before = "do not differ from 1 beyond chance" if quiet else "differ from 1 beyond chance"
    trust = (
        "which is what parallel trends would give, and no proof of them"
        if quiet
        else "so that trends were not parallel, and the ratio after resumption is no effect of it"
    )
    one = "includes" if low <= 1 <= high else "does not include"
    return (
        "After resumption the areas recorded {issuance.records.rate_ratio} times the declinations "
        "to be expected without it; the 95% interval, {issuance.records.rate_ratio:interval}, "
        f"{one} 1. The ratios before resumption {before} (p-value "
        f"{{issuance.records.pre_trend_p_value}}), {trust}."
    )
