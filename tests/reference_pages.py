"""The pages of the reference run, built for tests into a folder of their own."""

import shutil

import pytest

from helpers import pages, paths


def built(out):
    """Build the pages of the reference run in a folder; return where they are."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for folder in ("papermill_runs", "figures"):
            shutil.copytree(paths.project_root() / folder / "reference", out / folder / "reference")
        monkeypatch.setenv("DETAINERS_OUT", str(out))
        return pages.build("reference").parent
