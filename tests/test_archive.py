import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate
from typer.testing import CliRunner

import small_archive
import small_study
from helpers import (
    archive,
    cli,
    crate,
    locks,
    manifest,
    parameters,
    paths,
    replication,
    request,
    runner,
)
from helpers.archive import ArchiveError
from helpers.crate import Archived
from helpers.locks import BusyError
from small_study import EVIDENCE, GROWTH

ROOT = paths.project_root()
RUN = "papermill_runs/mine"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project and the archive of its run."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("DETAINERS_ROOT", str(folder))
        small_archive.make(folder)
        small_archive.run(baseline="about_120")
        yield folder, archive.build("mine")


@pytest.fixture
def project(made, tmp_path, monkeypatch):
    """A copy of that project that a test may change."""
    folder = tmp_path / "project"
    shutil.copytree(made[0], folder)
    monkeypatch.setenv("DETAINERS_ROOT", str(folder))
    return folder


@pytest.fixture(scope="module")
def names(made):
    with zipfile.ZipFile(made[1]) as opened:
        return opened.namelist()


@pytest.fixture(scope="module")
def graph(made):
    with zipfile.ZipFile(made[1]) as opened:
        content = json.loads(opened.read("ro-crate-metadata.json"))
    return {entity["@id"]: entity for entity in content["@graph"]}


@pytest.fixture
def archived(project):
    """The run, to write a README of."""
    return Archived(
        run="mine",
        files={},
        recorded=small_study.read(project / RUN / "manifest.json"),
        figures={},
        citation={"title": "A study", "version": "1"},
        package=small_study.read(project / paths.MARKER),
    )


@pytest.fixture(scope="module")
def text(made):
    with zipfile.ZipFile(made[1]) as opened:
        return opened.read("REPLICATION.md").decode()


def unpack(path, folder):
    """Unpack as `unzip` does: with the permissions that the archive gives."""
    with zipfile.ZipFile(path) as opened:
        for info in opened.infolist():
            os.chmod(opened.extract(info, folder), info.external_attr >> 16)
    return folder


def commands(unpacked):
    """The arguments of the two commands that the README of an archive gives."""
    text = (unpacked / "REPLICATION.md").read_text(encoding="utf-8")
    return [
        shlex.split(quoted)
        for quoted in re.findall(r"^\d\. `\.venv/bin/detainers ((?:run|check) .+)`$", text, re.M)
    ]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def ids(value):
    return [each["@id"] for each in (value if isinstance(value, list) else [value])]


# What is in it


def test_the_archive_lies_beside_the_runs_under_the_name_of_its_run(made):
    assert made[1] == made[0] / "declined-detainers-mine.zip"


def test_it_holds_what_is_under_version_control_the_run_a_readme_and_the_metadata(made, names):
    listed = subprocess.run(
        ["git", "-C", str(made[0]), "ls-files"], capture_output=True, text=True, check=True
    )
    run = [
        "figures/mine/growth.json",
        "figures/mine/growth.svg",
        f"{RUN}/{EVIDENCE}.ipynb",
        f"{RUN}/{EVIDENCE}.results.json",
        f"{RUN}/{GROWTH}.ipynb",
        f"{RUN}/{GROWTH}.results.json",
        f"{RUN}/manifest.json",
        f"{RUN}/results.json",
    ]
    made_here = ["REPLICATION.md", "ro-crate-metadata.json"]
    assert sorted(names) == sorted([*listed.stdout.split(), *run, *made_here])


