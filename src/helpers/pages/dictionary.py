"""The data dictionary: every table of data/ and its fields, from the data package."""

import json

from helpers import datapackage, paths
from helpers.pages import words


def page() -> str:
    """Return the dictionary as Markdown."""
    path = paths.project_root() / paths.MARKER
    package = json.loads(path.read_text(encoding="utf-8"))
    lines = ["# Data dictionary", "", words.plain(package["description"]), ""]
    for table in package["resources"]:
        sources = [words.link(s["title"], s.get("path", "")) for s in table.get("sources", [])]
        columns = ["Field", "Type", "Unit", "Allowed", "Meaning"]
        rows = [
            [
                f"<code>{words.text(field['name'])}</code>",
                words.text(field["type"]),
                words.text(field.get("unit", "")),
                words.text("; ".join(datapackage.in_words(field.get("constraints", {})))),
                words.coded(field["description"]),
            ]
            for field in table["schema"]["fields"]
        ]
        lines += [f"({words.anchor('table', table['name'])})=", f"## {words.plain(table['title'])}"]
        lines += ["", f"<p><code>data/{words.text(table['path'])}</code></p>"]
        lines += [f"<p>{words.coded(table['description'])}</p>"]
        lines += [f"<p>Source: {'; '.join(sources)}.</p>"] if sources else []
        lines += [words.table(f"Fields of {table['name']}", columns, rows), ""]
    return "\n".join(lines)
