"""Run the notebooks through papermill, so that a failure or a kill loses nothing.

A notebook executes in a hidden staging folder inside the run's folder; what it wrote moves into
place only when it has succeeded.
"""

import datetime as dt
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from helpers import locks, manifest, outputs, paths, request
from helpers.outputs import Run
from helpers.records import given
from helpers.request import Plan, RunError


@dataclass(frozen=True)
class Step:
    """What becomes of one notebook.

    `state` is `running`, then `done` or `failed`; or `current`: left alone. A notebook that was
    not asked for is `stale` if it is no longer current. Before a run, a notebook `would run`, or
    `may run`: it would if results that it reads changed. `reasons` say why it is not current.
    A step of the file manifest.json says that it could not be read; one of the kernels, that they
    are ordinary ones.
    """

    notebook: str
    state: str
    seconds: float = 0.0
    message: str = ""
    reasons: tuple[str, ...] = ()


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
    jobs: int | None = None,
    plain_kernel: bool = False,
    report: Callable[[Step], None] = lambda step: None,
    data_problems: Callable[[], Sequence[str]] = lambda: (),
) -> Outcome:
    """Run the notebooks of the study into papermill_runs/<run> and figures/<run>.

    A notebook whose key (`helpers.manifest.key`) is unchanged is left alone; one that reads the
    results of others waits for them. After a failure none is started any more: the failed
    notebook's last good outputs stay, the failed copy lies beside them, and results.json stays
    what the last finished run made it.

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
    jobs
        How many notebooks may run at a time; as many as there are processors where None.
    plain_kernel
        Start each kernel anew, as Jupyter does, and do not fork it.
    report
        Called when a notebook starts and, in their order, with what becomes of each.
    data_problems
        Called before the first kernel starts; any line it gives back refuses the run.

    Returns
    -------
    Outcome
        What became of each notebook, in their order.

    Raises
    ------
    RunError, helpers.parameters.ParameterError, helpers.paths.PathError
    helpers.locks.BusyError, helpers.records.RecordsError
        If the request cannot be met. No kernel was started and no output touched.
    """
    folder = paths.run_folder(run)
    plans = request.plan(asked, only)
    with locks.writing(folder, f"the run {run!r}"):
        opened = open_run(run, report)
        _check_platform(opened, force_platform)
        outputs.remove_leftovers(opened)
        prepare = partial(_prepare, opened.root, plain_kernel, report, data_problems)
        try:
            ended = _steps(opened, plans, force, jobs or processors(), prepare, report)
            steps = list(_told(_in_order(ended, plans), report))
            failures = (step.message for step in steps if step.state == "failed")
            message = next(failures, "") or outputs.finish(opened)
            steps += _told(_stale(opened, {plan.name for plan in plans}), report)
        finally:
            outputs.remove_leftovers(opened)
    return Outcome(run, str(folder), tuple(steps), message)


def preview(
    run: str,
    asked: Mapping[str, Mapping[str, Any]],
    *,
    only: Sequence[str] | None = None,
    force: bool = False,
    report: Callable[[Step], None] = lambda step: None,
) -> Outcome:
    """Return what `run` would do, and why; nothing is written.

    The parameters are those of `run`; so are the errors.
    """
    folder = paths.run_folder(run)
    opened = open_run(run, report)
    steps: list[Step] = []
    for plan in request.plan(asked, only):
        key = outputs.key(opened, plan.path, plan.parameters)
        reasons = outputs.reasons(opened, plan.name, key) or (["--force"] if force else [])
        moving = {step.notebook for step in steps if step.state != "current"}
        state = "would run" if reasons else "may run" if moving & set(plan.reads) else "current"
        if state == "may run":
            reasons = [f"results of {name} may change" for name in plan.reads if name in moving]
        steps.append(Step(plan.name, state, reasons=tuple(reasons)))
    steps += _stale(opened, {step.notebook for step in steps})
    return Outcome(run, str(folder), tuple(_told(steps, report)))


def _told(steps: Iterable[Step], report: Callable[[Step], None]) -> Iterator[Step]:
    for step in steps:
        report(step)
        yield step


