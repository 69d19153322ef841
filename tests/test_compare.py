import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from helpers import compare, compare_pictures

# Results


def result(value=2.0, interval=None, tolerance=1e-6, **fields):
    return {
        "value": value,
        "interval": interval,
        "tolerance": tolerance,
        "unit": "jails",
        "level": None,
        "method": "read",
        "inputs": ["fact:A1"],
        "notebook": "01_jurisdiction_growth",
        "synthetic": False,
        "caveat": None,
        "decimals": 1,
        **fields,
    }


def unlike(stored, now):
    return compare.results({"a": stored}, {"a": now})


@pytest.mark.parametrize("value", [0.0, 2.5, -1e300, "open", [1, 2.5], 7])
def test_a_result_is_the_same_as_itself(value):
    assert unlike(result(value), result(value)) == []


@given(st.floats(1e-300, 1e300), st.floats(1e-12, 0.1), st.sampled_from([-1, 1]))
def test_a_number_may_be_off_by_its_tolerance_and_no_more(value, tolerance, sign):
    near = value * (1 + sign * tolerance * 0.999)
    far = value * (1 + sign * tolerance * 1.01)
    assert unlike(result(value, tolerance=tolerance), result(near, tolerance=tolerance)) == []
    (found,) = unlike(result(value, tolerance=tolerance), result(far, tolerance=tolerance))
    assert found.size == pytest.approx(tolerance * 1.01, rel=1e-3)
    assert found.allowed == tolerance


@pytest.mark.parametrize(
    ("stored", "now", "where"),
    [
        (result([1, 2, 3]), result([1, 2, 4]), "value 3 of 3"),
        (result([1, 2]), result([1, 2, 3]), "value"),
        (result("open"), result("refuted"), "value"),
        (result(1), result(True), "value"),
        (result(0.0), result(1e-300), "value"),
        (result(interval=[1, 3]), result(interval=[1, 3.1]), "interval 2 of 2"),
        (result(interval=[1, None]), result(interval=[1, 5]), "interval 2 of 2"),
        (result(interval=[1, 3]), result(), "interval"),
        (result(unit="jails"), result(unit="counties"), "unit"),
        (result(inputs=["fact:A1"]), result(inputs=["fact:A2"]), "inputs"),
        (result(), result(notebook="02_detainer_age"), "notebook"),
        (result(caveat=None), result(caveat="few"), "caveat"),
        (result(), result(tolerance=1.0), "tolerance"),
    ],
)
def test_the_part_of_a_result_that_differs_is_named(stored, now, where):
    assert [found.where for found in unlike(stored, now)] == [where]


def test_results_that_only_one_run_has_are_named():
    gone, new = compare.results({"a": result()}, {"b": result()})
    assert (gone.what, gone.stored, gone.now) == ("a", "there", "missing")
    assert (new.what, new.stored, new.now) == ("b", "missing", "there")


# The data of figures


def table(text):
    return [line.split(",") for line in text.split()]


def test_the_worst_row_of_each_column_is_named():
    stored = table("place,jails a,10.0 b,20.0 c,40.0")
    now = table("place,jails a,11.0 b,20.0 d,80.0")
    place, jails = compare.tables("counts", stored, now)
    assert (place.where, place.stored, place.now) == ("column place, row 3", "c", "d")
    assert (jails.where, jails.size) == ("column jails, row 3 and 1 more", 1.0)
    assert (jails.stored, jails.now) == ("40.0", "80.0")


@pytest.mark.parametrize(
    ("now", "where"),
    [
        ("jails,share 1.0,0.5", "rows"),
        ("counties,share 1.0,0.5 2.0,0.5", "columns"),
        ("jails 1.0 2.0", "columns"),
        ("jails,share 1.0,0.5 ,0.5", "column jails, row 2"),
    ],
)
def test_a_table_of_another_shape_or_with_a_gap_differs(now, where):
    stored = table("jails,share 1.0,0.5 2.0,0.5")
    assert [found.where for found in compare.tables("counts", stored, table(now))] == [where]


