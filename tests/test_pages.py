import base64
import csv
import json
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers import evidence, locks, pages, paths
from helpers.locks import BusyError
from helpers.pages import words

HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) a|b {math}`c` <img src=x onerror=y>"
ALT = 'Line chart: "declined" falls from 206 to 47 & stays <low>'
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)


def result(value, inputs, cell, **more):
    defaults = {
        "unit": "detainers per week",
        "interval": None,
        "level": None,
        "method": "as printed",
        "notebook": "01_counts",
        "synthetic": False,
        "caveat": None,
        "tolerance": 1e-6,
        "decimals": 0,
    }
    return {"value": value, **defaults, "inputs": inputs, "cell": cell, **more}


RESULTS = {
    "weeks.declined": result(206.0, ["fact:A004", "fact:X001"], "declined"),
    "weeks.mean_issued": result(
        2859.51, ["series:weekly_detainers", "parameter:source_policy"], "declined", decimals=1
    ),
    "share.declined_of_issued": result(
        0.0717,
        ["result:weeks.declined", "result:weeks.mean_issued", "assumption:a_guess"],
        "share",
        unit="ratio",
        interval=[0.0631, None],
        level=0.95,
        method="one | over *the* other",
        notebook="02_share",
        synthetic=True,
        caveat="Weeks differ by a day.",
        decimals=3,
    ),
}


def cell(cell_id, source, *outputs, tags=()):
    return new_code_cell(source, id=cell_id, outputs=list(outputs), metadata={"tags": list(tags)})


def said(text):
    return new_output("display_data", {"text/markdown": text, "text/plain": "<Markdown object>"})


def drawn(alt):
    data = {"image/png": base64.b64encode(PNG).decode(), "text/plain": "<Image object>"}
    return new_output("execute_result", data, metadata={"image/png": {"alt": alt}})


def counts_notebook():
    sentence = (
        "ICE counted [206](results.json#weeks.declined) <b>refusals</b>, "
        "[one](results.json#of.another_run) of another run.\n\n"
        "| result | value |\n|---|---|\n| [`weeks.declined`](results.json#weeks.declined) | 206 |"
    )
    question = "**Question.** How many detainers\nwere *declined* a week?"
    opening = f"# How many?\n\n{question}\n\nIn short: below."
    return [
        new_markdown_cell(opening, id="opening"),
        cell("imports", "raise SystemExit('pages execute nothing')"),
        new_markdown_cell("## Counts\n\nThe [share](02_share.ipynb) follows.", id="counts"),
        cell("declined", "results.say('...')", said(sentence), tags=["hide-input"]),
        cell("drawing", "fig = draw()"),
        cell("figure", "figures.save(fig)", drawn(ALT)),
    ]


def share_notebook():
    return [
        new_markdown_cell("# What share?\n\nWhich share of detainers was declined?", id="opening"),
        new_markdown_cell("The share is $S(a) = g(a)/g(0)$.", id="formula"),
        cell("share", "results.put('share')", said("About [0.072](results.json#x)")),
    ]


def write_run(project, run="reference"):
    folder, figures = project / "papermill_runs" / run, project / "figures" / run
    folder.mkdir(parents=True)
    figures.mkdir(parents=True)
    notebooks = {"01_counts": counts_notebook(), "02_share": share_notebook()}
    for name, cells in {**notebooks, "03_broken.failed": [new_markdown_cell("# No")]}.items():
        nbformat.write(new_notebook(cells=cells), folder / f"{name}.ipynb")
    content = {"schema": 1, "run": run, "results": RESULTS}
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    (figures / "declined_by_week.png").write_bytes(PNG)
    for suffix in ("csv", "svg"):
        (figures / f"declined_by_week.{suffix}").write_text("week,declined\n", encoding="utf-8")
    about = {
        "title": "Fewer were declined",
        "alt": ALT,
        "source": "ICE.",
        "notebook": "01_counts",
        "cell": "figure",
        "inputs": ["fact:A004"],
    }
    (figures / "declined_by_week.json").write_text(json.dumps(about), encoding="utf-8")


def append_row(path, **values):
    with path.open(encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file))
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, columns, lineterminator="\n").writerow(values)


