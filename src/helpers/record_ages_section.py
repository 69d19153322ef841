"""The section of 02 on individual records of the reader's: results, table, figure and words."""

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from IPython.display import HTML, Image, Markdown
from matplotlib.figure import Figure
from statsmodels.duration.survfunc import SurvfuncRight

from helpers import figures, record_ages
from helpers.disclosure import MINIMUM_CELL
from helpers.figures import COLOURS
from helpers.record_ages import Days, Lives, Quantile
from helpers.records import connect, given
from helpers.results import Results
from helpers.tables import show

_HALF = "ages.records.ended.days_50_percent"
SHARES = (0.25, 0.5, 0.75, 0.9)
"""Shares of detainers for which the day is given by which they had ended."""

_HEAD = f"""## With individual records of your own: {{file}}

Shown because the parameter `records` is set. Records that have both the day of issue and the day
on which the detainer ended (of the published ones, release 2025-ICFO-18038) give what the
sections above could not have: exact ages, and lives of detainers of which some are still open.

> **Concept: censoring.** Of a detainer that was open when the records end, we know only that its
> life is longer than what was seen of it. Leaving it out would leave out the long lives first;
> taking its present age for its life would cut them short. The estimate of *Kaplan and Meier*
> does neither: day by day it takes the share that ended among the detainers still under watch,
> and multiplies what remains. It is right if those that are censored would have gone on like the
> others.

Likely repeats (same person, same day) and detainers that end before they are issued are left
out, and counted below. The end of the records is the latest day from which on {MINIMUM_CELL}
detainers were issued. Where a count between two days would be under {MINIMUM_CELL}, the days
between are not shown, and each day given is the first shown one at or after the estimate.
Declined detainers are not shown apart on days after which fewer than {MINIMUM_CELL} of them would
be left. No row is shown, and none is saved."""

_NOTHING = """**No life can be estimated from these records.** {reason} Of the published releases
only 2025-ICFO-18038 has the day on which a detainer ended (`Detainer_Lift_Date`)."""

_LIMITS = """**What this does not show.** The day of the end is that of ICE's record, which can
be made long after the refusal. The ages of declined detainers are those of detainers both
declined and recorded by the end of the records: of those issued late only young ones can be
among them, so that their typical age is too low where issuing rose. Open means that nobody has
closed the record. The curve counts every way to end alike, a new form in place of the old one
included; how many would have been declined had they not ended otherwise, it does not say. Forms
that asked for notice only (I-247N) count like the others."""


def section(results: Results, records: str) -> Iterator[HTML | Image | Markdown]:
    """Put results named `ages.records.*`, and give what the notebook shows, piece by piece.

    Parameters
    ----------
    results
        The notebook's results.
    records
        The parameter of that name.

    Raises
    ------
    helpers.records.RecordsError
        If the records are not where they should be, or cannot be read.
    """
    read, source = given.records(records)
    with connect(read) as database:
        found = record_ages.lives(database)
    yield Markdown(_HEAD.format(file=f"`{read.file}`"))
    if found is None:
        yield Markdown(_NOTHING.format(reason=f"Under {MINIMUM_CELL} rows have a day of issue."))
        return
    inputs = [source, "parameter:records"]
    yield _counts(results, found, inputs)
    of_declined = record_ages.grid(found.by_age)
    days = record_ages.with_later_days(found.by_age, of_declined)
    if reason := _obstacle(found, days):
        yield Markdown(_NOTHING.format(reason=reason))
        return
    curve = record_ages.survival(*found.ends_and_open)
    yield _quantiles(results, found, curve, days, of_declined, inputs)
    yield _figure(results, found, curve, days, of_declined, inputs)
    yield results.say(_sentence(results))
    yield Markdown(_LIMITS)


def _declined(found: Lives) -> bool:
    return bool(found.by_age["declined"].sum() >= MINIMUM_CELL)


