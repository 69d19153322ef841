"""A finished run as one zip file, an RO-Crate, with all that is needed to make it again."""

import io
import json
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from helpers import crate, lineage, locks, manifest, outputs, paths, replication, request, runner
from helpers.crate import Archived
from helpers.errors import UserError

METADATA = "ro-crate-metadata.json"
_MADE_FROM = ("data", "notebooks", "src", "requirements.lock")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip file can hold


class ArchiveError(UserError):
    """A run cannot be archived; the message is one line."""


def build(run: str) -> Path:
    """Write a run and its project as `declined-detainers-RUN.zip`.

    The archive holds every file of the project that is under version control, the run, a README
    for replicators and the metadata. The same run and project give the same bytes.

    Parameters
    ----------
    run
        Name of a finished run.

    Returns
    -------
    Path
        The archive, beside papermill_runs/.

    Raises
    ------
    ArchiveError
        If there is no such run, the project has changed since it was made, or it is not known
        which files belong to the project.
    helpers.lineage.LineageError, helpers.locks.BusyError
        If the run cannot be read, or another process is writing it.
    """
    with locks.reading(paths.run_folder(run), run):
        content = _content(run)
    target = paths.output_root() / f"declined-detainers-{run}.zip"
    paths.write_atomically(target, content)
    return target


def _content(run: str) -> bytes:
    root, recorded = paths.project_root(), _current(run)
    found, defaults = lineage.load(run), request.describe()
    files = _project_files(root) | _run_files(run, recorded)
    archived = Archived(
        run=run,
        files=files,
        recorded=recorded,
        figures=found.figures,
        citation=yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8")),
        package=json.loads((root / paths.MARKER).read_text(encoding="utf-8")),
    )
    folder = paths.run_folder(run)
    executed = {name: _read(folder / f"{name}.ipynb") for name in archived.notebooks}
    with tempfile.TemporaryDirectory(prefix="detainers-archive-") as temporary:
        readme = replication.readme(archived, found.results, executed, defaults)
        files[replication.NAME] = Path(temporary, replication.NAME)
        paths.write_atomically(files[replication.NAME], readme)
        described = crate.describe(archived, defaults)
        described.write(Path(temporary, "crate"))
        return _zipped(Path(temporary, "crate"))


def _current(run: str) -> dict[str, Any]:
    """Return the manifest of a run that the project as it is would make, whatever Python packs it.

    The manifest says which Python made the run; nothing is executed here.
    """
    recorded = manifest.read(paths.run_folder(run))
    if recorded is None:
        raise ArchiveError(paths.no_finished_run(run))
    opened = runner.open_run(run)
    for name, path in request.study().items():
        made = opened.entries.get(name, {}).get("key", {})
        now = outputs.key(opened, path, made.get("parameters", {})) | {"python": made.get("python")}
        if reasons := outputs.reasons(opened, name, now):
            raise ArchiveError(
                f"run {run!r} is not what the project makes now: {name}: {reasons[0]}; run it again"
            )
    return recorded


def _run_files(run: str, recorded: dict[str, Any]) -> dict[str, Path]:
    folders = {"papermill_runs": paths.run_folder(run), "figures": paths.figure_folder(run)}
    names = {"papermill_runs": {manifest.NAME, "results.json"}, "figures": set()}
    for entry in recorded["notebooks"].values():
        names["figures"] |= {*entry["figures"]}
        names["papermill_runs"] |= {*entry["sha256"]} - {*entry["figures"]}
    return {
        f"{kind}/{run}/{name}": folder / name
        for kind, folder in folders.items()
        for name in sorted(names[kind])
    }


def _project_files(root: Path) -> dict[str, Path]:
    """Return the files under version control; in an unpacked archive, the files that it lists."""
    if (root / ".git").exists():
        if new := _git(root, "--others", "--exclude-standard", "--", *_MADE_FROM):
            raise ArchiveError(f"{new[0]} is not under version control: add or remove it")
        names = _git(root, "--cached")
    elif (root / METADATA).is_file():
        graph = _read(root / METADATA)["@graph"]
        listed = (item["@id"] for item in graph if "File" in item["@type"])
        names = [name for name in listed if name != replication.NAME]
    else:
        raise ArchiveError(
            f"it is not known which files belong to the study: there is neither .git nor {METADATA}"
        )
    for name in names:
        if not (root / name).is_file():
            raise ArchiveError(f"{name} belongs to the study, but is missing")
    return {name: root / name for name in names}


def _git(root: Path, *which: str) -> list[str]:
    command = ["git", "-C", str(root), "ls-files", "-z", *which]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        raise ArchiveError("git does not say which files belong to the study") from None
    return [name for name in done.stdout.decode().split("\0") if name]


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _zipped(folder: Path) -> bytes:
    """Return a folder's files as a zip whose bytes depend on them alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _sorted_files(folder):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3  # Unix
            executable = path.stat().st_mode & 0o100
            info.external_attr = (0o755 if executable else 0o644) << 16
            archive.writestr(info, path.read_bytes())
    return buffer.getvalue()


def _sorted_files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
