import importlib
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from helpers import datapackage

ROOT = Path(__file__).resolve().parents[1]
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
per_page = pytest.mark.parametrize("text", PAGES.values(), ids=PAGES)
LINES = {name: " ".join(text.split()) for name, text in PAGES.items()}


def headings(text):
    tokens = MarkdownIt().parse(text)
    return [
        (int(token.tag[1]), after.content)
        for token, after in pairwise(tokens)
        if token.type == "heading_open"
    ]


@per_page
def test_a_page_has_one_title_and_its_headings_go_down_one_level_at_a_time(text):
    levels = [level for level, _ in headings(text)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(lower - upper <= 1 for upper, lower in pairwise(levels))


def test_a_term_is_defined_once():
    terms = [words for level, words in headings(PAGES["glossary"]) if level == 3]
    assert len({term.lower() for term in terms}) == len(terms) > 40


def test_facts_and_sources_named_in_the_glossary_exist(ledger, root):
    facts = re.findall(r"\bfacts? ([A-Z]+\d+)", LINES["glossary"])
    sources = re.findall(r"\bsource ([a-z][\w-]*-\d+)", LINES["glossary"])
    assert len(facts) >= 5
    assert {*facts} <= {*ledger.facts["fact_id"]}
    assert sources
    assert {*sources} <= {*datapackage.load("sources", root)["source_id"]}


def test_notebooks_say_what_a_detainer_is_in_the_words_of_the_glossary():
    definition = re.search(r"### Detainer (.+?\.) ", LINES["glossary"])[1]
    cells = [
        "".join(cell["source"])
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    ]
    boxes = re.findall(r"> \*\*Concept: detainer[^*]*\*\*[^\n]*", "\n".join(cells))
    assert len(boxes) >= 4
    assert [box for box in boxes if definition not in box] == []


def test_functions_named_in_the_methods_exist():
    named = {*re.findall(r"`helpers\.(\w+)\.(\w+)`", LINES["methods"])}
    missing = {
        (module, name)
        for module, name in named
        if not callable(getattr(importlib.import_module(f"helpers.{module}"), name, None))
    }
    assert len(named) > 15
    assert missing == set()


def test_tables_and_columns_named_in_the_methods_exist():
    package = json.loads((ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))
    fields = {r["name"]: {f["name"] for f in r["schema"]["fields"]} for r in package["resources"]}
    named = re.findall(r"table `(\w+)` \(columns ([^)]*)\)", LINES["methods"])
    assert len(named) == LINES["methods"].count(" table `") > 8
    for table, columns in named:
        assert {*re.findall(r"`(\w+)`", columns)} <= fields[table], table


def test_sections_named_in_the_methods_exist():
    written = {
        path.stem[:2]: [
            " ".join(words.split())
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "markdown"
            for _, words in headings("".join(cell["source"]))
        ]
        for path in (ROOT / "notebooks").glob("*.ipynb")
    }
    named = re.findall(r"\b(0\d) § (.{80})", LINES["methods"] + " " * 80)
    assert len(named) > 15
    for notebook, words in named:
        assert any(words.startswith(section) for section in written[notebook]), words
