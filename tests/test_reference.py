"""The reference run: executed again once, under nbval; its results and figures compared."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from helpers import paths

ROOT = paths.project_root()
RUN, FIGURES = ROOT / "papermill_runs/reference", ROOT / "figures/reference"
NOTEBOOKS = sorted(path.stem for path in RUN.glob("*.ipynb"))


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    out = tmp_path_factory.mktemp("nbval")
    ours = ("DETAINERS_ROOT", "DETAINERS_RUN", "DETAINERS_PREVIOUS")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment = {n: v for n, v in environment.items() if not n.startswith("PYTEST_")}
    nbval = ["--nbval", "-n", "2", "--dist", "loadfile", "--color", "no", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *nbval, str(RUN)],
        cwd=ROOT,
        env=environment | {"DETAINERS_OUT": str(out), "DETAINERS_RUN": "nbval"},
        capture_output=True,
        text=True,
        timeout=1200,  # 06 simulates in full, for minutes
    )
    return done, out


def test_every_text_output_reproduces_under_nbval(again):
    done, _ = again
    assert done.returncode == 0, done.stdout[-6000:]
    cells = sum(
        cell["cell_type"] == "code"
        for name in NOTEBOOKS
        for cell in json.loads((RUN / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    )
    assert f"{cells} passed" in done.stdout  # none was skipped


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_every_result_reproduces_within_its_tolerance(again, notebook):
    name = f"{notebook}.results.json"
    made = json.loads((again[1] / "papermill_runs/nbval" / name).read_text(encoding="utf-8"))
    stored = json.loads((RUN / name).read_text(encoding="utf-8"))["results"]
    assert set(made["results"]) == set(stored)
    for result, expected in stored.items():
        value, interval = made["results"][result]["value"], made["results"][result]["interval"]
        near = {"rel": expected["tolerance"], "abs": 1e-300}
        if isinstance(expected["value"], str):
            assert value == expected["value"], result
        else:
            assert value == pytest.approx(expected["value"], **near), result
        for end, expected_end in zip(interval or [], expected["interval"] or [], strict=True):
            same = expected_end if expected_end is None else pytest.approx(expected_end, **near)
            assert end == same, result


@pytest.mark.parametrize("figure", sorted(path.stem for path in FIGURES.glob("*.csv")))
def test_the_data_of_every_figure_reproduces(again, figure):
    made = pd.read_csv(again[1] / "figures/nbval" / f"{figure}.csv")
    pd.testing.assert_frame_equal(made, pd.read_csv(FIGURES / f"{figure}.csv"), rtol=1e-6)


def test_the_reference_run_holds_every_notebook_and_its_results_merged():
    assert sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")) == NOTEBOOKS
    merged = json.loads((RUN / "results.json").read_text(encoding="utf-8"))
    parts = {}
    for name in NOTEBOOKS:
        part = json.loads((RUN / f"{name}.results.json").read_text(encoding="utf-8"))
        parts |= part["results"]
    assert merged["results"] == parts
    assert merged["run"] == "reference"


def test_the_reference_run_has_no_error_warning_or_machine_path():
    for name in NOTEBOOKS:
        text = (RUN / f"{name}.ipynb").read_text(encoding="utf-8")
        outputs = [o for c in json.loads(text)["cells"] for o in c.get("outputs", [])]
        assert all(o["output_type"] in {"execute_result", "display_data"} for o in outputs)
        assert "start_time" not in text
        assert str(ROOT) not in text


def test_every_figure_of_the_reference_run_is_made_again(again):
    made = {path.name for path in (again[1] / "figures/nbval").iterdir()}
    assert made == {path.name for path in FIGURES.iterdir()}


def test_the_reference_run_was_made_from_a_commit():
    manifest = json.loads((RUN / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["git"]["clean"] is True
    assert {entry["status"] for entry in manifest["notebooks"].values()} == {"done"}


def test_the_committed_run_stays_small():
    size = sum(p.stat().st_size for folder in (RUN, FIGURES) for p in folder.rglob("*"))
    assert size < 8_000_000