def _obstacle(found: Lives, days: Days) -> str:
    """Return why no life can be shown, or nothing."""
    if found.ends_and_open[0].sum() < MINIMUM_CELL:
        return f"Under {MINIMUM_CELL} rows have a day on which the detainer ended."
    if len(days) < 2:
        return "The detainers are too few to show any day without a small count beside it."
    return ""


def _counts(results: Results, found: Lives, inputs: list[str]) -> HTML:
    results.put(
        "ages.records.until",
        found.until.isoformat(),
        unit="day",
        inputs=inputs,
        method=f"latest day from which on {MINIMUM_CELL} detainers were issued",
    )
    table = record_ages.shown_counts(found.counts)
    for fate, count in table.itertuples(index=False):
        if not pd.isna(count):
            results.put(
                f"ages.records.{fate}.n",
                int(count),
                unit="detainers",
                inputs=inputs,
                method=f"rows kept by the reader: {record_ages.FATES[fate]}",
            )
    said = ["hidden" if pd.isna(count) else f"{count:,}" for count in table["detainers"]]
    return show(
        pd.DataFrame({"rows": table["fate"].map(record_ages.FATES), "detainers": said}),
        f"Rows of the records by what became of the detainer until {found.until:%Y-%m-%d}; "
        f"hidden: under {MINIMUM_CELL}, or would give away such a count",
    )


def _quantiles(
    results: Results,
    found: Lives,
    curve: SurvfuncRight,
    days: Days,
    of_declined: Days,
    inputs: list[str],
) -> HTML:
    rows = []
    for share in SHARES:
        rows.append(_row(results, "ended", share, record_ages.quantile(curve, share, days), inputs))
        if _declined(found):
            exact = record_ages.exact_quantile(found.by_age, share, of_declined)
            rows.append(_row(results, "declined", share, exact, inputs))
    _put_whatever_undated(results, found, days, inputs)
    return show(
        pd.DataFrame(rows, columns=["detainers", "share", "had ended within days", "95% interval"]),
        "Days from issue by which a share of all detainers had ended (Kaplan and Meier), and "
        "within which that share of the declined ones had been declined",
    )


_DECIMALS = 3
"""Of the shares that are saved: an exact share of few would tell of how many it is one."""

_METHODS = {
    "ended": "Kaplan-Meier, open detainers censored at the end of the records; interval by "
    "log(-log); first day shown at or after",
    "declined": "exact ages of declined detainers; interval by order statistics; first day shown "
    "at or after",
}
_CAVEATS = {
    "ended": "Detainers whose end has no day are left out.",
    "declined": "Detainers declined and recorded by the end of the records; of those issued late "
    "only young ones.",
}


def _row(
    results: Results, fate: str, share: float, found: Quantile, inputs: list[str]
) -> tuple[str, ...]:
    """Put a quantile where the records reach it; return it in words."""
    words = ("all" if fate == "ended" else "declined", f"{share:.0%}")
    if found.days is None:
        return (*words, "not reached", "")
    name = f"ages.records.{fate}.days_{share:.0%}".replace("%", "_percent")
    results.put(
        name,
        found.days,
        unit="days from issue",
        interval=(found.low, found.high),
        level=0.95,
        inputs=inputs,
        method=_METHODS[fate],
        caveat=_CAVEATS[fate],
    )
    return (*words, results.text(f"{{{name}}}"), results.text(f"{{{name}:interval}}"))


def _put_whatever_undated(results: Results, found: Lives, days: Days, inputs: list[str]) -> None:
    first, last = record_ages.medians_whatever_undated(found, days)
    if found.by_age["undated"].sum() < MINIMUM_CELL or first.days is None:
        return
    results.put(
        "ages.records.ended.median_days_least",
        first.days,
        unit="days from issue",
        interval=(first.days, last.days),
        inputs=inputs,
        method="median life if all detainers whose end has no day ended at once; the range goes to "
        "that if they outlasted the records",
        caveat=None if last.days else "In the second case the records do not reach the median.",
    )


