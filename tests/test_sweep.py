import json
import shutil
from contextlib import contextmanager

import pandas as pd
import pytest
from typer.testing import CliRunner

import small_study
from helpers import cli, datapackage, kernels, manifest, parameters, studies, sweep
from helpers.locks import BusyError
from helpers.parameters import ParameterError
from helpers.paths import PathError
from helpers.request import RunError
from small_study import GROWTH
from small_sweep import STUDY, folder, make, notebook, states, swept, table, threads


@contextmanager
def no_cluster():
    raise AssertionError("a cluster was about to start")
    yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    root = make(tmp_path_factory.mktemp("finished"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DETAINERS_ROOT", str(root))
        patch.setattr(manifest, "HELPERS", root / "helpers")
        patch.setattr(kernels, "obstacle", lambda: "for speed")
        outcome = swept(root)
    assert outcome.message == ""
    return root


@pytest.fixture
def project(finished, tmp_path, monkeypatch):
    """A copy of a project whose sweep is finished."""
    root = tmp_path / "a {place} of its own"
    shutil.copytree(finished, root)
    monkeypatch.setenv("DETAINERS_ROOT", str(root))
    # An edit of a study module while the tests run must not make a setting run again.
    monkeypatch.setattr(manifest, "HELPERS", root / "helpers")
    monkeypatch.setattr(kernels, "obstacle", lambda: "for speed")
    monkeypatch.setattr(datapackage, "validate", lambda root=None: [])
    return root


# Study files


def test_every_study_of_the_project_can_be_run(root, monkeypatch):
    monkeypatch.setenv("DETAINERS_ROOT", str(root))
    files = sorted((root / "studies").glob("*.yaml"))
    assert "growth_multiverse" in [path.stem for path in files]
    for path in files:
        study = studies.read(path)
        assert study.name == path.stem
        assert len(sweep.prepare(study).plans) == len(studies.settings(study, study.notebook)), (
            "a setting is twice"
        )


def test_a_grid_gives_every_combination_and_settings_follow_it(finished):
    assert studies.settings(studies.read(finished / "study.yaml"), GROWTH)[1:] == [
        {"baseline": "listed_week_1", "endpoint": "refusing_or_limited"},
        {"baseline": "about_120", "endpoint": "refusing"},
        {"baseline": "about_120", "endpoint": "refusing_or_limited"},
        {"baseline": "ice_2014", "baseline_date": pd.Timestamp("2014-07-01").date()},
    ]


def test_all_stands_for_every_choice_of_a_parameter():
    study = studies.Study(name="a", notebook="03", grid={"exclude_travis": "all"})
    found = studies.settings(study, "03_issuance_policy")
    assert found == [{"exclude_travis": False}, {"exclude_travis": True}]
    study = studies.Study(name="a", notebook="01", grid={"source_policy": "all"})
    found = studies.settings(study, GROWTH)
    assert found == [{"source_policy": policy} for policy in parameters.POLICIES]


@pytest.mark.parametrize(
    ("name", "message"),
    [("basline", "no parameter 'basline'"), ("baseline_date", "has no list of choices")],
)
def test_all_is_refused_where_there_are_no_choices(name, message):
    study = studies.Study(name="a", notebook="01", grid={name: "all"})
    with pytest.raises(ParameterError, match=message):
        studies.settings(study, GROWTH)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("notebook: 01\ngrid: {a: [1]}", "key 'name' is missing"),
        ("name: a\nnotebook: 01", "no setting is given"),
        ("name: a\nnotebook: 01\ngrit: {a: [1]}", "unknown key 'grit'; there are name, notebook"),
        ("name: ../a\nnotebook: 01\ngrid: {a: [1]}", r"name = '\.\./a': run name"),
        ("name: a\nnotebook: 01\ngrid: {a: []}", r"grid.a = \[\]: list should have at least 1"),
        ("name: a\nnotebook: 01\ngrid: {a: 1}", "grid.a = 1: input should be a valid list"),
        ("name: a\nnotebook: 01\nsettings: [1]", "settings.0 = 1: input should be a valid dict"),
        ("- a", "must map"),
        ("a: [", "not YAML"),
    ],
)
def test_a_file_that_is_no_study_is_refused_in_one_line(tmp_path, text, message):
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match=message) as refused:
        studies.read(path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        (("01_jurisdiction_growth", "07"), RunError, "no notebook '7'; there are"),
        (("  baseline", "  basline"), ParameterError, "no parameter 'basline'"),
        (("about_120", "about_130"), ParameterError, "baseline = 'about_130'"),
        (("2014-07-01", "1914-07-01"), ParameterError, "baseline_date = 1914-07-01"),
    ],
)
def test_every_setting_is_checked_before_a_kernel_starts(project, changed, error, message):
    (project / "study.yaml").write_text(STUDY.replace(*changed), encoding="utf-8")
    with pytest.raises(error, match=message):
        swept(project, no_cluster)


