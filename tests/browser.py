"""A real browser for the tests of the pages: Debian's chromium, else a Chrome that is there."""

import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 700}
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


def found():
    """Address of a browser's program; the test is skipped where there is none."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("no browser found: install chromium to test the pages in one")
    return program


def launched():
    """Yield a browser, for a fixture."""
    program = found()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--allow-file-access-from-files=false"]
        )
        yield browser
        browser.close()


def opened(browser, path, theme="light", viewport=DESKTOP):
    """A page of the site, and lists of what it asked for elsewhere and of what went wrong."""
    context = browser.new_context(viewport=viewport, color_scheme=theme, reduced_motion="reduce")
    page = context.new_page()
    problems = []
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    root = path.parent.as_uri()
    page.on("request", lambda r: r.url.startswith((root, "data:")) or problems.append(r.url))
    page.goto(path.as_uri())
    return page, problems


def loaded(browser, path, viewport=DESKTOP):
    """Bytes of all files that a page loads at first view, as they are on disk."""
    page = browser.new_page(viewport=viewport)
    files = set()
    page.on("request", lambda request: files.add(unquote(urlsplit(request.url).path)))
    page.goto(path.as_uri(), wait_until="networkidle")
    page.close()
    return sum(Path(file).stat().st_size for file in files if Path(file).is_file())


def violations(page):
    """What axe finds: rule, and where it is broken, one line each."""
    found = Axe().run(page, options=_RULES).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"][:3]]
