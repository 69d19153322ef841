"""The outputs of a run: what moves into place, what counts as current, what is merged."""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from helpers import manifest, parameters, paths, request
from helpers.notebooks import declared_reads


@dataclass(frozen=True)
class Run:
    """A run: where it is, what its notebooks are made from now, and what its manifest says.

    `previous` is the folder of the run whose results they read, None for this run.
    """

    name: str
    root: Path
    folder: Path
    figures: Path
    shared: dict[str, Any]
    entries: dict[str, dict[str, Any]]
    made_on: str | None = None
    previous: Path | None = None

    def results(self, notebook: str) -> Path:
        """Return the results file of a notebook."""
        return self.folder / f"{notebook}.results.json"

    def staged(self, notebook: str) -> "Run":
        """Return the same run inside the hidden folder in which a notebook executes."""
        # Of this process: the kernel of one that was killed may live, and write, a moment longer.
        out = self.folder / f".staging-{notebook[:2]}-{os.getpid()}"
        name = self.folder.name
        folder, figures = out / "papermill_runs" / name, out / "figures" / name
        return replace(self, folder=folder, figures=figures)

    def note(self, notebook: str, **entry: Any) -> None:  # noqa: ANN401 - JSON values
        """Record an entry of the manifest, whole or not at all."""
        self.entries[notebook] = entry
        ordered = {name: self.entries[name] for name in parameters.MODELS if name in self.entries}
        header = {"schema": 2, "run": self.name, **self._header}
        paths.write_atomically(
            self.folder / manifest.NAME, paths.as_json({**header, "notebooks": ordered})
        )

    @cached_property
    def _header(self) -> dict[str, Any]:
        found = manifest.circumstances(self.root)
        return {
            "versions": found["versions"],
            "lock": self.shared["lock"],
            "data": self.shared["data"],
            "rows": self.shared["rows"],
            "git": found["git"],
        }


def results_in(path: Path) -> dict[str, Any] | None:
    """Return the results in a notebook's results file, None if there is no such file."""
    results = (manifest.read_json(path) or {}).get("results")
    return results if isinstance(results, dict) else None


def problem(run: Run, notebook: str) -> str:
    """Return why what a staged notebook wrote cannot be published; empty if it can."""
    if results_in(run.results(notebook)) is None:
        return "it ended without writing its results"
    for file in sorted(run.figures.glob("*")):
        if not manifest.is_figure(file.name):
            return (
                f"it wrote figures/{file.name}: allowed are letters, digits and underscore, and "
                "then .svg, .png, .csv or .json"
            )
    return ""


def hashes_read(run: Run, source: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the hash of each results file that a notebook's metadata declares it reads."""
    return {
        name: manifest.sha256(paths.results_file(run.previous or run.folder, name, run.root))
        for name in declared_reads(source)
    }


def key(run: Run, path: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the key that a notebook has in a run, with given parameters."""
    source = request.read_notebook(path)
    return manifest.key(source, values, hashes_read(run, source), run.shared)


def reasons(run: Run, notebook: str, key: Mapping[str, Any]) -> list[str]:
    """Return why a notebook must run, in words; empty if its outputs are current.

    They are if its last run ended well and under the same key, and all are there as it wrote them.
    """
    entry = run.entries.get(notebook, {})
    if not isinstance(entry.get("key"), dict):
        return ["no finished run of it is on record"]
    found = manifest.changes(entry["key"], key)
    if entry.get("status") != "done":
        fate = "failed" if entry.get("status") == "failed" else "was cut short"
        found.append(f"its last run {fate}")
    files = [run.folder / f"{notebook}.ipynb", run.results(notebook)]
    for file in [*files, *(run.figures / name for name in entry.get("figures", []))]:
        if (now := manifest.sha256(file)) is None:
            found.append(f"{file.name} is missing")
        elif now != entry["sha256"].get(file.name):
            found.append(f"{file.name} was altered")
    return found


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


def publish(run: Run, notebook: str) -> dict[str, Any]:
    """Move what a staged notebook wrote into place.

    Returns
    -------
    dict
        `sha256`: the hash of each file, by name; `figures`: which of them are figures.
    """
    staged = run.staged(notebook)
    executed = staged.folder / f"{notebook}.ipynb"
    paths.write_atomically(executed, paths.as_json(clean(request.read_notebook(executed))))
    figures = sorted(file.name for file in staged.figures.glob("*"))
    files = [executed, staged.results(notebook), *(staged.figures / name for name in figures)]
    written = {file.name: manifest.sha256(file) for file in files}
    # Everything is written by now; what is left is to rename it.
    run.figures.mkdir(parents=True, exist_ok=True)
    for name in figures:
        os.replace(staged.figures / name, run.figures / name)
    os.replace(staged.results(notebook), run.results(notebook))
    os.replace(executed, run.folder / executed.name)
    _remove_figures(run, notebook, keep=figures)
    (run.folder / f"{notebook}.failed.ipynb").unlink(missing_ok=True)
    return {"sha256": written, "figures": figures}


def remove_leftovers(run: Run) -> None:
    """Delete what a killed run left half done."""
    for folder in run.folder.glob(".staging-*"):
        shutil.rmtree(folder, ignore_errors=True)  # its kernel may still be writing there
    for folder in (run.folder, run.figures):
        for file in folder.glob(".*.part"):
            file.unlink(missing_ok=True)


def finish(run: Run) -> str:
    """Merge all results into results.json; delete figures that no notebook makes.

    While the outputs of a notebook are not on record, all figures stay: some may be its last good
    ones.

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
    content = paths.as_json({"schema": 1, "run": run.name, "results": merged})
    path = run.folder / "results.json"
    if not path.is_file() or path.read_bytes() != content.encode():
        paths.write_atomically(path, content)
    if all(run.entries.get(name, {}).get("status") == "done" for name in results):
        _remove_unnamed(run, {file for names in figures.values() for file in names})
    return ""


def _remove_unnamed(run: Run, named: set[str]) -> None:
    for file in run.figures.glob("*"):
        if file.name not in named and manifest.is_figure(file.name):
            file.unlink()


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
