import copy
import json
import subprocess
import sys

import pytest

import small_study
from helpers import manifest, paths


@pytest.fixture
def project(tmp_path):
    small_study.make(tmp_path)
    return tmp_path


@pytest.fixture
def helpers_copy(tmp_path, monkeypatch):
    folder = tmp_path / "helpers"
    folder.mkdir()
    for name in ("ages", "runner", "cli"):
        (folder / f"{name}.py").write_text("x = 1\n", encoding="utf-8")
    monkeypatch.setattr(manifest, "HELPERS", folder)
    return folder


def key(project, notebook=None, parameters=None, read=None):
    return manifest.key(
        notebook or small_study.evidence(),
        parameters or {"source_policy": "judgement"},
        read or {},
        manifest.circumstances(project),
    )


def test_the_key_of_unchanged_inputs_is_the_same(project):
    assert key(project) == key(project)


def test_outputs_and_the_way_a_source_is_stored_do_not_change_the_key(project):
    stored = small_study.evidence()
    for cell in stored["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    stored["cells"][1] |= {"outputs": [{"output_type": "stream"}], "execution_count": 3}
    assert key(project, stored) == key(project)


@pytest.mark.parametrize("index", [0, 1, 3])
def test_a_changed_cell_changes_the_key_text_cells_too(project, index):
    changed = copy.deepcopy(small_study.evidence())
    changed["cells"][index]["source"] += "\n"
    assert key(project, changed) != key(project)


def test_changed_parameters_change_the_key(project):
    assert key(project, parameters={"source_policy": "latest"}) != key(project)


def test_the_results_that_are_read_change_the_key(project):
    keys = {key(project, read={"00_evidence": found}) for found in ("a", "b", None)}
    assert len(keys | {key(project)}) == 4


@pytest.mark.parametrize("path", ["data/facts.csv", "data/new/other.csv", "requirements.lock"])
def test_changed_data_and_a_changed_lock_change_the_key(project, path):
    before = key(project)
    (project / path).parent.mkdir(exist_ok=True)
    (project / path).write_text("id,value\nA1,4\n", encoding="utf-8")
    assert key(project) != before


@pytest.mark.parametrize("path", ["data/README.md", "data/.DS_Store", "README.md"])
def test_the_codebook_and_hidden_files_do_not_change_the_key(project, path):
    before = key(project)
    (project / path).write_text("anything", encoding="utf-8")
    assert key(project) == before


@pytest.mark.parametrize(("name", "changes"), [("ages", True), ("runner", False), ("cli", False)])
def test_the_study_modules_change_the_key_and_the_machinery_does_not(
    project, helpers_copy, name, changes
):
    before = key(project)
    (helpers_copy / f"{name}.py").write_text("x = 2\n", encoding="utf-8")
    assert (key(project) != before) is changes


def test_another_python_changes_the_key(project, monkeypatch):
    before = key(project)
    monkeypatch.setattr(manifest.platform, "python_version", lambda: "3.99.0")
    assert key(project) != before


def test_every_module_called_machinery_exists():
    assert {f"{name}.py" for name in manifest.MACHINERY} <= {
        p.name for p in manifest.HELPERS.glob("*.py")
    }


def test_circumstances_name_versions_lock_data_and_no_commit_outside_git(project):
    found = manifest.circumstances(project)
    assert found["versions"]["python"] == sys.version.split()[0]
    assert {"pandas", "papermill", "pydantic"} <= set(found["versions"]["packages"])
    assert "pytest" not in found["versions"]["packages"]
    assert list(found["data"]) == ["data/datapackage.json", "data/facts.csv"]
    assert found["git"] == {"commit": None, "clean": None}


def test_the_commit_is_recorded_and_outputs_do_not_make_the_tree_unclean(project):
    def git(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(project), *identity, *arguments], check=True)

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "a")
    (project / "papermill_runs").mkdir()
    (project / "papermill_runs" / "results.json").write_text("{}", encoding="utf-8")
    found = manifest.circumstances(project)["git"]
    assert (len(found["commit"]), found["clean"]) == (40, True)
    (project / "data" / "facts.csv").write_text("id,value\n", encoding="utf-8")
    assert manifest.circumstances(project)["git"]["clean"] is False


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"notebooks": []}', '{"versions": {}, "notebooks": {"a": 1}}']
)
def test_a_manifest_that_is_none_is_read_as_none(tmp_path, text):
    (tmp_path / manifest.NAME).write_text(text, encoding="utf-8")
    assert manifest.read(tmp_path) is None


def test_a_missing_manifest_is_read_as_none(tmp_path):
    assert manifest.read(tmp_path) is None


def test_json_is_written_with_its_letters_and_a_last_newline():
    text = paths.as_json({"a": "Doña Ana"})
    assert text == '{\n "a": "Doña Ana"\n}\n'
    with pytest.raises(ValueError, match="JSON compliant"):
        paths.as_json({"a": float("nan")})
    assert json.loads(text) == {"a": "Doña Ana"}