def test_every_file_is_the_project_s_own_byte_for_byte(made, names):
    with zipfile.ZipFile(made[1]) as opened:
        for name in set(names) - {"REPLICATION.md", "ro-crate-metadata.json"}:
            assert opened.read(name) == (made[0] / name).read_bytes(), name


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="asks git what belongs to the study")
def test_of_the_study_it_would_hold_all_that_git_holds():
    files = set(archive._project_files(ROOT))
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True
    )
    assert files == {name for name in listed.stdout.decode().split("\0") if name}
    needed = {"Makefile", "pyproject.toml", "requirements.lock", "environment.yml", "README.md"}
    needed |= {f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    needed |= {f"src/helpers/{path.name}" for path in (ROOT / "src/helpers").glob("*.py")}
    assert needed <= files


def test_the_same_run_gives_the_same_bytes(made):
    before = made[1].read_bytes()
    assert archive.build("mine").read_bytes() == before


def test_it_holds_no_date_but_the_run_s_and_keeps_what_may_be_executed(made):
    with zipfile.ZipFile(made[1]) as opened:
        infos = {info.filename: info for info in opened.infolist()}
    assert {info.date_time for info in infos.values()} == {(1980, 1, 1, 0, 0, 0)}
    assert sys.platform == "win32" or infos["postBuild"].external_attr >> 16 == 0o755
    assert infos["LICENSE"].external_attr >> 16 == 0o644


def test_an_unpacked_archive_gives_the_same_archive(made, tmp_path, monkeypatch):
    folder = unpack(made[1], tmp_path)
    monkeypatch.setenv("DETAINERS_ROOT", str(folder))
    assert archive.build("mine").read_bytes() == made[1].read_bytes()


# What the metadata says


def test_the_library_reads_it_back_with_workflow_licences_and_authors(made, tmp_path):
    found = ROCrate(unpack(made[1], tmp_path))
    assert found.mainEntity.id == crate.WORKFLOW
    assert {"ComputationalWorkflow", "SoftwareSourceCode"} <= set(found.mainEntity.type)
    profiles = {each.id for each in found.root_dataset["conformsTo"]}
    assert profiles == {
        "https://w3id.org/ro/wfrun/process/0.6",
        "https://w3id.org/ro/wfrun/workflow/0.6",
        "https://w3id.org/workflowhub/workflow-ro-crate/1.1",
    }
    assert found.name.startswith("Declined Detainers")
    assert [each["name"] for each in found.license] == ["MIT", "CC-BY-4.0"]
    assert [each["name"] for each in found.root_dataset["author"]] == [
        "The Declined Detainers authors"
    ]
    assert len(found.get_by_type("CreateAction")) == 3


def test_the_metadata_lists_every_file_with_licence_size_and_hash(made, names, graph):
    with zipfile.ZipFile(made[1]) as opened:
        for name in set(names) - {"ro-crate-metadata.json"}:
            content, about = opened.read(name), graph[name]
            assert about["contentSize"] == str(len(content))
            assert about["sha256"] == hashlib.sha256(content).hexdigest()
            compiled = name.startswith(("data/", "figures/", "papermill_runs/"))
            assert about["license"]["@id"].endswith("CC-BY-4.0" if compiled else "MIT")
    assert set(ids(graph["./"]["hasPart"])) == set(names) - {"ro-crate-metadata.json"}


def test_every_reference_leads_to_something_that_is_described(graph):
    def references(value):
        if isinstance(value, dict):
            yield value["@id"]
        for each in value if isinstance(value, list) else []:
            yield from references(each)

    described_elsewhere = "https://w3id.org/ro/crate/", "https://bioschemas.org/profiles/"
    for entity in graph.values():
        for key, value in entity.items():
            for reference in references(value):
                assert reference in graph or reference.startswith(described_elsewhere), key


def test_each_notebook_is_an_action_with_its_start_its_inputs_and_its_outputs(made, graph):
    recorded = json.loads((made[0] / RUN / "manifest.json").read_text(encoding="utf-8"))
    action = graph[f"#run-{GROWTH}"]
    assert action["instrument"]["@id"] == f"notebooks/{GROWTH}.ipynb"
    assert action["startTime"] == recorded["notebooks"][GROWTH]["started"]
    assert action["endTime"] >= action["startTime"]
    assert ids(action["result"]) == [
        "figures/mine/growth.json",
        "figures/mine/growth.svg",
        f"{RUN}/{GROWTH}.ipynb",
        f"{RUN}/{GROWTH}.results.json",
    ]
    given = ids(action["object"])
    assert {"data/evidence/facts.csv", f"{RUN}/{EVIDENCE}.results.json"} <= set(given)
    assert f"#value-{GROWTH}-baseline" in given
    assert f"{RUN}/{EVIDENCE}.results.json" not in ids(graph[f"#run-{EVIDENCE}"]["object"])


def test_a_parameter_has_its_value_its_meaning_and_its_default(graph):
    value = graph[f"#value-{GROWTH}-baseline"]
    assert (value["name"], value["value"]) == ("baseline", "about_120")
    slot = graph[value["exampleOfWork"]["@id"]]
    assert (slot["@type"], slot["name"]) == ("FormalParameter", "baseline")
    assert slot["defaultValue"] == "listed_week_1"
    assert slot["description"]
    assert slot["@id"] in ids(graph[crate.WORKFLOW]["input"])
    assert graph[f"#value-{GROWTH}-baseline_date"]["value"] == "None"


def test_the_whole_run_is_an_action_of_the_workflow(graph):
    run = graph["#run"]
    assert run["instrument"]["@id"] == crate.WORKFLOW
    assert {f"{RUN}/manifest.json", f"{RUN}/results.json"} <= set(ids(run["result"]))
    assert not set(ids(run["object"])) & set(ids(run["result"]))
    assert run["startTime"] == graph[f"#run-{EVIDENCE}"]["startTime"]
    assert set(ids(graph["./"]["mentions"])) == {"#run", f"#run-{EVIDENCE}", f"#run-{GROWTH}"}
    assert graph["./"]["datePublished"] == run["endTime"][:10]


def test_files_of_data_and_figures_say_what_they_are(graph):
    assert graph["data/evidence/facts.csv"]["name"]
    assert graph["figures/mine/growth.svg"]["name"] == "Counts | rose"
    assert graph["figures/mine/growth.svg"]["description"] == "Two dots, the second higher."


def test_every_type_of_parameter_has_a_name_in_the_metadata():
    rows = (row for notebook in parameters.MODELS for row in parameters.describe(notebook))
    assert {row["type"].split(" or ")[0] for row in rows} <= set(crate._TYPES)


# The README for replicators


def test_the_readme_has_the_sections_that_data_editors_ask_for(text):
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "Overview",
        "Data availability and provenance statements",
        "Dataset list",
        "Computational requirements",
        "Description of programs",
        "Instructions to replicators",
        "List of tables, figures and results, and their programs",
    ]
    for part in ("Statement about rights", "Runtime, memory and storage", "Controlled randomness"):
        assert f"### {part}\n" in text


