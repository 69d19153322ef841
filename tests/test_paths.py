import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import paths


def plant(folder):
    marker = folder / paths.MARKER
    marker.parent.mkdir(parents=True)
    marker.write_text("{}", encoding="utf-8")
    return folder.resolve()


def test_the_project_is_the_nearest_parent_that_has_a_data_package(tmp_path, environment):
    plant(tmp_path)
    inner = plant(tmp_path / "copy")
    below = inner / "notebooks" / "drafts"
    below.mkdir(parents=True)
    environment.chdir(below)
    assert paths.project_root() == inner
    assert paths.project_root(tmp_path / "elsewhere") == tmp_path.resolve()


def test_the_variable_decides_where_the_project_is(tmp_path, environment):
    named, here = plant(tmp_path / "named"), plant(tmp_path / "here")
    environment.chdir(here)
    environment.setenv("DETAINERS_ROOT", str(named))
    assert paths.project_root() == named


def test_a_wrong_variable_is_not_repaired_from_the_working_directory(tmp_path, environment):
    environment.chdir(plant(tmp_path / "here"))
    (tmp_path / "here" / "empty").mkdir()
    environment.setenv("DETAINERS_ROOT", str(tmp_path / "here" / "empty"))
    with pytest.raises(paths.PathError, match=r"no project found: .*DETAINERS_ROOT"):
        paths.project_root()


def test_no_project_is_one_line_that_names_what_is_missing(tmp_path, environment):
    with pytest.raises(paths.PathError) as caught:
        paths.project_root(tmp_path)
    message = str(caught.value)
    assert str(tmp_path.resolve()) in message
    assert "data/datapackage.json" in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["latest", "reference", "a", "7", "_x", "run-2_c"])
def test_a_run_name_of_letters_digits_dashes_and_underscores_is_kept(name):
    assert paths.checked_run_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hidden",
        "-x",
        "a/b",
        "a\\b",
        "../a",
        "a b",
        "a\n",
        "é",
        "a\0",
        "C:",
        "Reference",
        "a.b",
        "latest.",
    ],
)
def test_any_other_run_name_is_refused_with_what_is_allowed(name):
    with pytest.raises(paths.PathError) as caught:
        paths.checked_run_name(name)
    message = str(caught.value)
    assert repr(name) in message
    assert "allowed are lower-case letters, digits, dash and underscore" in message
    assert "\n" not in message


@given(st.text(max_size=20))
def test_no_accepted_run_name_leaves_its_folder(name):
    try:
        accepted = paths.checked_run_name(name)
    except paths.PathError:
        return
    folder = Path("papermill_runs") / accepted
    assert folder.parent == Path("papermill_runs")
    assert folder.name == name


def test_the_run_is_scratch_unless_the_variable_names_one(environment):
    assert paths.run_name() == "scratch"
    environment.setenv("DETAINERS_RUN", "")
    assert paths.run_name() == "scratch"
    environment.setenv("DETAINERS_RUN", "mine")
    assert paths.run_name() == "mine"


def test_a_run_name_from_the_variable_is_checked(environment):
    environment.setenv("DETAINERS_RUN", "../mine")
    with pytest.raises(paths.PathError, match=r"'\.\./mine'"):
        paths.run_name()


def test_outputs_go_below_the_project(project, environment):
    environment.setenv("DETAINERS_RUN", "mine")
    assert paths.output_root() == project.resolve()
    assert paths.run_folder() == project.resolve() / "papermill_runs" / "mine"
    assert paths.figure_folder() == project.resolve() / "figures" / "mine"
    assert paths.run_folder("reference") == project.resolve() / "papermill_runs" / "reference"
    assert paths.figure_folder("reference") == project.resolve() / "figures" / "reference"


@pytest.mark.parametrize("folder", [paths.run_folder, paths.figure_folder])
def test_a_run_asked_for_by_name_is_checked(folder, project):
    for name in ("..", ""):
        with pytest.raises(paths.PathError, match="run name"):
            folder(name)


def test_the_output_variable_moves_results_and_figures_but_not_the_project(
    project, environment, tmp_path
):
    environment.setenv("DETAINERS_OUT", str(tmp_path / "out"))
    out = (tmp_path / "out").resolve()
    assert paths.run_folder() == out / "papermill_runs" / "scratch"
    assert paths.figure_folder() == out / "figures" / "scratch"
    assert paths.project_root() == project.resolve()