def make_project(folder, monkeypatch):
    shutil.copytree(paths.project_root() / "data", folder / "data")
    append_row(
        folder / "data/evidence/sources.csv",
        source_id="hostile-1",
        title=HOSTILE,
        publisher=HOSTILE,
        url='https://example.org/"><script>alert(1)</script>',
        kind="press",
    )
    append_row(
        folder / "data/evidence/facts.csv",
        fact_id="X001",
        topic="test",
        quantity="test",
        series="test",
        value="1",
        value_text=f"\u202e{HOSTILE}",
        value_type="number",
        qualifier="exact",
        unit="detainers",
        place_level="none",
        definition=HOSTILE,
        basis="as quoted",
        source_id="hostile-1",
        confidence="low",
    )
    append_row(
        folder / "data/judgements/assumptions.csv",
        assumption="a_guess",
        value="0.5",
        unit="share",
        meaning="half of them",
        reason="Nothing is published.",
    )
    monkeypatch.setenv("DETAINERS_ROOT", str(folder))
    monkeypatch.delenv("DETAINERS_OUT", raising=False)
    write_run(folder)


@pytest.fixture
def project(tmp_path, monkeypatch):
    make_project(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_project(folder, monkeypatch)
        index = pages.build("reference")
    assert index == folder / "site" / "index.html"
    return index.parent


def page(site, name):
    return BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def all_pages(site):
    return {path.stem: page(site, path.stem) for path in sorted(site.glob("*.html"))}


def section(site, result_id, notebook="02_share"):
    anchor = page(site, f"results-{notebook}").find(id=result_id)
    return anchor if anchor.name == "section" else anchor.find_parent("section")


def test_a_run_becomes_pages_of_notebooks_results_evidence_figures_and_data(site):
    names = {name for name in all_pages(site) if not name.startswith("evidence-")}
    results = {"results", "results-01_counts", "results-02_share"}
    others = {"index", "search", "evidence", "conflicts", "figures", "data"}
    assert names == {"01_counts", "02_share", *results, *others}


def test_every_page_has_one_first_heading(site):
    for name, soup in all_pages(site).items():
        assert len(soup.find_all("h1")) == 1, name


def test_the_first_page_names_the_study_once(site):
    assert page(site, "index").title.get_text() == "Declined Detainers"
    assert page(site, "figures").title.get_text() == "Figures \u2014 Declined Detainers"


def test_the_index_lists_notebooks_with_their_question(site):
    main = page(site, "index").find("main")
    listed = {a["href"]: a.get_text() for a in main.article.find_all("a", href=True)}
    assert listed["01_counts.html"] == "How many?"
    assert main.find("p", string="Which share of detainers was declined?") is not None
    assert "\nHow many detainers were declined a week?\n" in main.get_text()
    assert main.find("em", string="declined") is not None


def test_the_list_of_results_leads_to_the_lineage_of_each(site):
    listed = {a.get_text(): a["href"] for a in page(site, "results").main.find_all("a", href=True)}
    for name, entry in RESULTS.items():
        slug = name.replace(".", "-").replace("_", "-")
        assert listed[name] == f"results-{entry['notebook']}.html#{slug}"


def test_the_list_of_results_shows_value_interval_synthetic_mark_and_caveat(site):
    rows = page(site, "results").find("table").find_all("tr")
    row = next(row for row in rows if "share.declined_of_issued" in row.get_text())
    value, interval, note = (td.get_text() for td in row.find_all("td"))
    assert value == "0.072 ratio"
    assert interval == "at least 0.063 (95% interval)"
    assert "Synthetic" in note
    assert "Weeks differ by a day." in note


def test_every_internal_link_and_download_resolves(site):
    soups = all_pages(site)
    checked = 0
    for name, soup in soups.items():
        for tag in soup.find_all(href=True) + soup.find_all(src=True):
            target = urlsplit(tag.get("href") or tag["src"])
            if target.scheme in ("http", "https", "data") or tag.get("href") == "#":
                continue
            file = site / (unquote(target.path) or f"{name}.html")
            assert file.is_file(), (name, str(tag)[:200])
            if target.fragment:
                assert soups[file.stem].find(id=target.fragment), (name, str(tag)[:200])
            checked += 1
    assert checked > 50


def test_no_page_loads_anything_from_elsewhere(site):
    for name, soup in all_pages(site).items():
        loaded = soup.find_all(["script", "img", "iframe", "source"], src=True)
        addresses = [tag["src"] for tag in loaded]
        addresses += [tag["href"] for tag in soup.find_all("link", href=True)]
        assert [a for a in addresses if a.startswith(("http:", "https:", "//"))] == [], name
    for sheet in site.rglob("*.css"):
        assert "url(http" not in sheet.read_text(encoding="utf-8").replace('"', ""), sheet


def test_numbers_in_a_notebook_lead_to_their_lineage(site):
    main = page(site, "01_counts").find("main")
    number = main.find("a", string="206")
    assert number["href"] == "results-01_counts.html#weeks-declined"
    assert main.find("td").find("a")["href"] == "results-01_counts.html#weeks-declined"
    assert main.find("a", string="one")["href"] == "results.html"
    assert "results.json" not in str(main)


def test_html_inside_a_sentence_stays_text(site):
    main = page(site, "01_counts").find("main")
    assert "<b>refusals</b>" in main.get_text()


def test_a_result_gives_value_method_caveat_and_the_cell_that_made_it(site):
    made = section(site, "share-declined-of-issued")
    text = made.get_text()
    assert made.find("h2").get_text().startswith("share.declined_of_issued")
    assert "0.072 ratio, at least 0.063 (95% interval)" in text
    assert "one | over *the* other" in text
    assert "Weeks differ by a day." in text
    assert "Synthetic" in text
    link = made.find("a", string="What share?")["href"]
    file, anchor = link.split("#")
    assert file == "02_share.html"
    assert "results.put" in page(site, "02_share").find(id=anchor).get_text()


def test_a_notebook_whose_numbers_are_synthetic_says_so_before_all_else(site):
    main = page(site, "02_share").find("main")
    box = main.find(class_="found")
    assert "Synthetic: made-up data, not observations." in box.get_text()
    assert box.find_previous("h1") is not None
    assert box.find_previous(class_="cell") is None
    assert page(site, "01_counts").find("main").find(class_="found") is None


def test_a_result_is_resolved_down_to_published_figures_and_their_sources(site):
    made = section(site, "share-declined-of-issued")
    text = " ".join(made.get_text().split())
    weeks = made.find("a", href="results-01_counts.html#weeks-declined")
    assert weeks.get_text() == "weeks.declined"
    assert "assumption a_guess: 0.5 share: half of them" in text
    assert "fact A004: 206 detainers (exact, United States, 2017-01-28 to 2017-02-03)" in text
    assert "series weekly_detainers: Detainers a week" in text
    drawn = made.find("a", string="drawn as a picture")["href"]
    assert "fact A004" in (site / drawn).read_text(encoding="utf-8")
    address = made.find("a", string="fact A004")["href"]
    assert address == "evidence-weekly-report.html#fact-a004"
    fact = page(site, "evidence-weekly-report").find(id="fact-a004")
    assert fact.find("a", href=lambda href: "eastcounty" in href)["href"].startswith("http")
    assert "weeks.declined" in fact.get_text()


def test_the_evidence_has_every_figure_and_each_conflict_names_its_members(site):
    topics = [soup for name, soup in all_pages(site).items() if name.startswith("evidence-")]
    facts = [found["id"] for soup in topics for found in soup.select("section.fact")]
    assert len(facts) == len(set(facts)) == len(evidence.load().facts) + 1  # and the hostile one
    data = (site / "_static/facts.js").read_text(encoding="utf-8")
    rows = json.loads(data.removeprefix("window.studyFacts = ").removesuffix(";\n"))
    assert {row[1].partition("#")[2] for row in rows} == set(facts)
    conflict = page(site, "conflicts").find(id="conflict-a001")
    links = [a.get_text() for a in conflict.find_parent("section").find_all("a")]
    assert {"A001", "A003", "A004"} <= set(links)


def test_a_hostile_fact_stays_text(site):
    soup = page(site, "evidence-test")
    item = soup.find(id="fact-x001")
    assert item.get_text().count(HOSTILE) >= 3
    assert "\u202e" not in soup.get_text()
    assert not any("alert(1)" in (script.string or "") for script in soup.find_all("script"))
    assert soup.find("img", onerror=True) is None
    assert not [a for a in soup.find_all("a", href=True) if a["href"].startswith("javascript")]
    source = item.find("a", href=lambda href: href.startswith("https://example.org"))
    assert source["href"] == "https://example.org/%22%3E%3Cscript%3Ealert(1)%3C/script%3E"


def test_a_figure_has_its_alt_text_and_its_data(site):
    main = page(site, "01_counts").find("main")
    (image,) = main.find_all("img")
    assert image["alt"] == ALT
    links = {a.get_text(): a["href"] for a in main.select(".figure-files a[download]")}
    assert links == {kind: f"figures/declined_by_week.{kind}" for kind in ("csv", "svg", "png")}


def test_code_is_folded_but_there(site):
    cells = page(site, "01_counts").select("div.cell")
    assert len(cells) == 3
    for code in cells:
        assert code.find("details").find("summary").get_text(strip=True).startswith("Show code")
    assert "pages execute nothing" in cells[0].get_text()


def test_code_that_shows_nothing_is_folded_with_the_code_after_it(site):
    *_, last = page(site, "01_counts").select("div.cell")
    assert "fig = draw()" in last.get_text()
    assert "figures.save(fig)" in last.get_text()


def test_search_knows_words_of_results_and_notebooks(site):
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert "refus" in index
    assert "east" in index


def test_a_build_is_silent_and_leaves_nothing_but_the_site(project, capfd):
    pages.build("reference")
    assert capfd.readouterr() == ("", "")
    assert sorted(path.name for path in project.iterdir()) == [
        "data",
        "figures",
        "papermill_runs",
        "site",
    ]


def test_a_new_build_replaces_the_old_site(project):
    stale = project / "site" / "stale.html"
    stale.parent.mkdir()
    stale.write_text("old", encoding="utf-8")
    pages.build("reference")
    assert not stale.exists()


def break_link(folder):
    path = folder / "02_share.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(new_markdown_cell("[gone](no_such_page.ipynb)"))
    nbformat.write(notebook, path)


def break_title(folder):
    nbformat.write(new_notebook(cells=[new_markdown_cell("No title")]), folder / "02_share.ipynb")


def break_notebook(folder):
    (folder / "02_share.ipynb").write_text("{", encoding="utf-8")


def break_input(folder):
    content = {"results": {"a.b": result(1.0, ["fact:A999"], "declined")}}
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (break_link, "no_such_page"),
        (break_title, "02_share"),
        (break_notebook, "unreadable"),
        (break_input, "fact:A999"),
    ],
)
def test_a_failed_build_says_why_in_a_line_and_leaves_the_old_site(project, damage, named):
    old = project / "site" / "index.html"
    old.parent.mkdir()
    old.write_text("old", encoding="utf-8")
    damage(project / "papermill_runs" / "reference")
    with pytest.raises(pages.PagesError, match=named) as caught:
        pages.build("reference")
    assert "\n" not in str(caught.value)
    assert str(project) not in str(caught.value)
    assert [path.name for path in (project / "site").iterdir()] == ["index.html"]
    assert old.read_text(encoding="utf-8") == "old"


