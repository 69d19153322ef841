"""Fixtures of several test modules."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

import small_study
from helpers import ages, datapackage, evidence, manifest, runner

ROOT = Path(__file__).resolve().parents[1]

# What a developer has set for work of his own must not lead tests to it.
for _name in [name for name in os.environ if name.startswith("DETAINERS_")]:
    del os.environ[_name]

# A busy machine is no failure, and fifty examples keep the suite at seconds.
settings.register_profile("study", deadline=None, max_examples=50)
settings.load_profile("study")


@pytest.fixture(scope="session")
def root():
    """The repository; tests only read it."""
    return ROOT


@pytest.fixture(scope="session")
def ledger():
    """The published figures, under the policy `judgement`."""
    return evidence.load(root=ROOT)


@pytest.fixture(scope="session")
def in_travis(root):
    """Weeks since booking, and counts, of a group of Travis County's detainers."""
    stock = datapackage.load("travis_stock_2017_02_01", root)

    def group(name):
        return ages.travis_group(stock, name).to_numpy().T

    return group


@pytest.fixture
def environment(monkeypatch):
    """No DETAINERS_* variable is set; gives the monkeypatch to set some."""
    for name in ("ROOT", "OUT", "RUN", "PREVIOUS"):
        monkeypatch.delenv(f"DETAINERS_{name}", raising=False)
    return monkeypatch


@pytest.fixture
def project(tmp_path, environment):
    """A copy of data/ and notebooks/ in a temporary folder, where reading and writing happen."""
    folder = tmp_path / "project"
    for part in ("data", "notebooks"):
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part)
    environment.setenv("DETAINERS_ROOT", str(folder))
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A project of two small notebooks with one finished run, `mine`; `small_project` copies it."""
    root = tmp_path_factory.mktemp("finished")
    small_study.make(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DETAINERS_ROOT", str(root))
        patch.setattr(manifest, "HELPERS", root / "helpers")
        outcome = runner.run("mine", {})
    assert outcome.message == ""
    return root


@pytest.fixture
def small_project(finished, tmp_path, monkeypatch):
    """The project in which `helpers.runner` runs; nothing else uses it."""
    root = tmp_path / "a {place} of its own"
    shutil.copytree(finished, root)
    monkeypatch.setenv("DETAINERS_ROOT", str(root))
    # An edit of a study module while the tests run must not make a notebook run again.
    monkeypatch.setattr(manifest, "HELPERS", root / "helpers")
    return root


@pytest.fixture
def no_kernel(monkeypatch):
    """Whatever would execute a notebook fails the test."""
    import papermill  # heavy, and of few tests

    def refuse(*arguments, **options):
        raise AssertionError("a kernel was about to start")

    monkeypatch.setattr(papermill, "execute_notebook", refuse)


@pytest.fixture
def record_cache(tmp_path_factory, monkeypatch):
    """A cache of records of the test's own; the crosswalk is the repository's."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("DETAINERS_CACHE", str(folder))
    monkeypatch.setenv("DETAINERS_ROOT", str(ROOT))
    return folder
