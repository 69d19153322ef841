import pytest

import small_study
from helpers import kernels, runner
from helpers.request import RunError
from small_study import EVIDENCE, GROWTH, folder, outputs_of, read, states


@pytest.fixture
def project(small_project):
    return small_project


def independent(body="facts = 0"):
    """The notebook GROWTH, but for reading any results."""
    made = small_study.growth(body)
    made["metadata"]["detainers"]["reads"] = []
    made["cells"] = [cell for cell in made["cells"] if cell["id"] != "read"]
    return made


def meet(own, other, project):
    """Code that ends well only while another notebook runs the like."""
    return (
        "import time\nfrom pathlib import Path\n"
        f"place = Path({str(project)!r})\n(place / {own!r}).touch()\n"
        f"end = time.monotonic() + 20\nwhile not (place / {other!r}).exists():\n"
        "    assert time.monotonic() < end\n    time.sleep(0.01)\nfacts = 0\n"
    )


def test_independent_notebooks_run_side_by_side(project):
    evidence = small_study.evidence()
    evidence["cells"].insert(3, small_study.cell("meet", meet("a", "b", project)))
    small_study.save(project, EVIDENCE, evidence)
    small_study.save(project, GROWTH, independent(meet("b", "a", project)))
    outcome = runner.run("mine", {}, jobs=2)
    assert states(outcome) == {EVIDENCE: "done", GROWTH: "done"}


def test_with_one_job_a_notebook_waits_for_the_one_before(project):
    begun, ended = project / "begun", project / "ended"
    evidence = small_study.evidence()
    mark = f"from pathlib import Path\nassert not Path({str(begun)!r}).exists()\n"
    evidence["cells"].append(small_study.cell("mark", f"{mark}Path({str(ended)!r}).touch()"))
    small_study.save(project, EVIDENCE, evidence)
    body = f"from pathlib import Path\nPath({str(begun)!r}).touch()\n"
    growth = independent(f"{body}assert Path({str(ended)!r}).exists()\nfacts = 0")
    small_study.save(project, GROWTH, growth)
    assert states(runner.run("mine", {}, jobs=1)) == {EVIDENCE: "done", GROWTH: "done"}


def test_a_notebook_waits_for_the_results_it_reads_however_many_jobs(project):
    evidence = small_study.evidence(facts=11)
    evidence["cells"].insert(3, small_study.cell("slow", "import time; time.sleep(1)"))
    small_study.save(project, EVIDENCE, evidence)
    runner.run("mine", {}, jobs=4)
    merged = read(folder(project) / "results.json")["results"]
    assert merged["growth.factor"]["value"] == [11, "listed_week_1"]


def test_steps_are_told_in_the_order_of_the_notebooks_though_a_later_one_ends_first(project):
    ended = project / "ended"
    evidence = small_study.evidence()
    wait = f"import time\nfrom pathlib import Path\nwhile not Path({str(ended)!r}).exists():\n"
    evidence["cells"].append(small_study.cell("wait", f"{wait}    time.sleep(0.01)"))
    small_study.save(project, EVIDENCE, evidence)
    growth = independent()
    growth["cells"].append(
        small_study.cell("end", f"from pathlib import Path\nPath({str(ended)!r}).touch()")
    )
    small_study.save(project, GROWTH, growth)
    steps = []
    outcome = runner.run("mine", {}, jobs=2, report=steps.append)
    told = [(step.notebook, step.state) for step in steps]
    assert told[:2] == [(EVIDENCE, "running"), (GROWTH, "running")]
    assert told[2:] == [(EVIDENCE, "done"), (GROWTH, "done")]
    assert list(outcome.steps) == steps[2:]


def test_a_failure_leaves_what_runs_beside_it_to_end(project):
    failed = project / "failed"
    evidence = small_study.evidence()
    fail = f"from pathlib import Path\nPath({str(failed)!r}).touch()\n1 / 0"
    evidence["cells"].append(small_study.cell("fail", fail))
    small_study.save(project, EVIDENCE, evidence)
    wait = f"import time\nfrom pathlib import Path\nwhile not Path({str(failed)!r}).exists():\n"
    small_study.save(project, GROWTH, independent(f"{wait}    time.sleep(0.01)\nfacts = 8"))
    outcome = runner.run("mine", {}, jobs=2)
    assert states(outcome) == {EVIDENCE: "failed", GROWTH: "done"}
    assert "ZeroDivisionError" in outcome.message
    assert (
        read(folder(project) / f"{GROWTH}.results.json")["results"]["growth.factor"]["value"][0]
        == 8
    )
    assert not list(folder(project).glob(".staging-*"))


@pytest.mark.parametrize("options", [{"jobs": 1}, {"jobs": 2}, {"plain_kernel": True}])
def test_warm_plain_parallel_and_sequential_runs_give_the_same_to_the_byte(project, options):
    before = outputs_of(project)
    runner.run("mine", {}, force=True, **options)
    assert outputs_of(project) == before


def test_where_kernels_are_ordinary_ones_the_run_says_so(project, monkeypatch):
    monkeypatch.setattr(kernels, "obstacle", lambda: "no fork here")
    steps = []
    outcome = runner.run("mine", {}, only=["00"], force=True, report=steps.append)
    assert (steps[0].notebook, steps[0].state, steps[0].message) == (
        "kernels",
        "ordinary",
        "no fork here",
    )
    assert states(outcome) == {EVIDENCE: "done"}


def test_a_notebook_that_reads_later_results_is_refused(project, no_kernel):
    evidence = small_study.evidence()
    evidence["metadata"]["detainers"]["reads"] = [GROWTH]
    small_study.save(project, EVIDENCE, evidence)
    with pytest.raises(RunError, match=f"{EVIDENCE} reads the results of {GROWTH}, which does not"):
        runner.run("mine", {})


def test_a_notebook_waits_for_one_that_waits_itself(project):
    evidence = small_study.evidence(facts=11)
    evidence["cells"].insert(3, small_study.cell("slow", "import time; time.sleep(1)"))
    small_study.save(project, EVIDENCE, evidence)
    small_study.save(project, small_study.CLAIMS, small_study.claims())
    runner.run("mine", {}, jobs=4)
    merged = read(folder(project) / "results.json")["results"]
    assert merged["claims.facts"]["value"] == [11, "listed_week_1"]
