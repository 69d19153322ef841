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
    (folder / "records").mkdir(parents=True)
    for name in ("ages", "runner", "cli", "records/text"):
        (folder / f"{name}.py").write_text("x = 1\n", encoding="utf-8")
    monkeypatch.setattr(manifest, "HELPERS", folder)
    return folder


def key(project, notebook=None, parameters=None, read=None):
    return manifest.key(
        notebook or small_study.evidence(),
        parameters or {"source_policy": "judgement"},
        read or {},
        manifest.ingredients(project),
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
    keys = [
        key(project),
        *(key(project, read={"00_evidence": found}) for found in ("a", "b", None)),
    ]
    assert all(keys.count(each) == 1 for each in keys)


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


@pytest.mark.parametrize(
    ("name", "changes"),
    [("ages", True), ("records/text", True), ("runner", False), ("cli", False)],
)
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
    assert {p.stem for p in manifest.HELPERS.iterdir()} >= manifest.MACHINERY


def test_ingredients_are_the_modules_the_data_the_lock_and_python(project, helpers_copy):
    found = manifest.ingredients(project)
    assert list(found["helpers"]) == ["ages", "records/text"]
    assert list(found["data"]) == ["data/datapackage.json", "data/facts.csv"]
    assert found["lock"] == manifest.sha256(project / "requirements.lock")
    assert found["python"] == sys.version.split()[0]


def test_circumstances_name_versions_and_no_commit_outside_git(project):
    found = manifest.circumstances(project)
    assert found["versions"]["python"] == sys.version.split()[0]
    assert {"pandas", "papermill", "pydantic"} <= set(found["versions"]["packages"])
    assert "ruff" not in found["versions"]["packages"]
    assert found["git"] == {"commit": None, "clean": None}


def reordered(notebook):
    return {**notebook, "cells": [*notebook["cells"][1:], notebook["cells"][0]]}


def without_a_cell(notebook):
    return {**notebook, "cells": notebook["cells"][1:]}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, []),
        ({"notebook": reordered(small_study.evidence())}, ["the order of the cells changed"]),
        ({"notebook": without_a_cell(small_study.evidence())}, ["cell title is gone"]),
        ({"parameters": {"source_policy": "latest"}}, ["parameter source_policy changed"]),
        ({"parameters": {"source_policy": "judgement", "date": None}}, ["parameter date is new"]),
        ({"read": {"00_evidence": "a"}}, ["00_evidence.results.json is new"]),
    ],
)
def test_what_changed_in_a_request_is_said(project, changed, said):
    assert manifest.changes(key(project), key(project, **changed)) == said


def test_what_changed_on_disk_is_said(project, helpers_copy, monkeypatch):
    before = key(project)
    (project / "data" / "facts.csv").write_text("id\n", encoding="utf-8")
    (project / "data" / "other.csv").write_text("id\n", encoding="utf-8")
    (project / "requirements.lock").unlink()
    (helpers_copy / "ages.py").write_text("x = 2\n", encoding="utf-8")
    monkeypatch.setattr(manifest.platform, "python_version", lambda: "3.99.0")
    said = [
        "helpers/ages.py changed",
        "data/facts.csv changed",
        "data/other.csv is new",
        "requirements.lock changed",
        "the version of Python changed",
    ]
    assert manifest.changes(before, key(project)) == said


def test_a_key_that_lacks_a_part_differs_in_it(project):
    now = key(project)
    assert manifest.changes({**now, "data": None}, now) == [
        "the manifest does not say which data it was made from"
    ]


def test_a_key_survives_being_stored(project):
    now = key(project, parameters={"a": 0.1, "b": None, "c": "Doña Ana"})
    assert manifest.changes(json.loads(paths.as_json(now)), now) == []


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


VERSIONS = {"python": "3.11.0", "platform": "Linux x86_64", "packages": {"pandas": "3.1.1"}}


def read_again(folder, text):
    (folder / manifest.NAME).write_text(text, encoding="utf-8")
    return manifest.read(folder)


@pytest.mark.parametrize(
    "entries",
    [
        [],
        {"a": 1},
        {"00_evidence": {"key": {}, "sha256": "ab"}},
        {"00_evidence": {"key": {}, "sha256": {}}},
        {"00_evidence": {"key": {"parameters": {}}}},
    ],
)
def test_a_manifest_with_damaged_entries_is_read_as_none(tmp_path, entries):
    content = {"versions": VERSIONS, "notebooks": {}}
    assert read_again(tmp_path, json.dumps(content)) == content
    assert read_again(tmp_path, json.dumps({**content, "notebooks": entries})) is None


@pytest.mark.parametrize(
    "versions",
    [
        None,
        {},
        {**VERSIONS, "python": None},
        {**VERSIONS, "platform": ["Linux"]},
        {**VERSIONS, "packages": ["pandas"]},
        {**VERSIONS, "packages": {"pandas": 3}},
    ],
)
def test_a_manifest_that_does_not_say_what_made_the_run_is_read_as_none(tmp_path, versions):
    assert read_again(tmp_path, json.dumps({"versions": versions, "notebooks": {}})) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_manifest_that_is_none_is_read_as_none(tmp_path, text):
    assert read_again(tmp_path, text) is None


def test_a_missing_manifest_is_read_as_none(tmp_path):
    assert manifest.read(tmp_path) is None


def test_json_is_written_with_its_letters_and_a_last_newline():
    text = paths.as_json({"a": "Doña Ana"})
    assert text == '{\n "a": "Doña Ana"\n}\n'
    with pytest.raises(ValueError, match="JSON compliant"):
        paths.as_json({"a": float("nan")})
    assert json.loads(text) == {"a": "Doña Ana"}


@pytest.mark.parametrize("change", [{"metadata": {"tags": ["hide-input"]}}, {"cell_type": "raw"}])
def test_another_tag_or_type_of_a_cell_changes_the_key(project, change):
    changed = copy.deepcopy(small_study.evidence())
    changed["cells"][0] |= change
    assert key(project, changed) != key(project)