def test_the_report_of_a_check_is_shown_where_there_is_one(project):
    manifest = {"schema": 2, "versions": {"python": "3", "platform": "x", "packages": {}}}
    folder = project / "papermill_runs"
    (folder / "reference/manifest.json").write_text(json.dumps({**manifest, "notebooks": {}}))
    pages.build("reference")
    assert page(project / "site", "reproduction").find("a", href="check.html") is None
    (folder / "reference.check").mkdir()
    (folder / "reference.check/check.html").write_text("<h1>Report</h1>", encoding="utf-8")
    level = {"level": "result", "compared": 1660, "different": 2, "same_if": "within tolerance"}
    now = {"python": "3.14.0", "platform": "Linux arm64"}
    report = {"ok": False, "started": "2026-01-02T03:04:05+00:00", "levels": [level]}
    found = json.dumps({**report, "environment": {"now": now}})
    (folder / "reference.check/check.json").write_text(found, encoding="utf-8")
    pages.build("reference")
    shown = page(project / "site", "reproduction")
    assert shown.find("a", href="check.html") is not None
    said = shown.get_text()
    assert "On 2026-01-02 the run was executed again, with Python 3.14.0 on Linux arm64" in said
    assert "some of it differs" in said
    assert "1,660" in said
    assert page(project / "site", "check").h1.get_text() == "Report"


