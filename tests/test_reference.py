"""The reference run: executed again once, under nbval, by `detainers check`.

On another system or Python than made it, as some are in the public CI, results and figures' data
must lie within their tolerances, pixels may differ, and so may the digits that are printed.
"""

import json
import math

import pytest

from helpers import check, compare, paths

ROOT = paths.project_root()
RUN, FIGURES = ROOT / "papermill_runs/reference", ROOT / "figures/reference"
NOTEBOOKS = sorted(path.stem for path in RUN.glob("*.ipynb"))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    place = tmp_path_factory.mktemp("check")
    with pytest.MonkeyPatch.context() as patch:
        # Where the report goes; the run, named by its folder, stays where it is.
        patch.setenv("DETAINERS_OUT", str(place))
        return check.check(str(RUN))


def counts(difference, locked):
    """Whether a difference says that the run does not reproduce in this environment."""
    printed = (
        difference["level"] == "text"
        or difference["where"].endswith(", words")
        or (difference["level"], difference["file"][-5:]) == ("figure data", ".json")
    )
    texts = difference["stored"], difference["now"]
    digits = printed and math.isfinite(compare.apart(*texts, lambda a, b: abs(a - b)))
    return difference["fails"] and (locked or not digits)


@pytest.mark.parametrize("level", check.LEVELS)
def test_the_reference_run_reproduces(report, level):
    outcome = next(each for each in report["levels"] if each["level"] == level)
    assert outcome["compared"] > 0
    locked = report["environment"]["locked"]
    found = [each for each in report["differences"] if each["level"] == level]
    assert [each for each in found if counts(each, locked)] == []


@pytest.mark.parametrize(
    ("level", "file", "where", "stored", "now", "elsewhere"),
    [
        ("text", "01.ipynb", "text/markdown", "10.4 weeks", "10.5 weeks", False),
        ("text", "01.ipynb", "text/markdown", "10.4 weeks", "10.4 days", True),
        ("text", "01.ipynb", "error", "", "KeyError: 'A2'", True),
        ("picture", "a.svg", "drawing, element 3, words", "3.9", "4.0", False),
        ("picture", "a.svg", "drawing", "30 elements", "31 elements", True),
        ("figure data", "a.json", "alt", "a rise to 3.9", "a rise to 4.0", False),
        ("figure data", "a.csv", "column x, row 1", "3.9", "4.0", True),
        ("figure data", "a.csv", "rows", "3", "4", True),
        ("result", "01.results.json", "value", "3.9", "4.0", True),
    ],
)
def test_only_printed_digits_may_differ_elsewhere(level, file, where, stored, now, elsewhere):
    difference = {"level": level, "file": file, "where": where, "stored": stored, "now": now}
    assert counts({**difference, "fails": True}, locked=True)
    assert counts({**difference, "fails": True}, locked=False) is elsewhere


def test_everything_of_the_reference_run_was_compared(report):
    compared = {each["level"]: each["compared"] for each in report["levels"]}
    contents = [json.loads((RUN / f"{name}.ipynb").read_bytes()) for name in NOTEBOOKS]
    cells = [c for content in contents for c in content["cells"] if c["cell_type"] == "code"]
    outputs = [output for cell in cells for output in cell["outputs"]]
    inline = sum("image/png" in output.get("data", {}) for output in outputs)
    stored = json.loads((RUN / "results.json").read_bytes())["results"]
    assert report["skipped"] == []
    assert compared == {
        "notebook": len(NOTEBOOKS),
        "text": len(cells),
        "result": len(stored),
        "figure data": sum(path.suffix in (".csv", ".json") for path in FIGURES.iterdir()),
        "picture": inline + sum(path.suffix in (".png", ".svg") for path in FIGURES.iterdir()),
    }


def test_no_file_of_the_reference_run_was_altered_since_it_was_made(report):
    assert {name: each["altered"] for name, each in report["notebooks"].items()} == {
        name: [] for name in NOTEBOOKS
    }


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


def test_the_reference_run_was_made_from_a_commit():
    manifest = json.loads((RUN / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["git"]["clean"] is True
    assert {entry["status"] for entry in manifest["notebooks"].values()} == {"done"}


def test_the_committed_run_stays_small():
    size = sum(p.stat().st_size for folder in (RUN, FIGURES) for p in folder.rglob("*"))
    assert size < 8_000_000