def test_settings_that_come_to_the_same_parameters_are_one(project):
    study = studies.Study.model_validate(
        {
            "name": "mine",
            "notebook": 1,  # what YAML makes of 01
            "grid": {"endpoint": ["refusing"]},
            "settings": [{"baseline": "listed_week_1"}, {"baseline_date": "None"}, {}],
        }
    )
    assert len(sweep.prepare(study).plans) == 1


def test_no_parameter_is_named_like_another_column_of_the_results():
    names = {name for model in parameters.MODELS.values() for name in model.model_fields}
    assert names & {"setting", *sweep.COLUMNS} == set()


# Running


def test_the_results_of_all_settings_are_one_table(finished):
    found = table(finished)
    assert found.column_names == [
        *("setting", "source_policy", "baseline", "endpoint", "baseline_date", "endpoint_date"),
        *("result", "value", "text", "list", "low", "high", "level", "unit", "caveat"),
    ]
    assert found.schema.field("baseline_date").type == "date32[day]"
    assert found.schema.field("value").type == "double"
    rows = found.to_pylist()
    assert len(rows) == 5 * 3
    first = [row for row in rows if row["setting"] == rows[0]["setting"]]
    assert [row["result"] for row in first] == ["growth.both", "growth.choice", "growth.length"]
    both, choice, length = first
    assert (both["value"], both["text"], both["list"]) == (None, None, [13, 3])
    assert (choice["value"], choice["text"]) == (None, "listed_week_1 to refusing")
    assert (length["value"], length["text"], length["list"]) == (21, None, None)
    assert (length["low"], length["high"], length["level"]) == (20, None, 0.95)
    assert rows[-1]["baseline_date"].isoformat() == "2014-07-01"
    assert rows[-1]["endpoint_date"] is None


def test_each_setting_has_its_own_parameters_and_is_a_run_of_its_own(finished):
    rows = table(finished).to_pylist()
    for row in rows:
        if row["result"] == "growth.choice":
            assert row["text"] == f"{row['baseline']} to {row['endpoint']}"
            made = folder(finished) / row["setting"]
            assert {path.name for path in made.rglob("*") if path.is_file()} == {
                ".lock",
                "01_jurisdiction_growth.ipynb",
                "01_jurisdiction_growth.results.json",
                "growth.svg",
                "manifest.json",
            }


def test_what_is_current_is_left_alone(project):
    before = table(project)
    assert states(swept(project, no_cluster)) == ["current"] * 5
    assert table(project) == before


def test_a_setting_added_to_a_study_is_all_that_runs(project):
    more = STUDY + "  - {baseline: listed_week_2}\n"
    (project / "study.yaml").write_text(more, encoding="utf-8")
    assert states(swept(project)) == ["current"] * 5 + ["done"]
    assert table(project).num_rows == 6 * 3


def test_a_damaged_output_is_made_again(project):
    before = table(project)
    damaged = sorted(folder(project).glob("*/*.ipynb"))[0]
    damaged.write_text("{", encoding="utf-8")
    assert sorted(states(swept(project))) == ["current"] * 4 + ["done"]
    assert table(project) == before


def test_results_of_earlier_notebooks_come_from_the_run_that_is_asked_for(project):
    assert states(swept(project, run="other")) == ["done"] * 5
    lists = [row["list"] for row in table(project).to_pylist() if row["list"]]
    assert {facts for _, facts in lists} == {4}
    assert states(swept(project, no_cluster, run="other")) == ["current"] * 5


