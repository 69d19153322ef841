"""Run one notebook under many settings of its parameters, on Dask.

Each setting is a run of its own, in papermill_runs/sweeps/<name>/<id>, made as every run is: its
outputs appear whole, and it is left alone while its key is unchanged. So a sweep that was killed
goes on where it stood. results.parquet beside them gathers the results of all.

Workers are processes of this machine, or of a Dask cluster that exists. Those of other machines
must see the project's folder under the same path, and have the environment of the lock.
"""

import datetime as dt
import hashlib
import io
import json
import logging
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from helpers import locks, manifest, outputs, parameters, paths, request, runner, studies
from helpers.outputs import Run
from helpers.request import Plan, RunError
from helpers.runner import Step
from helpers.studies import Study

if TYPE_CHECKING:
    import pyarrow as pa
    from distributed import Client

RESULTS = "results.parquet"
COLUMNS = {
    "result": "string",
    "value": "double",
    "text": "string",
    "list": "list",
    "low": "double",
    "high": "double",
    "level": "double",
    "unit": "string",
    "caveat": "string",
}
"""Columns of the gathered results and their Arrow types, after the setting and its parameters."""

_ARROW = {"text": "string", "number": "double", "boolean": "bool", "date": "date32"}


@dataclass(frozen=True)
class Setting:
    """What became of a setting: `done`, `failed`, or `current`: left alone.

    `parameters` are those that the study sets; `message` says in one line why it failed, or why
    its kernel was an ordinary one.
    """

    id: str
    parameters: dict[str, Any]
    state: str
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a sweep; `message` says in one line that settings failed, else it is empty."""

    study: str
    folder: str
    settings: tuple[Setting, ...]
    message: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        return {"ok": not self.message, **asdict(self)}


@dataclass(frozen=True)
class Sweep:
    """A sweep whose settings have all been checked.

    Attributes
    ----------
    study, folder
        Name of the study, and where the sweep writes.
    plans
        The notebook with its parameters, by id of the setting.
    names
        The parameters that the study sets.
    root, previous
        The project's folder, and the folder of the run whose results the notebook reads.
    shared
        What the settings are made from: `helpers.manifest.ingredients`.
    """

    study: str
    folder: Path
    plans: dict[str, Plan]
    names: tuple[str, ...]
    root: Path
    previous: Path
    shared: dict[str, Any]


@dataclass(frozen=True)
class _Job:
    """What a worker needs to run a setting."""

    opened: Run
    plan: Plan
    key: dict[str, Any]


def prepare(study: Study, run: str = paths.REFERENCE) -> Sweep:
    """Check every setting of a study. Settings that come to the same parameters are one.

    Parameters
    ----------
    study
        The study.
    run
        Name of the run whose results the notebook reads, if it reads any; what this run lacks is
        read from the reference run.

    Raises
    ------
    helpers.request.RunError, helpers.parameters.ParameterError, helpers.paths.PathError
        If the run, the notebook or a parameter is unknown, or a value is not allowed.
    """
    previous = paths.run_folder(run)
    if run != paths.REFERENCE and not previous.is_dir():
        raise RunError(paths.no_finished_run(run))
    (notebook,) = request.chosen([study.notebook])
    asked = studies.settings(study, notebook)
    plans = [request.plan({notebook: each}, [notebook])[0] for each in asked]
    root = paths.project_root()
    return Sweep(
        study=study.name,
        folder=paths.output_root() / "papermill_runs" / "sweeps" / study.name,
        plans={_id(plan): plan for plan in plans},
        names=tuple(dict.fromkeys(name for each in asked for name in each)),
        root=root,
        previous=previous,
        shared=manifest.ingredients(root),
    )


@contextmanager
def cluster(
    scheduler: str | None = None, scheduler_file: Path | None = None, workers: int | None = None
) -> Iterator["Client"]:
    """Connect to a Dask cluster: one that exists, else one of processes of this machine.

    Parameters
    ----------
    scheduler, scheduler_file
        Address of a running scheduler (`tcp://host:port`), or the file that it wrote.
    workers
        Number of processes of a cluster of our own; one a processor where None.

    Raises
    ------
    helpers.request.RunError
        If no scheduler answers, or the choices exclude each other.
    """
    import dask
    from distributed import Client, LocalCluster

    if sum(choice is not None for choice in (scheduler, scheduler_file, workers)) > 1:
        raise RunError("--scheduler, --scheduler-file and --workers exclude each other")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is said by us
    if scheduler is None and scheduler_file is None:
        # No setting waits at a worker, where it would share the blame for another that kills it.
        with (
            dask.config.set({"distributed.scheduler.worker-saturation": 1.0}),
            LocalCluster(
                n_workers=workers or runner.processors(),
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
                preload=[__name__],
            ) as own,
            Client(own) as client,
        ):
            yield client
        return
    address = _address(scheduler_file) if scheduler_file else scheduler
    try:
        client = Client(address)
    except (OSError, ValueError) as error:
        raise RunError(f"no scheduler at {address}: {error}") from None
    with client:
        yield client


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C to the process that started the worker; Dask calls this in each of ours."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _address(scheduler_file: Path) -> str:
    # Left to itself, Dask waits for the file without end.
    if address := (manifest.read_json(scheduler_file) or {}).get("address"):
        return str(address)
    raise RunError(f"{scheduler_file}: no scheduler has written this file")


def run(
    sweep: Sweep,
    connect: Callable[[], AbstractContextManager["Client"]] = cluster,
    *,
    report: Callable[[Setting], None] = lambda setting: None,
    data_problems: Callable[[], Sequence[str]] = lambda: (),
) -> Outcome:
    """Run the settings of a sweep that are not current, and gather the results of all.

    A setting that fails stops no other: it keeps its failed copy, and runs again the next time.
    results.parquet holds the results of those that succeeded (see `gather`), sweep.json says what
    became of each.

    Parameters
    ----------
    sweep
        The sweep.
    connect
        Gives the cluster; called only if a setting has to run.
    report
        Called for each setting as it turns out.
    data_problems
        Called before the first kernel starts; any line it gives back refuses the sweep.

    Raises
    ------
    helpers.request.RunError, helpers.locks.BusyError
        If the data has problems, the cluster cannot be reached, or the sweep is running already.
    """
    with locks.writing(sweep.folder, f"the sweep {sweep.study!r}"):
        found = {}
        for setting, step in _steps(sweep, connect, data_problems):
            chosen = {name: sweep.plans[setting].parameters[name] for name in sweep.names}
            found[setting] = Setting(setting, chosen, step.state, step.seconds, step.message)
            report(found[setting])
        return _finish(sweep, [found[setting] for setting in sweep.plans])


def gather(sweep: Sweep, finished: Iterable[str]) -> "pa.Table":
    """Return the results of settings as one table.

    Parameters
    ----------
    sweep
        The sweep.
    finished
        Ids of the settings.

    Returns
    -------
    pyarrow.Table
        One row a setting and result: `setting` (its id), a column for each parameter of the
        notebook, `result` (its name), and its value in one of three columns: `value` (a number),
        `text` or `list` (of numbers). `low` and `high` are the ends of its interval, empty where
        there is none or it is unbounded; then its `level`, `unit` and `caveat`.
    """
    import pyarrow as pa

    notebook = next(iter(sweep.plans.values())).name
    kinds = {row["name"]: row["type"].split()[0] for row in parameters.describe(notebook)}
    types = {"setting": "string", **{name: _ARROW[kind] for name, kind in kinds.items()}, **COLUMNS}
    schema = pa.schema(
        (name, pa.list_(pa.float64()) if kind == "list" else pa.type_for_alias(kind))
        for name, kind in types.items()
    )
    rows = []
    for setting in finished:
        chosen = {
            name: dt.date.fromisoformat(value) if value and kinds[name] == "date" else value
            for name, value in sweep.plans[setting].parameters.items()
        }
        results = outputs.results_in(_open(sweep, setting).results(notebook)) or {}
        for name, result in sorted(results.items()):
            rows.append({"setting": setting, **chosen, "result": name, **_columns(result)})
    return pa.Table.from_pylist(rows, schema)


def _steps(
    sweep: Sweep,
    connect: Callable[[], AbstractContextManager["Client"]],
    data_problems: Callable[[], Sequence[str]],
) -> Iterator[tuple[str, Step]]:
    """Yield each setting's id and what became of it: first those that are current."""
    waiting = {}
    for setting, plan in sweep.plans.items():
        opened = _open(sweep, setting)
        key = outputs.key(opened, plan.path, plan.parameters)
        if outputs.reasons(opened, plan.name, key):
            waiting[setting] = _Job(opened, plan, key)
        else:
            yield setting, Step(plan.name, "current")
    if waiting:
        runner.refuse(data_problems())
        with connect() as client:
            yield from _on_cluster(client, waiting)


