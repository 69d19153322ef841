"""Warm kernels: each notebook gets a fresh process, forked from one that has imported everything.

An ordinary kernel spends seconds on importing what every notebook imports. Here a server does that
once and forks a kernel for each request. To jupyter_client this is a kernel provisioner; the
kernelspec `detainers-warm` names it, so that papermill, nbval and JupyterLab can use it too.

The server is no fork server of `multiprocessing`: a process has only one of those, which it would
share with whatever a notebook does, and each process forked there runs the main script again.
"""

import asyncio
import atexit
import gc
import importlib.util
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.provisioning import LocalProvisioner

PLAIN = "python3"
"""Name of the ordinary kernel."""

WARM = "detainers-warm"
"""Name of the warm kernel: for `execution.execute`, `papermill -k`, `--nbval-kernel-name`."""

LIBRARIES = (
    "numpy",
    "pandas",
    "matplotlib.pyplot",
    "matplotlib.dates",
    "seaborn",
    "scipy.stats",
    "statsmodels.api",
    "statsmodels.formula.api",
    "jsonschema",
)
"""What the server imports beside the helpers and the kernel itself."""

_HELPERS = Path(__file__).parent
_OF_ONE_KERNEL = ("DETAINERS_", "JPY_", "PYTEST_")
_SERVE = "from helpers.kernels import _serve; _serve()"


def obstacle() -> str:
    """Return why kernels cannot be warm here, in a line; empty where they can."""
    try:
        # MacOS has fork, but libraries there break in a forked process.
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return "kernels can be forked on Linux 5.3 or later only"
    try:
        KernelSpecManager().get_kernel_spec(WARM)
    except NoSuchKernel:
        return f"the kernel {WARM} is not installed: `pip install --no-deps -e .` installs it"
    return ""


def warm_up(folder: Path, environment: Mapping[str, str]) -> None:
    """Begin to import the libraries, beside this process.

    It returns at once; the first kernel waits until they are there, and begins all this itself
    where nobody did before. May be called as often as one likes, from any thread. Whatever was
    started ends with this process, however that dies.

    Parameters
    ----------
    folder, environment
        A folder in which kernels will start, and their variables. Those whose names begin with
        DETAINERS_ may differ from kernel to kernel.
    """
    _server(folder, environment)


def cool_down() -> None:
    """End the server, if there is one; kernels that run go on, those about to start fail."""
    with _lock:
        for server in _servers:
            server.link.close()
        for server in _servers:
            try:
                server.process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:  # it imports still, or has kernels
                server.process.kill()
                server.process.wait()
        _servers.clear()


class Provisioner(LocalProvisioner):
    """Starts a kernel by having a server fork it, or as an ordinary one where that cannot be."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:  # noqa: ANN401
        """Start what the command would start, in the folder and with the variables asked for."""
        if reason := obstacle():
            self.log.warning("an ordinary kernel starts: %s", reason)
            return await super().launch_kernel(cmd, **kwargs)
        self.cwd = Path(kwargs.get("cwd") or Path.cwd())
        self.process = await asyncio.to_thread(_fork, cmd, self.cwd, kwargs["env"])
        self.pid = self.pgid = self.process.pid
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and those it started; return when it is gone."""
        process = self.process
        await super().kill(restart)
        if isinstance(process, _Kernel):
            await asyncio.to_thread(process.wait)  # jupyter_client would look every 0.1 seconds