def test_earlier_results_are_in_the_run_unless_the_runner_names_a_folder(
    project, environment, tmp_path
):
    assert paths.previous_folder() == paths.run_folder()
    environment.setenv("DETAINERS_PREVIOUS", str(tmp_path / "before"))
    assert paths.previous_folder() == tmp_path / "before"


def test_text_is_written_as_utf_8_with_its_line_feeds_and_folders_are_made(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    paths.write_atomically(path, "é\nb\n")
    assert path.read_bytes() == b"\xc3\xa9\nb\n"
    paths.write_atomically(path, b"\x00\r\n")
    assert path.read_bytes() == b"\x00\r\n"
    assert list(path.parent.iterdir()) == [path]


def half_write(self, content):
    with self.open("wb") as file:
        file.write(content[: len(content) // 2])
    raise OSError("no space left")


def no_replace(self, target):
    raise OSError("no permission")


@pytest.mark.parametrize(
    ("method", "failing"), [("write_bytes", half_write), ("replace", no_replace)]
)
def test_a_failing_write_leaves_the_old_file_and_nothing_else(
    tmp_path, monkeypatch, method, failing
):
    path = tmp_path / "results.json"
    paths.write_atomically(path, "old")
    monkeypatch.setattr(Path, method, failing)
    with pytest.raises(OSError, match="no "):
        paths.write_atomically(path, "new and longer")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failing_first_write_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "write_bytes", half_write)
    with pytest.raises(OSError, match="no space left"):
        paths.write_atomically(tmp_path / "results.json", "new")
    assert list(tmp_path.iterdir()) == []


def test_text_that_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    paths.write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        paths.write_atomically(path, "lone surrogate \ud800")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def folder_of(path, text):
    for name in ("a", "b"):
        paths.write_atomically(path / name / "file", text)
    return path


def test_a_folder_is_replaced_whole(tmp_path):
    folder, new = folder_of(tmp_path / "in" / "folder", "old"), folder_of(tmp_path / "new", "new")
    (folder / "left").touch()
    for _ in range(2):
        paths.replace_folder(folder, new)
        assert {file.read_text() for file in folder.glob("*/file")} == {"new"}
        assert sorted(path.name for path in folder.iterdir()) == ["a", "b"]
        assert list(folder.parent.iterdir()) == [folder]
        shutil.rmtree(folder)


def no_copy(new, beside):
    (beside / "half").mkdir(parents=True)
    raise OSError("no space left")


@pytest.mark.parametrize(
    ("holder", "method", "failing"), [(shutil, "copytree", no_copy), (Path, "rename", no_replace)]
)
def test_a_folder_stands_where_its_replacement_fails(
    tmp_path, monkeypatch, holder, method, failing
):
    folder, new = folder_of(tmp_path / "in" / "folder", "old"), folder_of(tmp_path / "new", "new")
    monkeypatch.setattr(holder, method, failing)
    with pytest.raises(OSError, match="no "):
        paths.replace_folder(folder, new)
    assert {file.read_text() for file in folder.glob("*/file")} == {"old"}
    assert list(folder.parent.iterdir()) == [folder]


def test_a_folder_comes_back_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    folder, new = folder_of(tmp_path / "in" / "folder", "old"), folder_of(tmp_path / "new", "new")
    rename = Path.rename

    def refuse(path, target):
        if path.name.endswith(".new.part"):
            raise PermissionError("no permission")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError):
        paths.replace_folder(folder, new)
    assert {file.read_text() for file in folder.glob("*/file")} == {"old"}
    assert list(folder.parent.iterdir()) == [folder]


def replace_often(folder, new):
    for _ in range(60):
        paths.replace_folder(folder, new)


def test_processes_that_replace_a_folder_at_once_all_succeed(tmp_path):
    folder = folder_of(tmp_path / "in" / "folder", "old")
    news = [folder_of(tmp_path / text, text) for text in ("x", "y", "z")]
    with ProcessPoolExecutor(len(news), mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(replace_often, folder, new) for new in news]:
            done.result()
    assert len({file.read_text() for file in folder.glob("*/file")}) == 1
    assert list(folder.parent.iterdir()) == [folder]
