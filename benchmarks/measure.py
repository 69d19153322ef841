"""Time commands, and the memory of all their processes."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

BIN = Path(sys.executable).parent
_SAMPLE_EVERY = 0.2  # seconds; one look at all processes takes milliseconds


class CommandError(RuntimeError):
    """A command failed, so that its time means nothing."""


@dataclass(frozen=True)
class Measure:
    """Wall-clock seconds, and the largest memory of all processes together in MB.

    The memory is the sum of their resident set sizes; pages that forked processes share are
    counted for each of them.
    """

    seconds: float
    megabytes: float


Command = Sequence[str | Path]


def measure(commands: Sequence[Command], folder: Path) -> Measure:
    """Run commands one after another in a folder, as its user would, and measure them.

    Raises
    ------
    CommandError
        If one ends with another exit code than 0; the message has the last lines of what it said.
    """
    started, megabytes = time.perf_counter(), 0.0
    for command in commands:
        megabytes = max(megabytes, _run([str(part) for part in command], folder))
    return Measure(time.perf_counter() - started, megabytes)


def _run(command: list[str], folder: Path) -> float:
    variables = {k: v for k, v in os.environ.items() if not k.startswith("DETAINERS_")}
    variables["PATH"] = os.pathsep.join([str(BIN), variables["PATH"]])
    log = folder / "benchmark.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, cwd=folder, env=variables, stdout=said, stderr=subprocess.STDOUT
        )
        ended, peak = threading.Event(), [0.0]
        watcher = threading.Thread(target=_watch, args=(process.pid, ended, peak))
        watcher.start()
        code = process.wait()
        ended.set()
        watcher.join()
    if code:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise CommandError(f"{' '.join(command)}: exit code {code}\n{last}")
    return peak[0]


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
