"""Records that a run is given: by `--records`, by a parameter, in a key, in a notebook."""

import ast
import json
import shutil

import pytest
from typer.testing import CliRunner

import small_study
from helpers import cli, datapackage, parameters, reexecution, request, runner, synthetic
from helpers.records import RecordsError, given
from helpers.request import RunError
from record_files import expanded, policy_of, truth, write

AGES, ISSUANCE = "02_detainer_age", "03_issuance_policy"
DEFAULTS = """\
source_policy = "judgement"
group = "all"
distribution = "weibull"
weibull_shape = 1.0
since = "2018-01-01"
as_of = "2021-09-01"
records = None
"""
READS = f"""\
from helpers.records import given
found = None if records is None else given.located("records", records).read_bytes()
write("{AGES}", **{{"ages.bytes": {{"value": [len(found or b""), records]}}}})
"""


@pytest.fixture
def project(tmp_path, root, record_cache, monkeypatch):
    """A small study with a notebook that takes records, beside the data of the repository."""
    made = tmp_path / "project"
    small_study.make(made)
    small_study.save(made, AGES, small_study.notebook(DEFAULTS, small_study.cell("read", READS)))
    shutil.rmtree(made / "data")
    shutil.copytree(root / "data", made / "data")
    monkeypatch.setenv("DETAINERS_ROOT", str(made))
    monkeypatch.setattr(datapackage, "validate", lambda root=None: [])
    return made


@pytest.fixture
def file(tmp_path):
    place = tmp_path / "a secret place"
    place.mkdir()
    return write(place, "npr_second_set")


def ask(*arguments):
    return CliRunner().invoke(cli.app, ["run", *map(str, arguments)])


def one_line(answer):
    assert answer.exit_code == 2
    (line,) = answer.stderr.splitlines()
    return line


# Which file it is


def test_a_file_is_known_by_its_name_and_what_it_holds(tmp_path):
    path = tmp_path / "my  records.csv"
    path.write_bytes(b"a")
    first = given.identity(path)
    assert first.startswith("my_records.csv@")
    assert first == given.identity(path)
    path.write_bytes(b"b")
    assert given.identity(path) != first
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(path, elsewhere / path.name)
    assert given.identity(elsewhere / path.name) == given.identity(path)


@pytest.mark.parametrize("change", ["content", "name", "new", "gone"])
def test_a_folder_is_known_by_all_its_files_and_their_names(tmp_path, change):
    folder = tmp_path / "release"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text(name, encoding="utf-8")
    before = given.identity(folder)
    (folder / ".DS_Store").touch()
    assert given.identity(folder) == before
    if change == "content":
        (folder / "a.csv").write_text("b.csv", encoding="utf-8")
    elif change == "name":
        (folder / "a.csv").rename(folder / "c.csv")
    elif change == "new":
        (folder / "c.csv").touch()
    else:
        (folder / "b.csv").unlink()
    assert given.identity(folder) != before


def test_a_path_is_itself_and_an_identity_is_where_the_environment_says(file, monkeypatch):
    assert given.located("records", str(file)) == file
    identity = given.identity(file)
    with pytest.raises(RecordsError, match="set DETAINERS_RECORDS to the path of that file"):
        given.located("records", identity)
    monkeypatch.setenv("DETAINERS_RECORDS", str(file))
    assert given.located("records", identity) == file
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(RecordsError, match=r"leads to detainersfy9\.csv@") as said:
        given.located("records", identity)
    assert str(file.parent) not in str(said.value)


# What is asked for


def test_a_plan_has_the_identity_and_beside_it_the_path(project, file):
    (plan,) = request.plan({AGES: {"records": str(file)}}, ["02"])
    identity = given.identity(file)
    assert plan.parameters["records"] == plan.injected["records"] == identity
    assert plan.files == {"records": file}
    (without,) = request.plan({AGES: {"records": "None"}}, ["02"])
    assert (without.parameters["records"], without.files) == (None, {})


def test_every_parameter_that_names_a_file_is_treated_so():
    of_files = {
        name
        for model in parameters.MODELS.values()
        for name, field in model.model_fields.items()
        if field.annotation == str | None
    }
    assert of_files == set(parameters.FILES)


def test_records_for_notebooks_that_take_none_are_refused_in_a_line(project, file):
    line = one_line(ask("--only", "00,01", "--records", file))
    assert line.startswith("parameter 'records' is of 02_detainer_age, 03_issuance_policy")
    with pytest.raises(RunError, match="which is not to be run"):
        request.requested([f"records={file}"], {}, ["00"])


def test_a_missing_file_and_one_without_records_are_refused_in_a_line(project, tmp_path, no_kernel):
    assert "no such file or folder" in one_line(ask("--records", tmp_path / "none.csv"))
    other = tmp_path / "other.csv"
    other.write_text("x,y\n1,2\n", encoding="utf-8")
    assert one_line(ask("--records", other)).startswith("other.csv: no header of detainers")
    assert "no header of detainers" in one_line(ask("--dry-run", "--records", other))


