import json

import pytest

import browser as real
import reference_pages
from helpers import pages, paths
from test_pages import make_project


@pytest.fixture(scope="module")
def browser():
    yield from real.launched()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    real.found()
    return reference_pages.built(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory):
    """The pages of a small run that rests on a fact full of markup."""
    folder = tmp_path_factory.mktemp("hostile")
    real.found()
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_project(folder, monkeypatch)
        return pages.build("reference").parent


def check(browser, site, name, theme, viewport, shots):
    page, problems = real.opened(browser, site / f"{name}.html", theme, viewport)
    assert problems == [], name
    assert fits(page), (name, theme, viewport)
    page.screenshot(path=shots / f"{name}-{theme}-{viewport['width']}.png")
    assert real.violations(page) == [], (name, theme, viewport)
    page.context.close()


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


LOOKS = [
    ("light", real.DESKTOP),
    ("dark", real.DESKTOP),
    ("light", real.PHONE),
    ("dark", real.PHONE),
]


@pytest.mark.parametrize(("theme", "viewport"), [LOOKS[0], LOOKS[3]])
@pytest.mark.parametrize("name", ["index", "03_issuance_policy", "claims", "evidence", "search"])
def test_a_page_has_no_violation_no_error_and_fits(browser, site, name, theme, viewport, tmp_path):
    check(browser, site, name, theme, viewport, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "viewport"), LOOKS)
def test_every_page_has_no_violation_no_error_and_fits(browser, site, theme, viewport, tmp_path):
    for path in sorted(site.glob("*.html")):
        check(browser, site, path.stem, theme, viewport, tmp_path)


@pytest.mark.slow
def test_every_page_flows_into_320_pixels(browser, site):
    for path in sorted(site.glob("*.html")):
        page, problems = real.opened(browser, path, "light", real.NARROW)
        assert problems == []
        assert fits(page), path.name
        page.context.close()


def test_axe_finds_what_is_wrong(browser, site):
    page, _ = real.opened(browser, site / "index.html")
    wrong = "<img src='data:,'><table><tr><th></th><td>1</td></tr></table>"
    page.evaluate(
        "html => document.querySelector('main').insertAdjacentHTML('beforeend', html)", wrong
    )
    found = {line.partition(":")[0] for line in real.violations(page)}
    assert {"image-alt", "empty-table-header"} <= found


def test_search_finds_travis(browser, site):
    page, problems = real.opened(browser, site / "search.html")
    page.goto((site / "search.html").as_uri() + "?q=Travis")
    page.wait_for_selector("#search-results li a")
    assert page.locator("#search-results li a").count() > 0
    assert problems == []


def states(page):
    return json.loads(page.locator("script.choices-data").text_content())["states"]


def test_the_growth_panel_shows_what_the_run_computed_for_the_pair_chosen_by_mouse(browser, site):
    page, problems = real.opened(browser, site / "01_jurisdiction_growth.html")
    form = page.locator("form.choices")
    before = form.locator("output").text_content()
    chosen = states(page)[-1]
    form.locator("select").select_option(chosen["choices"]["baseline"])
    form.locator(f"input[value='{chosen['choices']['endpoint']}']").click()
    assert form.locator("output").text_content() == chosen["text"] + chosen["compared"] != before
    assert f"{chosen['value']:.2f}" in form.locator("svg").get_attribute("aria-label")
    assert problems == []


def test_the_issuance_panel_follows_the_keyboard(browser, site):
    page, _ = real.opened(browser, site / "03_issuance_policy.html")
    form = page.locator("form.choices")
    checked = form.locator("input[name=exclude_travis]:checked")
    before, said = checked.get_attribute("value"), form.locator("output").text_content()
    checked.focus()
    page.keyboard.press("ArrowDown")
    after = form.locator("input[name=exclude_travis]:checked").get_attribute("value")
    assert {before, after} == {"true", "false"}
    values = {
        name: form.locator(f"input[name={name}]:checked").get_attribute("value")
        for name in ("exclude_travis", "apply_withdrawals", "reattribute_state_jail")
    }
    (wanted,) = [state for state in states(page) if state["choices"] == values]
    text = wanted["text"] + wanted["compared"]
    assert form.locator("output").text_content() == text != said
    assert "Changed: Travis County's records. From" in text


def test_a_panel_marks_the_choice_of_the_study_in_controls_sentence_and_figure(browser, site):
    page, _ = real.opened(browser, site / "03_issuance_policy.html")
    form = page.locator("form.choices")
    assert form.locator("label:has(input:checked)").all_inner_texts() == [
        text
        for text in form.locator("label").all_inner_texts()
        if text.endswith("(the study's choice)")
    ]
    assert form.locator("output").text_content().endswith("This is the study's choice.")
    assert form.locator("polygon.used").count() == 0
    form.locator("input:not(:checked)").first.click()
    assert form.locator("polygon.used").count() == form.locator("polygon.chosen").count() == 1


def test_a_chosen_topic_and_a_word_narrow_the_evidence(browser, site):
    page, _ = real.opened(browser, site / "evidence.html")
    form = page.locator("form.facts")
    everything = form.locator("output").text_content()
    form.locator("select[name=topic]").select_option("Travis County")
    form.locator("input[name=words]").fill("Travis")
    assert form.locator("output").text_content() != everything
    first = form.locator("tbody a").first
    first.click()
    assert "evidence-travis-county.html#fact-" in page.url
    assert page.locator(f"#{page.url.partition('#')[2]}").is_visible()


