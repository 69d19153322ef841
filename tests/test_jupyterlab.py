import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import browser as real
import processes

NOTEBOOK = "01_jurisdiction_growth"
KERNELS = {
    "python3": "Python 3 (ipykernel)",
    "detainers-warm": "Python 3 (Declined Detainers, libraries loaded)",
}


@pytest.fixture(scope="module")
def browser():
    yield from real.launched()


@pytest.fixture
def lab(project, tmp_path):
    """Address of a JupyterLab in a copy of the notebooks, with nobody's settings."""
    kinds = ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR")
    places = {kind: str(tmp_path / kind) for kind in kinds}
    options = ["--no-browser", "--allow-root", "--port=0", "--IdentityProvider.token="]
    command = [sys.executable, "-m", "jupyterlab", *options]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, cwd=project / "notebooks", env=os.environ | places, **quiet)
    described = Path(places["JUPYTER_RUNTIME_DIR"]) / f"jpserver-{server.pid}.json"
    try:
        processes.wait_until(described.exists)
        yield json.loads(described.read_text(encoding="utf-8"))["url"]
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_notebook_run_in_jupyterlab_gives_the_reference_results(
    kernel, lab, browser, project, root
):
    notebook = nbformat.read(project / f"notebooks/{NOTEBOOK}.ipynb", as_version=4)
    notebook.metadata.kernelspec.name = kernel
    nbformat.write(notebook, project / f"notebooks/{NOTEBOOK}.ipynb")
    idle = f"{KERNELS[kernel]} | Idle"
    page = browser.new_page(viewport=real.DESKTOP)
    page.goto(f"{lab}lab/tree/{NOTEBOOK}.ipynb")
    page.get_by_text(idle).wait_for(timeout=60_000)  # else it asks for a kernel
    page.get_by_text("Run", exact=True).first.click()
    page.get_by_text("Run All Cells", exact=True).click()
    made = project / f"papermill_runs/scratch/{NOTEBOOK}.results.json"
    processes.wait_until(made.exists, 120)  # the last cell writes them
    page.get_by_text(idle).wait_for(timeout=60_000)
    reference = root / f"papermill_runs/reference/{made.name}"
    assert results(made) == results(reference)
    shown = page.locator(".jp-OutputArea td[style*='left']").first
    assert shown.evaluate("cell => getComputedStyle(cell).textAlign") == "left"


def results(path):
    return json.loads(path.read_text(encoding="utf-8"))["results"]
