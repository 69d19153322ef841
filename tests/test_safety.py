"""What befalls a run loses nothing."""

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import small_study
from helpers import cli, datapackage, manifest, runner
from helpers.locks import BusyError
from small_study import EVIDENCE, GROWTH, entries, folder, outputs_of, read, states

HOLD = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""
RUN = """
import sys
from pathlib import Path
from helpers import manifest, runner
manifest.HELPERS = Path(sys.argv[1])
print("begun", flush=True)
runner.run("mine", {}, jobs=2, plain_kernel=sys.argv[2] == "plain")
"""


@pytest.fixture
def project(small_project):
    return small_project


def test_a_second_run_into_the_same_folder_is_refused(project, no_kernel):
    lock = folder(project) / ".lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(BusyError, match="another process is writing the run 'mine'"):
                runner.run("mine", {}, force=True)
        finally:
            holder.kill()
    assert states(runner.run("mine", {})) == {EVIDENCE: "current", GROWTH: "current"}


def test_an_unreadable_manifest_is_said_and_every_notebook_runs_again(project):
    before = outputs_of(project)
    (folder(project) / manifest.NAME).write_text("<<<<<<< ours", encoding="utf-8")
    steps = []
    outcome = runner.run("mine", {}, report=steps.append)
    assert (steps[0].notebook, steps[0].state) == ("manifest.json", "unreadable")
    assert states(outcome) == {EVIDENCE: "done", GROWTH: "done"}
    assert outputs_of(project) == before


@pytest.mark.parametrize("figures", [["../../../data/datapackage.json"], ["a/b.svg"], 3, [3], None])
def test_a_manifest_that_names_files_elsewhere_is_not_believed(project, figures):
    path = folder(project) / "manifest.json"
    manifest = read(path)
    manifest["notebooks"][EVIDENCE] |= {"figures": figures, "key": "old"}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert runner.run("mine", {}).message == ""
    assert (project / "data" / "datapackage.json").is_file()


def test_a_killed_run_goes_on_where_it_stood(project):
    undisturbed, begun = outputs_of(project), project / "begun"
    shutil.rmtree(folder(project))
    waits = small_study.growth()
    waits["cells"][4]["source"] = (
        f"from pathlib import Path\nimport time\nbegun = Path({str(begun)!r})\n"
        "if not begun.exists():\n    begun.touch()\n    time.sleep(60)\nfacts * 2"
    )
    small_study.save(project, GROWTH, waits)
    with subprocess.Popen([sys.executable, "-c", RUN, str(manifest.HELPERS), "warm"]) as process:
        deadline = time.monotonic() + 60
        while not begun.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
    assert entries(project)[GROWTH] == {"status": "started"}
    assert states(runner.run("mine", {})) == {EVIDENCE: "current", GROWTH: "done"}
    after = outputs_of(project)
    assert set(after) == set(undisturbed)
    name = "papermill_runs/mine/results.json"
    assert after[name] == undisturbed[name]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("data/facts.csv", "data/facts.csv changed"),
        ("data/other.csv", "data/other.csv is new"),
        (f"notebooks/{GROWTH}.ipynb", f"notebooks/{GROWTH}.ipynb changed"),
    ],
)
def test_what_was_made_while_its_inputs_changed_is_not_recorded_as_current(project, file, said):
    edit = f'(paths.project_root() / {file!r}).write_text("id,value\\nA1,4\\n")'
    small_study.save(project, GROWTH, small_study.growth(edit))
    before = outputs_of(project)
    outcome = runner.run("mine", {})
    message = f"{GROWTH} failed: {said} while it ran"
    assert (outcome.message, states(outcome)[GROWTH]) == (message, "failed")
    assert {n: c for n, c in outputs_of(project).items() if n in before} == before
    assert entries(project)[GROWTH]["status"] == "failed"


FAILURES = {errno.ENOSPC: "No space left", errno.EACCES: "Permission denied"}


def fail_at(number, monkeypatch, code):
    """Let each attempt to write or rename fail from the given one on; gives the attempts."""
    attempts = []

    def failing(original):
        def attempt(*arguments, **options):
            attempts.append(str(arguments[0]))
            if len(attempts) > number:
                raise OSError(code, os.strerror(code), attempts[-1])
            return original(*arguments, **options)

        return attempt

    monkeypatch.setattr(os, "replace", failing(os.replace))
    for name in ("write_bytes", "replace", "mkdir"):
        monkeypatch.setattr(Path, name, failing(getattr(Path, name)))
    return attempts


def run_failing(number, monkeypatch, code=errno.ENOSPC):
    with monkeypatch.context() as patch:
        attempts = fail_at(number, patch, code)
        try:
            said = runner.run("mine", {}).message
        except OSError as error:
            said = str(error)
    assert said == "" or (FAILURES[code] in said and len(said.splitlines()) == 1)
    return len(attempts)


def change(project):
    small_study.save(project, EVIDENCE, small_study.evidence(facts=7, figures=["facts.svg"]))


