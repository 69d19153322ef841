"""The first page: in a minute what was asked, found and not shown; and who should go where."""

from collections.abc import Iterator

from helpers import documents
from helpers.pages import findings
from helpers.pages.run import Run, opening

_STUDY = """\
Immigration and Customs Enforcement (ICE), an agency of the United States, asks a jail to hold a
person for it with a *detainer*. A jail that does not do so *declines* it, and ICE staff record that
when they learn of it. In early 2017 ICE published weekly reports of declined detainers, with
errors, and newspapers drew conclusions from them. **What do those figures really show?**"""

_LINKS = """\
Each number on these pages is a link: it leads to how the number was made, how uncertain it is, and
the published figures it rests on. Each notebook keeps its code under *Show code*."""

_WAYS = (
    (
        "**A student** begins with [growth](01_jurisdiction_growth.ipynb): each notebook explains "
        "its terms and ends with exercises.",
        "01_jurisdiction_growth",
    ),
    ("**Who meets a strange word** finds it in the [glossary](glossary.md).", "glossary"),
    (
        "**A lecturer** finds [methods without code](methods.md), and in each notebook learning "
        "goals and exercises with tested answers.",
        "methods",
    ),
    ("**Who checks a newspaper** goes to its [claims](claims.md) and their verdicts.", "claims"),
    (
        "**A reviewer** follows any number to its [lineage](results.md), looks up the "
        "[published figures](evidence.md) and their [conflicts](conflicts.md), and reads whether "
        "[the methods work](06_method_validation.ipynb).",
        "06_method_validation",
    ),
    (
        "**Who needs a figure or the data** takes them from the [figures](figures.md) and the "
        "[data dictionary](data.md).",
        "figures",
    ),
)
"""Who should go where, and the page without which the way is left out."""


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
    lines = ["# Declined Detainers", "", _STUDY, "", *_answers(run), _LINKS, ""]
    lines += ["## Who should go where", ""]
    lines += [f"- {way}" for way, needed in _WAYS if needed in (*run.notebooks, *others)]
    if binder:
        lines += [f"- **Who wants to change a notebook** opens it on [Binder](<{binder}>)."]
    if found := findings.listed(documents.FINDINGS, run):
        lines += ["", "## Findings in full", "", found]
    lines += ["", "## Notebooks", ""]
    for notebook in run.notebooks:
        title, question = opening(run, notebook)
        lines += [f"- **[{title}]({notebook}.ipynb)**", "", f"  {question}", ""]
    return "\n".join([*lines, "```{toctree}", ":hidden:", *run.notebooks, *others, "```", ""])


def _answers(run: Run) -> Iterator[str]:
    """Yield the study's questions in plain words, as far as the run answers them."""
    answers = [a for a in findings.ANSWERS if a.notebook in run.notebooks]
    for number, answer in enumerate(answers, start=1):
        if found := findings.sentence(answer.found, run):
            yield f"## {number}. {answer.question}"
            yield f"\n<p><strong>Found.</strong> {found}</p>"
            yield f"<p><strong>Not shown.</strong> {answer.not_shown}</p>\n"
            yield f"[{opening(run, answer.notebook)[0]}]({answer.notebook}.ipynb)\n"
