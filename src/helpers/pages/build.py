"""Build site/ from a finished run: write what Sphinx reads, render it, replace the old site."""

import os
import shutil
import tempfile
from pathlib import Path

import nbformat
from sphinx.errors import SphinxError

from helpers import datapackage, paths
from helpers.pages import claims, dictionary, facts, gallery, lineage, notebooks, start
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
    """
    try:
        finished = read(run)
        site = paths.output_root() / "site"
        with tempfile.TemporaryDirectory(prefix="detainers-site-") as temporary:
            source, target = Path(temporary, "source"), Path(temporary, "html")
            _write_sources(source, finished)
            render(source, target)
            _replace(site, target)
    except (paths.PathError, datapackage.DataError, SphinxError, OSError) as error:
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
    notebooks.write(run, source)
    pages = _pages(run)
    binder = f"https://mybinder.org/v2/gh/{REPOSITORY.removeprefix('https://github.com/')}/HEAD"
    first = start.page(run, list(pages), f"{binder}?urlpath=lab/tree/notebooks" if REPOSITORY else "")
    for name, text in {"index": first, **pages}.items():
        (source / f"{name}.md").write_text(text, encoding="utf-8")
    static = source / "extra" / "_static"
    static.mkdir()
    (static / "facts.js").write_text(facts.script(), encoding="utf-8")


def _pages(run: Run) -> dict[str, str]:
    """Return every page but the first and the notebooks as Markdown, in order of the contents."""
    titles = {name: opening(run, name)[0] for name in run.notebooks}
    evidence = facts.pages(run)
    pages = {
        "claims": claims.page(run),
        "evidence": _with_below(evidence.pop("evidence"), evidence),
        "figures": gallery.page(run, titles),
        "results": _with_below(lineage.overview(run), below := lineage.pages(run)),
        "data": dictionary.page(),
        **_documents(),
    }
    hidden = {name: f"---\norphan: true\n---\n{text}" for name, text in ({}).items()}
    return {name: text for name, text in pages.items() if text} | evidence | below | hidden