def test_gaps_agree_and_noise_of_arithmetic_beside_large_numbers_is_none():
    stored, now = table("share,n ,1 0.0,1 1000.0,1"), table("share,n ,1 1e-13,1 1000.0,1")
    assert compare.tables("shares", stored, now) == []
    stored, now = table("share,n ,1 0.0,1 0.0,1"), table("share,n ,1 1e-13,1 0.0,1")
    assert compare.tables("shares", stored, now) != []


@pytest.mark.parametrize(
    ("stored", "now"),
    [
        ("null", "NA"),
        ("None", "nan"),
        ("NA", ""),
        ("007", "7"),
        ("+7", "7"),
        ("1_0", "10"),
        ("True", "TRUE"),
        ("1", "True"),
        ("inf", "-inf"),
    ],
)
def test_what_is_no_written_number_counts_to_the_letter(stored, now):
    (found,) = compare.tables("counts", [["place"], [stored]], [["place"], [now]])
    assert (found.stored, found.now, found.size) == (stored, now, None)


@given(st.floats(-1e300, 1e300))
def test_a_number_in_any_notation_of_a_float_is_a_number(number):
    stored, now = [["x"], [repr(number)]], [["x"], [repr(number * (1 + 1e-9))]]
    assert compare.tables("counts", stored, now) == []


# Texts


def notebook(*outputs):
    cells = [{"cell_type": "code", "id": f"c{n}", "outputs": o} for n, o in enumerate(outputs)]
    return {"cells": [{"cell_type": "markdown", "id": "title"}, *cells]}


def shown(text, kind="text/plain"):
    return [{"output_type": "display_data", "data": {kind: text}, "metadata": {}}]


def stream(*texts):
    return [{"output_type": "stream", "name": "stdout", "text": text} for text in texts]


def error(name="ValueError"):
    return [{"output_type": "error", "ename": name, "evalue": "no", "traceback": []}]


def test_only_the_lines_that_differ_are_given_with_how_far_their_numbers_are_apart():
    stored, now = "jails: 10\ncounties: 1,463\nend", "jails: 10\ncounties: 1,500\nend"
    (found,) = compare.texts("01", notebook(shown(stored)), notebook(shown(now)))
    assert (found.what, found.where) == ("01, cell c0", "text/plain, line 2")
    assert (found.stored, found.now) == ("counties: 1,463", "counties: 1,500")
    assert (found.size, found.allowed) == (pytest.approx(37 / 1463), 0.0)


def test_where_words_differ_there_is_no_size():
    (found,) = compare.texts("01", notebook(shown("10 jails")), notebook(shown("12 counties")))
    assert (found.size, found.allowed) == (None, None)


def test_text_counts_to_the_letter_however_it_is_split():
    split, whole = notebook(stream("a\n", "b\n")), notebook(stream(["a\n", "b\n"]))
    assert compare.texts("01", split, whole) == []
    (found,) = compare.texts("01", split, notebook(stream("a\nb")))
    assert (found.stored, found.now) == (r"'a\nb\n'", r"'a\nb'")
    assert compare.texts("01", split, notebook(stream("a\n b\n"))) != []


def test_an_output_more_or_less_is_a_difference():
    assert compare.texts("01", notebook([]), notebook(shown("1"))) != []
    assert compare.texts("01", notebook(shown("1") + shown("1")), notebook(shown("1"))) != []


def test_after_a_cell_that_failed_nothing_more_is_named():
    stored = notebook(shown("1"), shown("2"), shown("3"))
    found = compare.texts("01", stored, notebook(shown("0"), error(), error("NameError")))
    assert [each.what for each in found] == ["01, cell c0", "01, cell c1"]
    assert (found[1].where, found[1].now) == ("error", "ValueError: no")


def test_pictures_are_no_text():
    assert (
        compare.texts("01", notebook(shown("a", "image/png")), notebook(shown("b", "image/png")))
        == []
    )


