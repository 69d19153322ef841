"""A pytest plugin that keeps what nbval executed and found: a line of JSON for each cell.

nbval compares and then forgets the outputs; with them kept, one execution serves every comparison.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the folder to keep it in, one file a notebook."""
    parser.addoption("--nbval-record", type=Path, required=True, metavar="FOLDER")


def pytest_configure(config: pytest.Config) -> None:
    """Let nbval end with the process that started it, and see that a kernel died.

    A kernel may take as long to start as a cell to run: a busy machine is no difference.
    """
    if not hasattr(config, "workerinput"):
        threading.Thread(target=_end_with_starter, daemon=True).start()
    config.option.nbval_kernel_startup_timeout = float(config.option.nbval_cell_timeout)
    _see_dead_kernels()


def _end_with_starter() -> None:
    """Wait until nobody holds the other end of standard input, then end this and its workers.

    Their kernels see that they are gone.
    """
    os.read(0, 1)
    if os.name == "posix" and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _see_dead_kernels() -> None:
    """Let nbval see that a kernel died; it would wait for its answer as long as a cell may take."""
    from nbval.kernel import RunningKernel

    receive = RunningKernel.get_message

    def receive_while_alive(kernel: Any, stream: str, timeout: float | None = None) -> Any:  # noqa: ANN401
        end = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            try:
                return receive(kernel, stream, max(0.0, min(1.0, end - time.monotonic())))
            except Empty:
                if not kernel.is_alive():
                    raise RuntimeError("the kernel died") from None
                if time.monotonic() >= end:
                    raise

    RunningKernel.get_message = receive_while_alive


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: Any,  # noqa: ANN401 - nbval has no types
    call: pytest.CallInfo[None],
) -> Iterator[None]:
    """Keep the outputs of a cell, nbval's verdict and, in a line, its reason."""
    report: Any = yield
    if call.when == "call" or report.failed:
        line = {
            "cell": item.cell["id"],
            "outcome": report.outcome,
            "reason": str(call.excinfo.value) if call.excinfo else "",
            "outputs": item.test_outputs or [],
        }
        file = item.config.getoption("--nbval-record") / f"{item.path.stem}.jsonl"
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")
    return report
