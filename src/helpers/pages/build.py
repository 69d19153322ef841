"""Build site/ from a finished run: write what Sphinx reads, render it, replace the old site."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import nbformat
from sphinx.errors import SphinxError

from helpers import locks, paths
from helpers.errors import UserError
from helpers.pages import (
    claims,
    dictionary,
    facts,
    gallery,
    lineage,
    notebooks,
    reproduction,
    start,
    texts,
)
from helpers.pages.render import render
from helpers.pages.run import PagesError, Run, opening, read

REPOSITORY = ""
"""Address of the public repository (https://github.com/OWNER/NAME); empty: no link to Binder."""


def build(run: str) -> Path:
    """Render a run to the folder site/.

    The new pages replace the old ones when they are complete; after a failure the old ones stand.

    Parameters
    ----------
    run
        Name of a run in papermill_runs/.

    Returns
    -------
    Path
        The first page.

    Raises
    ------
    PagesError
        If the run is missing or unfinished, data/ lacks what its results rest on, or a page
        cannot be rendered without a warning.
    helpers.errors.UserError
        If what the pages show cannot be read, or another process is writing the run.
    """
    try:
        site = paths.output_root() / "site"
        with tempfile.TemporaryDirectory(prefix="detainers-site-") as temporary:
            source, target = Path(temporary, "source"), Path(temporary, "html")
            with locks.reading(paths.run_folder(run), run):
                _write_sources(source, read(run))
            render(source, target)
            paths.replace_folder(site, target)
    except UserError:
        raise
    except (SphinxError, OSError) as error:
        raise PagesError(" ".join(f"pages of run {run!r}: {error}".split())) from error
    except (LookupError, TypeError, AttributeError, ValueError, nbformat.ValidationError) as error:
        what = f"{type(error).__name__}: {error}".split()
        raise PagesError(
            f"run {run!r} has a damaged file ({' '.join(what)[:120]}); run it again"
        ) from error
    return site / "index.html"


def _write_sources(source: Path, run: Run) -> None:
    """Write what Sphinx reads: pages as Markdown, notebooks, and files to download."""
    gallery.copy_files(run, source / "extra" / "figures")
    texts.copy_files(source / "extra" / "benchmarks")
    notebooks.write(run, source)
    pages, below = _pages(run)
    first = start.page(run, list(pages), _binder())
    for name, text in {"index": first, **pages, **below}.items():
        (source / f"{name}.md").write_text(text, encoding="utf-8")
    if (report := reproduction.check_report(run)).is_file():
        shutil.copyfile(report, source / "extra" / "check.html")
    drawings = source / "extra" / "lineage"
    drawings.mkdir()
    for name, drawing in lineage.drawings(run).items():
        (drawings / name).write_text(drawing, encoding="utf-8")
    static = source / "extra" / "_static"
    static.mkdir()
    (static / "facts.js").write_text(facts.script(run), encoding="utf-8")


def _binder() -> str:
    name = REPOSITORY.removeprefix("https://github.com/")
    return name and f"https://mybinder.org/v2/gh/{name}/HEAD?urlpath=lab/tree/notebooks"


def _pages(run: Run) -> tuple[dict[str, str], dict[str, str]]:
    """Return the pages of the contents but the first and the notebooks, and those below them."""
    titles = {name: opening(run, name)[0] for name in run.notebooks}
    below_evidence, below_results = facts.pages(run), lineage.pages(run)
    pages = {
        "claims": claims.page(run),
        "evidence": _with_below(below_evidence.pop("evidence"), below_evidence),
        "figures": gallery.page(run, titles),
        "results": _with_below(lineage.overview(run), below_results),
        "data": dictionary.page(),
        "reproduction": reproduction.page(run),
        **texts.pages(run),
    }
    return {name: text for name, text in pages.items() if text}, below_evidence | below_results


def _with_below(text: str, pages: Iterable[str]) -> str:
    return "\n".join([text, "```{toctree}", ":hidden:", *pages, "```", ""])
