"""The evidence browser: every published figure with its source, its conflict and its use."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from helpers import conflicts
from helpers.pages import words
from helpers.pages.run import Run

_MOST_USERS = 6  # more are folded
_TOPICS = {
    "aor": "areas of responsibility",
    "declaration_2021": "declaration of 2021",
    "noncooperation_counts": "counts of non-cooperation",
    "travis_county": "Travis County",
}
_Row = Mapping[str, Any]


def address(row: _Row) -> str:
    """Return where a figure stands among the pages."""
    return f"{_page(row['topic'])}.html#{words.anchor('fact', row['fact_id'])}"


def addresses(facts: pd.DataFrame) -> dict[str, str]:
    """Return where each figure stands among the pages, by its identifier."""
    return {row["fact_id"]: address(row) for row in facts.to_dict("records")}


def pages(run: Run) -> dict[str, str]:
    """Return the browser as Markdown, by page name: a search page, one page a topic, conflicts."""
    facts = run.ledger.facts
    judged = conflicts.judged(run.ledger)
    disputed = {fact: row["conflict"] for row in judged.to_dict("records") for fact in row["facts"]}
    used: dict[str, list[str]] = {}
    for name, entry in run.results.items():
        for item in entry["inputs"]:
            used.setdefault(item, []).append(name)
    made = {"evidence": _browser(facts), "conflicts": _conflicts(judged, facts)}
    for topic, part in facts.groupby("topic", sort=True):
        lines = [f"# Published figures: {words.plain(_words(topic))}", ""]
        number = "One figure" if len(part) == 1 else f"{len(part)} figures, each"
        lines += [f"{number} as its source prints it.", ""]
        for row in part.to_dict("records"):
            users = used.get(f"fact:{row['fact_id']}", [])
            lines += [_entry(row, disputed.get(row["fact_id"], ""), users, run), ""]
        made[_page(topic)] = "\n".join(lines)
    return made


def script(run: Run) -> str:
    """Return the browser's data as a script, which a page may load where it may not fetch."""
    rows = [
        [
            row["fact_id"],
            address(row),
            _words(row["topic"]),
            words.printable(_value(row)),
            words.printable(row["definition"]),
            words.printable(row["jurisdiction"]),
            words.period(row["window"]) or _year(row["period_start"]),
            words.printable(row["publisher"]),
        ]
        for row in run.ledger.facts.to_dict("records")
    ]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return f"window.studyFacts = {text};\n"


def _page(topic: str) -> str:
    return f"evidence-{words.anchor(topic)}"


def _value(row: _Row) -> str:
    """Return a figure as printed, with its unit unless the figure says itself what it is."""
    unit, printed = words.unit(row["unit"]), str(row["value_text"])
    if unit and re.fullmatch(r"\d{4,}", printed):
        printed = f"{int(printed):,}"
    return f"{printed} {unit}".strip()


def _year(day: pd.Timestamp) -> str:
    return "" if pd.isna(day) else str(day.year)


def _words(name: object) -> str:
    return _TOPICS.get(str(name), str(name).replace("_", " "))


def _browser(facts: pd.DataFrame) -> str:
    counts = facts.groupby("topic").size()
    topics = [
        f'<li><a href="{_page(topic)}.html">{words.text(_words(topic))}</a> ({count})</li>'
        for topic, count in counts.items()
    ]
    years = facts["period_start"].map(_year)
    return "\n".join(
        [
            "# Evidence",
            "",
            f"All {len(facts):,} published figures that the study knows, each with its source. "
            "Some repeat a figure from several sources on purpose; where sources disagree, see "
            "the [conflicts](conflicts.md).",
            "",
            '<form class="facts" role="search" aria-label="Published figures" hidden>',
            _select("topic", "Topic", [_words(topic) for topic in counts.index]),
            _select("place", "Place", sorted(set(facts["jurisdiction"]) - {""})),
            _select("year", "Period begins in", sorted(set(years) - {""})),
            '<label>Words <input type="search" name="words"></label>',
            '<p><output aria-live="polite"></output></p>',
            words.table(
                "Published figures found",
                ["Figure", "Value", "What it counts", "Place", "Period", "Publisher"],
                [],
            ),
            '<p><button type="button">Show more</button></p>',
            "</form>",
            '<script src="_static/facts.js"></script>',
            "",
            "## By topic",
            "",
            f"<ul>\n{chr(10).join(topics)}\n</ul>",
            "",
        ]
    )


def _select(name: str, label: str, options: Iterable[str]) -> str:
    listed = "".join(f"<option>{words.text(option)}</option>" for option in options)
    return (
        f'<label>{label} <select name="{name}"><option value="">any</option>{listed}</select>'
        "</label>"
    )


def _entry(row: _Row, conflict: str, users: list[str], run: Run) -> str:
    source = [words.link(row["title"], row["url"])]
    source += [words.text(row[part]) for part in ("publisher", "published", "kind")]
    conflict_link = conflict and (
        f'<a href="conflicts.html#{words.anchor("conflict", conflict)}">'
        f"conflict {words.text(conflict)}</a>"
    )
    linked = [
        f'<a href="{words.result_address(name, run.results)}">{words.name(name)}</a>'
        for name in users
    ]
    where = ", ".join(filter(None, (row["jurisdiction"], words.period(row["window"]))))
    parts = {
        "What it counts": words.text(row["definition"]),
        "Place and period": words.text(where),
        "Kind of number": words.text(row["qualifier"]),
        "Whose count": words.text(row["basis"]),
        "Source": ", ".join(filter(None, source)),
        "Note": words.text(row["note"]),
        "In conflict": conflict_link,
        "Used by": _users(linked),
    }
    listed = "\n".join(f"<dt>{k}</dt><dd>{v}</dd>" for k, v in parts.items() if v)
    identity = words.anchor("fact", row["fact_id"])
    return (
        f'<section class="fact" id="{identity}">\n'
        f"<h2>{words.text(row['fact_id'])}: {words.text(_value(row))}</h2>\n"
        f"<dl>\n{listed}\n</dl>\n</section>"
    )


def _users(linked: list[str]) -> str:
    listed = ", ".join(linked)
    return words.folded(f"{len(linked)} results", listed) if len(linked) > _MOST_USERS else listed


def _conflicts(judged: pd.DataFrame, facts: pd.DataFrame) -> str:
    by_id = {row["fact_id"]: row for row in facts.to_dict("records")}
    lines = ["# Conflicts between published figures", ""]
    lines += ["Figures that cannot both be right, found by rule, and which is used and why.", ""]
    for row in judged.to_dict("records"):
        name = row["conflict"]
        parts = (_words(row["series"]), row["jurisdiction"], words.period(row["window"]))
        place = ", ".join(filter(None, parts))
        lines += [
            f"({words.anchor('conflict', name)})=",
            f"## {words.plain(name)}: {words.plain(place)}",
        ]
        items = "\n".join(_member(by_id[fact], row["chosen_fact"]) for fact in row["facts"])
        lines += ["", f"<ul>\n{items}\n</ul>", f"<p>{words.text(row['reason'])}</p>", ""]
    return "\n".join(lines)


def _member(row: _Row, chosen: str) -> str:
    used = " <strong>(used)</strong>" if row["fact_id"] == chosen else ""
    return (
        f'<li><a href="{address(row)}">{words.text(row["fact_id"])}</a>: '
        f"{words.text(_value(row))}, {words.text(row['publisher'])}{used}</li>"
    )
