"""A small project under version control, with a finished run of two notebooks, to archive."""

import json
import shutil
import subprocess
from pathlib import Path

import small_study
from helpers import runner
from small_lineage import result
from small_study import EVIDENCE, GROWTH

ROOT = Path(__file__).resolve().parents[1]
COPIED = [
    "CITATION.cff",
    "LICENSE",
    "environment.yml",
    "requirements.lock",
    "postBuild",
    "src/helpers/runner.py",
]
TABLE = """\
from IPython.display import HTML
HTML("<table>\\n<caption>Jails &amp; counties</caption>\\n</table>")
"""
FIGURE = {
    "title": "Counts | rose",
    "alt": "Two dots, the second higher.",
    "source": "A paper.",
    "notebook": GROWTH,
    "cell": "results",
    "inputs": ["result:growth.factor"],
    "columns": ["year"],
}


def facts_notebook():
    found = {"evidence.facts": result(["series:facts"], 3, notebook=EVIDENCE, cell="results")}
    return small_study.notebook(
        small_study.EVIDENCE_DEFAULTS,
        small_study.cell("table", TABLE),
        small_study.cell("results", f'write("{EVIDENCE}", **{found!r})'),
    )


def growth_notebook():
    found = {
        "growth.factor": result(["result:evidence.facts", "fact:A028"], 3.9, cell="results"),
        "growth.draws": result(["simulation:2017"], 4.1, cell="results"),
    }
    write = (
        f'write("{GROWTH}", **{found!r})\n'
        f"paths.write_atomically(paths.figure_folder() / 'growth.json', {json.dumps(FIGURE)!r})\n"
        "paths.write_atomically(paths.figure_folder() / 'growth.svg', '<svg/>')"
    )
    return small_study.notebook(
        small_study.GROWTH_DEFAULTS, small_study.cell("results", write), reads=[EVIDENCE]
    )


def git(folder, *arguments):
    who = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def commit(folder):
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "All")


def make(folder):
    """Write the project, without a run."""
    shutil.copytree(ROOT / "data", folder / "data")
    for name in COPIED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    small_study.save(folder, EVIDENCE, facts_notebook())
    small_study.save(folder, GROWTH, growth_notebook())
    ignored = "/papermill_runs/\n/figures/\n*.zip\n"
    (folder / ".gitignore").write_text(ignored, encoding="utf-8")
    commit(folder)


def run(name="mine", **growth):
    asked = {GROWTH: growth} if growth else {}
    outcome = runner.run(name, asked, plain_kernel=True)
    assert outcome.message == ""