# A run


def states(*arguments):
    answer = ask("--run", "mine", "--json", *arguments)
    assert answer.exit_code == 0, answer.stderr
    steps = json.loads(answer.stdout)["steps"]
    return {step["notebook"][:2]: (step["state"], step["reasons"]) for step in steps}


def test_a_notebook_runs_again_when_what_the_records_hold_has_changed(project, file, tmp_path):
    assert states("--records", file)["02"] == ("done", [])
    assert states("--records", file)["02"] == ("current", [])
    copy = tmp_path / file.name
    shutil.copy(file, copy)
    assert states("--records", copy)["02"] == ("current", [])
    write(file.parent, "npr_second_set", truth(61))
    for _ in range(2):  # a dry run changes nothing
        preview = states("--records", file, "--dry-run")
        assert preview["02"] == ("would run", ["parameter records changed"])
        assert {preview[number][0] for number in ("00", "01")} == {"current"}
    assert states("--records", file)["02"] == ("done", [])
    assert states("--dry-run")["02"] == ("would run", ["parameter records changed"])
    result = json.loads((project / f"papermill_runs/mine/{AGES}.results.json").read_bytes())
    value = result["results"]["ages.bytes"]["value"]
    assert value == [file.stat().st_size, given.identity(file)]


def test_no_output_says_where_the_records_lie(project, file):
    assert states("--records", file)["02"] == ("done", [])
    outputs = [path for path in (project / "papermill_runs").rglob("*") if path.is_file()]
    assert any(given.identity(file).encode() in path.read_bytes() for path in outputs)
    for path in outputs:
        assert file.parent.name.encode() not in path.read_bytes(), path


def test_an_execution_for_a_check_is_told_where_files_lie_and_nothing_else(monkeypatch, tmp_path):
    for name in ("RECORDS", "POLICY_DATES", "RUN"):
        monkeypatch.setenv(f"DETAINERS_{name}", name)
    found = reexecution._environment(tmp_path, tmp_path)
    assert (found["DETAINERS_RECORDS"], found["DETAINERS_POLICY_DATES"]) == (
        "RECORDS",
        "POLICY_DATES",
    )
    assert found["DETAINERS_RUN"] == reexecution.RUN


# The notebooks


@pytest.mark.parametrize("notebook", [AGES, ISSUANCE])
def test_without_records_the_one_cell_that_uses_them_does_nothing(root, notebook):
    content = json.loads((root / "notebooks" / f"{notebook}.ipynb").read_bytes())
    code = {
        cell["id"]: ast.parse("".join(cell["source"]))
        for cell in content["cells"]
        if cell["cell_type"] == "code" and cell["id"] != "parameters"
    }
    using = [name for name, tree in code.items() if "p.records" in ast.unparse(tree)]
    assert using == ["own-records"]
    (statement,) = code["own-records"].body
    assert isinstance(statement, ast.If)
    assert ast.unparse(statement.test) == "p.records is not None"
    assert statement.orelse == []


def test_the_modules_for_records_are_not_imported_without_them(root):
    for notebook in (AGES, ISSUANCE):
        content = json.loads((root / "notebooks" / f"{notebook}.ipynb").read_bytes())
        for cell in content["cells"]:
            if cell["id"] != "own-records":
                assert "record_" not in "".join(cell["source"]), cell["id"]


@pytest.mark.slow
def test_the_notebooks_run_with_records_of_the_reader(root, record_cache, tmp_path, monkeypatch):
    frame, _ = synthetic.panel(9, pattern="constant", dispersion=1, weeks=104)
    place = tmp_path / "a secret place"
    place.mkdir()
    expanded(frame).to_parquet(place / "mine.parquet")
    policy_of(frame).to_csv(place / "policy.csv", index=False)
    monkeypatch.setenv("DETAINERS_OUT", str(tmp_path / "out"))
    files = {"records": str(place / "mine.parquet"), "policy_dates": str(place / "policy.csv")}
    asked = {AGES: {"records": files["records"]}, ISSUANCE: files}
    outcome = runner.run("mine", asked, only=["02", "03"])
    assert outcome.message == ""
    found = json.loads((tmp_path / "out/papermill_runs/mine/results.json").read_bytes())["results"]
    assert {"ages.records.declined.n", "issuance.records.rate_ratio"} <= set(found)
    assert found["issuance.records.rate_ratio"]["cell"] == "own-records"
    for path in (tmp_path / "out").rglob("*"):
        assert not path.is_file() or place.name.encode() not in path.read_bytes(), path


def test_a_file_in_another_subfolder_makes_another_folder(tmp_path):
    first, second = (tmp_path / "release" / name for name in ("2012", "2013"))
    for folder in (first, second):
        folder.mkdir(parents=True)
    (first / "a.csv").write_text("a", encoding="utf-8")
    before = given.identity(tmp_path / "release")
    (first / "a.csv").rename(second / "a.csv")
    assert given.identity(tmp_path / "release") != before