def test_the_readme_lists_every_data_file_as_provided(made, text):
    package = json.loads((made[0] / paths.MARKER).read_text(encoding="utf-8"))
    for table in package["resources"]:
        (line,) = [row for row in text.splitlines() if row.startswith(f"| `data/{table['path']}`")]
        assert line.endswith("| yes |")


def test_the_readme_says_where_each_table_is_from(text):
    rows = text.splitlines()
    assert any("| Detainers a week" in row and "https://github.com/" in row for row in rows)
    assert any("| Published figures |" in row and "`source_id`" in row for row in rows)
    assert "| Assumptions | made for this study | yes |" in rows


def test_the_readme_leads_from_figure_table_and_result_to_program_and_cell(text):
    rows = text.splitlines()
    program = f"`notebooks/{GROWTH}.ipynb` | `results`"
    assert f"| Figure `growth`: Counts \\| rose | {program} | `figures/mine/growth.svg` |" in rows
    assert (
        f"| Table: Jails & counties | `notebooks/{EVIDENCE}.ipynb` | `table` "
        f"| `{RUN}/{EVIDENCE}.ipynb` |"
    ) in rows
    assert f"| Result `growth.factor` | {program} | `{RUN}/results.json` |" in rows


def test_the_readme_gives_seeds_by_cell_runtimes_and_versions(made, text):
    recorded = json.loads((made[0] / RUN / "manifest.json").read_text(encoding="utf-8"))
    assert f"| `notebooks/{GROWTH}.ipynb` | `results` | 2017 | 1 |" in text.splitlines()
    for name, entry in recorded["notebooks"].items():
        assert f"| `{name}` | {entry['seconds']:.0f} |" in text
    assert f"| pandas | {recorded['versions']['packages']['pandas']} |" in text