def _on_cluster(client: "Client", jobs: Mapping[str, _Job]) -> Iterator[tuple[str, Step]]:
    from distributed import KilledWorker, as_completed

    futures = client.map(_run_setting, list(jobs.values()), pure=False)
    settings = dict(zip(futures, jobs, strict=True))
    for future in as_completed(futures):
        setting = settings[future]
        try:
            step = future.result()
        except CancelledError:
            step = _failure(jobs[setting], "the scheduler was lost")
        except KilledWorker as error:
            times = error.allowed_failures + 1
            step = _failure(jobs[setting], f"the worker died, each of {times} times")
        except Exception as error:  # a disk is full, or whatever else a worker may suffer
            said = str(error).strip().splitlines() or [""]
            step = _failure(jobs[setting], f"{type(error).__name__}: {said[0]}")
        yield setting, step


def _run_setting(job: _Job) -> Step:
    """Run a setting; called on a worker."""
    from helpers import execution, kernels

    name, folder = job.plan.name, job.opened.folder
    obstacle = kernels.obstacle()
    kernel = kernels.PLAIN if obstacle else kernels.WARM
    if not obstacle:
        execution.warm_up(job.plan.path.parent)  # once; later it has nothing to do
    here = replace(job.opened, shared=manifest.ingredients(job.opened.root))
    key = outputs.key(here, job.plan.path, job.plan.parameters)
    if differing := manifest.changes(job.key, key):
        return _failure(job, f"its worker has something else: {differing[0]}")
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):  # a worker given up for lost may still be at it
        opened = replace(here, entries=_entries(folder))
        if not outputs.reasons(opened, name, key):
            return Step(name, "done")
        try:
            step = runner.run_notebook(opened, job.plan, key, kernel)
            return replace(step, message=step.message or obstacle)
        finally:
            outputs.remove_leftovers(opened)