class _Kernel:
    """A forked kernel: what jupyter_client asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, descriptor: int, lifeline: socket.socket) -> None:
        self.pid = pid
        self._descriptor = descriptor  # the system's handle of a process that is no child of ours
        self._lifeline = lifeline  # when this closes, the kernel ends itself
        weakref.finalize(self, os.close, descriptor)

    def poll(self) -> int | None:
        """Return None while the kernel lives, then 0: only its parent learns how it ended."""
        return 0 if self._has_ended(0) else None

    def wait(self) -> int:
        """Wait until the kernel has ended."""
        self._has_ended(None)
        self._lifeline.close()
        return 0

    def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel, unless it has ended."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signum)

    def _has_ended(self, milliseconds: int | None) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(milliseconds))


# Asking the server.


@dataclass(frozen=True)
class _Server:
    serves: dict[str, Any]
    process: subprocess.Popen[bytes]
    link: socket.socket


_servers: list[_Server] = []
"""The last one serves; others end when their kernels have."""

_lock = threading.Lock()
atexit.register(cool_down)


def _server(folder: Path, environment: Mapping[str, str]) -> _Server:
    """Return a server whose kernels are what ordinary ones would be, started now.

    What libraries read when they are imported (variables, the settings of matplotlib in the folder,
    the code of the helpers) must be what the server found, or another takes its place.
    """
    settings = folder / "matplotlibrc"
    serves = {
        "client": os.getpid(),
        "variables": {k: v for k, v in environment.items() if not k.startswith(_OF_ONE_KERNEL)},
        "folder": folder if settings.exists() else None,
        "code": {file: file.stat().st_mtime_ns for file in _HELPERS.rglob("*.py")},
    }
    with _lock:
        _servers[:-1] = [server for server in _servers[:-1] if server.process.poll() is None]
        last = _servers[-1] if _servers else None
        if last is None or last.serves != serves or last.process.poll() is not None:
            if last:
                last.link.close()
            _servers.append(_start(serves))
        return _servers[-1]


def _start(serves: dict[str, Any]) -> _Server:
    link, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=serves["folder"],
            env=serves["variables"],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the client, which then ends the kernels
        )
    return _Server(serves, process, link)


def _fork(command: list[str], folder: Path, environment: Mapping[str, str]) -> _Kernel:
    """Have a kernel forked; return when it listens.

    Raises
    ------
    RuntimeError
        If it, or the server, ends before that.
    """
    request = {"command": command, "folder": str(folder), "environment": dict(environment)}
    server = _server(folder, environment)
    lifeline, theirs = socket.socketpair()
    try:
        with theirs:
            socket.send_fds(server.link, [b"1"], [theirs.fileno()])
        lifeline.sendall(json.dumps(request).encode() + b"\n")
        pid, descriptors, _, _ = socket.recv_fds(lifeline, 16, 1, socket.MSG_CMSG_CLOEXEC)
        return _Kernel(int(pid), descriptors[0], lifeline)
    except (OSError, ValueError):
        lifeline.close()
        raise RuntimeError("the kernel ended before it was ready") from None


# In the server, and in the kernels that it forks.


def _serve() -> None:
    """Import the libraries, then fork a kernel for each request, until the client is gone."""
    if sys.path[0] == "":
        del sys.path[0]  # an ordinary kernel does so while it imports
    link = socket.socket(fileno=int(sys.argv[1]))
    variables = _import_libraries()
    gc.collect()
    gc.freeze()  # the collector would touch, and thereby copy, the memory that kernels share
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # kernels that end leave nothing to collect
    while True:
        _, lifelines, _, _ = socket.recv_fds(link, 1, 1, socket.MSG_CMSG_CLOEXEC)
        if not lifelines:
            break
        if os.fork() == 0:
            link.close()
            return _become_kernel(socket.socket(fileno=lifelines[0]), variables)
        os.close(lifelines[0])
    with suppress(ChildProcessError):
        os.wait()  # until the last kernel has ended: no kernel outlives its parent
    os._exit(0)


def _import_libraries() -> dict[str, str]:
    """Import what notebooks need; return the variables that libraries set as they are imported."""
    from helpers.manifest import MACHINERY

    kernel = ("ipykernel.kernelapp", "ipykernel.debugger", "IPython.core.debugger")
    study = sorted({file.stem for file in _HELPERS.glob("[a-z]*.py")} - MACHINERY)
    # Matplotlib looks for its backend now, and the debugger warns on standard error.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    before = dict(os.environ)
    for name in (*kernel, *LIBRARIES, *(f"helpers.{module}" for module in study)):
        # What cannot be imported fails again, and is seen, in the notebook that wants it.
        with suppress(Exception):
            importlib.import_module(name)
    return {name: value for name, value in os.environ.items() if before.get(name) != value}


def _become_kernel(lifeline: socket.socket, variables: dict[str, str]) -> None:
    """Do in this forked process what the command would do that is asked for on its lifeline."""
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with lifeline.makefile("rb") as lines:
        request = json.loads(lines.readline())
    threading.Thread(target=_end_with, args=[lifeline], daemon=True).start()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"] | variables)
    np.random.seed()  # `random` does so by itself
    _, _, module, *arguments = request["command"]  # python -m ipykernel_launcher ...
    sys.argv = [str(importlib.util.find_spec(module).origin), *arguments]  # type: ignore[union-attr]
    app = IPKernelApp.instance()
    # 1 stands for a parent that need not be watched: the lifeline is.
    app.initialize([*arguments, "--IPKernelApp.parent_handle=1"])
    own = os.pidfd_open(os.getpid())
    socket.send_fds(lifeline, [str(os.getpid()).encode()], [own])
    os.close(own)
    app.start()


def _end_with(lifeline: socket.socket) -> None:
    """Kill this process, and those it started, when the process that asked for it is gone."""
    with suppress(ConnectionError):
        lifeline.recv(1)
    os.killpg(0, signal.SIGKILL)