def test_the_readme_quotes_the_command_that_makes_the_run_again_in_both_places(text):
    command = "detainers run --run mine-again -p 01.baseline=about_120`"
    overview, _, instructions = text.partition("## Instructions")
    assert f"in sequence: `{command}" in overview
    assert f"`.venv/bin/{command}" in instructions
    assert "`.venv/bin/detainers check mine mine-again`" in instructions


def test_the_commands_of_the_readme_make_an_unpacked_run_again_and_compare_the_two(
    made, tmp_path, monkeypatch
):
    unpacked = unpack(made[1], tmp_path / "unpacked")
    monkeypatch.setenv("DETAINERS_ROOT", str(unpacked))
    before = contents(unpacked / RUN)
    for quoted in commands(unpacked):
        answer = CliRunner().invoke(cli.app, quoted)
        assert answer.exit_code == 0, answer.output
    assert contents(unpacked / RUN) == before
    found = small_study.read(unpacked / f"{RUN}-again" / "results.json")["results"]
    assert found == small_study.read(unpacked / RUN / "results.json")["results"]


def test_the_readme_of_a_run_without_parameters_sets_none(project):
    small_archive.run("usual")
    with zipfile.ZipFile(archive.build("usual")) as opened:
        text = opened.read("REPLICATION.md").decode()
    assert "`detainers run --run usual-again`" in text


def test_the_readme_of_a_run_with_a_reader_s_records_says_that_they_are_not_in_it(text, archived):
    archived.recorded["notebooks"][GROWTH]["key"]["parameters"]["records"] = (
        "ice.csv@0123456789abcdef"
    )
    executed = {name: {"cells": [{"source": "# A"}]} for name in archived.notebooks}
    rows = [*request.describe(), {"notebook": GROWTH, "name": "records", "default": None}]
    own = replication.readme(archived, {}, executed, rows)
    assert "- [x] All data are publicly available and are in this package." in text
    assert "- [ ] All data are publicly available and are in this package." in own
    assert "- [x] Some data cannot be made publicly available." in own
    assert "| `ice.csv@0123456789abcdef` | a file of the reader's own | no |" in own
    assert "-p 01.records=PATH`" in own
    assert "which is complete" in text
    assert "which is complete" not in own


# What is refused


def test_a_run_that_is_not_there_is_refused(project):
    with pytest.raises(ArchiveError, match="no finished run 'other'"):
        archive.build("other")


def test_a_run_that_is_being_written_is_refused(project):
    with (
        locks.writing(project / RUN, "it"),
        pytest.raises(BusyError, match="another process is writing the run 'mine'"),
    ):
        archive.build("mine")


def test_a_run_that_is_written_while_it_is_packed_is_refused(project, monkeypatch):
    described = crate.describe

    def written_meanwhile(*arguments):
        (project / RUN / "manifest.json").write_text("{}", encoding="utf-8")
        return described(*arguments)

    before = (project / "declined-detainers-mine.zip").read_bytes()
    monkeypatch.setattr(crate, "describe", written_meanwhile)
    with pytest.raises(BusyError, match="the run 'mine' was written while it was read: try again"):
        archive.build("mine")
    assert (project / "declined-detainers-mine.zip").read_bytes() == before


def test_a_run_that_failed_is_refused(project):
    small_study.save(project, EVIDENCE, small_study.evidence(facts="1 / 0"))
    assert runner.run("failed", {}, plain_kernel=True).message
    with pytest.raises(ArchiveError, match=r"run 'failed'.*00_evidence.*run it again"):
        archive.build("failed")


def change_data(folder):
    path = folder / "data/evidence/facts.csv"
    path.write_bytes(path.read_bytes().replace(b",206,", b",207,", 1))


def change_notebook(folder):
    path = folder / f"notebooks/{GROWTH}.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("4.1", "4.2"), encoding="utf-8")