def open_run(name: str, report: Callable[[Step], None] = lambda step: None) -> Run:
    """Return a run as it is on disk, for whoever holds it or only reads.

    Raises
    ------
    RunError, helpers.paths.PathError
        If it cannot be a run of this project.
    """
    folder = paths.run_folder(name)
    found = manifest.read(folder)
    if found is None and (folder / manifest.NAME).exists():
        report(Step(manifest.NAME, "unreadable", message="every notebook runs again"))
    entries = found["notebooks"] if found else {}
    if lost := sorted(set(entries) - set(request.study())):
        raise RunError(f"notebooks/{lost[0]}.ipynb is missing, but the run has its outputs")
    root, figures = paths.project_root(), paths.figure_folder(name)
    made_on = found["versions"].get("platform") if found else None
    return Run(name, root, folder, figures, manifest.ingredients(root), entries, made_on)


def _check_platform(opened: Run, force_platform: bool) -> None:
    here = manifest.this_platform()
    if opened.name == paths.REFERENCE and opened.made_on not in (None, here) and not force_platform:
        raise RunError(
            f"the reference run was made on {opened.made_on}, this is {here}: its last digits may "
            "change; --force-platform makes it here all the same"
        )


def _prepare(
    root: Path,
    plain_kernel: bool,
    report: Callable[[Step], None],
    data_problems: Callable[[], Sequence[str]],
) -> str:
    """Return the kernel to execute with, once all is ready for the first."""
    from helpers import execution, kernels  # a tenth of a second, for runs that execute anything

    obstacle = "" if plain_kernel else kernels.obstacle()
    if obstacle:
        report(Step("kernels", "ordinary", message=obstacle))
    warm = not (plain_kernel or obstacle)
    if warm:
        execution.warm_up(root / "notebooks")  # beside what follows
    refuse(data_problems())
    return kernels.WARM if warm else kernels.PLAIN


def refuse(problems: Sequence[str]) -> None:
    """Raise RunError with the first of the problems of the data, if there are any."""
    if len(problems) > 1:
        more = f"{len(problems) - 1} more: `detainers data check` lists them"
        raise RunError(f"{problems[0]}\n{more}")
    if problems:
        raise RunError(problems[0])


@dataclass(frozen=True)
class _Begun:
    plan: Plan
    key: dict[str, Any]
    last_good: dict[str, Any]
    started: dt.datetime
    clock: float


class _Ended(NamedTuple):
    """Why an execution failed, or nothing; and the most memory that it held."""

    message: str
    peak_mb: int | None = None


def _steps(
    opened: Run,
    plans: Iterable[Plan],
    force: bool,
    jobs: int,
    prepare: Callable[[], str],
    report: Callable[[Step], None],
) -> Iterator[Step]:
    """Yield what becomes of each notebook when it is known; only the executing is in threads."""
    waiting, kernel, failed = list(plans), "", False
    running: dict[Future[_Ended], _Begun] = {}
    with _threads(jobs, running) as threads:
        while running or (waiting and not failed):
            while not failed and len(running) < jobs and (plan := _next(waiting, running)):
                waiting.remove(plan)
                key = outputs.key(opened, plan.path, plan.parameters)
                if not force and not outputs.reasons(opened, plan.name, key):
                    yield Step(plan.name, "current")
                    continue
                kernel = kernel or prepare()
                report(Step(plan.name, "running"))
                begun = _begin(opened, plan, key)
                running[threads.submit(_execute, opened, begun, kernel)] = begun
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                step = _end(opened, running.pop(future), future.result())
                failed = failed or step.state == "failed"
                yield step


def run_notebook(opened: Run, plan: Plan, key: dict[str, Any], kernel: str) -> Step:
    """Run one notebook in a run that this process has locked; return what became of it."""
    begun = _begin(opened, plan, key)
    return _end(opened, begun, _execute(opened, begun, kernel))


def _next(waiting: Iterable[Plan], running: Mapping[Future[_Ended], _Begun]) -> Plan | None:
    """Return the first notebook whose results to be read are all there."""
    missing = {plan.name for plan in waiting} | {begun.plan.name for begun in running.values()}
    return next((plan for plan in waiting if not missing & set(plan.reads)), None)


