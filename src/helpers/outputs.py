"""The outputs of a run: what moves into place, what counts as current, what is merged."""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import manifest, parameters, paths, request
from helpers.notebooks import declared_reads


@dataclass(frozen=True)
class Run:
    """A run whose folder this process may write: where it is, and what its manifest says.

    `previous` is the folder of the run whose results are read: None for its own.
    """

    name: str
    root: Path
    folder: Path
    figures: Path
    recorded: dict[str, Any]
    entries: dict[str, dict[str, Any]]
    previous: Path | None = None

    def results(self, notebook: str) -> Path:
        """Return the results file of a notebook."""
        return self.folder / f"{notebook}.results.json"

    def staged(self, notebook: str) -> "Run":
        """Return the same run inside the hidden folder in which a notebook executes."""
        out = self.folder / f".staging-{notebook[:2]}"
        name = self.folder.name
        folder, figures = out / "papermill_runs" / name, out / "figures" / name
        return Run(self.name, self.root, folder, figures, self.recorded, self.entries)

    def note(self, notebook: str, **entry: Any) -> None:  # noqa: ANN401 - JSON values
        """Record an entry of the manifest, whole or not at all."""
        self.entries[notebook] = entry
        ordered = {name: self.entries[name] for name in parameters.MODELS if name in self.entries}
        header = {"schema": 1, "run": self.name, **self.recorded}
        paths.write_atomically(
            self.folder / manifest.NAME, paths.as_json({**header, "notebooks": ordered})
        )


def results_in(path: Path) -> dict[str, Any] | None:
    """Return the results in a notebook's results file, None if there is no such file."""
    results = (manifest.read_json(path) or {}).get("results")
    return results if isinstance(results, dict) else None


def hashes_read(run: Run, source: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the hash of each results file that a notebook's metadata declares it reads."""
    return {
        name: manifest.sha256(paths.results_file(run.previous or run.folder, name, run.root))
        for name in declared_reads(source)
    }


def key(run: Run, path: Path, values: Mapping[str, Any]) -> str:
    """Return the key that a notebook has in a run, with given parameters."""
    source = request.read_notebook(path)
    return manifest.key(source, values, hashes_read(run, source), run.recorded)


def is_current(run: Run, notebook: str, key: str) -> bool:
    """Whether a notebook's outputs are all there, and were made under the same key."""
    entry = run.entries.get(notebook, {})
    return (
        entry.get("status") == "done"
        and entry.get("key") == key
        and entry.get("sha256") == manifest.sha256(run.folder / f"{notebook}.ipynb")
        and results_in(run.results(notebook)) is not None
        and all((run.figures / file).is_file() for file in entry.get("figures", []))
    )


def clean(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return an executed notebook without what differs from one run to the next.

    Papermill stamps times, durations and paths on the notebook and its cells, and gives the cell
    that it injects a random id.
    """
    metadata = {name: part for name, part in notebook["metadata"].items() if name != "papermill"}
    if language := metadata.get("language_info"):
        metadata["language_info"] = {k: v for k, v in language.items() if k != "version"}
    return {**notebook, "metadata": metadata, "cells": [_clean(c) for c in notebook["cells"]]}


def _clean(cell: dict[str, Any]) -> dict[str, Any]:
    metadata = {
        name: part
        for name, part in cell["metadata"].items()
        if name not in ("papermill", "execution") and (name != "tags" or part)
    }
    injected = "injected-parameters" in metadata.get("tags", [])
    return {**cell, "metadata": metadata, "id": "injected-parameters" if injected else cell["id"]}


def keep_failed(run: Run, notebook: str) -> None:
    """Keep what a failed notebook got done, for reading."""
    if executed := manifest.read_json(run.staged(notebook).folder / f"{notebook}.ipynb"):
        failed = run.folder / f"{notebook}.failed.ipynb"
        paths.write_atomically(failed, paths.as_json(clean(executed)))


def publish(run: Run, notebook: str) -> list[str]:
    """Move what a staged notebook wrote into place; return the names of its figure files."""
    staged = run.staged(notebook)
    executed = staged.folder / f"{notebook}.ipynb"
    paths.write_atomically(executed, paths.as_json(clean(request.read_notebook(executed))))
    figures = sorted(file.name for file in staged.figures.glob("*"))
    # Everything is written by now; what is left is to rename it.
    run.figures.mkdir(parents=True, exist_ok=True)
    for name in figures:
        os.replace(staged.figures / name, run.figures / name)
    os.replace(staged.results(notebook), run.results(notebook))
    os.replace(executed, run.folder / executed.name)
    _remove_figures(run, notebook, keep=figures)
    (run.folder / f"{notebook}.failed.ipynb").unlink(missing_ok=True)
    return figures


def remove_leftovers(run: Run) -> None:
    """Delete what a killed run left half done."""
    for folder in run.folder.glob(".staging-*"):
        shutil.rmtree(folder)
    for folder in (run.folder, run.figures):
        for file in folder.glob(".*.part"):
            file.unlink(missing_ok=True)


def finish(run: Run) -> str:
    """Merge all results into results.json.

    Returns
    -------
    str
        Why the outputs do not fit together; empty if they do.
    """
    results = {name: results_in(run.results(name)) or {} for name in request.study()}
    figures = {name: entry.get("figures", []) for name, entry in run.entries.items()}
    if clash := _clash("result", results) or _clash("figure", figures):
        return clash
    merged = dict(sorted(item for own in results.values() for item in own.items()))
    content = {"schema": 1, "run": run.name, "results": merged}
    paths.write_atomically(run.folder / "results.json", paths.as_json(content))
    return ""


def _remove_figures(run: Run, notebook: str, keep: Iterable[str] = ()) -> None:
    """Delete the figures a notebook made before, but for those that it or another makes now."""
    others = [entry for name, entry in run.entries.items() if name != notebook]
    kept = {*keep, *(file for entry in others for file in entry.get("figures", []))}
    for file in set(run.entries.get(notebook, {}).get("figures", [])) - kept:
        (run.figures / file).unlink(missing_ok=True)


def _clash(kind: str, made_by: Mapping[str, Iterable[str]]) -> str:
    owners: dict[str, str] = {}
    for notebook, names in made_by.items():
        for name in names:
            if name in owners:
                return f"{kind} {name!r} is made by {owners[name]} and by {notebook}"
            owners[name] = notebook
    return ""
