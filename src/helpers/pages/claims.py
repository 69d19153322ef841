"""The claims of the press and their verdicts as one table."""

from helpers import datapackage
from helpers.pages import words
from helpers.pages.run import Run


def page(run: Run) -> str:
    """Return the table as Markdown; empty where the run has no verdicts."""
    labels = datapackage.load("articles").set_index("article")["label"]
    tests = datapackage.load("claim_tests")
    rows = []
    for claim in datapackage.load("claims").to_dict("records"):
        name = f"claims.{claim['claim']}"
        if name not in run.results:
            continue
        settled = dict.fromkeys(tests.loc[tests["claim"].eq(claim["claim"]), "result"])
        rows.append(
            [
                words.text(claim["claim"]),
                words.text(claim["statement"]),
                _linked(name, str(run.results[name]["value"]), run),
                words.text(labels[claim["article"]]),
                ", ".join(_linked(result, result, run) for result in settled),
                words.text(run.results[name]["caveat"] or ""),
            ]
        )
    if not rows:
        return ""
    columns = ["Claim", "Statement, in our words", "Verdict", "Article", "Settled by", "Caveat"]
    return "\n".join(
        [
            "# Claims",
            "",
            "Checkable statements of five press articles, held against results. The verdicts are "
            "computed; each leads to its lineage, and each result to the figures it rests on.",
            "",
            words.table("Claims and verdicts", columns, rows, tools="sort filter choose-2"),
            "",
        ]
    )


def _linked(name: str, shown: str, run: Run) -> str:
    return f'<a href="{words.result_address(name, run.results)}">{words.name(shown)}</a>'
