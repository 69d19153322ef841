"""The metadata of an archived run, after the Workflow Run Crate profile 0.6 of RO-Crate 1.3."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rocrate.model import ComputerLanguage, ContextEntity, File
from rocrate.rocrate import ROCrate

from helpers import manifest

WORKFLOW = "src/helpers/runner.py"
"""What runs the notebooks in sequence: the crate's main workflow."""

_PROFILES = {"process": "Process Run Crate", "workflow": "Workflow Run Crate"}
_PROFILE = "https://w3id.org/ro/wfrun/{}/0.6"
_TERMS = "https://w3id.org/ro/terms/workflow-run/context"
_LICENCE = "https://spdx.org/licenses/{}"
_COMPILED = ("data/", "figures/", "papermill_runs/")
_FORMATS = {
    ".csv": "text/csv",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".md": "text/markdown",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".yml": "application/yaml",
}
_TYPES = {
    "text": "Text",
    "date": "Date",
    "boolean": "Boolean",
    "integer": "Integer",
    "number": "Number",
}


@dataclass(frozen=True)
class Archived:
    """A run to archive.

    Attributes
    ----------
    run
        Name of the run.
    files
        Every file of the crate but its metadata, by its name there.
    recorded
        The run's manifest.
    figures
        What is said of each figure of the run, by name.
    citation
        Content of CITATION.cff.
    package
        Descriptor of the data package (data/datapackage.json).
    """

    run: str
    files: Mapping[str, Path]
    recorded: Mapping[str, Any]
    figures: Mapping[str, Mapping[str, Any]]
    citation: Mapping[str, Any]
    package: Mapping[str, Any]

    @property
    def notebooks(self) -> Mapping[str, Mapping[str, Any]]:
        """What the manifest says of each notebook, by name."""
        notebooks: Mapping[str, Mapping[str, Any]] = self.recorded["notebooks"]
        return notebooks

    def outputs(self, notebook: str) -> list[str]:
        """Return the files that a notebook wrote, by their names in the crate."""
        entry = self.notebooks[notebook]
        return sorted(
            f"{'figures' if name in entry['figures'] else 'papermill_runs'}/{self.run}/{name}"
            for name in entry["sha256"]
        )

    def merged(self) -> list[str]:
        """Return what the run wrote when all notebooks had ended."""
        return [f"papermill_runs/{self.run}/{name}" for name in ("manifest.json", "results.json")]

    def times(self, notebook: str) -> tuple[str, str]:
        """Return when a notebook started and ended (ISO 8601)."""
        started = dt.datetime.fromisoformat(self.notebooks[notebook]["started"])
        ended = started + dt.timedelta(seconds=round(self.notebooks[notebook]["seconds"]))
        return started.isoformat(), ended.isoformat()


def describe(archived: Archived, defaults: Iterable[Mapping[str, Any]]) -> ROCrate:
    """Return the crate of a run: its files, and what is said of them.

    The whole run is an action of the workflow; each notebook is one of its own, with its
    parameters, its inputs, when it ran, and what it wrote.

    Parameters
    ----------
    archived
        The run.
    defaults
        Every parameter, as from `helpers.request.describe`.
    """
    crate = ROCrate()
    crate.metadata.extra_contexts.append(_TERMS)
    _add_root(crate, archived)
    for name, path in sorted(archived.files.items()):
        if name != WORKFLOW:
            crate.add(File(crate, path, name, properties=_about_file(name, path, archived)))
    _add_workflow(crate, archived, defaults)
    actions = [_add_action(crate, archived, notebook) for notebook in archived.notebooks]
    crate.root_dataset["mentions"] = [_add_run(crate, archived), *actions]
    return crate


def _add_root(crate: ROCrate, archived: Archived) -> None:
    citation = archived.citation
    crate.name, crate.description = citation["title"], " ".join(citation["abstract"].split())
    crate.keywords = ", ".join(citation["keywords"])
    crate.root_dataset["version"] = citation["version"]
    # Left to itself, the library takes today's date.
    crate.datePublished = max(archived.times(name)[1] for name in archived.notebooks)[:10]
    crate.license = [
        _add(crate, _LICENCE.format(n), "CreativeWork", n) for n in citation["license"]
    ]
    crate.root_dataset["author"] = [_add_author(crate, *each) for each in _authors(citation)]
    crate.root_dataset["conformsTo"] = [
        _add(crate, _PROFILE.format(key), "CreativeWork", name, version="0.6")
        for key, name in _PROFILES.items()
    ]


def _authors(citation: Mapping[str, Any]) -> Iterable[tuple[int, Mapping[str, Any]]]:
    return enumerate(citation["authors"], start=1)


