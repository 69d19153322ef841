"""Warm kernels, with real processes."""

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import nbformat
import pytest

from helpers import execution, kernels, manifest
from helpers.outputs import clean
from processes import marked, wait_until

pytestmark = pytest.mark.skipif(bool(kernels.obstacle()), reason=kernels.obstacle())

POLLUTE = """\
import os, random, sys, warnings
import matplotlib, numpy as np, pandas as pd
from helpers import paths
leaked = True
paths.leaked = True
paths.DEFAULT_RUN = "leaked"
matplotlib.rcParams["lines.linewidth"] = 99
np.random.seed(1)
np.seterr(all="raise")
random.seed(1)
pd.set_option("display.max_rows", 7)
warnings.simplefilter("error")
sys.path.append("/leaked")
os.chdir("/")
os.environ["DETAINERS_RUN"] = "leaked"
os.environ["LEAKED"] = "1"
os.umask(0o777)
"""
STUDY = sorted({path.stem for path in manifest.HELPERS.glob("[a-z]*.py")} - manifest.MACHINERY)
LIBRARIES = f"""\
import json, os, random, signal, sys, warnings
import helpers, {", ".join(kernels.LIBRARIES)}
import {", ".join(f"helpers.{name}" for name in STUDY)}
import matplotlib.pyplot as plt, numpy as np, pandas as pd
"""
STATE = """\
print(json.dumps({
    "names": sorted(name for name in globals() if not name.startswith("_")),
    "helpers": sorted(vars(helpers.paths)) + [helpers.paths.DEFAULT_RUN],
    "rcParams": {name: str(value) for name, value in plt.rcParams.items()},
    "backend": plt.get_backend(),
    "errors": np.geterr(),
    "rows": pd.get_option("display.max_rows"),
    "filters": sorted(str(each) for each in warnings.filters),
    "path": sys.path,
    "arguments": sorted(part for part in sys.argv if not part.endswith(".json")),
    "modules of __main__": sys.modules["__main__"].__name__,
    "folder": os.getcwd(),
    "environment": {k: v for k, v in os.environ.items() if k != "JPY_PARENT_PID"},
    "umask": os.umask(0o22),
    "signals": [str(signal.getsignal(number)) for number in (2, 15, 17)],
    "leader": os.getpid() == os.getpgid(0) == os.getsid(0),
    "grammar": "lark" in sys.modules,
}, sort_keys=True))
"""
DRAWS = "print(np.random.random(), random.random(), np.random.default_rng().random())\n"
SHOW = """\
import matplotlib.pyplot as plt, pandas as pd, statsmodels.api as sm, sys, warnings
frame = pd.DataFrame({"x": range(9), "y": [1.0, 3, 2, 5, 4, 6, 8, 7, 9]})
warnings.warn("seen"); sys.stderr.flush()  # else their order is a matter of time
print("out", flush=True); print("err", file=sys.stderr, flush=True)
_ = plt.plot(frame.x, frame.y)
"""
FIT = "sm.OLS(frame.y, sm.add_constant(frame.x)).fit().params.tolist(), frame"
ALGEBRA = """\
import numpy as np, scipy.linalg
matrix = np.random.default_rng(1).normal(size=(300, 300))
print(np.linalg.svd(matrix)[1].sum().hex(), scipy.linalg.eigvals(matrix @ matrix).sum())
"""


def notebook(path, *cells):
    made = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "P"}}
    )
    made.metadata.kernelspec.language = "python"
    made.cells = [
        nbformat.v4.new_code_cell(source, id=f"cell-{number}")
        for number, source in enumerate(cells)
    ]
    nbformat.write(made, path)
    return path


@pytest.fixture
def execute(tmp_path):
    """Execute cells in a kernel; gives the executed notebook."""

    def run(*cells, kernel=kernels.WARM, **environment):
        output = tmp_path / f"{kernel}.executed.ipynb"
        execution.execute(
            notebook(tmp_path / "notebook.ipynb", *cells),
            output,
            parameters={},
            environment=environment,
            kernel=kernel,
        )
        return json.loads(output.read_text(encoding="utf-8"))

    return run


def printed(executed, cell=-1):
    return "".join(executed["cells"][cell]["outputs"][0]["text"])


