"""Findings in sentences, each number a link to its lineage."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from helpers import documents
from helpers.pages import words
from helpers.pages.run import Run
from helpers.results import ResultError, fill


class Answer(NamedTuple):
    """A question of the study, what was found, and what that does not show."""

    question: str
    found: str
    not_shown: str
    notebook: str


ANSWERS = (
    Answer(
        "By how much did non-cooperation grow from 2017 to 2021?",
        "Newspapers set a list of {growth.baseline.count} jurisdictions that ICE published in "
        "early 2017 beside {growth.endpoint.count} jails that an official is said to have counted "
        "in 2021. That is **{growth.factor} times** as many, but of something else: a jurisdiction "
        "is not a jail. Other published counts that could be joined as well give "
        "**{growth.factor.lowest} to {growth.factor.highest} times**.",
        "Whether the number of places that decline grew. No two counts share both what an entry is "
        "and what puts it on the list.",
        "01_jurisdiction_growth",
    ),
    Answer(
        "How old were the declined detainers?",
        "One county, Travis in Texas, published what it held on one day. Half of the detainers "
        "that its new policy ended belonged to people booked into its jail within the last "
        "**{ages.travis.median_weeks} weeks** (95% interval {ages.travis.median_weeks:interval}).",
        "How old the declined detainers of the whole country were. Their dates of issue were not "
        "published in a form that can be counted.",
        "02_detainer_age",
    ),
    Answer(
        "What did one policy of ICE's own field offices do to the counts?",
        "ICE's second weekly report has **{issuance.raw.rate_ratio} times** the declined detainers "
        "of the first, per detainer issued. Leave out Travis County and the records that ICE took "
        "back, and it has **{issuance.adjusted.rate_ratio} times** (95% interval "
        "{issuance.adjusted.rate_ratio:interval}; an interval that holds 1 shows no difference).",
        "What the policy did. No source says which offices followed it, or when they stopped.",
        "03_issuance_policy",
    ),
)
"""The three questions in plain words: templates, filled from a run's results."""

OF_METHODS = (
    "Of {report.section_1.cells} counts in the report's first section, one for each jurisdiction, "
    "the small-cell rule lets {report.section_1.cells_shown} be shown.",
    "Of the {report.published.listed_counties} counties that ICE's first report listed in that "
    "section, {report.published.listed_counties_same_name} share their name with a county of "
    "another state: a check of names would have asked about them before publication.",
    "Where assumptions hold, 95% intervals hold the truth as often as they say in "
    "{validation.coverage.as_nominal} of {validation.coverage.settings} settings, as far as the "
    "simulations can tell; more often in {validation.coverage.above}, less often in "
    "{validation.coverage.below}.",
    "The interval of the ratio of two weeks holds the truth in "
    "{validation.rate_ratio.coverage:percent} of data sets, and in "
    "{validation.rate_ratio.stress_dispersion_4:percent} where counts vary four times as much as "
    "Poisson counts.",
)
"""Findings of the notebooks that are about methods, which are none about detainers."""


def sentence(template: str, run: Run) -> str:
    """Return a template filled and linked, as HTML; empty where the run lacks a result of it."""
    try:
        filled = fill(template, run.results, lambda name, text: f"[{text}](results.json#{name})")
    except ResultError:
        return ""
    return words.rendered(filled, run.results).removeprefix("<p>").rstrip().removesuffix("</p>")


def listed(templates: Sequence[str], run: Run) -> str:
    """Return the templates that a run can fill as an HTML list; empty where there is none."""
    items = [f"<li>{said}</li>" for said in (sentence(each, run) for each in templates) if said]
    return "<ul>\n" + "\n".join(items) + "\n</ul>" if items else ""


def of_notebook(run: Run, notebook: str) -> str:
    """Return a box with a notebook's findings, or that it is synthetic; empty for neither."""
    own = [entry["synthetic"] for entry in run.results.values() if entry["notebook"] == notebook]
    templates = (*documents.FINDINGS, *OF_METHODS)
    found = listed([t for t in templates if _maker(t, run.results) == notebook], run)
    inside = f"<p><strong>Found</strong></p>\n{found}" if found else ""
    if sum(own) * 2 > len(own):
        inside = f"<p>{words.SYNTHETIC} So are most numbers of this page.</p>\n{inside}"
    return inside and f'<div class="found">\n{inside}\n</div>'


def _maker(template: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the notebook that made the first result of a template; empty if the run lacks it."""
    first = re.search(r"\{([a-z0-9_.]+)", template)
    return str(results.get(first[1], {}).get("notebook", "")) if first else ""
