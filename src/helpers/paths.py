"""Where the project is, where a run writes, and how a file is written whole.

Places are decided by the environment, never by a notebook.
"""

import errno
import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from helpers.errors import UserError

MARKER = Path("data/datapackage.json")
DEFAULT_RUN = "scratch"
REFERENCE = "reference"


class PathError(UserError):
    """The project or a run folder is not where it must be."""


def project_root(start: Path | None = None) -> Path:
    """Return the project's folder.

    Parameters
    ----------
    start
        Where to begin looking; the working directory when omitted.

    Returns
    -------
    Path
        DETAINERS_ROOT where that is set, else the nearest parent of `start` that has
        data/datapackage.json.

    Raises
    ------
    PathError
        If there is none.
    """
    if fixed := os.environ.get("DETAINERS_ROOT"):
        candidates = [Path(fixed).resolve()]
    else:
        here = (start or Path.cwd()).resolve()
        candidates = [here, *here.parents]
    for folder in candidates:
        if (folder / MARKER).is_file():
            return folder
    raise PathError(
        f"no project found: {candidates[0]} and its parents have no {MARKER.as_posix()}; "
        "work inside the project or set DETAINERS_ROOT"
    )


def run_name() -> str:
    """Return the name of the current run: DETAINERS_RUN, or `scratch` where that is unset.

    Raises
    ------
    PathError
        If the name could leave its folder.
    """
    return checked_run_name(os.environ.get("DETAINERS_RUN") or DEFAULT_RUN)


def checked_run_name(name: str) -> str:
    """Return `name` if it can be a run's folder.

    Raises
    ------
    PathError
        If it holds anything but lower-case letters, digits, dash and underscore (some systems
        do not tell `Reference` from `reference`).
    """
    if not re.fullmatch(r"[a-z0-9_][a-z0-9_-]*", name):
        raise PathError(
            f"run name {name!r}: allowed are lower-case letters, digits, dash and underscore"
        )
    return name


def output_root() -> Path:
    """Return the folder that holds papermill_runs/ and figures/: DETAINERS_OUT or the project."""
    return Path(out).resolve() if (out := os.environ.get("DETAINERS_OUT")) else project_root()


def run_folder(run: str | None = None) -> Path:
    """Return the folder of executed notebooks and results of `run` (the current run if None)."""
    return output_root() / "papermill_runs" / (run_name() if run is None else checked_run_name(run))


def no_finished_run(run: str) -> str:
    """Say in a line that there is no such run, and which there are."""
    there = sorted(path.parent.name for path in run_folder(run).parent.glob("*/results.json"))
    return f"there is no finished run {run!r}; finished runs: {', '.join(there) or 'none'}"


def figure_folder(run: str | None = None) -> Path:
    """Return the folder of figures of `run` (the current run if None)."""
    return output_root() / "figures" / (run_name() if run is None else checked_run_name(run))


def previous_folder() -> Path:
    """Return the folder with the results of the run's earlier notebooks.

    It is the run's own folder, or DETAINERS_PREVIOUS while the runner stages a notebook.
    """
    return Path(out) if (out := os.environ.get("DETAINERS_PREVIOUS")) else run_folder()


def results_file(folder: Path, notebook: str, root: Path | None = None) -> Path:
    """Return the file that holds a notebook's results for whoever reads them.

    It is the one in the folder of a run where that exists, else the reference run's, in the
    project at `root` (found from the working directory when omitted).
    """
    own = folder / f"{notebook}.results.json"
    if own.is_file():
        return own
    return (root or project_root()) / "papermill_runs" / REFERENCE / own.name


def as_json(content: Mapping[str, Any]) -> str:
    """Return JSON as it is stored: indented, UTF-8, no NaN, one newline at the end."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that it appears whole or not at all.

    Parameters
    ----------
    path
        The file; its folder is made where missing.
    content
        Text (written as UTF-8 with LF) or bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def replace_folder(folder: Path, new: Path) -> None:
    """Put a copy of a finished folder in the place of another, which stands until that is complete.

    Of processes that do so at once the last one's copy stays.

    Parameters
    ----------
    folder
        The folder to replace; it need not be there.
    new
        The finished one.
    """
    name = f".{folder.name}.{os.getpid()}"
    beside, old = (folder.with_name(f"{name}.{part}.part") for part in ("new", "old"))
    try:
        shutil.copytree(new, beside)
        while beside.exists():
            with suppress(FileNotFoundError):  # it never was, or another process has moved it
                folder.rename(old)
            try:
                beside.rename(folder)
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
                shutil.rmtree(old, ignore_errors=True)  # another process put its own there
    finally:
        if beside.exists() and old.exists():
            old.rename(folder)
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