def test_the_alt_text_of_a_picture_is_text():
    stored, now = (
        notebook([{**shown("a", "image/png")[0], "metadata": {"image/png": {"alt": alt}}}])
        for alt in ("a rise to 10.4", "a rise to 10.5")
    )
    (found,) = compare.texts("01", stored, now)
    assert (found.where, found.stored, found.now) == (
        "alt text",
        "a rise to 10.4",
        "a rise to 10.5",
    )


# Pictures


def png(width=20, height=10, box=None, shade=0):
    pixels = np.full((height, width, 3), 200, np.uint8)
    if box:
        left, top, right, bottom = box
        pixels[top : bottom + 1, left : right + 1] = shade
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


@pytest.mark.parametrize(("step", "differs"), [(0, False), (16, False), (17, True)])
def test_a_pixel_may_be_off_by_the_tolerance_and_no_more(step, differs):
    found = compare_pictures.pictures("a", png(), png(box=(3, 4, 3, 4), shade=200 - step))
    assert bool(found) is differs


def test_the_region_of_pixels_that_differ_is_named():
    (found,) = compare_pictures.pictures("a", png(), png(box=(3, 4, 7, 5), shade=100))
    assert found.where == "pixels 3 to 7 across, 4 to 5 down"
    assert (found.size, found.unit) == (100, "steps of 255")
    assert (found.stored, found.now) == ("colour (200, 200, 200)", "colour (100, 100, 100)")


def test_pictures_of_unlike_size_differ():
    (found,) = compare_pictures.pictures("a", png(), png(width=21))
    assert (found.stored, found.now) == ("20 by 10 pixels", "21 by 10 pixels")
    assert compare_pictures.only_drawn(found)


@pytest.mark.parametrize(
    "damaged", [b"", b"no picture", png()[:50], png().replace(b"IDAT", b"IDAX")]
)
def test_of_two_pictures_the_one_that_cannot_be_read_is_named(damaged):
    (found,) = compare_pictures.pictures("a", damaged, png())
    assert (found.stored, found.now) == ("unreadable", "a picture")
    (found,) = compare_pictures.pictures("a", png(), damaged)
    assert (found.stored, found.now) == ("a picture", "unreadable")
    assert not compare_pictures.only_drawn(found)


SVG = "<svg><clipPath id='p0123456789'/><path d='M 1.5 2 L 30 40'/><text>1,200 jails</text></svg>"


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ("1.5", "1.54", False),
        ("1.5", "1.56", True),
        ("1,200", "1,200.01", True),
        ("jails", "jail", True),
        ("p0123456789", "pfedcba9876", False),
        ("<path d='M 1.5 2 L 30 40'/>", "", True),
        ("M 1.5", "L 1.5", True),
    ],
)
def test_a_drawing_is_compared_by_coordinate_and_its_words_to_the_letter(old, new, differs):
    assert bool(compare_pictures.drawings("a", SVG, SVG.replace(old, new))) is differs


@pytest.mark.parametrize(
    ("old", "new", "drawn"),
    [
        ("1.5", "1.9", True),
        ("M 1.5", "L 1.5", True),
        ("1,200", "1,300", False),
        ("jails", "", False),
        ("<path d='M 1.5 2 L 30 40'/>", "", False),
    ],
)
def test_words_and_elements_of_a_drawing_are_more_than_drawn(old, new, drawn):
    (found,) = compare_pictures.drawings("a", SVG, SVG.replace(old, new))
    assert compare_pictures.only_drawn(found) is drawn


def test_a_moved_element_hides_no_other_words():
    now = SVG.replace("1.5", "1.9").replace("jails", "places")
    words, moved = compare_pictures.drawings("a", SVG, now)
    assert (words.where, words.stored, words.now) == (
        "drawing, element 4, words",
        "1,200 jails",
        "1,200 places",
    )
    assert (moved.where, moved.unit) == ("drawing, element 3", "points")


def test_a_small_number_beside_large_ones_is_compared_for_itself():
    stored, now = table("n 0.5 1000000.0"), table("n 0.6 1000000.0")
    (found,) = compare.tables("counts", stored, now)
    assert (found.where, found.size) == ("column n, row 1", pytest.approx(0.2))