def _add_author(crate: ROCrate, number: int, author: Mapping[str, Any]) -> ContextEntity:
    name = author.get("name") or f"{author['given-names']} {author['family-names']}"
    kind = "Organization" if "name" in author else "Person"
    return _add(crate, author.get("orcid", f"#author-{number}"), kind, name)


def _add(crate: ROCrate, key: str, kind: str | list[str], name: str, **more: Any) -> ContextEntity:  # noqa: ANN401
    return crate.add(ContextEntity(crate, key, {"@type": kind, "name": name, **more}))


def _about_file(name: str, path: Path, archived: Archived) -> dict[str, Any]:
    licence = "CC-BY-4.0" if name.startswith(_COMPILED) else "MIT"
    about: dict[str, Any] = {
        "license": {"@id": _LICENCE.format(licence)},
        "contentSize": str(path.stat().st_size),
        "sha256": manifest.sha256(path),
        "encodingFormat": _FORMATS.get(path.suffix, "text/plain"),
    }
    if name.startswith("notebooks/"):
        about["@type"] = ["File", "SoftwareSourceCode"]
    for table in archived.package["resources"]:
        if name == f"data/{table['path']}":
            about |= {"name": table["title"], "description": table["description"]}
    figure = archived.figures.get(Path(name).stem)
    if figure and name.startswith(f"figures/{archived.run}/"):
        about |= {"name": figure["title"], "description": figure["alt"]}
    return about


def _add_workflow(
    crate: ROCrate, archived: Archived, defaults: Iterable[Mapping[str, Any]]
) -> None:
    home = "https://www.python.org/"
    python = crate.add(ComputerLanguage(crate, home, {"name": "Python", "url": home}))
    notebooks = [crate.get(f"notebooks/{name}.ipynb") for name in archived.notebooks]
    for notebook in notebooks:
        notebook["programmingLanguage"] = python
    source, needed = archived.files[WORKFLOW], ("requirements.lock", "environment.yml")
    about = {
        **_about_file(WORKFLOW, source, archived),
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "detainers run: the notebooks in sequence",
        "hasPart": notebooks,
        "input": [_add_slot(crate, r) for r in defaults if r["notebook"] in archived.notebooks],
        "softwareRequirements": [crate.get(name) for name in needed],
    }
    crate.add_workflow(source, WORKFLOW, main=True, lang=python, properties=about)


def _add_slot(crate: ROCrate, row: Mapping[str, Any]) -> ContextEntity:
    return crate.add_formal_parameter(
        row["name"],
        _TYPES[row["type"].split(" or ")[0]],
        identifier=_slot(row["notebook"], row["name"]),
        description=row["meaning"],
        properties={"defaultValue": str(row["default"])},
    )


def _add_action(crate: ROCrate, archived: Archived, notebook: str) -> ContextEntity:
    key = archived.notebooks[notebook]["key"]
    values = [
        _add(
            crate,
            f"#value-{notebook}-{name}",
            "PropertyValue",
            name,
            value="None" if value is None else value,
            exampleOfWork={"@id": _slot(notebook, name)},
        )
        for name, value in key["parameters"].items()
    ]
    read = [f"papermill_runs/{archived.run}/{name}.results.json" for name in key["results"]]
    files = [name for name in [*key["data"], *read] if name in archived.files]
    started, ended = archived.times(notebook)
    return crate.add_action(
        crate.get(f"notebooks/{notebook}.ipynb"),
        f"#run-{notebook}",
        object=[*(crate.get(name) for name in files), *values],
        result=[crate.get(name) for name in archived.outputs(notebook)],
        properties={
            "name": f"{notebook} of the run {archived.run}",
            "startTime": started,
            "endTime": ended,
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )


def _add_run(crate: ROCrate, archived: Archived) -> ContextEntity:
    actions = [crate.get(f"#run-{notebook}") for notebook in archived.notebooks]
    given = {entity.id: entity for action in actions for entity in action["object"]}
    made = {entity.id: entity for action in actions for entity in action["result"]}
    versions = archived.recorded["versions"]
    run = crate.add_action(
        crate.get(WORKFLOW),
        "#run",
        object=[entity for key, entity in given.items() if key not in made],
        result=[*made.values(), *(crate.get(name) for name in archived.merged())],
        properties={
            "name": f"run {archived.run}",
            "description": f"Python {versions['python']} on {versions['platform']}",
            "startTime": min(action["startTime"] for action in actions),
            "endTime": max(action["endTime"] for action in actions),
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )
    crate.get(archived.merged()[0])["about"] = run
    return run


def _slot(notebook: str, name: str) -> str:
    return f"#parameter-{notebook}-{name}"