@contextmanager
def _threads(jobs: int, running: Mapping[Future[_Ended], _Begun]) -> Iterator[ThreadPoolExecutor]:
    """Give threads to execute in; whatever breaks that off ends all kernels."""
    with ThreadPoolExecutor(jobs) as threads:
        try:
            yield threads
        except BaseException:
            from helpers import execution

            while wait(running, timeout=0).not_done:
                execution.stop()
                wait(running, timeout=0.1)
            raise


def _begin(opened: Run, plan: Plan, key: dict[str, Any]) -> _Begun:
    last_good = {k: v for k, v in opened.entries.get(plan.name, {}).items() if k != "message"}
    # Whoever dies from here on leaves an entry that is not `done`, so the next run starts it anew.
    opened.note(plan.name, **{**last_good, "status": "started"})
    opened.staged(plan.name).folder.mkdir(parents=True)
    return _Begun(plan, key, last_good, dt.datetime.now(dt.UTC), time.monotonic())


def _execute(opened: Run, begun: _Begun, kernel: str) -> _Ended:
    """Execute a notebook in its staging folder."""
    from helpers import execution

    plan = begun.plan
    staged = opened.staged(plan.name)
    try:
        peak_mb = execution.execute(
            plan.path,
            staged.folder / f"{plan.name}.ipynb",
            parameters=plan.injected,
            environment={
                "DETAINERS_ROOT": str(opened.root),
                "DETAINERS_RUN": opened.folder.name,
                "DETAINERS_OUT": str(staged.folder.parents[1]),
                "DETAINERS_PREVIOUS": str(opened.previous or opened.folder),
                **{given.variable(name): str(file) for name, file in plan.files.items()},
            },
            kernel=kernel,
        )
    except execution.ExecutionError as error:
        see = f"see papermill_runs/{opened.name}/{plan.name}.failed.ipynb"
        return _Ended(f"{plan.name} {error}; {see}")
    if problem := outputs.problem(staged, plan.name) or _moved(opened, begun):
        return _Ended(f"{plan.name} failed: {problem}")
    return _Ended("", peak_mb)


def _moved(opened: Run, begun: _Begun) -> str:
    """Say what a notebook is made from that changed as it ran: who knows which it was made from."""
    plan, here = begun.plan, replace(opened, shared=manifest.ingredients(opened.root))
    try:
        changes = manifest.changes(begun.key, outputs.key(here, plan.path, plan.parameters))
    except (OSError, RunError):  # it is being saved, or gone
        changes = [f"notebooks/{plan.path.name} changed"]
    return f"{changes[0]} while it ran" if changes else ""


def _end(opened: Run, begun: _Begun, ended: _Ended) -> Step:
    """Move a notebook's outputs into place, or keep the failed copy, and note what happened."""
    name, message = begun.plan.name, ended.message
    if message:
        outputs.keep_failed(opened, name)
        opened.note(name, **{**begun.last_good, "status": "failed", "message": message})
    else:
        published = outputs.publish(opened, name)
    seconds = round(time.monotonic() - begun.clock, 1)
    if not message:
        opened.note(
            name,
            key=begun.key,
            status="done",
            started=begun.started.isoformat(timespec="seconds"),
            seconds=seconds,
            peak_mb=ended.peak_mb,
            **published,
        )
    return Step(name, "failed" if message else "done", seconds, message)


def _in_order(steps: Iterator[Step], plans: Iterable[Plan]) -> Iterator[Step]:
    """Yield steps in the order of the notebooks, each as soon as those before it are there."""
    names, ended = [plan.name for plan in plans], {}
    for step in steps:
        ended[step.notebook] = step
        while names and names[0] in ended:
            yield ended[names.pop(0)]
    yield from (ended[name] for name in names if name in ended)


def _stale(opened: Run, asked: set[str]) -> Iterator[Step]:
    """Name the notebooks of the run, not asked for, whose outputs no longer follow from it."""
    for name, path in request.study().items():
        made_under = opened.entries.get(name, {}).get("key")
        if name not in asked and isinstance(made_under, dict):
            key = outputs.key(opened, path, made_under["parameters"])
            if reasons := outputs.reasons(opened, name, key):
                yield Step(name, "stale", reasons=tuple(reasons))


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):  # fewer than the machine has, where a scheduler says so
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
