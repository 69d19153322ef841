import re
from itertools import combinations
from xml.etree import ElementTree

import pytest

from helpers import lineage_graph
from helpers.results import ResultError
from small_lineage import FACT, RESULTS, lineage, result

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert(1)</script> & "quoted"'


def drawn(found, name="week.twice"):
    return ElementTree.fromstring(lineage_graph.svg(found, name))


def many(count=60):
    """A result that rests on many facts of as many sources."""
    facts = {
        f"fact:N{number:03}": FACT
        | {"source": FACT["source"] | {"title": f"A source with a long title, number {number}"}}
        for number in range(count)
    }
    return lineage({"many.facts": result(list(facts))}, {}, facts)


def boxes(tree):
    """Left, top, width and height of each box, with its text."""
    found = []
    for group in tree.iter(f"{SVG}g"):
        if (rect := group.find(f"{SVG}rect")) is not None:
            sides = [float(rect.get(side)) for side in ("x", "y", "width", "height")]
            found.append((*sides, [text.text for text in group.iter(f"{SVG}text")]))
    return found


def named(tree, start):
    return next(box for box in boxes(tree) if box[4][0].startswith(start))


def test_every_result_input_and_source_has_one_box():
    texts = [box[4][0] for box in boxes(drawn(lineage()))]
    assert sorted(texts) == [
        "A paper's list",
        "A project",
        "assumption half",
        "fact F1",
        "parameter travis",
        "result week.declined",
        "result week.mean",
        "result week.share",
        "result week.twice",
        "series weeks",
    ]


def test_the_result_stands_top_left_and_all_below_it_to_the_right_of_what_rests_on_it():
    tree = drawn(lineage())
    left = {box[4][0]: box[0] for box in boxes(tree)}
    assert left["result week.twice"] == min(left.values())
    assert left["result week.twice"] < left["result week.share"] < left["result week.declined"]
    assert left["result week.declined"] < left["fact F1"] < left["A paper's list"]
    assert left["A project"] == left["A paper's list"] == max(left.values())


@pytest.mark.parametrize("found", [lineage(), many(5), many(60)], ids=["small", "five", "sixty"])
def test_boxes_do_not_overlap_and_lie_inside_the_picture(found):
    tree = drawn(found, next(name for name in reversed(found.results) if "synthetic" not in name))
    width, height = (float(tree.get(side)) for side in ("width", "height"))
    for x, y, w, h, _ in boxes(tree):
        assert 0 < x < x + w < width
        assert 0 < y < y + h < height
    for a, b in combinations(boxes(tree), 2):
        apart_across = a[0] + a[2] < b[0] or b[0] + b[2] < a[0]
        apart_down = a[1] + a[3] < b[1] or b[1] + b[3] < a[1]
        assert apart_across or apart_down


def test_text_lies_inside_its_box():
    for group in drawn(many(5), "many.facts").iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        for text in group.iter(f"{SVG}text"):
            top, left = float(rect.get("y")), float(rect.get("x"))
            assert top < float(text.get("y")) < top + float(rect.get("height"))
            assert float(text.get("x")) > left
            limit = 29 if text.get("class") == "name" else 34
            assert len(text.text) <= limit


def test_lines_join_what_rests_on_what():
    tree = drawn(lineage())
    ends = set()
    for path in tree.iter(f"{SVG}path"):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", path.get("d"))]
        ends.add((*numbers[:2], *numbers[-2:]))
    joined = [
        ("result week.twice", "result week.share"),
        ("result week.twice", "result week.declined"),
        ("result week.share", "result week.declined"),
        ("result week.share", "result week.mean"),
        ("result week.declined", "fact F1"),
        ("result week.declined", "parameter travis"),
        ("result week.mean", "series weeks"),
        ("result week.mean", "assumption half"),
        ("fact F1", "A paper's list"),
        ("series weeks", "A project"),
    ]
    expected = set()
    for user, below in joined:
        a, b = named(tree, user), named(tree, below)
        expected.add((a[0] + a[2], a[1] + a[3] / 2, b[0], b[1] + b[3] / 2))
    assert ends == expected


def test_a_picture_has_title_description_and_language_and_no_script():
    text = lineage_graph.svg(lineage(), "week.twice")
    tree = ElementTree.fromstring(text)
    title, description = tree.find(f"{SVG}title"), tree.find(f"{SVG}desc")
    assert tree.get("aria-labelledby") == title.get("id")
    assert tree.get("aria-describedby") == description.get("id")
    assert title.text == "Lineage of week.twice"
    assert description.text == (
        "result week.twice: 412 detainers. It rests on 3 results, 1 fact, 1 series, 1 assumption, "
        "1 parameter, 2 sources."
    )
    assert tree.get("lang") == "en"
    assert "<script" not in text
    assert "<image" not in text


def test_sources_are_links_and_long_text_is_whole_in_the_title_of_its_box():
    tree = drawn(many(1), "many.facts")
    (link,) = tree.iter(f"{SVG}a")
    assert link.get("href") == "https://example.org/list?a=1&b=2"
    titles = [group.findtext(f"{SVG}title") for group in tree.iter(f"{SVG}g")]
    assert "A source with a long title, number 0; A paper, 2017-03-20" in titles


def test_only_web_addresses_become_links_and_text_stays_text():
    source = FACT["source"] | {"title": HOSTILE, "url": "javascript:alert(1)"}
    known = {"fact:F1": FACT | {"source": source, "printed": HOSTILE}}
    results = {"a.b": result(["fact:F1"], method=HOSTILE)}
    text = lineage_graph.svg(lineage(results, {}, known), "a.b")
    tree = ElementTree.fromstring(text)
    assert list(tree.iter(f"{SVG}a")) == []
    assert list(tree.iter(f"{SVG}script")) == []
    assert any(HOSTILE in (title.text or "") for title in tree.iter(f"{SVG}title"))


def test_the_same_run_gives_the_same_text():
    assert lineage_graph.svg(many(), "many.facts") == lineage_graph.svg(many(), "many.facts")


def test_an_input_that_names_nothing_is_drawn_by_its_name():
    tree = drawn(lineage({"a.b": result(["fact:F9", "simulation:7"])}), "a.b")
    assert {box[4][0] for box in boxes(tree)} == {"result a.b", "fact F9", "simulation 7"}


def test_an_unknown_result_is_refused():
    with pytest.raises(ResultError, match=r"week\.none"):
        lineage_graph.svg(lineage(), "week.none")


def test_ids_differ_between_pictures_of_one_page():
    found = lineage(RESULTS)
    ids = [
        re.findall(r'id="([^"]+)"', lineage_graph.svg(found, name))
        for name in ("week.share", "week.twice")
    ]
    assert not set(ids[0]) & set(ids[1])