@pytest.fixture(scope="module")
def changed_outputs(finished, tmp_path_factory):
    """The outputs after `change`, undisturbed."""
    root = tmp_path_factory.mktemp("changed") / "project"
    shutil.copytree(finished, root)
    change(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DETAINERS_ROOT", str(root))
        patch.setattr(manifest, "HELPERS", root / "helpers")
        runner.run("mine", {})
    return outputs_of(root)


def visible(project):
    """The outputs but for those in hidden folders, which the next run removes."""
    return {name: content for name, content in outputs_of(project).items() if "/." not in name}


def check_whole(found, *versions):
    """Each output is there, whole, in one of its versions; a failed copy may be there too."""
    for name in versions[0]:
        assert found[name] in [version[name] for version in versions], name
    assert {name for name in found if ".failed." not in name} == set(versions[0])


@pytest.mark.parametrize(
    ("number", "code"),
    [(0, errno.ENOSPC), (1, errno.ENOSPC), (5, errno.ENOSPC), (9, errno.ENOSPC), (0, errno.EACCES)],
)
def test_a_full_disk_or_a_folder_that_may_not_be_written_loses_nothing(
    project, changed_outputs, monkeypatch, number, code
):
    before = outputs_of(project)
    change(project)
    run_failing(number, monkeypatch, code)
    check_whole(visible(project), before, changed_outputs)
    assert runner.run("mine", {}).message == ""
    assert outputs_of(project) == changed_outputs


@pytest.mark.slow
def test_a_disk_that_is_full_at_any_write_loses_nothing(project, changed_outputs, monkeypatch):
    original = project.with_name("original")
    shutil.copytree(project, original)
    before = outputs_of(project)
    for number in range(100):
        shutil.rmtree(project)
        shutil.copytree(original, project)
        change(project)
        attempts = run_failing(number, monkeypatch)
        check_whole(visible(project), before, changed_outputs)
        assert runner.run("mine", {}).message == ""
        assert outputs_of(project) == changed_outputs
        if attempts <= number:  # nothing failed any more
            return
    pytest.fail("the run writes more often than was tried")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file sizes")
@pytest.mark.parametrize("size", [0, 3000])
def test_files_that_cannot_be_written_are_one_line(project, size):
    before = outputs_of(project)
    change(project)
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
        f"from pathlib import Path; from helpers import datapackage, manifest\n"
        f"manifest.HELPERS = Path({str(manifest.HELPERS)!r})\n"
        "datapackage.validate = lambda root=None: []\n"
        "from helpers import cli; cli.app(['run', '--run', 'mine', '--plain-kernel'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode in (1, 2)
    assert len(done.stderr.splitlines()) == 1
    assert "File too large" in done.stderr
    assert {n: c for n, c in outputs_of(project).items() if n in before} == before
    assert states(runner.run("mine", {})) == {EVIDENCE: "done", GROWTH: "done"}


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere"
)
def test_a_folder_that_may_not_be_written_is_refused_and_kept(project):
    before = outputs_of(project)
    change(project)
    folder(project).chmod(0o555)
    try:
        with pytest.raises(PermissionError):
            runner.run("mine", {})
    finally:
        folder(project).chmod(0o755)
    assert outputs_of(project) == before


def test_the_command_says_in_a_line_that_a_folder_may_not_be_written(project, monkeypatch):
    before = outputs_of(project)
    change(project)
    monkeypatch.setattr(datapackage, "validate", lambda root=None: [])
    with monkeypatch.context() as patch:
        fail_at(0, patch, errno.EACCES)
        answer = CliRunner().invoke(cli.app, ["run", "--run", "mine"])
    assert (answer.exit_code, len(answer.stderr.splitlines())) == (2, 1)
    assert answer.stderr.startswith("[Errno 13] Permission denied: ")
    assert str(folder(project)) in answer.stderr
    assert outputs_of(project) == before


def kill_after(seconds, project, kernel):
    """Start a run in a process of its own, and kill that."""
    command = [sys.executable, "-c", RUN, str(manifest.HELPERS), kernel]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.returncode


@pytest.mark.slow
def test_a_run_killed_at_any_moment_is_completed_by_the_next(project, changed_outputs):
    moments = random.Random(2017)
    original, before = project.with_name("original"), outputs_of(project)
    shutil.copytree(project, original)
    change(project)
    killed, undisturbed = 0, {}
    for kernel in ("warm", "plain"):
        began = time.monotonic()
        assert kill_after(60, project, kernel) == 0
        undisturbed[kernel] = time.monotonic() - began
    for number in range(30):
        shutil.rmtree(project)
        shutil.copytree(original, project)
        change(project)
        kernel = "plain" if number % 2 else "warm"
        moment = moments.uniform(0.3, 1) * undisturbed[kernel]
        killed += kill_after(moment, project, kernel) != 0
        check_whole(visible(project), before, changed_outputs)
        assert runner.run("mine", {}).message == ""
        assert visible(project) == changed_outputs
    assert killed > 20
