"""A project of two small notebooks without heavy imports, to run in tests."""

import json

EVIDENCE = "00_evidence"
GROWTH = "01_jurisdiction_growth"
CLAIMS = "05_claims"

EVIDENCE_DEFAULTS = 'source_policy = "judgement"'
GROWTH_DEFAULTS = """\
source_policy = "judgement"  # which value is used
baseline = "listed_week_1"
endpoint = "refusing"
baseline_date = None
endpoint_date = None
"""
WRITE = """\
import json
from helpers import paths

def write(notebook, figures=(), **results):
    content = {"schema": 1, "run": paths.run_name(), "results": results}
    path = paths.run_folder() / f"{notebook}.results.json"
    paths.write_atomically(path, json.dumps(content))
    for figure in figures:
        paths.write_atomically(paths.figure_folder() / figure, "<svg/>")
"""
READ = """\
earlier = paths.previous_folder() / "00_evidence.results.json"
facts = json.loads(earlier.read_text(encoding="utf-8"))["results"]["evidence.facts"]["value"]
"""


def cell(name, source, *tags):
    return {
        "cell_type": "code",
        "id": name,
        "source": source,
        "metadata": {"tags": list(tags)} if tags else {},
        "outputs": [],
        "execution_count": None,
    }


def notebook(defaults, *cells, reads=()):
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"},
            "detainers": {"reads": list(reads)},
        },
        "cells": [
            {"cell_type": "markdown", "id": "title", "source": "# Title", "metadata": {}},
            cell("parameters", defaults, "parameters"),
            cell("imports", WRITE),
            *cells,
        ],
    }


def evidence(facts=3, figures=("facts.svg",)):
    results = f'**{{"evidence.facts": {{"value": {facts}}}}}'
    return notebook(
        EVIDENCE_DEFAULTS,
        cell("results", f'write("{EVIDENCE}", {list(figures)}, {results})\nsource_policy'),
    )


def growth(body="", figures=("growth.svg",), name="growth.factor"):
    results = f'**{{"{name}": {{"value": [facts, baseline]}}}}'
    return notebook(
        GROWTH_DEFAULTS,
        cell("read", READ),
        cell("estimate", body or "facts * 2"),
        cell("results", f'write("{GROWTH}", {list(figures)}, {results})'),
        reads=[EVIDENCE],
    )


def save(root, name, content):
    path = root / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def make(root):
    (root / "data").mkdir(parents=True)
    (root / "data" / "datapackage.json").write_text("{}", encoding="utf-8")
    (root / "data" / "facts.csv").write_text("id,value\nA1,3\n", encoding="utf-8")
    (root / "requirements.lock").write_text("pandas==3.1.1\n", encoding="utf-8")
    save(root, EVIDENCE, evidence())
    save(root, GROWTH, growth())


def folder(project):
    return project / "papermill_runs" / "mine"


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def entries(project):
    return read(folder(project) / "manifest.json")["notebooks"]


def states(outcome):
    return {step.notebook: step.state for step in outcome.steps}


def outputs_of(project):
    """Every output of the run `mine` but the manifest, by path."""
    places = (folder(project), project / "figures" / "mine")
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for place in places
        for path in place.rglob("*")
        if path.is_file() and path.name not in ("manifest.json", ".lock")
    }


def claims():
    """A third notebook, which reads the results of the second alone."""
    read_growth = READ.replace(EVIDENCE, GROWTH).replace("evidence.facts", "growth.factor")
    result = '**{"claims.facts": {"value": facts}}'
    return notebook(
        EVIDENCE_DEFAULTS,
        cell("read", read_growth),
        cell("results", f'write("{CLAIMS}", {result})\nsource_policy'),
        reads=[GROWTH],
    )
