import os
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

import small_study
from helpers import kernels, sweep
from small_study import GROWTH
from small_sweep import folder, make, notebook, states, swept, table, threads

SCHEDULER = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
WORKER = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-dashboard", "--no-nanny"]
SWEEP = """
from helpers import cli, datapackage
datapackage.validate = lambda root=None: []
if __name__ == "__main__":
    cli.app()
"""
COMMAND = [sys.executable, "-c", SWEEP, "sweep", "--workers", "2"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose notebook notes that it has begun, and then takes its time."""
    root = make(tmp_path / "project")
    begun = root / "begun"
    begun.touch()
    body = (
        "import os, time\n"
        f'with open({str(begun)!r}, "a") as file:\n'
        '    file.write(f"{os.getpid()}\\n")\n'
        "time.sleep(0.7)"
    )
    small_study.save(root, GROWTH, notebook(body))
    monkeypatch.setenv("DETAINERS_ROOT", str(root))
    return root


@pytest.fixture
def undisturbed(project, monkeypatch):
    """What a sweep of the project gives that nothing disturbs."""
    with monkeypatch.context() as patch:
        patch.setattr(kernels, "obstacle", lambda: "for speed")
        assert states(swept(project, threads)) == ["done"] * 5
    found = table(project)
    shutil.rmtree(folder(project))
    (project / "begun").write_text("")
    return found


@pytest.fixture
def programs(tmp_path):
    """Starts programs in a folder that is no project, and ends them."""
    elsewhere, started = tmp_path / "elsewhere", []
    elsewhere.mkdir()
    outside = {k: v for k, v in os.environ.items() if not k.startswith("DETAINERS_")}

    def start(command, *options, **variables):
        program = subprocess.Popen(
            [*command, *map(str, options)],
            cwd=elsewhere,
            env={**outside, **variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(program)
        return program

    yield start
    for program in started:
        program.kill()
        program.communicate()


def begun(project):
    """The process ids of the kernels that were started."""
    return [int(line) for line in (project / "begun").read_text().split()]


def wait_until(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def has_kernel(worker, project):
    try:
        kernels = [psutil.Process(pid) for pid in begun(project) if lives(pid)]
        return any(worker.pid == parent.pid for each in kernels for parent in each.parents())
    except psutil.NoSuchProcess:  # it ended meanwhile
        return False


def finished(project):
    return len(list(folder(project).glob("*/*.results.json")))


def leftovers(project):
    return [*folder(project).rglob(".staging-*"), *folder(project).rglob("*.part")]


def test_a_sweep_whose_worker_is_killed_gives_what_an_undisturbed_one_gives(
    project, undisturbed, programs, tmp_path
):
    file = tmp_path / "scheduler.json"
    programs(SCHEDULER, "--host", "127.0.0.1", "--port", 0, "--scheduler-file", file)
    wait_until(file.exists)
    options = ("--scheduler-file", file, "--nthreads", 1, "--local-directory", tmp_path)
    victim, _ = programs(WORKER, *options), programs(WORKER, *options)
    seen = []

    def kill_in_mid_run(setting):
        if not seen:
            wait_until(lambda: has_kernel(victim, project))
            victim.kill()
        seen.append(setting)

    outcome = swept(project, lambda: sweep.cluster(scheduler_file=file), report=kill_in_mid_run)
    assert states(outcome) == ["done"] * 5
    assert victim.wait() == -signal.SIGKILL
    assert len(begun(project)) > 5  # the setting that was cut short began twice
    assert table(project) == undisturbed
    assert leftovers(project) == []
    wait_until(lambda: not any(map(lives, begun(project))))


@pytest.mark.slow
def test_a_sweep_that_is_killed_goes_on_where_it_stood(project, undisturbed, programs):
    command = programs(COMMAND, project / "study.yaml", DETAINERS_ROOT=str(project))
    wait_until(lambda: finished(project) >= 2)
    command.kill()
    command.wait()
    wait_until(lambda: not any(map(lives, begun(project))))
    outcome = swept(project, sweep.cluster)
    assert states(outcome).count("current") >= 2
    assert set(states(outcome)) == {"current", "done"}
    assert table(project) == undisturbed
    assert leftovers(project) == []


@pytest.mark.slow
def test_an_interrupt_ends_all_processes_and_exits_with_130(project, programs):
    command = programs(COMMAND, project / "study.yaml", DETAINERS_ROOT=str(project))
    wait_until(lambda: finished(project) >= 1)
    os.killpg(command.pid, signal.SIGINT)  # as a terminal does: to the workers, too
    _, said = command.communicate(timeout=30)
    interrupted = "interrupted; what was finished stays, the next run goes on there"
    assert (command.returncode, said.splitlines()) == (130, [interrupted])
    wait_until(lambda: not any(map(lives, begun(project))), 10)


@pytest.mark.slow
def test_settings_whose_scheduler_is_killed_have_failed_and_the_others_are_kept(
    project, programs, tmp_path
):
    file = tmp_path / "scheduler.json"
    scheduler = programs(SCHEDULER, "--host", "127.0.0.1", "--port", 0, "--scheduler-file", file)
    wait_until(file.exists)
    programs(WORKER, "--scheduler-file", file, "--nthreads", 1, "--local-directory", tmp_path)
    outcome = swept(
        project,
        lambda: sweep.cluster(scheduler_file=file),
        report=lambda setting: scheduler.kill(),
    )
    assert set(states(outcome)) == {"done", "failed"}
    assert "01_jurisdiction_growth failed: the scheduler was lost" in {
        setting.message for setting in outcome.settings
    }
    assert table(project).num_rows == 3 * states(outcome).count("done")


@pytest.mark.slow
def test_a_setting_that_kills_its_workers_fails_and_the_others_are_done(project):
    text = (
        "import os, signal\n"
        "def parent(pid):\n"
        '    return int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])\n'
        'if baseline == "about_120" and endpoint == "refusing":\n'
        "    os.kill(parent(parent(os.getpid())), signal.SIGKILL)"
    )
    small_study.save(project, GROWTH, notebook(text))
    outcome = swept(project, sweep.cluster)
    assert states(outcome).count("failed") == 1
    failed = next(setting for setting in outcome.settings if setting.state == "failed")
    assert failed.message == ("01_jurisdiction_growth failed: the worker died, each of 4 times")
    assert failed.parameters["baseline"] == "about_120"
