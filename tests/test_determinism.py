"""The study runs again under other circumstances, and every output is the same to the byte."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import paths

pytestmark = pytest.mark.slow

ROOT = paths.project_root()
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LATER = 5 * 365 * 86400 + 3600 * 7

# No library that sets the clock is among the requirements. All time that Python and its libraries
# read comes through these three functions of the C library.
CLOCK = f"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
#define LATER {LATER}
int clock_gettime(clockid_t id, struct timespec *t) {{
  int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
  int fate = real(id, t);
  if (!fate && id == CLOCK_REALTIME) t->tv_sec += LATER;
  return fate;
}}
int gettimeofday(struct timeval *t, void *zone) {{
  int (*real)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
  int fate = real(t, zone);
  if (!fate && t) t->tv_sec += LATER;
  return fate;
}}
time_t time(time_t *t) {{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (t) *t = now.tv_sec;
  return now.tv_sec;
}}
"""
# What a library that follows the user's locale does; Python by itself leaves numbers alone.
FOLLOW_THE_LOCALE = 'import locale\nlocale.setlocale(locale.LC_NUMERIC, "")\n'


def command(copy, out, *, cwd=None, umask=-1, **variables):
    """Run the study in a copy into a folder `out`; what it wrote, by path."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DETAINERS_")}
    path = os.pathsep.join(filter(None, (str(copy / "src"), variables.pop("PYTHONPATH", ""))))
    done = subprocess.run(
        [sys.executable, "-m", "helpers.cli", "run"],
        cwd=cwd or copy,
        env=environment | {"PYTHONPATH": path, "DETAINERS_OUT": str(out)} | variables,
        umask=umask,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {
        file.relative_to(out).as_posix(): file.read_bytes()
        for file in out.rglob("*")
        if file.is_file() and file.name not in ("manifest.json", ".lock")
    }


def says(code, **variables):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    project = tmp_path_factory.mktemp("determinism") / "study"
    for name in ("src", "data", "notebooks"):
        left_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, project / name, ignore=left_out)
    shutil.copy(ROOT / "requirements.lock", project)
    return project


@pytest.fixture(scope="module")
def first(copy, tmp_path_factory):
    out = tmp_path_factory.mktemp("first")
    return out, command(copy, out)


def assert_same(made, first):
    assert set(made) == set(first[1])
    assert [name for name, content in made.items() if content != first[1][name]] == []


def manifest(out):
    content = json.loads((out / "papermill_runs/latest/manifest.json").read_text(encoding="utf-8"))
    for entry in content["notebooks"].values():
        del entry["started"], entry["seconds"]
    return content


def test_two_runs_differ_in_the_times_of_the_manifest_only(copy, first, tmp_path):
    assert_same(command(copy, tmp_path), first)
    assert manifest(tmp_path) == manifest(first[0])


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONHASHSEED": "0"},
        {"PYTHONHASHSEED": "4711"},
        {"TZ": "Asia/Kolkata"},
        {"LANG": "C", "LC_ALL": "C"},
        {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
        dict.fromkeys(THREADS, "2"),
        {"NO_COLOR": "1", "COLUMNS": "40"},
        {"MPLBACKEND": "svg"},
    ],
    ids=lambda variables: " ".join(f"{name}={value}" for name, value in variables.items()),
)
def test_variables_of_the_environment_change_nothing(copy, first, tmp_path, variables):
    assert_same(command(copy, tmp_path, **variables), first)


def test_the_folder_to_work_in_changes_nothing(copy, first, tmp_path):
    assert_same(command(copy, tmp_path, cwd=copy / "data" / "series"), first)


def test_a_users_own_style_of_figures_changes_nothing(copy, first, tmp_path):
    own = tmp_path / "matplotlibrc"
    own.write_text("font.size: 20\nsavefig.bbox: tight\naxes.labelpad: 30\n", encoding="utf-8")
    assert_same(command(copy, tmp_path / "out", MATPLOTLIBRC=str(own)), first)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_rights_of_new_files_change_nothing(copy, first, tmp_path, umask):
    assert_same(command(copy, tmp_path, umask=umask), first)


@pytest.fixture
def comma(tmp_path):
    """Variables of a German locale, made for the test, that every Python process follows."""
    if not shutil.which("localedef") or not Path("/usr/share/i18n/locales/de_DE").is_file():
        pytest.skip(
            "no locale with a decimal comma can be made here: localedef or de_DE is missing"
        )
    made = tmp_path / "locales" / "de_DE.UTF-8"
    made.parent.mkdir()
    subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", str(made)], check=True)
    follow = tmp_path / "follow"
    follow.mkdir()
    (follow / "sitecustomize.py").write_text(FOLLOW_THE_LOCALE, encoding="utf-8")
    return {
        "LOCPATH": str(made.parent),
        "LC_ALL": "de_DE.UTF-8",
        "PYTHONPATH": str(follow),
    }


def test_a_decimal_comma_changes_nothing(copy, first, tmp_path, comma):
    assert says("import locale; print(locale.format_string('%.1f', 0.5))", **comma) == "0,5"
    assert_same(command(copy, tmp_path / "out", **comma), first)


@pytest.fixture
def later(tmp_path):
    """Variables under which every process sees a clock that is five years ahead."""
    if sys.platform != "linux" or not (compiler := shutil.which("cc")):
        pytest.skip("the clock cannot be set ahead here: that takes Linux and a C compiler")
    source, made = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(CLOCK, encoding="utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(made)}


def test_the_date_of_the_run_changes_nothing(copy, first, tmp_path, later):
    year = "import datetime, time; print(int(time.time())); print(datetime.date.today().year)"
    now, then = says(year).split(), says(year, **later).split()
    assert int(then[0]) - int(now[0]) == pytest.approx(LATER, abs=60)
    assert int(then[1]) - int(now[1]) in (5, 6)
    assert_same(command(copy, tmp_path / "out", **later), first)
    started = json.loads((tmp_path / "out/papermill_runs/latest/manifest.json").read_bytes())
    assert {int(each["started"][:4]) for each in started["notebooks"].values()} == {int(then[1])}
