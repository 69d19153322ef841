import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from typer.testing import CliRunner

import small_study
from helpers import archive, cli, conflicts, datapackage, evidence, lineage, pages
from processes import marked, wait_until
from small_lineage import lineage as small_lineage
from small_study import EVIDENCE, GROWTH

COMMAND = """
import signal
from helpers import cli, datapackage
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has none
datapackage.validate = lambda root=None: []
cli.app()
"""


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    small_study.make(tmp_path)
    monkeypatch.setenv("DETAINERS_ROOT", str(tmp_path))
    monkeypatch.setattr(datapackage, "validate", lambda root=None: [])
    return tmp_path


def ask(*arguments):
    return CliRunner().invoke(cli.app, list(arguments))


def test_run_shows_a_line_for_each_notebook_and_where_the_run_is(project):
    answer = ask("run", "--run", "mine", "-p", "01.baseline=about_120")
    assert answer.exit_code == 0
    lines = answer.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [
        ["00", "evidence"],
        ["01", "jurisdiction_growth"],
    ]
    assert all(line.endswith("done") for line in lines[:2])
    assert lines[2:] == [f"finished: {project / 'papermill_runs' / 'mine'}"]
    assert answer.stderr == ""
    again = ask("run", "--run", "mine", "-p", "01.baseline=about_120", "--json")
    outcome = json.loads(again.stdout)
    assert outcome["ok"] is True
    assert [step["state"] for step in outcome["steps"]] == ["current", "current"]


def test_a_failed_notebook_exits_with_1_and_one_line(project):
    small_study.save(project, EVIDENCE, small_study.evidence(facts="1 / 0"))
    answer = ask("run")
    assert answer.exit_code == 1
    assert answer.stderr.splitlines() == [
        "00_evidence failed at cell 'results' (In [3]): ZeroDivisionError: division by zero; "
        "see papermill_runs/latest/00_evidence.failed.ipynb"
    ]
    assert "Traceback" not in answer.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "01.basline=x"], "01_jurisdiction_growth has no parameter 'basline'"),
        (["-p", "01.baseline=x"], "baseline = 'x'"),
        (["-p", "basline=x"], "no notebook has a parameter 'basline'"),
        (["-p", "01"], "write NOTEBOOK.NAME=VALUE"),
        (["--only", "01,07"], "no notebook '07'"),
        (["--run", "../x"], "run name '../x'"),
        (["-f", "nowhere.yaml"], "nowhere.yaml: No such file"),
    ],
)
def test_a_wrong_request_exits_with_2_and_one_line_and_writes_nothing(project, arguments, message):
    answer = ask("run", *arguments)
    assert answer.exit_code == 2
    assert message in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert not (project / "papermill_runs").exists()


def test_a_parameters_file_is_read(project):
    path = project / "mine.yaml"
    path.write_text("01: {baseline: about_130}\n", encoding="utf-8")
    answer = ask("run", "-f", str(path))
    assert answer.exit_code == 2
    assert "baseline = 'about_130'" in answer.stderr


def test_bad_data_refuses_a_run_before_a_kernel_starts(project, monkeypatch):
    lines = [f"facts.csv: row {row}" for row in range(100)]
    monkeypatch.setattr(datapackage, "validate", lambda root=None: lines)
    answer = ask("run")
    assert answer.exit_code == 2
    assert answer.stderr.splitlines() == [
        "facts.csv: row 0",
        "99 more: `detainers data check` lists them",
    ]
    assert not list((project / "papermill_runs").rglob("*.ipynb"))


def test_outside_a_project_the_command_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("DETAINERS_ROOT", str(tmp_path / "nowhere"))
    answer = ask("run")
    assert answer.exit_code == 2
    assert answer.stderr.startswith("no project found")


def test_a_folder_that_cannot_be_written_is_one_line(project):
    (project / "papermill_runs").write_text("a file in the way", encoding="utf-8")
    answer = ask("run")
    assert answer.exit_code == 2
    assert "papermill_runs" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_no_line_of_help_is_cut_on_a_terminal_of_80_columns():
    for group in ([], ["data"], ["records"]):
        answer = CliRunner().invoke(cli.app, [*group, "--help"], terminal_width=80)
        assert "Commands:" in answer.stdout
        assert "..." not in answer.stdout.replace("[ARGS]...", "")


