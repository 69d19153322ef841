"""The first page: the question, what was found, and who should go where."""

from helpers import documents
from helpers.pages import words
from helpers.pages.run import Run, opening
from helpers.results import ResultError, fill

_STUDY = """\
Immigration and Customs Enforcement (ICE) asks a jail to hold a person for it with a *detainer*.
A jail that does not do so *declines* it, and ICE staff record that when they learn of it.
The study asks how many places ICE or others counted as declining detainers between 2017 and 2021,
how old the declined detainers were, and what one policy of ICE's own field offices did to the
counts.

Each number on these pages leads to its lineage: method, interval, caveat and the published figures
it rests on. Each notebook keeps its code under *Show code*."""

_WAYS = {
    "**To read what was found**, take the findings below, then the notebooks in order.": "",
    "**To check a number**, follow it to its [lineage](results.md), or look up a [published "
    "figure](evidence.md).": "results",
    "**To check a newspaper**, see the [claims](claims.md) and their verdicts.": "claims",
    "**To teach or learn**, read the [methods without code](methods.md).": "methods",
    "**To look up a word**, see the [glossary](glossary.md).": "glossary",
    "**To use a figure or the data**, see the [figures](figures.md) with their files, and the "
    "[data dictionary](data.md).": "figures",
}


def page(run: Run, others: list[str], binder: str) -> str:
    """Return the first page as Markdown.

    Parameters
    ----------
    run
        The run.
    others
        Names of the other pages, in order of the contents.
    binder
        Address at which the notebooks can be run in a browser; empty for none.
    """
    lines = ["# Declined Detainers", "", _STUDY, "", "## Who should go where", ""]
    lines += [f"- {way}" for way, needed in _WAYS.items() if not needed or needed in others]
    if binder:
        lines += [f"- **To change and run the notebooks**, open them on [Binder](<{binder}>)."]
    if found := _findings(run):
        lines += ["", "## Findings", "", found]
    lines += ["", "## Notebooks", ""]
    for notebook in run.notebooks:
        title, question = opening(run, notebook)
        lines += [f"- **[{title}]({notebook}.ipynb)**", "", f"  {question}", ""]
    return "\n".join([*lines, "```{toctree}", ":hidden:", *run.notebooks, *others, "```", ""])


def _findings(run: Run) -> str:
    """Return the findings whose results the run has, each number a link to its lineage."""

    def linked(name: str, text: str) -> str:
        page, _, identity = words.result_address(name, run.results).partition("#")
        return f"[{text}]({'' if identity else page}#{identity})"

    lines = []
    for template in documents.FINDINGS:
        try:
            lines.append(f"- {fill(template, run.results, linked)}")
        except ResultError:
            continue
    return "\n".join(lines)