def change_figure(folder):
    (folder / "figures/mine/growth.svg").write_text("<svg><g/></svg>", encoding="utf-8")


def lose_results(folder):
    (folder / RUN / f"{GROWTH}.results.json").unlink()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (change_data, "data/evidence/facts.csv changed"),
        (change_notebook, "cell results changed"),
        (change_figure, r"growth\.svg was altered"),
        (lose_results, r"01_jurisdiction_growth\.results\.json is missing"),
    ],
)
def test_a_run_that_the_project_would_not_make_is_refused(project, change, named):
    change(project)
    with pytest.raises(ArchiveError, match=rf"run 'mine' is not what.*{named}"):
        archive.build("mine")


def test_another_python_may_pack_a_run(project, made, monkeypatch):
    monkeypatch.setattr(manifest.platform, "python_version", lambda: "3.99.0")
    assert archive.build("mine").read_bytes() == made[1].read_bytes()
    change_data(project)
    with pytest.raises(ArchiveError, match=r"data/evidence/facts\.csv changed"):
        archive.build("mine")


def test_a_program_that_is_not_under_version_control_is_refused_and_other_files_are_left_out(
    project,
):
    (project / "notes.txt").write_text("private", encoding="utf-8")
    with zipfile.ZipFile(archive.build("mine")) as opened:
        assert "notes.txt" not in opened.namelist()
    (project / "src/new.py").write_text("", encoding="utf-8")
    with pytest.raises(ArchiveError, match=r"src/new\.py is not under version control"):
        archive.build("mine")


def test_a_file_of_the_project_that_is_missing_is_named(project):
    (project / "LICENSE").unlink()
    with pytest.raises(ArchiveError, match="LICENSE belongs to the study, but is missing"):
        archive.build("mine")


def test_a_folder_of_which_nobody_says_what_belongs_to_it_is_refused(project):
    shutil.rmtree(project / ".git")
    with pytest.raises(ArchiveError, match="not known which files belong"):
        archive.build("mine")


def test_a_refusal_leaves_the_archive_of_before(project):
    path = project / "declined-detainers-mine.zip"
    before = path.read_bytes()
    change_data(project)
    with pytest.raises(ArchiveError):
        archive.build("mine")
    assert path.read_bytes() == before


# The study itself


@pytest.mark.slow
def test_the_commands_of_an_archive_of_the_study_make_its_run_again(tmp_path):
    project, unpacked = tmp_path / "project", tmp_path / "unpacked"
    for name, path in archive._project_files(ROOT).items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, project / name)
    small_archive.commit(project)
    detainers = [sys.executable, "-m", "helpers.cli"]
    command(project, *detainers, "run", "--run", "mine", "-p", "01.baseline=listed_week_2")
    command(project, *detainers, "archive", "--run", "mine")
    unpack(project / "declined-detainers-mine.zip", unpacked)
    before = contents(unpacked / RUN)
    for quoted in commands(unpacked):
        command(unpacked, *detainers, *quoted)
    assert contents(unpacked / RUN) == before
    after = contents(unpacked / f"{RUN}-again")
    for name in before:
        assert name.endswith(".json") or after[name] == before[name], name
    make(unpacked, "run")
    assert (unpacked / "site/index.html").is_file()


def make(folder, target):
    """Run a target of make in the environment of the tests, without setting one up."""
    command(folder, "make", "-o", ".venv/ready", target, f"BIN={Path(sys.executable).parent}")


def command(folder, *arguments):
    environment = {name: value for name, value in os.environ.items() if "DETAINERS" not in name}
    done = subprocess.run(
        arguments,
        cwd=folder,
        env=environment | {"PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_unpacked_archive_needs_no_readme_to_give_the_same_archive(made, tmp_path, monkeypatch):
    folder = unpack(made[1], tmp_path)
    (folder / "REPLICATION.md").unlink()
    monkeypatch.setenv("DETAINERS_ROOT", str(folder))
    assert archive.build("mine").read_bytes() == made[1].read_bytes()