def test_what_was_measured_is_a_page_with_its_files(project):
    folder = project / "benchmarks"
    folder.mkdir()
    text = "# Benchmarks\n\nOf [results.json](results.json), and [records](records.md).\n\n"
    table = "## Targets\n\n| what | seconds |\n|---|---:|\n| a run | 3 |\n"
    (folder / "README.md").write_text(text + table, encoding="utf-8")
    (folder / "records.md").write_text("# Records\n\n[All](README.md)\n", encoding="utf-8")
    for name in ("results.json", "notebook.ipynb"):
        (folder / name).write_text("{}", encoding="utf-8")
    pages.build("reference")
    links = [a["href"] for a in page(project / "site", "benchmarks").article.select("p a")]
    assert links == ["benchmarks/results.json", "benchmarks-records.html"]
    assert (project / "site" / links[0]).read_text(encoding="utf-8") == "{}"
    box = page(project / "site", "benchmarks").find(class_="scroll")
    assert box["aria-label"] == "Targets"
    assert box.find("caption").get_text().startswith("Targets")
    assert page(project / "site", links[1].removesuffix(".html")).find("a", string="All")


def test_a_missing_run_is_refused_with_the_runs_that_exist(project):
    write_run(project, "mine")
    with pytest.raises(pages.PagesError, match=r"'other'.*mine, reference"):
        pages.build("other")


