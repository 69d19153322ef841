"""Write the text that is made from data: codebook, findings in the README, packages.

Run as `python -m helpers.documents`; a test fails where the text is not current.
"""

import json
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers import datapackage, results
from helpers.paths import MARKER, REFERENCE, project_root, write_atomically

FINDINGS = (
    "By how much non-cooperation grew is not known: no earlier count has both the unit and the "
    "criterion of that of 2021. ICE listed {growth.baseline.count} jurisdictions in early 2017; a "
    "declaration of 2021, as a newspaper reports it, counts {growth.endpoint.count} jails. As a "
    "ratio that is **{growth.factor}** (range {growth.factor:interval}), "
    "{growth.annual_rate:percent} a year; over all {growth.specifications} pairs of published "
    "counts it runs from **{growth.factor.lowest} to {growth.factor.highest}**.",
    "The detainers that Travis County's policy of February 2017 ended had a median of "
    "**{ages.travis.median_weeks} weeks** since booking (95% interval "
    "{ages.travis.median_weeks:interval}); {ages.travis.share_booked_before_2017:percent} "
    "({ages.travis.share_booked_before_2017:percentinterval}) were of persons booked before 2017.",
    "ICE recorded fewer declinations in the second week of its reports than in the first: per "
    "detainer issued, **{issuance.raw.rate_ratio}** times as many "
    "({issuance.raw.rate_ratio:interval}). All but {issuance.fall.other_share:percent} of the fall "
    "is Travis County, which declined a whole stock on one day, and records that ICE withdrew; "
    "without them it is **{issuance.adjusted.rate_ratio}** times "
    "({issuance.adjusted.rate_ratio:interval}; p = {issuance.adjusted.p_value}). All three "
    "reported weeks ended before the memoranda of February 2017, so an instruction given with them "
    "explains no difference between the weeks.",
    "If the rise in requests at a few places was issuing resumed, the stop had kept "
    "**{issuance.declinations_avoided_per_week}** declinations a week out of the counts there "
    "(range {issuance.declinations_avoided_per_week:interval}).",
    "In the weekly numbers of detainers issued nationwide from 2015 to 2017, a regression "
    "puts a step to **{issuance.national.step_at_order}** times "
    "({issuance.national.step_at_order:interval}) at the executive order of January 2017, and a "
    "further one to **{issuance.national.step_at_memoranda}** times "
    "({issuance.national.step_at_memoranda:interval}) at the memoranda. A single step fits best in "
    "the weeks that begin from {issuance.national.first_fitting_date} to "
    "{issuance.national.last_fitting_date}; a step as large as the order's stands at "
    "{issuance.national.larger_than_order} of {issuance.national.placebos} other dates.",
    "If the {ages.active.detainers} detainers lodged since 2018 were still active in 2021, as a "
    "newspaper quotes the declaration, a detainer stayed active for a mean of "
    "**{ages.active.mean_days} days** with exponential lives (range over assumptions "
    "{ages.active.mean_days:interval}).",
    "The evidence holds {evidence.facts} published figures from {evidence.sources} sources; of "
    "the {evidence.conflicts} conflicts among them {evidence.conflicts_resolved} have a stated "
    "resolution. Of {evidence.policies.compared} headline results {evidence.policies.moving} move "
    "when another rule picks among sources that disagree, none by more than "
    "{evidence.policies.largest_change:percent}.",
    "Of {claims.count.all} statements of five press articles {claims.count.holds} hold, "
    "{claims.count.holds_with_a_caveat} hold with a caveat, {claims.count.does_not_hold} do not "
    "hold, and {claims.count.cannot_be_tested} cannot be tested with what has been published.",
)
"""The README's findings: templates, filled from the reference run's results."""