def _failure(job: _Job, why: str) -> Step:
    return Step(job.plan.name, "failed", message=f"{job.plan.name} failed: {why}")


def _open(sweep: Sweep, setting: str) -> Run:
    folder = sweep.folder / setting
    return Run(
        name=f"sweeps/{sweep.study}/{setting}",
        root=sweep.root,
        folder=folder,
        figures=folder / "figures",
        shared=sweep.shared,
        entries=_entries(folder),
        previous=sweep.previous,
    )


def _entries(folder: Path) -> dict[str, dict[str, Any]]:
    return (manifest.read(folder) or {"notebooks": {}})["notebooks"]


def _finish(sweep: Sweep, became: Sequence[Setting]) -> Outcome:
    import pyarrow.parquet as pq

    failed = sum(setting.state == "failed" for setting in became)
    message = f"{failed} of {len(became)} settings failed" if failed else ""
    outcome = Outcome(sweep.study, str(sweep.folder), tuple(became), message)
    table, buffer = gather(sweep, [s.id for s in became if s.state != "failed"]), io.BytesIO()
    pq.write_table(table, buffer)
    paths.write_atomically(sweep.folder / RESULTS, buffer.getvalue())
    paths.write_atomically(sweep.folder / "sweep.json", paths.as_json(outcome.as_dict()))
    return outcome


def _columns(result: Mapping[str, Any]) -> dict[str, Any]:
    value = result["value"]
    kind = "text" if isinstance(value, str) else "list" if isinstance(value, list) else "value"
    low, high = result["interval"] or (None, None)
    same = {name: result[name] for name in ("level", "unit", "caveat")}
    return {kind: value, "low": low, "high": high, **same}


def _id(plan: Plan) -> str:
    parts = json.dumps([plan.name, plan.parameters], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()[:12]