def test_a_kernel_starts_as_an_ordinary_one_does_whatever_ran_before(execute):
    execute(POLLUTE, DETAINERS_RUN="first")
    warm = json.loads(printed(execute(LIBRARIES, STATE, DETAINERS_RUN="mine")))
    plain = json.loads(
        printed(execute(LIBRARIES, STATE, kernel=kernels.PLAIN, DETAINERS_RUN="mine"))
    )
    assert warm["environment"]["DETAINERS_RUN"] == "mine"
    assert warm == plain


def test_random_numbers_differ_from_kernel_to_kernel(execute):
    draws = [printed(execute(LIBRARIES, DRAWS)).split() for _ in range(2)]
    assert not set(draws[0]) & set(draws[1])
    assert len(draws[0]) == 3


def test_an_executed_notebook_is_the_same_to_the_byte_as_by_an_ordinary_kernel(execute):
    warm, plain = (
        clean(execute(SHOW, FIT, kernel=kernel)) for kernel in (kernels.WARM, kernels.PLAIN)
    )
    for made in (warm, plain):
        for output in made["cells"][0]["outputs"]:  # a warning names the process
            output["text"] = "" if output.get("name") == "stderr" else output.get("text")
    assert json.dumps(warm) == json.dumps(plain)
    assert warm["metadata"]["kernelspec"]["name"] == "python3"
    assert "image/png" in json.dumps(warm)


def test_no_kernel_builds_the_grammar_of_rfc3987(execute):
    assert printed(execute("import nbformat, jsonschema, sys; print('lark' in sys.modules)")) == (
        "False\n"
    )


def test_a_cell_can_be_interrupted(execute):
    interrupt = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    with pytest.raises(execution.ExecutionError, match=r"cell 'cell-1' \(In \[2\]\): Keyboard"):
        execute("a = 1", interrupt)


def test_the_server_stays_for_other_runs_and_gives_way_to_changed_circumstances(
    tmp_path, monkeypatch
):
    started = []

    class Process:
        def poll(self):
            return None

    def start(serves):
        started.append(serves)
        return kernels._Server(serves, Process(), kernels.socket.socket())

    monkeypatch.setattr(kernels, "_servers", [])
    monkeypatch.setattr(kernels, "_start", start)
    monkeypatch.setattr(kernels, "_HELPERS", tmp_path)
    (tmp_path / "ages.py").write_text("x = 1\n", encoding="utf-8")
    home = {"HOME": "/home/me"}
    kernels.warm_up(tmp_path, home)
    kernels.warm_up(
        tmp_path / "elsewhere", {**home, "DETAINERS_RUN": "mine", "JPY_PARENT_PID": "7"}
    )
    assert len(started) == 1
    assert started[0]["variables"] == home
    kernels.warm_up(tmp_path, {**home, "PYTHONPATH": "src"})
    assert len(started) == 2
    os.utime(tmp_path / "ages.py", ns=(1, 1))
    kernels.warm_up(tmp_path, {**home, "PYTHONPATH": "src"})
    assert len(started) == 3
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 3\n", encoding="utf-8")
    kernels.warm_up(tmp_path, {**home, "PYTHONPATH": "src"})
    assert len(started) == 4
    assert [server.link.fileno() for server in kernels._servers[:-1]] == [-1, -1, -1]
    kernels._servers[-1].link.close()


def test_linear_algebra_in_threads_gives_the_same_digits_as_in_an_ordinary_kernel(execute):
    setting = dict.fromkeys(execution.ONE_THREAD, "2")
    warm, plain = (
        printed(execute(ALGEBRA, kernel=kernel, **setting))
        for kernel in (kernels.WARM, kernels.PLAIN)
    )
    assert warm == plain


def test_settings_of_matplotlib_beside_the_notebook_count(execute, tmp_path):
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 7\n", encoding="utf-8")
    show = "import matplotlib\nprint(matplotlib.rcParams['lines.linewidth'])"
    assert printed(execute(show)) == printed(execute(show, kernel=kernels.PLAIN)) == "7.0\n"


