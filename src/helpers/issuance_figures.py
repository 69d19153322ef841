"""The figures of the issuance study, drawn from its tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import figures
from helpers.figures import COLOURS

STAGES = {
    "reported": "reported",
    "county": "Travis County",
    "state_jail": "its state jail",
    "withdrawn": "withdrawn",
    "compared": "compared",
}
"""What the stages of a waterfall are called in the figure."""

_DAY = pd.Timedelta(days=1)
_ON_GRID = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}


def day_and_month(day: pd.Timestamp, month: str = "%B") -> str:
    """Return a date such as `20 February`; `%b` gives `20 Feb`."""
    return f"{day.day} {day.strftime(month)}"


def timeline(dates: pd.DataFrame) -> Figure:
    """Draw the dates of the policy and the weeks on one axis.

    Parameters
    ----------
    dates
        As from `helpers.issuance.timeline`, with the events of `helpers.issuance.EVENTS`.
    """
    rows = [
        "Stop in some offices",
        "Executive order 13768",
        "Travis County's policy",
        "Weeks reported on",
        "Memoranda: department, ICE",
        "Instruction to resume",
        "Reports published",
        "Reports suspended",
    ]
    fig, ax = figures.new(height=4.2)
    weeks = dates[dates["event"].eq("Weeks reported on")]
    words: dict[str, Any] = {"va": "center", "fontsize": 9.5, "bbox": _ON_GRID}
    ax.text(weeks["start"].min(), 0, "no date and no office published", style="italic", **words)
    for row, event in enumerate(rows[1:], start=1):
        drawn = dates[dates["event"].eq(event)]
        _draw_event(ax, row, drawn)
        first, last = drawn["start"].min(), drawn["end"].max() + _DAY
        late = first > pd.Timestamp("2017-03-01")
        at, side = (first - 2.2 * _DAY, "right") if late else (last + 2.2 * _DAY, "left")
        ax.text(at, row, _in_words(event, drawn), ha=side, **words)
    memorandum = dates.loc[dates["event"].eq("Memoranda: department, ICE"), "start"].min()
    ax.axvline(memorandum, color=COLOURS["orange"], linewidth=1, linestyle="--", zorder=0)
    ax.set_yticks(range(len(rows)), rows)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(pd.Timestamp("2017-01-20"), pd.Timestamp("2017-04-20"))
    ax.xaxis.set_major_locator(mdates.WeekdayLocator(byweekday=mdates.SA, interval=2))
    ax.xaxis.set_major_formatter(lambda x, _: day_and_month(mdates.num2date(x), "%b"))
    ax.set_xlabel("2017")
    ax.grid(axis="y", visible=False)
    return fig


def _draw_event(ax: Axes, row: int, drawn: pd.DataFrame) -> None:
    for found in drawn.itertuples():
        number = "" if pd.isna(found.week) else str(found.week)
        if found.event == "Weeks reported on":
            length = found.end + _DAY - found.start
            colour = COLOURS["blue" if number == "2" else "grey"]
            ax.barh(row, length, left=found.start, height=0.62, color=colour)
            at = found.start + length / 2
            ax.text(at, row, number, ha="center", va="center", color="white", weight="bold")
            continue
        # An open triangle points to the days on which the instruction may have been given.
        open_day = found.event == "Instruction to resume"
        face, shape = ("white", "<") if open_day else (COLOURS["orange"], "D")
        colour = COLOURS["orange"]
        ax.plot(found.start, row, shape, color=colour, markerfacecolor=face, markersize=7)
        ax.text(found.start, row - 0.38, number, ha="center", va="center", fontsize=9)


def _in_words(event: str, drawn: pd.DataFrame) -> str:
    days = [day_and_month(day, "%b") for day in drawn["start"]]
    if event == "Weeks reported on":
        return f"{days[0]} to {day_and_month(drawn['end'].max(), '%b')}"
    if event == "Instruction to resume":
        return f"told by {days[0]}, day not published"
    return ", ".join(days)


def waterfall(stages: pd.DataFrame, issued: pd.Series) -> Figure:
    """Draw each week's way from the declinations reported to those compared.

    Parameters
    ----------
    stages
        As from `helpers.issuance.waterfall`.
    issued
        Detainers issued, by week.
    """
    fig, axes = figures.new(height=5.4, nrows=len(issued), sharex=True)
    for ax, (week, rows) in zip(axes, stages.groupby("week"), strict=True):
        for row, found in enumerate(rows.itertuples()):
            ends = found.stage in ("reported", "compared")
            shown, kept = found.records, not (ends or found.removed)
            left = 0 if ends else found.left - (shown if kept else 0)
            colour = COLOURS["blue" if ends else "sky" if kept else "orange"]
            face = "white" if kept else colour
            if shown:
                ax.barh(row, shown, left=left, height=0.66, color=face, edgecolor=colour)
            words = _stage_words(found, kept, issued[week])
            ax.text(left + shown + 2, row, words, va="center", fontsize=9.5)
        ax.set_yticks(range(len(STAGES)), STAGES.values(), fontsize=9.5)
        ax.invert_yaxis()
        ax.set_title(f"Week {week}", fontsize=10.5)
        ax.grid(axis="y", visible=False)
    axes[0].set_xlim(0, stages["records"].max() * 1.55)
    axes[-1].set_xlabel("declined detainers")
    return fig


def _stage_words(found: Any, kept: bool, issued: int) -> str:  # noqa: ANN401 - a row of a table
    if found.stage in ("reported", "compared"):
        return f"{found.records} ({1000 * found.records / issued:.1f} per 1,000 issued)"
    if not found.records:
        return "none published"
    return f"{found.records}, kept" if kept else f"\N{MINUS SIGN}{found.records}"


def rate_ratios(table: pd.DataFrame) -> Figure:
    """Draw the rate ratio of every combination of steps with its interval.

    Parameters
    ----------
    table
        As from `helpers.issuance.all_steps`, with `chosen`.
    """
    fig, ax = figures.new(height=4.6)
    for row, found in enumerate(table.itertuples()):
        colour = COLOURS["orange"] if found.chosen else COLOURS["ink"]
        face = colour if found.p_value < 0.05 else "white"
        ax.plot([found.low, found.high], [row, row], color=colour, linewidth=2)
        shape = "D" if found.chosen else "o"
        ax.plot(found.ratio, row, shape, color=colour, markerfacecolor=face, markersize=8)
        p = f"{found.p_value:.3f}" if found.p_value >= 0.001 else "under 0.001"
        place = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": 9}
        ax.text(1.02, row, f"{found.ratio:.2f}, p {p}", **place)
    ax.axvline(1, color=COLOURS["grey"], linewidth=1, linestyle="--", zorder=0)
    _ratio_axis(ax.xaxis, [0.2, 0.3, 0.5, 0.7, 1, 1.4])
    names = table["steps"].str.replace(", state", ",\nstate", regex=False)
    ax.set_yticks(range(len(table)), names, fontsize=9)
    for label, marked in zip(ax.get_yticklabels(), table["chosen"], strict=True):
        label.set_fontweight("bold" if marked else "normal")
    ax.invert_yaxis()
    ax.set_xlabel("rate of week 2 over week 1 (log scale)\nfilled: p below 0.05; diamond: chosen")
    ax.grid(axis="y", visible=False)
    return fig


def _ratio_axis(axis: Any, ticks: Sequence[float]) -> None:  # noqa: ANN401 - x or y axis
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_ticks([], minor=True)


def places(table: pd.DataFrame, week_2: Mapping[str, float]) -> Figure:
    """Draw what each place received in an earlier and in a later period.

    Parameters
    ----------
    table
        As from `helpers.withheld.places`.
    week_2
        What ICE issued in week 2, by place, drawn as rows of their own.
    """
    fig, ax = figures.new(height=4.4)
    for row, found in enumerate(table.itertuples()):
        hatch = "////" if found.before_at_most else None
        grey = {"color": COLOURS["light"], "hatch": hatch, "edgecolor": "white"}
        ax.barh(row - 0.2, found.before, height=0.36, **grey)
        ax.plot([found.scaled] * 2, [row - 0.4, row], color=COLOURS["ink"], linewidth=2.5)
        ax.barh(row + 0.2, found.after, height=0.36, color=COLOURS["blue"])
        words = f"{'at most ' if found.before_at_most else ''}{found.before:.1f} earlier"
        words += f", scaled {found.scaled:.1f}"
        beside = max(found.before, found.scaled) + 0.8
        ax.text(beside, row - 0.2, words, va="center", fontsize=9)
        ax.text(found.after + 0.8, row + 0.2, f"{found.after:.1f} later", va="center", fontsize=9)
    for row, issued in enumerate(week_2.values(), start=len(table)):
        ax.barh(row, issued, height=0.36, color=COLOURS["orange"])
        ax.text(issued + 0.8, row, f"{issued:.0f}", va="center", fontsize=9)
    names = table["place"] + np.where(table["declined_share"].eq(""), "\n(not added up)", "")
    ax.set_yticks(range(len(table) + len(week_2)), [*names, *week_2])
    ax.invert_yaxis()
    widest = max(table[["before", "scaled", "after"]].max(axis=None), *week_2.values())
    ax.set_xlim(0, widest * 1.2)
    ax.set_xlabel(
        "requests received a week, earlier and later period\n"
        "black mark: earlier, scaled by national growth"
    )
    ax.grid(axis="y", visible=False)
    return fig


def tornado(ranges: pd.DataFrame, central: float) -> Figure:
    """Draw the range of the estimate under each assumption.

    Parameters
    ----------
    ranges
        As from `helpers.withheld.tornado`.
    central
        The central estimate.
    """
    fig, ax = figures.new(height=4.2)
    for row, found in enumerate(ranges.itertuples()):
        width = found.high - found.low
        ax.barh(row, width, left=found.low, height=0.6, color=COLOURS["sky"])
        for end, side, shift in ((found.low, "right", -0.4), (found.high, "left", 0.4)):
            ax.text(end + shift, row, f"{end:.1f}", ha=side, va="center", fontsize=9)
    ax.axvline(central, color=COLOURS["ink"], linewidth=1.5)
    ax.set_yticks(range(len(ranges)), ranges["assumption"])
    ax.invert_yaxis()
    ax.set_xlim(min(0, ranges["low"].min()) - 5, ranges["high"].max() + 5)
    ax.set_xlabel("declinations avoided a week")
    ax.grid(axis="y", visible=False)
    return fig


def interrupted_weeks(weeks: pd.DataFrame, marks: Mapping[str, pd.Timestamp]) -> Figure:
    """Draw weekly counts, the fitted mean, and the mean projected without steps.

    Parameters
    ----------
    weeks
        One row a week: `start`, `count`, `halved`, `fitted`, `mean`, `low`, `high` (the last three
        as projected without steps); weeks left out are missing.
    marks
        Dates to mark, by their words, the first being that of the first step.
    """
    fig, ax = figures.new(height=4.2)
    drawn = weeks.set_index("start").asfreq("7D")  # a missing week breaks the lines
    middle = drawn.index + 3.5 * _DAY
    after = drawn.index + 7 * _DAY > next(iter(marks.values()))
    ax.plot(middle, drawn["fitted"], color=COLOURS["blue"], label="fitted")
    projected = {"color": COLOURS["grey"], "linestyle": "--"}
    ax.plot(middle[after], drawn["mean"][after], **projected, label="without steps")
    band = {"color": COLOURS["light"], "alpha": 0.5, "linewidth": 0}
    ax.fill_between(middle[after], drawn["low"][after], drawn["high"][after], **band)
    halved = drawn["halved"].eq(True)
    for which, face, label in (
        (halved, "white", "halved week"),
        (~halved, COLOURS["blue"], "week"),
    ):
        marker = {"color": COLOURS["blue"], "markerfacecolor": face, "markersize": 3.5}
        ax.plot(middle[which], drawn["count"][which], "o", **marker, label=label)
    top = weeks[["count", "fitted"]].max(axis=None)
    for number, (words, when) in enumerate(marks.items()):
        height = top * (1.32 - 0.09 * number)
        ax.text(when + 9 * _DAY, height, words, va="center", fontsize=9.5)
        ax.plot([when] * 2, [0, height], color=COLOURS["orange"], linewidth=1, linestyle="--")
    ax.set_ylim(0, top * 1.38)
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.set_ylabel("detainers a week")
    ax.xaxis.set_major_locator(mdates.MonthLocator(bymonth=(1, 7)))
    ax.xaxis.set_major_formatter(mdates.DateFormatter("%b\n%Y"))
    ax.legend(loc="lower left", ncols=2, frameon=False)
    return fig


def placebo_steps(
    others: pd.DataFrame, steps: pd.DataFrame, events: Mapping[str, pd.Timestamp]
) -> Figure:
    """Draw the step at each placebo date, and that at the true date with its interval.

    Parameters
    ----------
    others
        As from `helpers.interrupted.placebos`.
    steps
        One row a step: `step` (its column in `others`), `words`, `date`, `ratio`, `low`, `high`.
    events
        Other dates to mark, by their words.
    """
    shared: dict[str, Any] = {"sharex": "col", "sharey": True, "width_ratios": [4, 1]}
    fig, axes = figures.new(height=5.0, nrows=len(steps), ncols=2, **shared)
    orange = {"color": COLOURS["orange"]}
    for (ax, counts), found in zip(axes, steps.itertuples(), strict=True):
        before = others["date"] < found.date
        groups = [np.exp(others.loc[which, found.step]) for which in (before, ~before)]
        colours = [COLOURS["blue"], COLOURS["green"]]
        for which, values, colour in zip((before, ~before), groups, colours, strict=True):
            ax.plot(others.loc[which, "date"], values, ".", color=colour, markersize=3)
        edges = np.geomspace(0.22, 4.5, 41)
        counts.hist(
            groups, edges, stacked=True, orientation="horizontal", color=colours, linewidth=0
        )
        for panel in (ax, counts):
            for same_size in (found.ratio, 1 / found.ratio):
                panel.axhline(same_size, linewidth=1, linestyle="--", **orange)
        ax.plot([found.date] * 2, [found.low, found.high], linewidth=2, **orange)
        ax.plot(found.date, found.ratio, "D", markersize=7, **orange)
        ax.set_title(found.words, fontsize=10.5)
        ax.set_ylabel("ratio (log scale)")
        for words, when in events.items():
            ax.axvline(when, color=COLOURS["grey"], linewidth=1, linestyle=":")
            ax.text(when - 60 * _DAY, 0.27, words, ha="right", fontsize=9.5)
    _ratio_axis(axes[0, 0].yaxis, [0.25, 0.5, 1, 2, 4])
    axes[-1, 0].xaxis.set_major_locator(mdates.YearLocator(4))
    axes[-1, 0].set_xlabel(
        "date of the first step: true (diamond),\nor placebo (dots: blue before it, green after)"
    )
    axes[-1, 1].set_xlabel("placebo\ndates")
    return fig


def monthly_levels(months: pd.DataFrame, marks: Mapping[str, pd.Timestamp]) -> Figure:
    """Draw monthly counts and their levels.

    Parameters
    ----------
    months
        One row a month: `start`, `end`, `count`, `mean`, `low`, `high` (of its level).
    marks
        Dates to mark, by their words.
    """
    fig, ax = figures.new(height=3.8)
    ax.bar(months["start"], months["count"], width=27, align="edge", color=COLOURS["sky"])
    for _, level in months.groupby(months["mean"].round(6), sort=False):
        across = [level["start"].min(), level["end"].max()]
        low, high = level[["low", "high"]].iloc[0]
        ax.fill_between(across, low, high, color=COLOURS["ink"], alpha=0.2, linewidth=0)
        ax.plot(across, [level["mean"].iloc[0]] * 2, color=COLOURS["ink"])
    top = max(months["count"].max(), months["high"].max())
    for number, (words, when) in enumerate(marks.items()):
        height = top * (1.04 - 0.15 * number)
        ax.plot([when] * 2, [0, height], color=COLOURS["orange"], linewidth=1.5, linestyle="--")
        last = when > months["end"].max()
        at, side = (when - 40 * _DAY, "right") if last else (when + 40 * _DAY, "left")
        ax.text(at, height, words, ha=side, va="top", fontsize=9.5)
    ax.set_ylim(0, top * 1.06)
    ax.set_xlim(months["start"].min() - 60 * _DAY, pd.Timestamp("2017-04-01"))
    ax.set_ylabel("bookings with a detainer a month")
    ax.grid(axis="x", visible=False)
    return fig
