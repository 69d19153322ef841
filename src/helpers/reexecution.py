"""Execute stored notebooks again, once, under nbval: real nbval, in fresh kernels, by pytest."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers import parameters, paths
from helpers.errors import UserError
from helpers.execution import ONE_THREAD
from helpers.records import given

RUN = "again"
"""Name of the run that the notebooks write, under a folder of its own."""

CELL_SECONDS = 600
"""How long a cell may take."""

# Only what is named here: plugins that happen to be installed could change what is found.
_PLUGINS = ("helpers.nbval_record", "nbval.plugin", "xdist.plugin")
_OPTIONS = ("--nbval", "--nbval-current-env", "--dist", "loadfile", "--color", "no", "--quiet")


class CheckError(UserError):
    """A check was asked for that cannot be made."""


Records = dict[str, dict[str, Any]]
"""Of each cell that was executed: nbval's `outcome` and `reason`, and its `outputs`."""


def execute(
    folder: Path,
    notebooks: Sequence[str],
    out: Path,
    progress: Callable[[int], None] = lambda cells: None,
) -> dict[str, Records]:
    """Execute notebooks of a run again, as they are stored; what they write goes elsewhere.

    Each reads the stored results of the others, not those that the others give now. So a
    difference shows where it arises, and if all reproduce, they do so one after the other, too.

    Parameters
    ----------
    folder
        The run's folder; it stays as it is.
    notebooks
        Names of those to execute.
    out
        Where to write: executed notebooks and results to papermill_runs/again, figures to
        figures/again.
    progress
        Called now and then with the number of cells done.

    Returns
    -------
    dict
        Of each notebook, what nbval found, by cell.

    Raises
    ------
    CheckError
        If pytest could not do its work.
    """
    made = out / "papermill_runs" / RUN
    for place in (made, out / "figures" / RUN):
        place.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="detainers-nbval-") as temporary:
        kept = Path(temporary)
        _pytest(folder, notebooks, out, kept, progress)
        found = {name: _records(kept / f"{name}.jsonl") for name in notebooks}
    for name, records in found.items():
        stored = json.loads((folder / f"{name}.ipynb").read_bytes())
        executed = {**stored, "cells": [_executed(cell, records) for cell in stored["cells"]]}
        paths.write_atomically(made / f"{name}.ipynb", paths.as_json(executed))
    return found


def _pytest(
    folder: Path,
    notebooks: Sequence[str],
    out: Path,
    kept: Path,
    progress: Callable[[int], None],
) -> None:
    settings = kept / "pytest.ini"  # an empty one, in the place of those of other projects
    settings.touch()
    plugins = [part for name in _PLUGINS for part in ("-p", name)]
    command = [sys.executable, "-m", "pytest", "-c", str(settings), "--rootdir", str(folder)]
    command += [
        *plugins,
        "-p",
        "no:cacheprovider",
        *_OPTIONS,
        "-n",
        "auto",
        "--maxprocesses",
        str(len(notebooks)),
    ]
    command += ["--nbval-cell-timeout", str(CELL_SECONDS), "--nbval-record", str(kept)]
    command += [str(folder / f"{name}.ipynb") for name in notebooks]
    with (kept / "said").open("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(
            command, env=_environment(folder, out), cwd=kept, stdout=said, stderr=said
        )
        try:
            while process.poll() is None:
                progress(sum(file.read_bytes().count(b"\n") for file in kept.glob("*.jsonl")))
                time.sleep(0.2)
        finally:
            process.terminate()
            process.wait()
        said.seek(0)
        lines = [line.strip() for line in said if line.strip()]
    if process.returncode not in (0, 1):  # neither all passed nor some failed
        raise CheckError(f"nbval could not do its work: {lines[-1] if lines else 'no word of it'}")


def _environment(folder: Path, out: Path) -> dict[str, str]:
    """Return the environment of a run, but for where to write; nothing of a surrounding pytest.

    Where the reader's own files lie is not written in a run; whoever checks it says so again.
    """
    outer = {k: v for k, v in os.environ.items() if not k.startswith(("DETAINERS_", "PYTEST_"))}
    files = [*map(given.variable, parameters.FILES), "DETAINERS_CACHE"]
    outer |= {name: os.environ[name] for name in files if name in os.environ}
    own = {
        "DETAINERS_ROOT": str(paths.project_root()),
        "DETAINERS_OUT": str(out),
        "DETAINERS_RUN": RUN,
        "DETAINERS_PREVIOUS": str(folder),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    return {**ONE_THREAD, **outer, **own}


def _records(file: Path) -> Records:
    if not file.is_file():
        return {}
    lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return {line["cell"]: line for line in lines}


def _executed(cell: dict[str, Any], records: Mapping[str, Any]) -> dict[str, Any]:
    if cell["cell_type"] != "code":
        return cell
    outputs = records.get(cell.get("id", ""), {}).get("outputs", [])
    return {**cell, "outputs": [dict(output) for output in outputs]}