def test_claims_are_filtered_by_verdict_and_sorted_by_keyboard(browser, site):
    page, _ = real.opened(browser, site / "claims.html")
    page.locator("form.filter select").select_option("does not hold")
    shown = page.locator("table[data-tools] tbody tr:visible")
    assert shown.count() > 0
    assert {row.locator("td").nth(1).inner_text().replace("\n", " ") for row in shown.all()} == {
        "does not hold"
    }
    page.locator("button.sort").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    claims = [row.locator("th").inner_text() for row in shown.all()]
    assert claims == sorted(claims, reverse=True)


def test_a_wide_table_is_read_as_cards_on_a_phone_and_is_still_a_table(browser, site):
    page, _ = real.opened(browser, site / "claims.html", viewport=real.PHONE)
    page.wait_for_selector("table.cards")
    box = page.locator(".scroll")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")
    cell = page.get_by_role("row").nth(1).get_by_role("cell").first
    assert cell.evaluate("cell => getComputedStyle(cell, '::before').content").startswith('"State')
    page.set_viewport_size(real.DESKTOP)
    page.wait_for_selector("table:not(.cards)")


def test_a_table_whose_columns_squeeze_its_text_is_read_as_cards_on_a_wide_screen(browser, site):
    page, _ = real.opened(browser, site / "05_claims.html")
    page.wait_for_selector(".scroll[aria-label^='Claims of article'] table.cards")
    of_numbers = page.locator(".scroll[aria-label^='Claims examined'] table")
    assert "cards" not in (of_numbers.get_attribute("class") or "")


def test_a_figure_on_a_phone_is_seen_whole_and_is_wider_than_the_text(browser, site):
    for name in ("01_jurisdiction_growth", "figures"):
        page, _ = real.opened(browser, site / f"{name}.html", viewport=real.PHONE)
        figure = page.locator("a.image-reference img").first.bounding_box()
        text = page.locator("article p").first.bounding_box()
        assert 0 <= figure["x"] < text["x"]
        assert text["width"] < figure["width"] <= real.PHONE["width"] - figure["x"]
        assert fits(page)


def test_what_takes_the_focus_shows_it(browser, site):
    page, _ = real.opened(browser, site / "01_jurisdiction_growth.html")
    page.keyboard.press("Tab")  # from now on the browser shows the focus
    shows = """element => {
        element.focus();
        const style = getComputedStyle(element);
        return style.outlineStyle !== "none" || style.boxShadow !== "none";
    }"""
    for kind in ("a.reference", "summary", "select", "input", ".scroll", "a[download]"):
        assert page.locator(f"main {kind}").first.evaluate(shows), kind


def test_without_a_script_the_evidence_and_the_choices_are_there(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "evidence.html").as_uri())
    assert not page.locator("form.facts").is_visible()
    assert page.get_by_role("link", name="weekly report", exact=True).is_visible()
    page.goto((site / "03_issuance_policy.html").as_uri())
    page.get_by_text("All choices as a table").click()
    assert page.get_by_role("table", name="Result of every choice").is_visible()


def test_a_hostile_fact_stays_text_in_the_browser(browser, hostile_site):
    for name in ("evidence-test", "evidence", "results-01_counts"):
        page, problems = real.opened(browser, hostile_site / f"{name}.html")
        dialogs = []
        page.on(
            "dialog", lambda dialog, seen=dialogs: (seen.append(dialog.message), dialog.dismiss())
        )
        if name == "evidence":
            page.locator("select[name=topic]").select_option("test")
        main = page.locator("main")
        assert "<script>alert(1)</script>" in main.inner_text()
        assert "\u202e" not in main.inner_text()
        assert main.locator("script:not([src]), img[onerror], a[href^=javascript]").count() == 0
        assert dialogs == problems == []


def test_the_heaviest_pages_are_light_at_first_view(browser, site):
    heaviest = sorted(site.glob("*.html"), key=lambda path: path.stat().st_size)[-4:]
    for path in [*heaviest, site / "evidence.html"]:
        assert 400_000 < real.loaded(browser, path) < 1_000_000, path.name


@pytest.mark.slow
def test_every_page_is_light_at_first_view(browser, site):
    loaded = {path.name: real.loaded(browser, path) for path in site.glob("*.html")}
    assert {name: size for name, size in loaded.items() if size >= 1_000_000} == {}


def test_a_notebook_opens_with_what_is_learnt_and_ends_with_folded_answers(browser, site):
    page, _ = real.opened(browser, site / "01_jurisdiction_growth.html")
    assert page.locator("h2").first.inner_text().startswith("What you will learn")
    answer = page.locator("#exercises details").filter(has_text="Answer to exercise 1")
    code = answer.locator("pre").first
    assert not code.is_visible()
    answer.locator("summary").press("Enter")
    assert code.is_visible()


def test_the_page_of_reproduction_names_the_packages_of_the_manifest(site):
    made = json.loads(
        (paths.project_root() / "papermill_runs/reference/manifest.json").read_bytes()
    )
    text = (site / "reproduction.html").read_text(encoding="utf-8")
    for package, version in made["versions"]["packages"].items():
        assert package in text
        assert version in text