def test_a_failure_is_kept_and_stops_no_other_setting(project):
    fails = 'assert baseline != "about_120", "too\\nfew"'
    small_study.save(project, GROWTH, notebook(fails))
    seen = []
    outcome = swept(project, report=seen.append)
    assert states(outcome) == ["done", "done", "failed", "failed", "done"]
    assert sorted(map(id, seen)) == sorted(map(id, outcome.settings))
    assert outcome.message == "2 of 5 settings failed"
    failed = outcome.settings[2]
    assert failed.message == (
        "01_jurisdiction_growth failed at cell 'estimate' (In [5]): AssertionError: too; see "
        f"papermill_runs/sweeps/mine/{failed.id}/01_jurisdiction_growth.failed.ipynb"
    )
    assert (project / failed.message.rpartition("see ")[2]).is_file()
    baselines = table(project).column("baseline").unique().to_pylist()
    assert baselines == ["listed_week_1", "ice_2014"]
    written = json.loads((folder(project) / "sweep.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(outcome.as_dict()))
    again = swept(project)
    assert states(again) == ["current", "current", "failed", "failed", "current"]


def test_a_sweep_of_which_all_fails_gives_an_empty_table(project):
    small_study.save(project, GROWTH, notebook("1 / 0"))
    assert states(swept(project)) == ["failed"] * 5
    assert table(project).num_rows == 0
    assert table(project).column_names[:2] == ["setting", "source_policy"]


def test_a_worker_that_sees_other_helpers_or_data_refuses_the_setting(project):
    def changing():
        (project / "data" / "facts.csv").write_text("id,value\nA1,5\n", encoding="utf-8")
        return threads()

    small_study.save(project, GROWTH, notebook("facts * 3"))
    outcome = swept(project, changing)
    assert states(outcome) == ["failed"] * 5
    assert {setting.message for setting in outcome.settings} == {
        "01_jurisdiction_growth failed: its worker has something else: data/facts.csv changed"
    }


def test_problems_in_the_data_refuse_the_sweep(project):
    (project / "data" / "facts.csv").write_text("id,value\nA1,4\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"^facts.csv: row 2$"):
        swept(project, no_cluster, data_problems=lambda: ["facts.csv: row 2"])


def test_a_second_sweep_of_the_same_name_is_refused(project):
    def nested():
        with pytest.raises(BusyError, match="another process is writing the sweep 'mine'"):
            swept(project, no_cluster)
        return threads()

    (project / "data" / "facts.csv").write_text("id,value\nA1,4\n", encoding="utf-8")
    assert states(swept(project, nested)) == ["done"] * 5


def test_an_unknown_run_name_is_refused(project):
    with pytest.raises(PathError, match="run name"):
        swept(project, no_cluster, run="../other")


def test_a_run_to_read_that_is_not_there_is_refused(project):
    with pytest.raises(RunError, match="there is no finished run 'othr'"):
        swept(project, no_cluster, run="othr")


def test_no_scheduler_where_one_is_said_to_be_is_one_line(monkeypatch):
    import dask

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(RunError, match=r"no scheduler at tcp://127\.0\.0\.1:9") as refused,
        sweep.cluster("tcp://127.0.0.1:9"),
    ):
        pass
    assert "\n" not in str(refused.value)


# The command


def ask(*arguments):
    return CliRunner().invoke(cli.app, ["sweep", *map(str, arguments)])


def test_the_command_says_where_the_results_are(project):
    answer = ask(project / "study.yaml")
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert answer.stdout.splitlines() == [
        "5 settings: 5 current",
        f"results: {folder(project) / sweep.RESULTS}",
    ]
    outcome = json.loads(ask(project / "study.yaml", "--json").stdout)
    assert outcome["ok"] is True
    assert [setting["state"] for setting in outcome["settings"]] == ["current"] * 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:9"], "exclude each other"),
        (["--scheduler-file", "nowhere.json"], "nowhere.json: no scheduler has written"),
        (["--scheduler", "there"], "no scheduler at there"),
        (["--run", "../x"], "run name '../x'"),
    ],
)
def test_a_wrong_request_exits_with_2_and_one_line(project, options, message):
    (project / "data" / "facts.csv").write_text("id,value\nA1,4\n", encoding="utf-8")
    answer = ask(project / "study.yaml", *options)
    assert answer.exit_code == 2
    assert message in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_failed_settings_exit_with_1_and_a_line_each(project, monkeypatch):
    small_study.save(project, GROWTH, notebook('assert baseline != "ice_2014", "too [few]"'))
    monkeypatch.setattr(sweep, "cluster", lambda *choices: threads())
    answer = ask(project / "study.yaml")
    assert answer.exit_code == 1
    assert answer.stderr == "1 of 5 settings failed\n"
    (failed,) = [line for line in answer.stdout.splitlines() if "  failed  " in line]
    assert "failed  baseline=ice_2014, endpoint=refusing, baseline_date=2014-07-01: " in failed
    assert "AssertionError: too [few]; see papermill_runs/sweeps/mine/" in failed
    assert "5 settings: 4 done, 1 failed" in answer.stdout.splitlines()


def test_why_kernels_are_ordinary_is_said_once_and_kept_with_each_setting(project, monkeypatch):
    (project / "data" / "facts.csv").write_text("id,value\nA1,4\n", encoding="utf-8")
    monkeypatch.setattr(sweep, "cluster", lambda *choices: threads())
    lines = ask(project / "study.yaml").stdout.splitlines()
    assert lines[:2] == ["kernels  ordinary: for speed", "5 settings: 5 done"]
    written = json.loads((folder(project) / "sweep.json").read_text(encoding="utf-8"))
    assert [setting["message"] for setting in written["settings"]] == ["for speed"] * 5