def codebook(package: Mapping[str, Any]) -> str:
    """Return the codebook of data/ as Markdown, from its data package."""
    lines = [
        "# Codebook",
        "",
        "Made from [datapackage.json](datapackage.json) by `make documents`; edit that instead.",
        "",
        package["description"],
        "",
        f"Licence: {package['licenses'][0]['title']} for the compilation; the figures themselves "
        "are their publishers'.",
    ]
    for resource in package["resources"]:
        lines += ["", f"## {resource['title']}", "", f"`{resource['path']}`", ""]
        lines += [resource["description"], "", *_sources(resource)]
        lines += ["| field | type | unit | allowed | meaning |", "|---|---|---|---|---|"]
        lines += [_field(field) for field in resource["schema"]["fields"]]
        for key in resource["schema"].get("foreignKeys", []):
            target = key["reference"]
            lines += [
                "",
                f"`{key['fields'][0]}` is one of `{target['fields'][0]}` in "
                f"`{target['resource']}`.",
            ]
    return "\n".join(lines) + "\n"


def findings(found: Mapping[str, dict[str, Any]]) -> str:
    """Return the findings as a Markdown list with their caveats, from a run's results by name."""
    lines = []
    for template in FINDINGS:
        lines.append(f"- {results.fill(template, found)}")
        lines += [f"  *Caveat: {caveat}*" for caveat in results.caveats(template, found)]
    return "\n".join(lines)


def packages(project: Mapping[str, Any], lock: str) -> str:
    """Return the direct packages and their locked versions as YAML comments.

    Parameters
    ----------
    project
        The `project` table of pyproject.toml.
    lock
        Text of requirements.lock.
    """
    locked: dict[str, list[str]] = {}
    for name, version in re.findall(r"(?m)^([a-z0-9._-]+)==([^\s;\\]+)", lock):
        locked.setdefault(name, []).append(version)
    direct = [re.split(r"[\[<>=!~; ]", item)[0] for item in project["dependencies"]]
    return "\n".join(f"#   {name} {' or '.join(locked[name.lower()])}" for name in direct)


def replace_between(text: str, mark: str, content: str) -> str:
    """Return `text` with the lines between `mark: begin` and `mark: end` replaced.

    Raises
    ------
    ValueError
        If the two marks are not there once each.
    """
    pattern = rf"(?s)([^\n]*{mark}: begin[^\n]*\n).*?([^\n]*{mark}: end)"
    replaced, count = re.subn(pattern, lambda m: f"{m[1]}{content}\n{m[2]}", text)
    if count != 1:
        raise ValueError(f"the text needs one pair of lines '{mark}: begin' and '{mark}: end'")
    return replaced


def documents(root: Path) -> dict[Path, str]:
    """Return every file that holds text made from data, with its current content."""

    def read(name: str) -> str:
        return (root / name).read_text(encoding="utf-8")

    run = json.loads(read(f"papermill_runs/{REFERENCE}/results.json"))
    direct = packages(tomllib.loads(read("pyproject.toml"))["project"], read("requirements.lock"))
    return {
        root / "data/README.md": codebook(json.loads(read(MARKER.as_posix()))),
        root / "README.md": replace_between(
            read("README.md"), "findings", findings(run["results"])
        ),
        root / "environment.yml": replace_between(read("environment.yml"), "packages", direct),
    }


def _sources(resource: Mapping[str, Any]) -> list[str]:
    listed = [f"[{s['title']}]({s['path']})" for s in resource.get("sources", [])]
    return [f"Source: {'; '.join(listed)}.", ""] if listed else []


def _field(field: Mapping[str, Any]) -> str:
    cells = [
        f"`{field['name']}`",
        field["type"],
        field.get("unit", ""),
        "; ".join(datapackage.in_words(field.get("constraints", {}), quote="`")),
        field["description"],
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> None:
    """Write every document of the project."""
    try:
        written = documents(project_root())
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing; `make reference` makes the reference run")
    for path, content in written.items():
        write_atomically(path, content)


if __name__ == "__main__":
    main()