def _figure(
    results: Results,
    found: Lives,
    curve: SurvfuncRight,
    days: Days,
    of_declined: Days,
    inputs: list[str],
) -> Image:
    data = record_ages.curve(curve, days)
    last = data.iloc[-1]
    ages = "."
    if _declined(found) and len(of_declined):
        share = record_ages.share_ended(found.by_age, of_declined)
        data["declined_not_older"] = share.reindex(days).to_numpy()
        ages = (
            "; a dashed line, declined ones that were at most so old, rises to "
            f"{share.iloc[-1]:.0%} at {share.index[-1]:,} days."
        )
    data = data.round(_DECIMALS)
    title = f"After {last['days']:,.0f} days {last['still_open']:.0%} of the detainers were open"
    if _is_put(results, _HALF):
        title = results.text(f"Half of the detainers had ended within {{{_HALF}}} days of issue")
    return figures.save(
        draw(data),
        "ages_records",
        data=data,
        title=title,
        alt=f"Share of detainers against days since issue, {data['days'].iloc[0]:,} to "
        f"{last['days']:,.0f}: those still open fall in steps to {last['still_open']:.0%}, within "
        f"a 95 percent band{ages}",
        source="individual records given by the reader; days with small counts left out.",
        inputs=inputs,
        notebook=results.notebook,
    )


def draw(data: pd.DataFrame) -> Figure:
    """Draw the share still open with its band, and the ages of those declined.

    Parameters
    ----------
    data
        As from `record_ages.curve`, with or without `declined_not_older`.
    """
    fig, ax = figures.new(height=3.8)
    blue = {"color": COLOURS["blue"], "step": "post"}
    ax.fill_between(data["days"], data["low"], data["high"], alpha=0.25, linewidth=0, **blue)
    ax.step(data["days"], data["still_open"], where="post", label="still open (95% band)")
    if "declined_not_older" in data:
        ax.step(
            data["days"],
            data["declined_not_older"],
            where="post",
            linestyle="--",
            color=COLOURS["orange"],
            label="declined ones at most so old",
        )
    ax.set(xlim=(0, None), ylim=(0, 1.02), xlabel="days since issue", ylabel="share of detainers")
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.legend(loc="center right")
    return fig


def _is_put(results: Results, name: str) -> bool:
    return f"result:{name}" in results.under(name)


_SENTENCES = {
    _HALF: f"Of the detainers of these records, half had ended within {{{_HALF}}} days of issue "
    f"(95% interval {{{_HALF}:interval}}), those still open counted as Kaplan and Meier do.",
    "ages.records.declined.days_50_percent": "Half of the {ages.records.declined.n} declined on a "
    "known day were at most {ages.records.declined.days_50_percent} days old "
    "({ages.records.declined.days_50_percent:interval}).",
    "ages.records.ended.median_days_least": "Where the end has no day, it may have come at any "
    "time: the median life would be {ages.records.ended.median_days_least:interval} days, had "
    "these detainers ended at once or outlasted the records.",
    "ages.records.undated.n": "{ages.records.undated.n} detainers ended on a day that the records "
    "do not have; they are in no curve.",
    "ages.records.backwards.n": "{ages.records.backwards.n} end before they are issued: one of the "
    "days is wrong, and they are left out.",
    "ages.records.repeated.n": "{ages.records.repeated.n} rows are likely repeats of another, and "
    "are left out.",
}


def _sentence(results: Results) -> str:
    """Return the findings as a template; what is hidden, or not reached, is not spoken of."""
    places = {name: re.findall(r"\{([a-z0-9_.]+)", said) for name, said in _SENTENCES.items()}
    said = [_SENTENCES[name] for name, of in places.items() if all(_is_put(results, n) for n in of)]
    return " ".join(said) or "Every number is hidden or not reached: the records are too few."
