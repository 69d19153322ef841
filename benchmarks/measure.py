"""Time commands, and the memory of all their processes."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

BIN = Path(sys.executable).parent
LOG = "benchmark.log"
"""What the last command said, in its folder."""

_SAMPLE_EVERY = 0.2  # seconds; one look at all processes takes milliseconds
_LONGEST = 600  # seconds


class CommandError(RuntimeError):
    """A command failed, so that its time means nothing."""


Command = Sequence[str | Path]
"""Program and arguments."""


def measure(commands: Sequence[Command], folder: Path) -> tuple[float, float]:
    """Run commands one after another in a folder, as its user would.

    Returns
    -------
    float, float
        Wall-clock seconds of all; the largest memory of the processes of one together, in MB: the
        sum of their resident set sizes, in which pages that forked processes share are counted for
        each of them.

    Raises
    ------
    CommandError
        If one ends with another exit code than 0, or not within ten minutes; the message has the
        last lines of what it said.
    """
    started, megabytes = time.perf_counter(), 0.0
    for command in commands:
        megabytes = max(megabytes, _run([str(part) for part in command], folder))
    return time.perf_counter() - started, megabytes


def _run(command: list[str], folder: Path) -> float:
    variables = {k: v for k, v in os.environ.items() if not k.startswith("DETAINERS_")}
    variables["PATH"] = os.pathsep.join([str(BIN), variables["PATH"]])
    log = folder / LOG
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, cwd=folder, env=variables, stdout=said, stderr=subprocess.STDOUT
        )
        ended, peak = threading.Event(), [0.0]
        watcher = threading.Thread(target=_watch, args=(process.pid, ended, peak))
        watcher.start()
        try:
            code = process.wait(_LONGEST)
        except subprocess.TimeoutExpired:
            code = _kill(process.pid)
        except BaseException:  # Ctrl-C, mostly
            with suppress(psutil.NoSuchProcess):
                _kill(process.pid)
            raise
        finally:
            ended.set()
            watcher.join()
    if code:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise CommandError(f"{' '.join(command)}: exit code {code}\n{last}")
    return peak[0]


def _kill(pid: int) -> int:
    first = psutil.Process(pid)
    for process in [*first.children(recursive=True), first]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return first.wait()


def _watch(pid: int, ended: threading.Event, peak: list[float]) -> None:
    while not ended.wait(_SAMPLE_EVERY):
        peak[0] = max(peak[0], _megabytes(pid))


def _megabytes(pid: int) -> float:
    total = 0
    with suppress(psutil.NoSuchProcess):
        first = psutil.Process(pid)
        for process in [first, *first.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
                total += process.memory_info().rss
    return total / 1e6
