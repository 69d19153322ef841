"""Sphinx and its settings: Markdown and notebooks to HTML, formulas to MathML, without a script."""

import io
import os
import re
import warnings
from pathlib import Path
from typing import Any

from docutils import nodes  # type: ignore[import-untyped]
from docutils.utils.math import latex2mathml  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.util.console import strip_escape_sequences
from sphinx.util.docutils import docutils_namespace, patch_docutils
from sphinx.writers.html5 import HTML5Translator

from helpers.pages import weight
from helpers.pages.run import PagesError

TITLE = "Declined Detainers"
# The theme loads these on every page, for a search while one types that is switched off.
_SEARCH = re.compile(
    r'<script src="(_static/searchtools|_static/language_data|searchindex)\.js.*\n'
)
# A table of Markdown gets the same box as the others.
_TABLE = re.compile(
    r'<div class="pst-scrollable-table-container">'
    r'(?=<table.*?<span class="caption-text">(.*?)</span>)',
    re.S,
)
_BOX = r'<div class="scroll" role="region" tabindex="0" aria-label="\1">'
# It draws the icons of firms as pictures; ours come from a font.
_ICONS = re.compile(r'<script defer src="_static/scripts/fontawesome\.js.*\n')
# MyST-NB gives folded code a name that is not the words one sees.
_FOLDED = '<summary aria-label="Toggle hidden content">'
_THEME = Path(__file__).parent / "theme"


def render(source: Path, target: Path) -> None:
    """Render a folder of Markdown and notebooks.

    Raises
    ------
    PagesError
        If Sphinx warns of anything.
    """
    messages = io.StringIO()
    with patch_docutils(), docutils_namespace(), warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # between Sphinx and MyST-NB
        app = Sphinx(
            source,
            None,
            target,
            source.with_name("doctrees"),
            "html",
            confoverrides=_settings(source),
            status=None,
            warning=messages,
        )
        app.build()
    if text := strip_escape_sequences(messages.getvalue()).strip():
        raise PagesError(text.splitlines()[0].replace(f"{source}{os.sep}", ""))
    for page in target.glob("*.html"):
        made = page.read_text(encoding="utf-8")
        made = made.replace('<th class="head', '<th scope="col" class="head')
        made = _TABLE.sub(_BOX, made)
        made = made.replace(f"<title>{TITLE} &#8212; ", "<title>")
        made = _ICONS.sub("", made.replace(_FOLDED, "<summary>"))
        if page.stem != "search":
            made = _SEARCH.sub("", made)
        page.write_text(weight.with_late_images(made, target), encoding="utf-8")
    weight.lighten(target)


def setup(app: Sphinx) -> None:
    """Tell Sphinx how formulas are written (it calls this; the module is its extension)."""
    app.add_html_math_renderer("mathml", (_inline_formula, None), (_formula, None))
    app.connect("doctree-read", _name_tables)


def _name_tables(_: Sphinx, document: nodes.document) -> None:
    """Give a table of Markdown, which cannot have a caption, the heading above it as its own."""
    for table in document.findall(nodes.table):
        section = table.parent
        while section and not isinstance(section, nodes.section):
            section = section.parent
        if section and not isinstance(table[0], nodes.title):
            name = section[0].astext()
            table.insert(0, nodes.title(name, name))
            document.set_id(table)


def _inline_formula(writer: HTML5Translator, node: nodes.math) -> None:
    writer.body.append(latex2mathml.tex2mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def _formula(writer: HTML5Translator, node: nodes.math_block) -> None:
    writer.body.append(f"<div>{latex2mathml.tex2mathml(node.astext(), as_block=True)}</div>")
    raise nodes.SkipNode


def _settings(source: Path) -> dict[str, Any]:
    return {
        "project": TITLE,
        "html_title": TITLE,
        "language": "en",
        "extensions": ["myst_nb", __name__],
        "html_math_renderer": "mathml",
        "myst_enable_extensions": ["dollarmath"],
        "nb_execution_mode": "off",
        "nb_code_prompt_show": "Show code",
        "nb_code_prompt_hide": "Hide code",
        "exclude_patterns": ["jupyter_execute", "extra"],
        "smartquotes": False,  # a figure is shown as printed
        "html_theme": "pydata_sphinx_theme",
        "html_theme_options": {"navbar_center": [], "footer_start": [], "footer_end": []},
        "html_context": {"default_mode": "auto"},
        "html_sidebars": {"**": ["contents"]},
        "templates_path": [str(_THEME / "templates")],
        "html_static_path": [str(_THEME / "static")],
        "html_css_files": ["study.css"],
        "html_js_files": [("study.js", {"defer": "defer"})],
        "html_extra_path": [str(source / "extra")],
        "html_copy_source": False,
        "html_show_copyright": False,
        "html_use_index": False,
        "html_show_search_summary": False,  # it fetches pages, which browsers refuse for files
    }
