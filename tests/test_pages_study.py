"""The pages of the reference run, read without a browser."""

import json
import re
from collections import Counter
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup, SoupStrainer

import reference_pages
from helpers import paths
from helpers.pages import words
from helpers.results import shown

RUN = paths.project_root() / "papermill_runs" / "reference"
RESULTS = json.loads((RUN / "results.json").read_text(encoding="utf-8"))["results"]
NOTEBOOKS = sorted(path.stem for path in RUN.glob("[0-9]*.ipynb"))
FIGURES = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in (paths.project_root() / "figures" / "reference").glob("*.json")
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return reference_pages.built(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def texts(site):
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(site.glob("*.html"))}


@pytest.fixture(scope="module")
def links(texts):
    """Of each page, every link as address, anchor and words."""

    def of_page(name, text):
        for tag in BeautifulSoup(text, "html.parser", parse_only=SoupStrainer("a")).find_all("a"):
            target = urlsplit(tag.get("href", "#"))
            if not target.scheme:
                yield unquote(target.path) or f"{name}.html", target.fragment, tag.get_text()

    return {name: list(of_page(name, text)) for name, text in texts.items()}


@pytest.fixture(scope="module")
def anchors(texts):
    return {name: Counter(re.findall(r'\bid="([^"]+)"', text)) for name, text in texts.items()}


def said(name):
    """All ways in which a result may be written."""
    forms = [name]
    for part in (None, "interval", "percent", "percentinterval"):
        try:
            forms.append(shown(RESULTS[name], part))
        except (KeyError, TypeError):
            continue
    return forms


def of_results(links, page):
    return [link for link in links[page] if link[0].startswith("results-") and link[1]]


def test_every_link_of_every_page_leads_to_an_existing_page_or_file_and_anchor(
    site, links, anchors
):
    broken = {
        (page, file, anchor)
        for page, found in links.items()
        for file, anchor, _ in found
        if not (site / file).is_file()
        or (anchor and file.endswith(".html") and anchor not in anchors[file[: -len(".html")]])
    }
    assert sum(map(len, links.values())) > 10_000
    assert broken == set()


def test_an_anchor_names_one_place(anchors):
    twice = {page: [a for a, n in found.items() if n > 1] for page, found in anchors.items()}
    assert {page: found for page, found in twice.items() if found} == {}


def test_every_number_that_is_a_link_is_the_value_of_the_result_it_leads_to(links):
    by_address = {words.result_address(name, RESULTS): name for name in RESULTS}
    walked = 0
    for page in links:
        for file, anchor, text in of_results(links, page):
            if f"{file}#{anchor}" in by_address and page != file[: -len(".html")]:
                name = by_address[f"{file}#{anchor}"]
                assert text in said(name), (page, name, text)
                walked += 1
    assert walked > 2_000


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_no_number_of_a_notebook_loses_its_link(links, notebook):
    outputs = [
        output["data"].get("text/markdown", "")
        for cell in nbformat.read(RUN / f"{notebook}.ipynb", as_version=4).cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    linked = {(f"{file}#{anchor}", text) for file, anchor, text in of_results(links, notebook)}
    for text, name in re.findall(r"\[([^]`]+)\]\(results\.json#([\w.]+)\)", "\n".join(outputs)):
        assert (words.result_address(name, RESULTS), text) in linked


def test_the_lineage_of_every_result_goes_down_to_what_it_was_computed_from(texts):
    for notebook in {entry["notebook"] for entry in RESULTS.values()}:
        page = texts[words.results_page(notebook)]
        soup = BeautifulSoup(page, "html.parser", parse_only=SoupStrainer("section"))
        for name in (name for name, e in RESULTS.items() if e["notebook"] == notebook):
            place = soup.find(id=words.anchor(name))
            section = place if place.name == "section" else place.find_parent("section")
            listed = section.select("li")
            assert len(listed) >= len(RESULTS[name]["inputs"]) > 0, name


def test_the_first_page_says_what_was_asked_found_and_not_shown_before_all_else(texts):
    text = texts["index"]
    assert text.count("<strong>Found.</strong>") == text.count("<strong>Not shown.</strong>") == 3
    assert text.index("Not shown.") < text.index("Who should go where") < text.index("in full")


def test_a_notebook_begins_with_what_was_found(texts):
    for notebook in NOTEBOOKS:
        text = texts[notebook]
        found = text.index("<strong>Found</strong>")
        assert text.index("<strong>Question.</strong>") < found, notebook
        assert found < text.index("<strong>In short.</strong>"), notebook


def test_caveats_stand_back_behind_the_sentences_they_belong_to(texts):
    assert '<p class="caveat"><em>Caveat: Time since booking' in texts["02_detainer_age"]


def test_synthetic_figures_are_marked_in_gallery_and_notebook(texts):
    marked = [stem for stem, about in FIGURES.items() if "SYNTHETIC" in about["title"]]
    assert marked
    for stem in marked:
        for page in ("figures", FIGURES[stem]["notebook"]):
            before = texts[page][: texts[page].index(f'href="figures/{stem}.csv"')]
            assert words.SYNTHETIC in before[-6_000:], (stem, page)


def test_glossary_and_methods_lead_to_facts_tables_and_sections(links):
    files = {name: {file for file, _, _ in links[name]} for name in ("glossary", "methods")}
    assert sum(text.startswith("fact ") for _, _, text in links["glossary"]) >= 5
    assert any(file.startswith("evidence-") for file in files["glossary"])
    assert {"data.html", "01_jurisdiction_growth.html"} <= files["methods"]


def test_every_table_of_every_page_has_a_caption(texts):
    for name, text in texts.items():
        tables = re.findall(r"<table.*?</table>", text, re.S)
        assert [table[:200] for table in tables if "<caption>" not in table] == [], name
