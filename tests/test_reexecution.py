"""Notebooks are executed under nbval, in places and with ends that are out of the ordinary."""

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest
from nbval.kernel import RunningKernel

from helpers import nbval_record, reexecution
from processes import marked, wait_until
from small_study import EVIDENCE, cell, notebook, read


def stored(folder, source):
    """A folder of a run with one executed notebook, in a project of its own."""
    (folder / "data").mkdir(parents=True)
    (folder / "data/datapackage.json").write_text("{}", encoding="utf-8")
    content = {**notebook("x = 1"), "cells": [cell("first", source)]}
    (folder / f"{EVIDENCE}.ipynb").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_a_folder_may_have_any_name(tmp_path, environment):
    name = "[a] {b} c" if os.name == "nt" else "[a]::{b} c"
    folder = stored(tmp_path / name, "1 + 1")
    environment.setenv("DETAINERS_ROOT", str(folder))
    records = reexecution.execute(folder, [EVIDENCE], tmp_path / "out")
    assert records[EVIDENCE]["first"]["outcome"] == "passed"
    executed = read(tmp_path / "out/papermill_runs/again" / f"{EVIDENCE}.ipynb")
    assert executed["cells"][0]["outputs"][0]["data"] == {"text/plain": "2"}


def test_a_kernel_may_take_as_long_to_start_as_a_cell_to_run(monkeypatch):
    monkeypatch.setattr(RunningKernel, "get_message", RunningKernel.get_message)  # put back after
    option = SimpleNamespace(nbval_cell_timeout="600", nbval_kernel_startup_timeout=60)
    nbval_record.pytest_configure(SimpleNamespace(option=option, workerinput={}))
    assert option.nbval_kernel_startup_timeout == 600


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found in /proc")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_no_process_outlives_the_one_that_asked(tmp_path, environment, name):
    begun, mark = tmp_path / "begun", f"mark-{uuid.uuid4()}"
    source = f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\ntime.sleep(600)"
    folder = stored(tmp_path / "run", source)
    environment.setenv("DETAINERS_ROOT", str(folder))
    environment.setenv("MARK", mark)
    asking = (
        "import signal, sys; from pathlib import Path; from helpers import reexecution\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in the background
        "reexecution.execute(Path(sys.argv[1]), [sys.argv[2]], Path(sys.argv[3]))"
    )
    command = [sys.executable, "-c", asking, str(folder), EVIDENCE, str(tmp_path / "out")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        wait_until(begun.is_file, 60)
        assert len(marked(mark)) >= 4  # this one, pytest, its worker and a kernel
        process.send_signal(getattr(signal, name))
    try:
        wait_until(lambda: not marked(mark), 15)
    finally:
        for left in marked(mark):
            os.kill(left, signal.SIGKILL)
