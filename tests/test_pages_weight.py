import PIL.Image
import pytest

from helpers.pages import weight


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        (".seen{color:red}", True),
        (".seen .gone{color:red}", False),
        (".gone,.seen{color:red}", True),
        (".gone,.lost{color:red}", False),
        ("a:not(.gone:is(.lost)):hover{color:red}", True),
        ("h1{color:red}", True),
        ('.gone{--fa:"{"}', False),
        ('.seen{--fa:"}"}', True),
        ("@font-face{src:url(a.woff2)}", True),
        ("@keyframes turn{0%{left:0}to{left:1px}}", True),
    ],
)
def test_a_rule_stays_where_its_classes_are_used(rule, kept):
    text = f"h2{{margin:0}}{rule}h3{{margin:0}}"
    made = weight.used(text, {"seen", "h1", "h2"})
    assert made == (text if kept else "h2{margin:0}h3{margin:0}")


def test_licences_and_what_stands_before_a_rule_stay_and_comments_go():
    sheet = "@charset 'x';/*! It's ours; {free} */.gone{top:0}/* it isn't .gone { */.seen{top:0}"
    assert weight.used(sheet, {"seen"}) == "@charset 'x';/*! It's ours; {free} */.seen{top:0}"


def test_rules_for_a_medium_are_looked_at_one_by_one():
    sheet = "@media print{.seen{top:0}.gone{top:0}}"
    assert weight.used(sheet, {"seen"}) == "@media print{.seen{top:0}}"


def test_a_picture_loads_late_in_its_own_room(tmp_path):
    PIL.Image.new("P", (30, 20)).save(tmp_path / "a.png")
    page = '<img alt="a &gt; b" src="a.png" width="700" /><img src="https://example.org/b.png">'
    assert weight.with_late_images(page, tmp_path) == (
        '<img alt="a &gt; b" src="a.png" loading="lazy" width="30" height="20" />'
        '<img src="https://example.org/b.png">'
    )


def test_scripts_and_pages_say_which_classes_are_used(tmp_path):
    (tmp_path / "index.html").write_text('<p class="of-page"></p>', encoding="utf-8")
    (tmp_path / "a.js").write_text('make("p", "of-script")', encoding="utf-8")
    (tmp_path / "a.css.map").write_text("{}", encoding="utf-8")
    sheet = tmp_path / "a.css"
    sheet.write_text(".of-page{top:0}.of-script{top:0}.of-none{top:0}", encoding="utf-8")
    weight.lighten(tmp_path)
    assert sheet.read_text(encoding="utf-8") == ".of-page{top:0}.of-script{top:0}"
    assert not (tmp_path / "a.css.map").exists()
