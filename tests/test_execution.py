import contextvars
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import small_study
from helpers import execution, kernels

KERNEL = kernels.PLAIN if kernels.obstacle() else kernels.WARM


def notebook(folder, *cells, defaults="a = 1"):
    path = folder / "source {x}.ipynb"
    made = small_study.notebook(defaults, *cells)
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


def execute(source, output, kernel=KERNEL, parameters=None, **environment):
    execution.execute(
        source, output, parameters=parameters or {}, environment=environment, kernel=kernel
    )
    return json.loads(output.read_text(encoding="utf-8"))


def printed(executed):
    return [
        "".join(output["text"])
        for cell in executed["cells"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "stream"
    ]


SHOW = small_study.cell("show", "import os\nprint(a, os.getcwd(), os.environ['DETAINERS_RUN'])")


def test_parameters_folder_and_variables_reach_the_kernel_and_leave_this_process_alone(tmp_path):
    before = dict(os.environ), os.getcwd()
    source = notebook(tmp_path, SHOW)
    executed = execute(source, tmp_path / "out.ipynb", parameters={"a": 7}, DETAINERS_RUN="mine")
    assert printed(executed) == [f"7 {tmp_path} mine\n"]
    assert (dict(os.environ), os.getcwd()) == before


def test_linear_algebra_has_one_thread_unless_told(tmp_path, monkeypatch):
    show = small_study.cell("show", "import os\nprint(os.environ['OPENBLAS_NUM_THREADS'])")
    source = notebook(tmp_path, show)
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert printed(execute(source, tmp_path / "o.ipynb", kernels.PLAIN)) == ["1\n"]
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert printed(execute(source, tmp_path / "o.ipynb", kernels.PLAIN)) == ["3\n"]


def test_threads_that_share_a_context_execute_side_by_side(tmp_path):
    execute(notebook(tmp_path), tmp_path / "first.ipynb")  # it must leave nothing in the context
    source = notebook(tmp_path, small_study.cell("wait", "import time; time.sleep(0.5)"))
    context = contextvars.copy_context
    with ThreadPoolExecutor(2) as pool:
        made = [pool.submit(context().run, execute, source, tmp_path / f"{n}.ipynb") for n in "ab"]
        assert all(one.result()["cells"] for one in made)


def test_threads_execute_side_by_side_each_with_variables_of_its_own(tmp_path):
    meet = small_study.cell(
        "meet",
        "import os, time\nfrom pathlib import Path\nown = os.environ['DETAINERS_RUN']\n"
        "Path(own).touch()\nend = time.monotonic() + 20\n"
        "while not (Path('one').exists() and Path('two').exists()):\n"
        "    assert time.monotonic() < end\nprint(own)",
    )
    source = notebook(tmp_path, meet)
    with ThreadPoolExecutor(2) as threads:
        begun = [
            threads.submit(execute, source, tmp_path / f"{name}.ipynb", DETAINERS_RUN=name)
            for name in ("one", "two")
        ]
    assert [printed(each.result()) for each in begun] == [["one\n"], ["two\n"]]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", r"failed at cell 'broken' \(In \[4\]\): ZeroDivisionError: division by zero"),
        # A kernel that dies may have told the number of its cell, or not.
        ("import os; os._exit(3)", r"failed at cell 'broken'(?: \(In \[4\]\))?: DeadKernelError"),
        (
            "raise ValueError('one\\ntwo')",
            r"\(In \[4\]\): ValueError: one$",
        ),
    ],
)
def test_a_failure_is_a_line_and_the_copy_shows_how_far_it_came(tmp_path, code, said):
    cells = [small_study.cell("fine", "print('so far')"), small_study.cell("broken", code)]
    source = notebook(tmp_path, *cells, small_study.cell("later", "print('never')"))
    with pytest.raises(execution.ExecutionError, match=said):
        execute(source, tmp_path / "out.ipynb")
    copy = json.loads((tmp_path / "out.ipynb").read_text(encoding="utf-8"))
    assert printed(copy) == ["so far\n"]


def test_a_kernel_that_does_not_exist_is_a_line(tmp_path):
    with pytest.raises(execution.ExecutionError, match=r"failed: NoSuchKernel.*nowhere"):
        execute(notebook(tmp_path, SHOW), tmp_path / "out.ipynb", "nowhere")


@pytest.mark.parametrize("kernel", [KERNEL, kernels.PLAIN])
def test_a_stop_ends_what_other_threads_execute(tmp_path, kernel):
    linger = "import time\nfrom pathlib import Path\nPath('begun').touch()\ntime.sleep(60)"
    source = notebook(tmp_path, small_study.cell("linger", linger))
    with ThreadPoolExecutor(1) as threads:
        begun = threads.submit(execute, source, tmp_path / "out.ipynb", kernel)
        while not (tmp_path / "begun").exists() and not begun.done():
            time.sleep(0.02)
        execution.stop()
        with pytest.raises(execution.ExecutionError, match="at cell 'linger'"):
            begun.result(timeout=20)


@pytest.mark.skipif(KERNEL == kernels.PLAIN, reason=kernels.obstacle())
def test_a_stop_ends_what_waits_for_the_libraries(tmp_path):
    with ThreadPoolExecutor(1) as threads:
        begun = threads.submit(
            execute, notebook(tmp_path, SHOW), tmp_path / "out.ipynb", DETAINERS_RUN="mine"
        )
        while not begun.done():
            execution.stop()
            time.sleep(0.05)
        with pytest.raises(execution.ExecutionError, match="before it was ready"):
            begun.result()


LEFT = """\
import os, sys, threading, time
from pathlib import Path
from helpers import execution
source, output, kernel = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
for _ in range(6):
    execution.execute(source, output, parameters={}, environment={}, kernel=kernel)
    print(len(os.listdir("/proc/self/fd")))
ends = time.monotonic() + 10
while threading.active_count() > 1 and time.monotonic() < ends:
    time.sleep(0.01)  # the last thread of an execution may be about to end
print(threading.active_count())
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="files are counted in /proc")
def test_many_executions_leave_no_file_open_and_no_thread(tmp_path):
    source = notebook(tmp_path, small_study.cell("quick", "a"))
    arguments = ["-c", LEFT, str(source), str(tmp_path / "out.ipynb"), KERNEL]
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    *files, threads = map(int, done.stdout.split())
    assert (len(files), len(set(files)), threads) == (6, 1, 1)
