import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import tables


class Reader(HTMLParser):
    """Caption, headers with their scope, and cells with their attributes, as a browser has them."""

    def __init__(self, table):
        super().__init__()
        self.tags, self.headers, self.cells, self.caption = [], [], [], ""
        self.open = None
        self.feed(table.data)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open = tag
        if tag == "th":
            self.headers.append(["", dict(attrs)])
        if tag == "td":
            self.cells.append(["", dict(attrs)])

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, data):
        if self.open == "caption":
            self.caption += data
        elif self.open in {"th", "td"}:
            (self.headers if self.open == "th" else self.cells)[-1][0] += data


def read(frame, caption="What is shown"):
    return Reader(tables.show(pd.DataFrame(frame), caption))


def texts(frame):
    return [text for text, _ in read(frame).cells]


def test_a_table_has_a_caption_and_a_header_for_each_column():
    table = read({"place": ["Travis"], "declined": [142]}, "Declined, week 1")
    assert table.caption == "Declined, week 1"
    assert [name for name, _ in table.headers] == ["place", "declined"]
    assert [attributes["scope"] for _, attributes in table.headers] == ["col", "col"]
    assert table.tags[:4] == ["table", "caption", "thead", "tr"]


def test_rows_are_in_order_and_the_index_is_left_out():
    frame = pd.DataFrame({"a": ["x", "y"], "b": ["z", "w"]}, index=["first", "second"])
    assert texts(frame) == ["x", "z", "y", "w"]


def test_numbers_are_to_the_right_with_thousands_and_text_is_not():
    table = read({"n": [1234567], "share": [0.25], "id": ["1234"]})
    cells = table.cells
    assert [attributes.get("style") for _, attributes in table.headers] == [
        "text-align: right",
        "text-align: right",
        None,
    ]
    assert [text for text, _ in cells] == ["1,234,567", "0.25", "1234"]
    assert [attributes.get("style") for _, attributes in cells] == [
        "text-align: right",
        "text-align: right",
        None,
    ]


def test_a_missing_value_is_an_empty_cell():
    frame = {
        "n": pd.array([None, 1200], dtype="Int64"),
        "x": [None, 0.5],
        "text": [None, "a"],
        "day": pd.to_datetime([None, "2017-02-01"]),
    }
    assert texts(frame)[:4] == ["", "", "", ""]
    assert texts(frame)[4:7] == ["1,200", "0.5", "a"]


def test_truth_values_are_words():
    assert texts({"listed": [True, False]}) == ["True", "False"]


HOSTILE = ["<script>alert(1)</script>", "a & b", "</td></table>", '" onload="x', "&lt;", "<!-- "]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_never_becomes_markup(text):
    table = read({f"head {text}": [text]}, f"caption {text}")
    assert table.caption == f"caption {text}"
    assert table.headers == [[f"head {text}", {"scope": "col"}]]
    assert table.cells == [[text, {}]]
    assert set(table.tags) == {"table", "caption", "thead", "tbody", "tr", "th", "td"}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1, max_size=4))
def test_any_text_comes_back_as_it_was(values):
    assert texts({"a": pd.Series(values, dtype="str")}) == values


def test_an_empty_frame_keeps_its_headers():
    table = read(pd.DataFrame(columns=["a", "b"]))
    assert [text for text, _ in table.headers] == ["a", "b"]
    assert table.cells == []


def test_every_tag_that_opens_closes():
    markup = tables.show(pd.DataFrame({"a": ["<b>", None], "b": [1, 2]}), "c").data
    for tag in ("table", "caption", "thead", "tbody", "tr", "th", "td"):
        assert len(re.findall(f"<{tag}[ >]", markup)) == markup.count(f"</{tag}>")