def test_parameters_can_be_read_and_copied_on_a_terminal_of_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = [line.rstrip() for line in ask("parameters", "01").stdout.splitlines()]
    assert lines[:4] == [
        GROWTH,
        "  source_policy = judgement",
        "      which published value is used where sources disagree",
        "      judgement, primary_first, earliest, latest",
    ]
    assert max(map(len, lines)) <= 80


def test_parameters_shows_defaults_choices_and_meanings():
    answer = ask("parameters", "01")
    assert answer.exit_code == 0
    for text in (GROWTH, "listed_week_1", "refusing_or_limited", "earlier"):
        assert text in answer.stdout
    rows = json.loads(ask("parameters", "--json").stdout)
    assert {row["notebook"] for row in rows} == {EVIDENCE, GROWTH}


def test_data_check_exits_with_0_when_nothing_is_wrong(monkeypatch):
    monkeypatch.setattr(evidence, "load", lambda: None)
    monkeypatch.setattr(conflicts, "unjudged", lambda ledger: [])
    assert ask("data", "check").exit_code == 0
    assert json.loads(ask("data", "check", "--json").stdout) == {"ok": True, "problems": []}


def test_data_check_lists_bad_rows_first_and_then_conflicts_without_a_judgement(monkeypatch):
    monkeypatch.setattr(evidence, "load", lambda: None)
    monkeypatch.setattr(conflicts, "unjudged", lambda ledger: ["C1: no judgement"])
    answer = ask("data", "check")
    assert (answer.exit_code, answer.stdout) == (1, "C1: no judgement\n")
    monkeypatch.setattr(datapackage, "validate", lambda root=None: ["facts.csv: row 2"])
    answer = ask("data", "check", "--json")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout) == {"ok": False, "problems": ["facts.csv: row 2"]}


def test_site_renders_the_reference_run_unless_told(monkeypatch):
    monkeypatch.setattr(pages, "build", lambda run: Path("site") / run)
    assert ask("site").stdout == f"{Path('site') / 'reference'}\n"
    answer = json.loads(ask("site", "--run", "mine", "--json").stdout)
    assert answer == {"site": str(Path("site") / "mine")}


def test_pages_that_cannot_be_made_are_one_line_and_exit_code_2():
    answer = ask("site", "--run", "mine")
    assert answer.exit_code == 2
    assert "no finished run 'mine'" in answer.stderr


@pytest.fixture
def explained(monkeypatch):
    """Every run is the small one; gives the names of those that are read."""
    read = []

    def load(run):
        read.append(run)
        return small_lineage()

    monkeypatch.setattr(lineage, "load", load)
    return read


def test_explain_shows_a_result_of_the_reference_run_down_to_its_sources(explained):
    answer = ask("explain", "week.share")
    assert answer.exit_code == 0
    assert answer.stdout.startswith("- week.share = 0.072 ratio (95% interval 0.063 to 0.081)\n")
    assert "https://example.org/list?a=1&b=2" in answer.stdout
    tree = json.loads(ask("explain", "week.share", "--json", "--run", "mine").stdout)
    assert tree["inputs"][0]["inputs"][0]["input"] == "fact:F1"
    assert explained == ["reference", "mine"]


def test_explain_draws_a_result(explained):
    answer = ask("explain", "week.share", "--svg")
    assert answer.exit_code == 0
    assert answer.stdout.startswith("<svg ")
    assert answer.stdout.endswith("</svg>\n")


def test_explain_says_what_a_fact_moves_and_which_facts_move_nothing(explained):
    assert "- week.twice" in ask("explain", "--fact", "F1").stdout.splitlines()
    assert json.loads(ask("explain", "--fact", "F1", "--json").stdout)["claims"]["c01"] == ["main"]
    assert "- F2" in ask("explain", "--unused").stdout.splitlines()
    assert json.loads(ask("explain", "--unused", "--json").stdout)["facts"] == ["F2"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["week.share", "--unused"], ["week.share", "--fact", "F1"], ["--fact", "F1", "--svg"]],
)
def test_explain_wants_one_question(explained, arguments):
    answer = ask("explain", *arguments)
    assert answer.exit_code == 2
    assert "name a result" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none"], "no result is named 'none'"),
        (["week.meen"], "no result is named 'week.meen'; did you mean week.mean?"),
        (["--fact", "F9"], "there is no fact 'F9'"),
    ],
)
def test_explain_refuses_what_is_not_there_in_a_line(explained, arguments, said):
    answer = ask("explain", *arguments)
    assert (answer.exit_code, answer.stderr) == (2, f"{said}\n")


