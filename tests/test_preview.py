import pytest

import small_study
from helpers import runner
from small_study import EVIDENCE, GROWTH, folder, outputs_of


@pytest.fixture
def project(small_project):
    return small_project


def plan(outcome):
    return {step.notebook: (step.state, *step.reasons) for step in outcome.steps}


def test_a_preview_says_what_would_run_and_why_and_writes_nothing(project, no_kernel):
    before = outputs_of(project)
    assert plan(runner.preview("mine", {})) == {EVIDENCE: ("current",), GROWTH: ("current",)}
    assert plan(runner.preview("mine", {GROWTH: {"baseline": "about_120"}})) == {
        EVIDENCE: ("current",),
        GROWTH: ("would run", "parameter baseline changed"),
    }
    assert plan(runner.preview("mine", {}, only=["00"], force=True)) == {
        EVIDENCE: ("would run", "--force")
    }
    assert plan(runner.preview("other", {}, only=["00"])) == {
        EVIDENCE: ("would run", "no finished run of it is on record")
    }
    assert outputs_of(project) == before
    assert not (project / "papermill_runs" / "other").exists()


def test_a_preview_says_whose_results_may_change(project, no_kernel):
    changed = small_study.evidence()
    changed["cells"][3]["source"] += "\n"
    small_study.save(project, EVIDENCE, changed)
    assert plan(runner.preview("mine", {})) == {
        EVIDENCE: ("would run", "cell results changed"),
        GROWTH: ("may run", f"results of {EVIDENCE} may change"),
    }
    assert plan(runner.preview("mine", {}, only=["01"])) == {
        EVIDENCE: ("stale", "cell results changed"),
        GROWTH: ("current",),
    }


def test_a_preview_names_outputs_that_are_missing_or_were_altered(project, no_kernel):
    (project / "figures" / "mine" / "growth.svg").write_text("<svg></svg>", encoding="utf-8")
    (folder(project) / f"{GROWTH}.results.json").unlink()
    assert plan(runner.preview("mine", {}))[GROWTH] == (
        "would run",
        f"{GROWTH}.results.json is missing",
        "growth.svg was altered",
    )


def test_a_preview_follows_what_may_change_from_notebook_to_notebook(project):
    small_study.save(project, small_study.CLAIMS, small_study.claims())
    runner.run("mine", {})
    small_study.save(project, EVIDENCE, small_study.evidence(facts=4))
    assert plan(runner.preview("mine", {})) == {
        EVIDENCE: ("would run", "cell results changed"),
        GROWTH: ("may run", f"results of {EVIDENCE} may change"),
        small_study.CLAIMS: ("may run", f"results of {GROWTH} may change"),
    }
