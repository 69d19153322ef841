"""The README of an archived run, in the form that data editors of social science journals ask for.

Its sections and tables follow the template README of the Social Science Data Editors
(https://social-science-data-editors.github.io/template_README/).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from typing import Any

from helpers.crate import Archived
from helpers.parameters import FILES

NAME = "REPLICATION.md"


def readme(
    archived: Archived,
    results: Mapping[str, Mapping[str, Any]],
    executed: Mapping[str, Mapping[str, Any]],
    defaults: Iterable[Mapping[str, Any]],
) -> str:
    """Return the README of a run as Markdown.

    Parameters
    ----------
    archived
        The run.
    results
        Its results by name.
    executed
        Its executed notebooks (nbformat JSON) by name.
    defaults
        Every parameter, as from `helpers.request.describe`.
    """
    defaults = list(defaults)
    sections = [
        _overview(archived, defaults),
        _availability(archived),
        _datasets(archived),
        _requirements(archived),
        _randomness(results),
        _programs(archived, executed),
        _instructions(archived, defaults),
        _outputs(archived, results, executed),
    ]
    return "\n".join(line for section in sections for line in [*section, ""])


def _overview(archived: Archived, defaults: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    citation, count = archived.citation, len(archived.notebooks)
    yield f"# Replication package: {citation['title']}"
    yield ""
    yield f"Version {citation['version']}, run `{archived.run}`. Written by `detainers archive`."
    yield ""
    yield "## Overview"
    yield ""
    own = " and from files of the reader's own, which are not in this package"
    yield (
        f"{count} Jupyter notebooks make all results and figures from the data in `data/`"
        f"{own if _own_files(archived) else ', which is complete'}. One command runs them in "
        f"sequence: `{_command(archived, defaults)}`. "
        "`ro-crate-metadata.json` describes every file for programs (RO-Crate, Workflow Run Crate)."
    )


def _availability(archived: Archived) -> Iterator[str]:
    yield "## Data availability and provenance statements"
    yield ""
    own = _own_files(archived)
    yield f"- [{' ' if own else 'x'}] All data are publicly available and are in this package."
    yield f"- [{'x' if own else ' '}] Some data cannot be made publicly available."
    yield "- [ ] No data can be made publicly available."
    yield ""
    if own:
        yield (
            "The run also read files of the reader's own. They are known by name and by the first "
            f"digits of the SHA-256 of their content: {', '.join(f'`{file}`' for file in own)}."
        )
        yield ""
    yield "### Statement about rights"
    yield ""
    yield (
        "The data are figures that others have published, each with its source and address in "
        "`data/evidence/sources.csv`; figures are facts. The compilation is under "
        f"{archived.package['licenses'][0]['title']}, the code under MIT: see `LICENSE`. No "
        "registration, fee or agreement is needed. The data are counts; a test refuses text that "
        "would describe one or a few persons."
    )
    yield ""
    yield "### Details on each data source"
    yield ""
    yield "| data | where it is from | provided |"
    yield "|---|---|---|"
    for table in archived.package["resources"]:
        yield _row(table["title"], _origins(table), "yes")


def _origins(table: Mapping[str, Any]) -> str:
    """Say where a table is from: its sources, or the columns that name them row by row."""
    if sources := table.get("sources"):
        return "; ".join(f"{each['title']}, {each['path']}" for each in sources)
    fields = [field["name"] for field in table["schema"]["fields"]]
    naming = [f"`{name}`" for name in fields if re.search("source|fact", name)]
    return f"each row names its own: {', '.join(naming)}" if naming else "made for this study"


def _own_files(archived: Archived) -> list[str]:
    """Return the files of the reader's own that the run read, each once."""
    settings = [entry["key"]["parameters"] for entry in archived.notebooks.values()]
    named = (values[name] for values in settings for name in FILES if values.get(name))
    return list(dict.fromkeys(named))


def _datasets(archived: Archived) -> Iterator[str]:
    own = _own_files(archived)
    yield "## Dataset list"
    yield ""
    yield "| data file | what it holds | provided |"
    yield "|---|---|---|"
    for table in archived.package["resources"]:
        yield _row(f"`data/{table['path']}`", table["description"], "yes")
    yield from (_row(f"`{file}`", "a file of the reader's own", "no") for file in own)
    yield ""
    yield "`data/README.md` is the codebook: every field with type, unit and meaning."