def test_archive_packs_the_reference_run_unless_told(monkeypatch):
    monkeypatch.setattr(archive, "build", lambda run: Path(f"{run}.zip"))
    assert ask("archive").stdout == "reference.zip\n"
    assert json.loads(ask("archive", "--run", "mine", "--json").stdout) == {"archive": "mine.zip"}


def test_a_run_that_cannot_be_archived_is_one_line_and_exit_code_2():
    answer = ask("archive", "--run", "mine")
    assert (answer.exit_code, answer.stderr) == (
        2,
        "there is no finished run 'mine'; finished runs: none\n",
    )


def test_help_imports_no_heavy_library():
    code = (
        "import sys; from helpers import cli\n"
        "try:\n    cli.app(['--help'])\n"
        "finally:\n    print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Commands:" in done.stdout
    imported = set(done.stderr.split())
    assert "helpers.cli" in imported
    assert not imported & {"pandas", "papermill", "nbformat", "pydantic", "rich", "frictionless"}


def test_the_command_does_not_load_the_grammar_of_rfc3987():
    code = (
        "import sys; from helpers import cli; import nbformat, jsonschema\n"
        "sys.exit('lark' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_run_with_nothing_to_do_imports_no_heavy_library(project):
    assert ask("run", "--run", "mine", "--plain-kernel").exit_code == 0
    code = (
        "import sys; from helpers import cli\n"
        "try:\n    cli.app(['run', '--run', 'mine', '--json'])\n"
        "finally:\n    print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert {step["state"] for step in json.loads(done.stdout)["steps"]} == {"current"}
    heavy = {"frictionless", "jupyter_client", "nbformat", "numpy", "pandas", "papermill", "zmq"}
    assert not set(done.stderr.split()) & heavy


def test_a_dry_run_says_why_and_runs_nothing(project):
    answer = ask("run", "--run", "mine", "--dry-run")
    assert answer.exit_code == 0
    assert [line.split()[:4] for line in answer.stdout.splitlines()] == [
        ["00", "evidence", "would", "run:"],
        ["01", "jurisdiction_growth", "would", "run:"],
    ]
    assert "no finished run of it is on record" in answer.stdout
    assert not (project / "papermill_runs").exists()
    steps = json.loads(ask("run", "--run", "mine", "--dry-run", "--json").stdout)["steps"]
    assert steps[0]["reasons"] == ["no finished run of it is on record"]


def test_many_reasons_are_cut_short_on_a_line_and_whole_in_json(project):
    assert ask("run", "--run", "mine", "--plain-kernel").exit_code == 0
    for number in range(9):
        (project / "data" / f"{number}.csv").write_text("id\n", encoding="utf-8")
    said = ask("run", "--run", "mine", "--dry-run").stdout.splitlines()[0]
    assert "data/3.csv is new; 5 more" in said
    assert "data/4.csv" not in said
    steps = json.loads(ask("run", "--run", "mine", "--dry-run", "--json").stdout)["steps"]
    assert len(steps[0]["reasons"]) == 9


def test_an_answer_that_nobody_reads_to_its_end_is_no_error(project):
    command = [sys.executable, "-c", COMMAND, "parameters", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()  # as `| head` does
        assert process.stderr.read() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signal to one process")
@pytest.mark.parametrize("kernel", [[], ["--plain-kernel"]], ids=["warm", "plain"])
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_kernels_and_exits_with_130(project, signum, kernel):
    linger = f"import pathlib, time\n(pathlib.Path({str(project)!r}) / NAME).touch()\n"
    evidence = small_study.evidence()
    evidence["cells"].append(
        small_study.cell("linger", linger.replace("NAME", "'a'") + "time.sleep(60)")
    )
    growth = small_study.growth(linger.replace("NAME", "'b'") + "time.sleep(60)")
    growth["metadata"]["detainers"]["reads"] = []
    growth["cells"] = [cell for cell in growth["cells"] if cell["id"] != "read"]
    small_study.save(project, EVIDENCE, evidence)
    small_study.save(project, GROWTH, growth)
    mark = uuid.uuid4().hex
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, "run", "--jobs", "2", *kernel],
        env={**os.environ, "CLI_TEST": mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until(lambda: (project / "a").exists() and (project / "b").exists())
        process.send_signal(signum)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.splitlines() == ["interrupted; what was finished stays, the next run goes on there"]
    assert marked(f"CLI_TEST={mark}") == set()
    assert not list((project / "papermill_runs" / "latest").glob(".staging-*"))
