"""Execute one notebook, in a kernel, a folder and an environment of its own."""

import asyncio
import contextvars
import json
import logging
import os
import re
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client import AsyncKernelManager
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_core.utils import ensure_event_loop

from helpers import kernels

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Linear algebra in one thread, unless told: the last digits of a sum depend on their number."""


class ExecutionError(Exception):
    """A notebook failed; the message says in one line where and why."""


def warm_up(folder: Path) -> None:
    """Begin to import what notebooks of a folder need, for `execute` with `kernels.WARM`.

    It returns at once. Without it, the first notebook begins with that.
    """
    kernels.warm_up(folder, _variables({}))


def execute(
    source: Path,
    output: Path,
    *,
    parameters: Mapping[str, Any],
    environment: Mapping[str, str],
    kernel: str = kernels.PLAIN,
) -> int | None:
    """Execute a notebook; several threads may do so at a time.

    Parameters
    ----------
    source
        The notebook; its folder is the kernel's working directory.
    output
        Where the executed copy goes: when all is done, or, as far as it came, on failure.
    parameters
        Values to inject after the cell tagged `parameters`.
    environment
        Variables to set in the kernel, beside those of this process.
    kernel
        `kernels.WARM`, where `kernels.obstacle` names none, or `kernels.PLAIN`.

    Returns
    -------
    int or None
        Most memory that the kernel held, in megabytes; None where the system does not say.

    Raises
    ------
    ExecutionError
        If the kernel does not start or dies, or a cell fails.
    """
    import papermill  # a third of a second, in which a server can already be at work
    from papermill.engines import papermill_engines

    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    papermill_engines.register("detainers", _engine())
    manager = _manager(source.parent, _variables(environment))
    try:
        contextvars.Context().run(
            _with_loop,
            papermill.execute_notebook,
            _literally(source),
            _literally(output),
            parameters=dict(parameters),
            engine_name="detainers",
            kernel_name=kernel,
            language="python",
            progress_bar=False,
            request_save_on_cell_execute=False,
            save_failed_to=output,
            kernel_manager_class=manager,
            shutdown_kernel="immediate",
            # Left to itself, each kernel warns of TCP without encryption on standard error.
            extra_arguments=["--log-level=CRITICAL"],
        )
    except Exception as error:  # kernels fail in many ways, and each is one line to the user
        raise ExecutionError(f"failed{_place_of_failure(output)}: {_one_line(error)}") from error
    return manager.peak_mb


def stop() -> None:
    """Kill every kernel that this process executes a notebook in; those executions fail."""
    for manager in list(_running):
        if manager.has_kernel:
            asyncio.run(manager.provisioner.kill())
    kernels.cool_down()


_running: set[AsyncKernelManager] = set()


def _with_loop(call: Callable[..., Any], *arguments: Any, **options: Any) -> None:  # noqa: ANN401
    """Call, in a new context, what nbclient runs in the event loop that it finds there.

    It finds the loop in a context variable, and threads that share a context would share the loop,
    which runs in one of them only.
    """
    try:
        call(*arguments, **options)
    finally:
        ensure_event_loop().close()


def _variables(own: Mapping[str, str]) -> dict[str, str]:
    return {**ONE_THREAD, **os.environ, **own}


@cache
def _engine() -> type:
    """Return papermill's engine, but for saving the notebook before and after each cell.

    It is saved once: when all is done, which papermill sees to, or when the execution breaks off.
    """
    from papermill.engines import NBClientEngine
    from papermill.iorw import write_ipynb

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(
            cls,
            nb_man: Any,  # noqa: ANN401 - papermill has no types
            kernel_name: str,
            *,
            save_failed_to: Path,
            **options: Any,  # noqa: ANN401
        ) -> None:
            try:
                super().execute_managed_notebook(nb_man, kernel_name, **options)
            except Exception:
                write_ipynb(nb_man.nb, str(save_failed_to))
                raise

    return Engine


def _manager(folder: Path, variables: Mapping[str, str]) -> type["_Manager"]:
    """Return a class of kernel managers, for kernels in this folder and with these variables.

    The folder and the variables of this process would be those of all its threads.
    """

    class Manager(_Manager):
        def __init__(self, **options: Any) -> None:  # noqa: ANN401 - passed on
            if sys.platform == "linux":
                # A port found free can be taken by another process before the kernel takes it.
                options |= {"transport": "ipc", "ip": f"@{uuid.uuid4()}"}
            super().__init__(**options)

        async def start_kernel(self, **options: Any) -> None:  # noqa: ANN401 - passed on
            await super().start_kernel(**options, cwd=str(folder), env=dict(variables))
            _running.add(self)

        async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
            type(self).peak_mb = _peak_mb(self.provisioner.pid)
            await super().shutdown_kernel(now, restart)

        async def cleanup_resources(self, restart: bool = False) -> None:
            _running.discard(self)
            await super().cleanup_resources(restart)

    return Manager


class _Client(AsyncKernelClient):
    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Return when the kernel answers and its output arrives.

        What this replaces then waits a fifth of a second, to see that nothing more comes.
        """
        asked, end = set(), time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < end:
            asked.add(self.kernel_info())
            with suppress(Empty):
                while True:
                    message = await self.get_iopub_msg(timeout=0.2)
                    idle = message["content"].get("execution_state") == "idle"
                    if idle and message["parent_header"].get("msg_id") in asked:
                        return
            if not await self.is_alive():
                raise RuntimeError("the kernel died before it was ready")
        raise RuntimeError(f"the kernel was not ready after {timeout} seconds")


class _Manager(AsyncKernelManager):
    client_factory = _Client
    peak_mb: int | None = None


def _peak_mb(pid: int) -> int | None:
    """Return the most memory that a process has held, in megabytes, where Linux keeps account."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return round(int(found[1]) * 1024 / 1e6) if found else None


def _literally(path: Path) -> str:
    """Return a path for papermill, which takes braces in it for format fields."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _place_of_failure(output: Path) -> str:
    try:
        cells = json.loads(output.read_bytes())["cells"]
    except (OSError, ValueError, KeyError):
        return ""
    begun = [cell for cell in cells if cell["metadata"].get("papermill", {}).get("start_time")]
    if not begun:
        return ""
    count = begun[-1].get("execution_count")
    return f" at cell {begun[-1]['id']!r}" + (f" (In [{count}])" if count else "")


def _one_line(error: Exception) -> str:
    name = getattr(error, "ename", type(error).__name__)
    lines = str(getattr(error, "evalue", error)).strip().splitlines()
    return f"{name}: {lines[0][:300]}" if lines else name
