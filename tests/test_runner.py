import json
import os
import shutil
import sys

import pytest

import small_study
from helpers import manifest, request, runner
from helpers.parameters import ParameterError
from helpers.paths import PathError
from helpers.request import RunError
from small_study import EVIDENCE, GROWTH, entries, folder, outputs_of, read, states


@pytest.fixture
def project(small_project):
    return small_project


def test_a_run_leaves_notebooks_results_figures_and_manifest_and_nothing_else(finished):
    assert set(outputs_of(finished)) == {
        "papermill_runs/mine/00_evidence.ipynb",
        "papermill_runs/mine/00_evidence.results.json",
        "papermill_runs/mine/01_jurisdiction_growth.ipynb",
        "papermill_runs/mine/01_jurisdiction_growth.results.json",
        "papermill_runs/mine/results.json",
        "figures/mine/facts.svg",
        "figures/mine/growth.svg",
    }


def test_all_results_are_merged_in_the_order_of_their_names(finished):
    path = folder(finished) / "results.json"
    assert read(path) == {
        "schema": 1,
        "run": "mine",
        "results": {
            "evidence.facts": {"value": 3},
            "growth.factor": {"value": [3, "listed_week_1"]},
        },
    }
    assert list(read(path)["results"]) == ["evidence.facts", "growth.factor"]
    assert path.read_bytes().endswith(b"}\n")
    assert b"\r" not in path.read_bytes()


def test_the_manifest_says_what_each_notebook_was_made_from(finished):
    written = read(folder(finished) / manifest.NAME)
    assert written["versions"] == manifest.circumstances(finished)["versions"]
    assert list(written["notebooks"]) == [EVIDENCE, GROWTH]
    entry = written["notebooks"][GROWTH]
    assert entry["status"] == "done"
    assert entry["key"]["parameters"]["baseline"] == "listed_week_1"
    assert entry["figures"] == ["growth.svg"]
    assert entry["sha256"] == {
        f"{GROWTH}.ipynb": manifest.sha256(folder(finished) / f"{GROWTH}.ipynb"),
        f"{GROWTH}.results.json": manifest.sha256(folder(finished) / f"{GROWTH}.results.json"),
        "growth.svg": manifest.sha256(finished / "figures" / "mine" / "growth.svg"),
    }
    assert entry["started"].endswith("+00:00")
    assert 0 < entry["seconds"] < 60
    assert sys.platform != "linux" or 20 < entry["peak_mb"] < 2000


def test_a_run_puts_environment_and_working_directory_back(project, monkeypatch):
    monkeypatch.setenv("DETAINERS_RUN", "other")
    monkeypatch.delenv("DETAINERS_PREVIOUS", raising=False)
    before, here = dict(os.environ), os.getcwd()
    runner.run("mine", {}, only=["00"], force=True)
    assert (dict(os.environ), os.getcwd()) == (before, here)


def test_what_is_current_starts_no_kernel(project, no_kernel):
    steps = []
    outcome = runner.run("mine", {}, report=steps.append, data_problems=lambda: ["not asked"])
    assert states(outcome) == {EVIDENCE: "current", GROWTH: "current"}
    assert steps == list(outcome.steps)


def test_a_forced_run_changes_nothing_but_the_times_in_the_manifest(project):
    asked = {GROWTH: {"baseline": "about_120"}}
    runner.run("mine", asked)
    before, manifest_before = outputs_of(project), read(folder(project) / manifest.NAME)
    outcome = runner.run("mine", asked, force=True)
    assert states(outcome) == {EVIDENCE: "done", GROWTH: "done"}
    assert outputs_of(project) == before
    after = read(folder(project) / manifest.NAME)
    for entry in [*manifest_before["notebooks"].values(), *after["notebooks"].values()]:
        del entry["started"], entry["seconds"], entry["peak_mb"]
    assert after == manifest_before


def test_parameters_reach_the_notebook_and_the_manifest(project):
    outcome = runner.run("mine", {GROWTH: {"baseline": "about_120"}})
    assert states(outcome) == {EVIDENCE: "current", GROWTH: "done"}
    merged = read(folder(project) / "results.json")["results"]
    assert merged["growth.factor"]["value"] == [3, "about_120"]
    assert entries(project)[GROWTH]["key"]["parameters"]["baseline"] == "about_120"
    cells = {cell["id"]: cell for cell in read(folder(project) / f"{GROWTH}.ipynb")["cells"]}
    assert cells["injected-parameters"]["source"] == ["# Parameters\n", 'baseline = "about_120"\n']


def test_changed_data_runs_every_notebook_again(project):
    (project / "data" / "facts.csv").write_text("id,value\nA1,4\n", encoding="utf-8")
    assert states(runner.run("mine", {})) == {EVIDENCE: "done", GROWTH: "done"}


def test_a_changed_result_runs_those_that_read_it_again(project):
    small_study.save(project, EVIDENCE, small_study.evidence(facts=5))
    assert states(runner.run("mine", {})) == {EVIDENCE: "done", GROWTH: "done"}
    merged = read(folder(project) / "results.json")["results"]
    assert merged["growth.factor"]["value"] == [5, "listed_week_1"]


