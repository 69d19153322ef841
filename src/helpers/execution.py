"""Execute one notebook, in a kernel and an environment of its own."""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers.kernels import PLAIN


class ExecutionError(Exception):
    """A notebook failed; the message says in one line where and why."""


def execute(
    source: Path,
    output: Path,
    *,
    parameters: Mapping[str, Any],
    environment: Mapping[str, str],
    kernel: str = PLAIN,
) -> None:
    """Execute a notebook; may be called from several threads at a time.

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
        Name of the kernel, as `helpers.kernels.warm_up` gives it.

    Raises
    ------
    ExecutionError
        If the kernel does not start or dies, or a cell fails.
    """
    import papermill  # takes a second, which a run that executes nothing should not cost
    from papermill.engines import papermill_engines

    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    papermill_engines.register("detainers", _engine())
    try:
        papermill.execute_notebook(
            _literally(source),
            _literally(output),
            parameters=dict(parameters),
            engine_name="detainers",
            kernel_name=kernel,
            language="python",
            request_save_on_cell_execute=False,
            progress_bar=False,
            partial_output=output,
            kernel_manager_class=_manager(source.parent, environment),
            shutdown_kernel="immediate",
            # Left to itself, each kernel warns of TCP without encryption on standard error.
            extra_arguments=["--log-level=CRITICAL"],
        )
    except Exception as error:  # kernels fail in many ways, and each is one line to the user
        raise ExecutionError(f"failed{_place_of_failure(output)}: {_one_line(error)}") from error


def _engine() -> type:
    """Return papermill's engine, but for saving: once instead of before and after each cell."""
    from papermill.engines import NBClientEngine
    from papermill.iorw import write_ipynb

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, partial_output, **options):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN003, ANN206
            try:
                super().execute_managed_notebook(nb_man, kernel_name, **options)
            except BaseException:
                write_ipynb(nb_man.nb, str(partial_output))
                raise

    return Engine


def _manager(folder: Path, environment: Mapping[str, str]) -> type:
    """Return a class of kernel managers for kernels in this folder, with these variables set."""
    from jupyter_client import AsyncKernelManager

    class Manager(AsyncKernelManager):
        async def start_kernel(self, **options: Any) -> None:  # noqa: ANN401 - passed on
            # The process's own folder and variables are shared by all threads.
            variables = {**os.environ, **environment}
            await super().start_kernel(**options, cwd=str(folder), env=variables)

    return Manager


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
