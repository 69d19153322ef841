from dataclasses import replace

import pandas as pd
import pytest

from counted import EARLY
from helpers import bridge, datapackage

FIRST = replace(EARLY, value=118, low=117, high=118)
SECOND = replace(EARLY, value=150, low=150, high=150)


def entries(*rows):
    return pd.DataFrame(
        rows, columns=["jurisdiction", "state", "listed_week_1", "listed_week_2"], dtype="str"
    )


@pytest.fixture(scope="module")
def named(root):
    return bridge.named(datapackage.load("listed_jurisdictions_2017", root), {"CA"})


def test_each_entry_that_came_or_went_has_one_change_and_others_none():
    listed = entries(
        ("State of Ease", "EA", "no", "yes"),
        ("Newtown", "NE", "no", "yes"),
        ("Perhaps County", "PE", "unknown", "yes"),
        ("Gone County", "GO", "yes", "no"),
        ("Stays", "ST", "yes", "yes"),
        ("First only known", "FI", "yes", "unknown"),
    )
    named = bridge.named(listed, set())
    assert dict(zip(named["jurisdiction"], named["change"], strict=True)) == {
        "State of Ease": "whole state added",
        "Newtown": "place added",
        "Perhaps County": "perhaps added",
        "Gone County": "removed",
    }


def test_a_place_of_a_state_that_had_none_before_is_new():
    listed = entries(("Perhaps County", "PE", "unknown", "yes"))
    assert bridge.named(listed, {"PE"})["change"].tolist() == ["place added"]
    assert bridge.named(listed, {"XX"})["change"].tolist() == ["perhaps added"]


def test_the_steps_lead_from_the_first_list_to_the_second():
    changes = pd.Series(["whole state added", "place added", "place added", "removed"])
    steps = bridge.bridge(FIRST, SECOND, changes).set_index("step")
    assert steps.loc["removed, named", ["start", "end"]].tolist() == [118, 117]
    assert steps.loc["whole states added", ["start", "end"]].tolist() == [117, 118]
    assert steps.loc["other places added, named", ["start", "end"]].tolist() == [118, 120]
    assert steps.loc["not seen by name, net", ["start", "end"]].tolist() == [120, 150]
    assert steps.loc["not seen by name, net", ["low", "high"]].tolist() == [30, 31]


def test_what_is_perhaps_new_may_or_may_not_be_part_of_what_was_not_seen():
    changes = pd.Series(["perhaps added"] * 3)
    steps = bridge.bridge(FIRST, SECOND, changes).set_index("step")
    assert steps.loc["perhaps added, named", ["low", "high"]].tolist() == [0, 3]
    assert steps.loc["not seen by name, net", ["low", "high"]].tolist() == [32 - 3, 33]


def test_low_and_high_steps_add_up_to_the_second_list(named):
    steps = bridge.bridge(FIRST, SECOND, named["change"]).set_index("step")
    moved = steps.drop(["listed in week 1", "listed in week 2"])
    # All perhaps-new entries in and the longer first list, or none and the shorter one.
    assert FIRST.high + moved["low"].sum() + moved.loc["perhaps added, named", "high"] == 150
    assert FIRST.low + moved["high"].sum() - moved.loc["perhaps added, named", "high"] == 150


def test_the_article_s_names_are_found(named):
    by_change = named.groupby("change")["jurisdiction"].apply(set)
    assert by_change["whole state added"] == {"State of California", "State of Connecticut"}
    assert by_change["removed"] == {
        "Clay County",
        "Bedford County",
        "Franklin County",
        "Nassau County",
    }
    assert "Tulare" in by_change["place added"]
    assert "Baltimore" in by_change["perhaps added"]