def test_where_kernels_cannot_be_forked_an_ordinary_one_starts_with_a_word(
    execute, monkeypatch, caplog
):
    def refuse(pid):
        raise OSError("no such call")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    assert "Linux" in kernels.obstacle()
    started = printed(execute("import os; print(os.getppid())"))
    assert int(started) == os.getpid()
    assert "an ordinary kernel starts: kernels can be forked on Linux" in caplog.text


def test_a_kernel_that_is_not_installed_is_an_obstacle(monkeypatch):
    monkeypatch.setattr(kernels, "WARM", "nowhere")
    assert "nowhere is not installed" in kernels.obstacle()


SERVE = """\
import sys, tempfile, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_kernels import notebook
from helpers import execution, kernels
place = Path(sys.argv[2])
for number in range(int(sys.argv[4])):
    execution.execute(
        notebook(place / "n.ipynb", sys.argv[3]), place / "o.ipynb",
        parameters={}, environment={}, kernel=kernels.WARM,
    )
print("done", flush=True)
"""
LINGER = """\
import os, pathlib, subprocess, time
subprocess.Popen(["sleep", "300"])
if os.fork() == 0:
    time.sleep(300)
pathlib.Path("begun").touch()
time.sleep(300)
"""


@pytest.fixture
def program(tmp_path):
    """A process that executes a cell several times; and the mark of it and all it starts."""
    begun = []

    def start(cell, times=1):
        mark = f"KERNELS_TEST={uuid.uuid4()}"
        name, _, value = mark.partition("=")
        here = str(Path(__file__).parent)
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, here, str(tmp_path), cell, str(times)],
            env={**os.environ, name: value},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append((process, mark))
        return begun[-1]

    yield start
    for process, mark in begun:
        process.kill()
        for left in marked(mark):
            os.kill(left, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("times", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_many_runs_leave_no_process(program, times):
    process, mark = program("import os; os.getpid()", times)
    said, complaints = process.communicate(timeout=300)
    assert (said, complaints) == ("done\n", "")
    assert marked(mark) == set()


def test_a_killed_process_takes_its_kernel_and_what_that_started_along(program, tmp_path):
    process, mark = program(LINGER)
    wait_until((tmp_path / "begun").exists)
    assert len(marked(mark)) == 5  # the program, the server, the kernel, and its two children
    process.kill()
    process.wait()
    wait_until(lambda: not marked(mark))


def test_a_process_killed_while_the_libraries_are_imported_leaves_none(program):
    process, mark = program("pass")
    wait_until(lambda: len(marked(mark)) == 2)
    process.kill()
    process.wait()
    wait_until(lambda: not marked(mark))


def test_plain_papermill_can_use_the_kernel(tmp_path):
    source = notebook(tmp_path / "a.ipynb", "import sys; print('pandas' in sys.modules)")
    mark = f"KERNELS_TEST={uuid.uuid4()}"
    command = [sys.executable, "-m", "papermill", "--log-level", "ERROR", "--no-progress-bar"]
    done = subprocess.run(
        [*command, "-k", kernels.WARM, str(source), str(tmp_path / "b.ipynb")],
        env={**os.environ, "KERNELS_TEST": mark.partition("=")[2]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    executed = json.loads((tmp_path / "b.ipynb").read_text(encoding="utf-8"))
    assert printed(executed) == "True\n"
    assert executed["metadata"]["kernelspec"]["name"] == "python3"
    assert marked(mark) == set()


@pytest.mark.parametrize("times", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_nbval_can_use_the_kernel_and_leaves_no_process(execute, tmp_path, times):
    executed = execute("import os, sys\n'pandas' in sys.modules", "1 + 1")
    for number in range(times):
        (tmp_path / f"{number}.ipynb").write_text(json.dumps(executed), encoding="utf-8")
    mark = f"KERNELS_TEST={uuid.uuid4()}"
    nbval = ["--nbval", "--nbval-kernel-name", kernels.WARM, "-p", "no:cacheprovider", "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *nbval, *(f"{number}.ipynb" for number in range(times))],
        cwd=tmp_path,
        env={**os.environ, "KERNELS_TEST": mark.partition("=")[2]},
        capture_output=True,
        text=True,
    )
    assert f"{2 * times} passed" in done.stdout, done.stdout
    assert marked(mark) == set()