def _requirements(archived: Archived) -> Iterator[str]:
    versions = archived.recorded["versions"]
    seconds = {name: entry["seconds"] for name, entry in archived.notebooks.items()}
    size = sum(path.stat().st_size for path in archived.files.values()) / 1e6
    yield "## Computational requirements"
    yield ""
    yield (
        f"The run was made with Python {versions['python']} on {versions['platform']}. Every "
        "package is pinned with its hash in `requirements.lock`; those named directly were:"
    )
    yield ""
    yield "| package | version |"
    yield "|---|---|"
    yield from (_row(name, version) for name, version in versions["packages"].items())
    yield ""
    yield "### Runtime, memory and storage"
    yield ""
    yield "| notebook | seconds | peak memory (MB) |"
    yield "|---|---:|---:|"
    for name, entry in archived.notebooks.items():
        yield _row(f"`{name}`", f"{entry['seconds']:.0f}", entry.get("peak_mb") or "not measured")
    yield _row("all, one after the other", f"{sum(seconds.values()):.0f}", "")
    yield ""
    yield f"The package takes {size:.0f} MB, without the Python packages. A laptop is enough."


def _randomness(results: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    seeds: dict[tuple[str, str, str], int] = {}
    for result in results.values():
        for item in result["inputs"]:
            kind, _, seed = item.partition(":")
            if kind == "simulation":
                key = result["notebook"], result["cell"] or "", seed
                seeds[key] = seeds.get(key, 0) + 1
    yield "### Controlled randomness"
    yield ""
    yield "Every simulation has a fixed seed, which its results name among their inputs." + (
        "" if seeds else " This run has none."
    )
    if seeds:
        yield ""
        yield "| program | cell | seed | results |"
        yield "|---|---|---:|---:|"
        for (notebook, cell, seed), count in seeds.items():
            yield _row(_program(notebook), f"`{cell}`", seed, count)


def _programs(archived: Archived, executed: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "## Description of programs"
    yield ""
    yield "| program | what it does |"
    yield "|---|---|"
    for name in archived.notebooks:
        title = "".join(executed[name]["cells"][0]["source"]).partition("\n")[0]
        yield _row(_program(name), title.removeprefix("# "))
    yield _row("`src/helpers/`", "the functions that the notebooks call, and the command")
    yield _row("`tests/`", "tests of every function, of the data, and of the whole study")


def _instructions(archived: Archived, defaults: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    again = _again(archived)
    yield "## Instructions to replicators"
    yield ""
    yield "1. Python 3.11 to 3.14 and make are needed. Unpack the archive into an empty folder."
    yield "2. `make setup` makes the environment in `.venv`."
    yield f"3. `.venv/bin/{_command(archived, defaults)}`"
    yield f"   makes the run again, beside this one: `papermill_runs/{again}`, `figures/{again}`."
    yield f"4. `.venv/bin/detainers check {archived.run} {again}`"
    yield "   compares the two: every text, every result within its tolerance, every figure."
    yield "5. `.venv/bin/detainers explain NAME` leads from any result to its sources."


def _command(archived: Archived, defaults: Iterable[Mapping[str, Any]]) -> str:
    """Return the command that makes the run again, under another name."""
    usual = {(row["notebook"], row["name"]): row["default"] for row in defaults}
    changed = [
        f"-p {notebook[:2]}.{name}={'PATH' if name in FILES else value}"
        for notebook, entry in archived.notebooks.items()
        for name, value in entry["key"]["parameters"].items()
        if value != usual[notebook, name]
    ]
    return " ".join([f"detainers run --run {_again(archived)}", *changed])


def _again(archived: Archived) -> str:
    return f"{archived.run}-again"


def _outputs(
    archived: Archived,
    results: Mapping[str, Mapping[str, Any]],
    executed: Mapping[str, Mapping[str, Any]],
) -> Iterator[str]:
    yield "## List of tables, figures and results, and their programs"
    yield ""
    yield "| output | program | cell | file |"
    yield "|---|---|---|---|"
    for name, figure in archived.figures.items():
        file = f"`figures/{archived.run}/{name}.svg`"
        output = f"Figure `{name}`: {figure['title']}"
        yield _row(output, _program(figure["notebook"]), f"`{figure['cell']}`", file)
    for notebook, content in executed.items():
        file = f"`papermill_runs/{archived.run}/{notebook}.ipynb`"
        for cell, caption in _captions(content):
            yield _row(f"Table: {caption}", _program(notebook), f"`{cell}`", file)
    groups: dict[tuple[str, str, str], list[str]] = {}
    for name, result in results.items():
        key = ".".join(name.split(".")[:2]), result["notebook"], result["cell"] or ""
        groups.setdefault(key, []).append(name)
    for (start, notebook, cell), names in groups.items():
        one = f"Result `{names[0]}`"
        output = one if len(names) == 1 else f"{len(names)} results `{start}...`"
        file = f"`papermill_runs/{archived.run}/results.json`"
        yield _row(output, _program(notebook), f"`{cell}`", file)


def _captions(notebook: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield cell and caption of each table that a notebook shows."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            text = "".join(output.get("data", {}).get("text/html", ""))
            for caption in re.findall(r"<caption>(.*?)</caption>", text, re.DOTALL):
                yield cell["id"], unescape(caption)


def _program(notebook: str) -> str:
    return f"`notebooks/{notebook}.ipynb`"


def _row(*cells: object) -> str:
    texts = (" ".join(str(cell).split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(texts)} |"
