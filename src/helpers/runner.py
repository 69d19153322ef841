"""Run the notebooks in sequence through papermill, so that a failure or a kill loses nothing.

A notebook executes in a hidden staging folder inside the run's folder; what it wrote moves into
place only when it has succeeded.
"""

import datetime as dt
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from helpers import execution, kernels, manifest, outputs, paths, request
from helpers.outputs import Run
from helpers.request import Plan, RunError


@dataclass(frozen=True)
class Step:
    """What becomes of one notebook: `running`, then `done` or `failed`; or `current`: left alone.

    A notebook that was not asked for is `stale` if what it was made from has changed since.
    A step of the file manifest.json says that it could not be read.
    """

    notebook: str
    state: str
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a run; `message` says in one line why it failed, else it is empty."""

    run: str
    folder: str
    steps: tuple[Step, ...]
    message: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        return {"ok": not self.message, **asdict(self)}


def run(
    run: str,
    asked: Mapping[str, Mapping[str, Any]],
    *,
    only: Sequence[str] | None = None,
    force: bool = False,
    force_platform: bool = False,
    report: Callable[[Step], None] = lambda step: None,
    data_problems: Callable[[], Sequence[str]] = lambda: (),
) -> Outcome:
    """Run the notebooks of the study, in order, into papermill_runs/<run> and figures/<run>.

    A notebook whose key (`helpers.manifest.key`) is unchanged is left alone. The first failure
    ends the run: that notebook's last good outputs stay, the failed copy lies beside them, and
    results.json stays what the last finished run made it.

    Parameters
    ----------
    run
        Name of the run.
    asked
        Parameters to set, by notebook and name (`helpers.request.requested` makes it); the others
        keep their defaults.
    only
        Notebooks to run, by name or number; all where None.
    force
        Run notebooks that are current, too.
    force_platform
        Allow the reference run on another platform than the one that made it.
    report
        Called when a notebook starts and when it ends.
    data_problems
        Called before the first kernel starts; any line it gives back refuses the run.

    Returns
    -------
    Outcome
        What became of each notebook.

    Raises
    ------
    RunError, helpers.parameters.ParameterError, helpers.paths.PathError
        If the request cannot be met. No kernel was started and no output touched.
    """
    folder = paths.run_folder(run)
    plans = request.plan(asked, only)
    with locked(folder, f"the run {run!r}"):
        opened = _open(run, folder, force_platform, report)
        steps = list(_steps(opened, plans, force, report, data_problems))
        message = steps[-1].message or outputs.finish(opened)
        for step in _stale(opened, {plan.name for plan in plans}):
            report(step)
            steps.append(step)
    return Outcome(run, str(folder), tuple(steps), message)


@contextmanager
def locked(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder for one process at a time; raise RunError if another has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise RunError(
            f"another process is writing {what}: wait for it, or choose another name"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _open(name: str, folder: Path, force_platform: bool, report: Callable[[Step], None]) -> Run:
    found = manifest.read(folder)
    if found is None and (folder / manifest.NAME).exists():
        report(Step(manifest.NAME, "unreadable", message="every notebook runs again"))
    found = found or {"notebooks": {}, "versions": {}}
    made_on, here = found["versions"].get("platform"), manifest.this_platform()
    if name == paths.REFERENCE and made_on not in (None, here) and not force_platform:
        raise RunError(
            f"the reference run was made on {made_on}, this is {here}: its last digits may "
            "change; --force-platform makes it here all the same"
        )
    root, figures = paths.project_root(), paths.figure_folder(name)
    opened = Run(name, root, folder, figures, manifest.circumstances(root), found["notebooks"])
    if lost := sorted(set(found["notebooks"]) - set(request.study())):
        raise RunError(f"notebooks/{lost[0]}.ipynb is missing, but the run has its outputs")
    outputs.remove_leftovers(opened)
    return opened


def _steps(
    opened: Run,
    plans: Iterable[Plan],
    force: bool,
    report: Callable[[Step], None],
    data_problems: Callable[[], Sequence[str]],
) -> Iterator[Step]:
    checked = False
    for plan in plans:
        key = outputs.key(opened, plan.path, plan.parameters)
        if not force and outputs.is_current(opened, plan.name, key):
            step = Step(plan.name, "current")
        else:
            if not checked:
                refuse(data_problems())
            checked = True
            report(Step(plan.name, "running"))
            step = run_notebook(opened, plan, key)
        report(step)
        yield step
        if step.state == "failed":
            return


def refuse(problems: Sequence[str]) -> None:
    """Raise RunError with the first of the problems of the data, if there are any."""
    if len(problems) > 1:
        more = f"{len(problems) - 1} more: `detainers data check` lists them"
        raise RunError(f"{problems[0]}\n{more}")
    if problems:
        raise RunError(problems[0])


def _stale(opened: Run, asked: set[str]) -> Iterator[Step]:
    """Name the notebooks of the run, not asked for, whose outputs no longer follow from it."""
    for name, path in request.study().items():
        entry = opened.entries.get(name, {})
        if name not in asked and "key" in entry:
            key = outputs.key(opened, path, entry.get("parameters", {}))
            if not outputs.is_current(opened, name, key):
                yield Step(name, "stale", message="what it was made from has changed: run it again")


def run_notebook(opened: Run, plan: Plan, key: str) -> Step:
    """Run a notebook and record, under its key, what became of it."""
    started, clock = dt.datetime.now(dt.UTC), time.monotonic()
    last_good = {k: v for k, v in opened.entries.get(plan.name, {}).items() if k != "message"}
    # Whoever dies from here on leaves an entry that is not `done`, so the next run starts it anew.
    opened.note(plan.name, **{**last_good, "status": "started"})
    staging = opened.staged(plan.name).folder
    try:
        staging.mkdir(parents=True)
        if message := _execute(opened, plan):
            outputs.keep_failed(opened, plan.name)
            opened.note(plan.name, **{**last_good, "status": "failed", "message": message})
            return Step(plan.name, "failed", round(time.monotonic() - clock, 1), message)
        figures = outputs.publish(opened, plan.name)
    finally:
        shutil.rmtree(staging.parents[1], ignore_errors=True)
    seconds = round(time.monotonic() - clock, 1)
    opened.note(
        plan.name,
        key=key,
        parameters=plan.parameters,
        status="done",
        started=started.isoformat(timespec="seconds"),
        seconds=seconds,
        sha256=manifest.sha256(opened.folder / f"{plan.name}.ipynb"),
        figures=figures,
    )
    return Step(plan.name, "done", seconds)


def _execute(opened: Run, plan: Plan) -> str:
    """Execute a notebook in its staging folder; return why it failed, or nothing."""
    staged = opened.staged(plan.name)
    try:
        execution.execute(
            plan.path,
            staged.folder / f"{plan.name}.ipynb",
            parameters=plan.injected,
            environment={
                "DETAINERS_ROOT": str(opened.root),
                "DETAINERS_RUN": opened.folder.name,
                "DETAINERS_OUT": str(staged.folder.parents[1]),
                "DETAINERS_PREVIOUS": str(opened.previous or opened.folder),
            },
            kernel=kernels.warm_up(),
        )
    except execution.ExecutionError as error:
        return f"{plan.name} {error}; see papermill_runs/{opened.name}/{plan.name}.failed.ipynb"
    if outputs.results_in(staged.results(plan.name)) is None:
        return f"{plan.name} failed: it ended without writing its results"
    return ""