def test_a_run_name_that_leaves_its_folder_is_refused(project):
    with pytest.raises(paths.PathError, match=r"^run name '../reference': .*letters, digits"):
        pages.build("../reference")


def test_a_run_that_is_being_written_is_refused_and_the_old_site_stays(project):
    site = project / "site" / "index.html"
    paths.write_atomically(site, "old")
    with (
        locks.writing(project / "papermill_runs" / "reference", "it"),
        pytest.raises(BusyError, match="another process is writing the run 'reference'"),
    ):
        pages.build("reference")
    assert site.read_text(encoding="utf-8") == "old"


def test_the_site_is_written_where_outputs_go(project, monkeypatch, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    shutil.copytree(project / "papermill_runs", out / "papermill_runs")
    monkeypatch.setenv("DETAINERS_OUT", str(out))
    assert pages.build("reference") == Path(out, "site", "index.html")


@pytest.mark.parametrize("content", ['{"results": {"a.b": {}}}', '{"results": [1]}', "{", "[]"])
def test_a_damaged_results_file_is_one_line(project, content):
    write_run(project, "mine")
    (project / "papermill_runs/mine/results.json").write_text(content, encoding="utf-8")
    with pytest.raises(pages.PagesError) as caught:
        pages.build("mine")
    assert "mine" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_figure_in_the_gallery_has_description_data_and_citation(site):
    main = page(site, "figures").find("main")
    (image,) = main.find_all("img")
    assert image["alt"] == ALT
    assert ALT in main.find("details").get_text()
    assert [th.get_text() for th in main.select("table th")] == ["week", "declined"]
    assert "How to cite" in main.get_text()


def test_every_table_has_scoped_headers_a_caption_or_name_and_takes_the_focus(site):
    for name, soup in all_pages(site).items():
        for table in soup.main.find_all("table"):
            box = table.find_parent(class_="scroll")
            assert box["tabindex"] == "0", name
            assert box["aria-label"], name
            assert all(th.get("scope") and th.get_text() for th in table.find_all("th")), name


def test_in_a_table_a_date_stays_whole_and_a_long_name_may_break():
    made = words.scrolling('<td title="2017-02-03">a_b from 2017-02-03, 0.123456789012</td>', "x")
    assert '<td title="2017-02-03">a_b from <span class="date">2017-02-03</span>, 0.1' in made
    made = words.scrolling("<td>weeks.declined_in_all &amp; more</td>", "x")
    assert "<td>weeks.<wbr>declined_<wbr>in_<wbr>all &amp; more</td>" in made


def test_formulas_are_mathml_without_a_script(site):
    soup = page(site, "02_share")
    assert soup.find("math") is not None
    assert not [
        s["src"] for s in soup.find_all("script", src=True) if "mathjax" in s["src"].lower()
    ]
