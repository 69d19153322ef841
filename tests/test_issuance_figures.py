import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers import evidence, issuance
from helpers import issuance_figures as draw


@pytest.fixture(scope="module")
def weeks(ledger):
    return issuance.report_weeks(issuance.report_records(ledger))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def words(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


@pytest.mark.parametrize("steps", list(itertools.product([True, False], repeat=3)))
def test_the_bars_of_a_waterfall_lead_from_reported_to_compared(weeks, steps):
    stages = issuance.waterfall(weeks, **dict(zip(issuance.STEPS, steps, strict=True)))
    fig = draw.waterfall(stages, weeks["issued"])
    for ax, (week, rows) in zip(fig.axes, stages.groupby("week"), strict=True):
        bars = {round(bar.get_y() + bar.get_height() / 2): bar for bar in ax.patches}
        reached = bars[0].get_width()
        for row, found in enumerate(rows.itertuples()):
            if row in bars and found.removed:
                assert bars[row].get_x() + bars[row].get_width() == reached
                reached = bars[row].get_x()
        assert bars[4].get_width() == reached == rows["left"].iloc[-1]
        rate = f"{1000 * reached / weeks.at[week, 'issued']:.1f} per 1,000 issued"
        assert rate in words(ax)[-1]


def test_parts_without_a_record_are_said_not_drawn(weeks):
    stages = issuance.waterfall(weeks, **dict.fromkeys(issuance.STEPS, True))
    second = draw.waterfall(stages, weeks["issued"]).axes[1]
    assert words(second).count("none published") == 2
    assert len(second.patches) == 3


def test_a_time_line_marks_every_date_and_every_week(ledger):
    dates = issuance.timeline(ledger)
    ax = draw.timeline(dates).axes[0]
    marks = [line for line in ax.lines if line.get_marker() in ("D", "<")]
    assert len(marks) == (dates["event"] != "Weeks reported on").sum()
    assert len(ax.patches) == len(evidence.REPORT_WEEKS)
    assert "28 Jan to 17 Feb" in words(ax)
    assert "20 Feb, 21 Feb" in words(ax)
    assert {"1", "2", "3"} <= set(words(ax))


def test_the_ratios_are_drawn_with_their_intervals_and_filled_where_they_differ(weeks):
    table = issuance.all_steps(weeks, weeks["issued"])
    table["chosen"] = table["exclude_travis"] & table["apply_withdrawals"]
    ax = draw.rate_ratios(table).axes[0]
    ranges = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 2][:-1]
    assert np.array(ranges).tolist() == table[["low", "high"]].to_numpy().tolist()
    points = [line for line in ax.lines if line.get_marker() in ("D", "o")]
    filled = [point.get_markerfacecolor() != "white" for point in points]
    assert filled == table["p_value"].lt(0.05).tolist()


def test_a_tornado_has_a_bar_from_low_to_high_for_each_assumption():
    ranges = pd.DataFrame({"assumption": ["a", "b"], "low": [0.0, 4.0], "high": [9.0, 6.0]})
    ax = draw.tornado(ranges, 5.0).axes[0]
    assert [(bar.get_x(), bar.get_width()) for bar in ax.patches] == [(0, 9), (4, 2)]
    assert words(ax) == ["0.0", "9.0", "4.0", "6.0"]


def test_placebo_steps_are_drawn_as_ratios_beside_the_true_one():
    order = pd.Timestamp(2017, 1, 25)
    others = pd.DataFrame(
        {
            "date": [pd.Timestamp(2012, 1, 4), pd.Timestamp(2020, 1, 1)],
            "step_1": [np.log(0.5), np.log(2)],
        }
    )
    steps = pd.DataFrame(
        {"step": ["step_1"], "words": ["Step"], "date": [order], "ratio": [1.5]}
    ).assign(low=1.2, high=1.9)
    # The figure is made for several steps; one is drawn twice.
    fig = draw.placebo_steps(others, pd.concat([steps, steps]), {})
    ax = fig.axes[0]
    dots = [line for line in ax.lines if line.get_marker() == "."]
    assert [float(line.get_ydata()[0]) for line in dots] == pytest.approx([0.5, 2])
    assert [line.get_ydata()[0] for line in ax.lines if line.get_marker() == "D"] == [1.5]
    assert sum(bar.get_width() for bar in fig.axes[1].patches) >= 2


def test_levels_are_drawn_over_their_months():
    months = pd.DataFrame({"start": pd.date_range("2010-01-01", periods=4, freq="MS")})
    months["end"] = months["start"] + pd.offsets.MonthBegin()
    months["count"] = [10.0, 12.0, 50.0, 52.0]
    months["mean"] = [11.0, 11.0, 51.0, 51.0]
    months["low"], months["high"] = months["mean"] - 5, months["mean"] + 5
    ax = draw.monthly_levels(months, {"event": pd.Timestamp(2010, 3, 1)}).axes[0]
    levels = [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == "-"]
    assert levels == [11, 51]
    assert words(ax) == ["event"]


def test_projected_weeks_are_drawn_from_the_first_mark_on():
    weeks = pd.DataFrame({"start": pd.date_range("2017-01-01", periods=6, freq="7D")})
    weeks = weeks.assign(count=100.0, halved=[True] * 3 + [False] * 3, fitted=100.0)
    weeks = weeks.assign(mean=90.0, low=80.0, high=95.0)
    ax = draw.interrupted_weeks(weeks, {"order": pd.Timestamp(2017, 1, 25)}).axes[0]
    lines = {line.get_label(): line for line in ax.lines}
    assert len(lines["fitted"].get_xdata()) == 6
    assert len(lines["without steps"].get_xdata()) == 3
    assert len(lines["halved week"].get_xdata()) == 3