def test_an_unchanged_result_leaves_those_that_read_it_alone(project):
    changed = small_study.evidence()
    changed["cells"][0]["source"] = "# Another title"
    small_study.save(project, EVIDENCE, changed)
    assert states(runner.run("mine", {})) == {EVIDENCE: "done", GROWTH: "current"}
    assert "Another title" in (folder(project) / f"{EVIDENCE}.ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "file",
    [
        "papermill_runs/mine/01_jurisdiction_growth.ipynb",
        "papermill_runs/mine/01_jurisdiction_growth.results.json",
        "figures/mine/growth.svg",
    ],
)
def test_a_missing_or_damaged_output_is_made_again(project, file):
    before = outputs_of(project)
    if file.endswith("svg"):
        (project / file).unlink()
    else:
        (project / file).write_bytes(before[file][:-20])
    assert states(runner.run("mine", {})) == {EVIDENCE: "current", GROWTH: "done"}
    assert outputs_of(project) == before


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({GROWTH: {"basline": "x"}}, ParameterError, "no parameter 'basline'"),
        ({GROWTH: {"baseline": "x"}}, ParameterError, "baseline = 'x'"),
        ({"07_other": {}}, RunError, "07_other, which is not to be run"),
    ],
)
def test_a_wrong_request_is_refused_before_a_kernel_starts(
    project, no_kernel, asked, error, message
):
    with pytest.raises(error, match=message):
        runner.run("other", asked, force=True)
    assert not (project / "papermill_runs" / "other").exists()


def test_a_run_name_that_leaves_its_folder_is_refused(project, no_kernel):
    with pytest.raises(PathError, match="run name"):
        runner.run("../other", {})


def test_problems_in_the_data_refuse_the_run_before_a_kernel_starts(project, no_kernel):
    before = outputs_of(project), entries(project)
    lines = ["facts.csv: row 2", "facts.csv: row 3", "facts.csv: row 4"]
    with pytest.raises(RunError, match=r"^facts.csv: row 2\n2 more: `detainers data check`"):
        runner.run("mine", {}, force=True, data_problems=lambda: lines)
    with pytest.raises(RunError, match=r"^facts.csv: row 2$"):
        runner.run("mine", {}, force=True, data_problems=lambda: lines[:1])
    assert (outputs_of(project), entries(project)) == before


def test_a_failing_notebook_leaves_the_last_good_outputs_and_a_failed_copy(project):
    before, good = outputs_of(project), entries(project)
    broken = small_study.growth("facts * 3", figures=["growth.svg", "other.svg"])
    broken["cells"].append(small_study.cell("check", 'raise ValueError("too few\\nof them")'))
    small_study.save(project, GROWTH, broken)
    outcome = runner.run("mine", {})
    message = (
        "01_jurisdiction_growth failed at cell 'check' (In [6]): ValueError: too few; "
        "see papermill_runs/mine/01_jurisdiction_growth.failed.ipynb"
    )
    assert outcome.message == message
    assert states(outcome) == {EVIDENCE: "current", GROWTH: "failed"}
    after = outputs_of(project)
    failed = json.loads(after.pop("papermill_runs/mine/01_jurisdiction_growth.failed.ipynb"))
    assert after == before
    assert "too few" in json.dumps(failed)
    assert entries(project)[GROWTH] == {**good[GROWTH], "status": "failed", "message": message}


def test_the_first_failure_ends_the_run_and_the_repair_clears_it(project):
    small_study.save(project, EVIDENCE, small_study.evidence(facts="1 / 0"))
    outcome = runner.run("mine", {}, force=True)
    assert states(outcome) == {EVIDENCE: "failed"}
    assert "ZeroDivisionError: division by zero" in outcome.message
    small_study.save(project, EVIDENCE, small_study.evidence())
    assert states(runner.run("mine", {})) == {EVIDENCE: "done", GROWTH: "current"}
    assert not (folder(project) / f"{EVIDENCE}.failed.ipynb").exists()


def test_a_kernel_that_dies_is_one_line_at_its_cell(project):
    small_study.save(project, GROWTH, small_study.growth("import os; os._exit(3)"))
    outcome = runner.run("mine", {})
    assert outcome.message.startswith("01_jurisdiction_growth failed at cell 'estimate'")
    assert "DeadKernelError" in outcome.message
    assert (folder(project) / f"{GROWTH}.failed.ipynb").is_file()


def test_a_notebook_that_ends_without_writing_results_has_failed(project):
    small_study.save(project, GROWTH, small_study.growth("import sys; sys.exit(0)"))
    assert "without writing its results" in runner.run("mine", {}).message


@pytest.mark.parametrize("name", ["my-figure.pdf", "folder"])
def test_a_notebook_that_writes_a_figure_of_another_name_has_failed_and_the_run_stays_readable(
    project, name
):
    body = f"(paths.figure_folder() / {name!r}).mkdir(parents=True)"
    if "." in name:
        body = f'paths.write_atomically(paths.figure_folder() / {name!r}, "")'
    small_study.save(project, GROWTH, small_study.growth(body))
    message = runner.run("mine", {}).message
    assert message == (
        f"{GROWTH} failed: it wrote figures/{name}: allowed are letters, digits and underscore, "
        "and then .svg, .png, .csv or .json"
    )
    small_study.save(project, GROWTH, small_study.growth())
    assert states(runner.run("mine", {})) == {EVIDENCE: "current", GROWTH: "done"}


@pytest.mark.parametrize(
    ("kind", "second"),
    [
        ("result 'evidence.facts'", small_study.growth(name="evidence.facts")),
        ("figure 'facts.svg'", small_study.growth(figures=["facts.svg"])),
    ],
)
def test_one_name_from_two_notebooks_is_refused_and_the_old_results_stay(project, kind, second):
    before = (folder(project) / "results.json").read_bytes()
    small_study.save(project, GROWTH, second)
    outcome = runner.run("mine", {})
    assert outcome.message == f"{kind} is made by {EVIDENCE} and by {GROWTH}"
    assert (folder(project) / "results.json").read_bytes() == before


def test_a_figure_that_is_no_longer_made_is_deleted(project):
    small_study.save(project, EVIDENCE, small_study.evidence(figures=["table.svg"]))
    runner.run("mine", {})
    made = sorted(path.name for path in (project / "figures" / "mine").iterdir())
    assert made == ["growth.svg", "table.svg"]


def test_a_figure_that_moves_to_an_earlier_notebook_stays(project):
    small_study.save(project, EVIDENCE, small_study.evidence(figures=["facts.svg", "growth.svg"]))
    small_study.save(project, GROWTH, small_study.growth(figures=[]))
    assert runner.run("mine", {}).message == ""
    made = sorted(path.name for path in (project / "figures" / "mine").iterdir())
    assert made == ["facts.svg", "growth.svg"]


def test_a_figure_of_which_an_unreadable_manifest_knew_is_deleted_once_all_is_on_record(project):
    (folder(project) / manifest.NAME).write_text("<<<<<<< ours", encoding="utf-8")
    small_study.save(project, EVIDENCE, small_study.evidence(figures=["table.svg"]))
    figures = project / "figures" / "mine"
    (figures / "notes.txt").touch()
    runner.run("mine", {}, only=["00"])
    kept = {"growth.svg", "table.svg", "notes.txt"}
    assert {path.name for path in figures.iterdir()} == kept | {"facts.svg"}
    runner.run("mine", {})
    assert {path.name for path in figures.iterdir()} == kept


def test_a_run_whose_notebook_is_missing_is_refused_and_keeps_its_outputs(project, no_kernel):
    before = outputs_of(project)
    (project / "notebooks" / f"{GROWTH}.ipynb").unlink()
    with pytest.raises(request.RunError, match=f"notebooks/{GROWTH}.ipynb is missing"):
        runner.run("mine", {})
    assert outputs_of(project) == before


def test_only_the_chosen_notebooks_run_and_all_results_are_merged(project):
    outcome = runner.run("mine", {}, only=["01"], force=True)
    assert states(outcome) == {GROWTH: "done"}
    assert len(read(folder(project) / "results.json")["results"]) == 2


def test_a_run_writes_under_detainers_out_where_that_is_set(project, tmp_path, monkeypatch):
    monkeypatch.setenv("DETAINERS_OUT", str(tmp_path / "out"))
    before = outputs_of(project)
    runner.run("mine", {}, only=["00"])
    assert (tmp_path / "out" / "papermill_runs" / "mine" / f"{EVIDENCE}.ipynb").is_file()
    assert (tmp_path / "out" / "figures" / "mine" / "facts.svg").is_file()
    assert outputs_of(project) == before


def test_the_reference_run_is_made_on_its_own_platform_unless_forced(project, no_kernel):
    reference = project / "papermill_runs" / "reference"
    shutil.copytree(folder(project), reference)
    written = read(reference / manifest.NAME)
    written["versions"]["platform"] = "Plan9 mips"
    (reference / manifest.NAME).write_text(json.dumps(written), encoding="utf-8")
    shutil.copytree(project / "figures" / "mine", project / "figures" / "reference")
    with pytest.raises(RunError, match=r"made on Plan9 mips, this is .*--force-platform"):
        runner.run("reference", {})
    outcome = runner.run("reference", {}, force_platform=True)
    assert states(outcome) == {EVIDENCE: "current", GROWTH: "current"}


def test_a_notebook_left_out_is_called_stale_when_what_it_reads_has_changed(project):
    assert states(runner.run("mine", {}, only=["00"])) == {EVIDENCE: "current"}
    small_study.save(project, EVIDENCE, small_study.evidence(facts="12"))
    assert states(runner.run("mine", {}, only=["00"])) == {EVIDENCE: "done", GROWTH: "stale"}
    assert states(runner.run("mine", {})) == {EVIDENCE: "current", GROWTH: "done"}
