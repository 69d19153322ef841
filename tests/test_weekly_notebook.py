import json

import pytest

from helpers import request, runner, synthetic_files, synthetic_records, synthetic_tables

NOTEBOOK = "04_weekly_report"

pytestmark = pytest.mark.slow


def run(tmp_path, monkeypatch, **asked):
    monkeypatch.setenv("DETAINERS_OUT", str(tmp_path / "out"))
    outcome = runner.run("mine", {NOTEBOOK: asked}, only=["04"])
    file = tmp_path / "out/papermill_runs/mine/results.json"
    return outcome, json.loads(file.read_bytes())["results"] if file.exists() else {}


@pytest.mark.parametrize("layout", ["icfo_2025_18038", "npr_2007_2015"])
def test_the_report_is_made_from_records_of_the_reader(
    root, record_cache, tmp_path, monkeypatch, layout
):
    made = synthetic_records.design(9, weeks=(52, 58), scale=0.3)
    place = tmp_path / "a secret place"
    place.mkdir()
    path = synthetic_files.write(synthetic_tables.blocks(made), layout, place)
    outcome, found = run(tmp_path, monkeypatch, records=str(path))
    assert outcome.message == ""
    own = {n for n, result in found.items() if any("records:" in i for i in result["inputs"])}
    assert {"report.records.rows", "report.issued.week", "report.active.highest"} <= own
    assert not any(found[name]["synthetic"] or "SYNTHETIC" in found[name]["method"] for name in own)
    assert found["report.checks.similar_name.sensitivity"]["synthetic"]
    transferred = found["report.fidelity.transferred.records"]["value"]
    assert transferred == (0 if layout == "icfo_2025_18038" else "cannot be checked")
    for output in (tmp_path / "out").rglob("*"):
        assert not output.is_file() or place.name.encode() not in output.read_bytes(), output


@pytest.mark.parametrize(
    "asked",
    [
        {"week_start": "2018-12-15"},
        {"week_start": "2016-03-30", "minimum_cell": 3},
        {"minimum_cell": 1000},
    ],
)
def test_the_report_can_be_made_of_any_week_and_with_any_limit(root, tmp_path, monkeypatch, asked):
    monkeypatch.setenv("DETAINERS_ROOT", str(root))
    outcome, found = run(tmp_path, monkeypatch, **asked)
    assert outcome.message == ""
    published = ("report.published.", "report.policies.published")
    for name, result in found.items():
        assert result["synthetic"] != name.startswith(published), name


def test_a_week_that_the_readers_records_do_not_cover_is_named(
    root, record_cache, tmp_path, monkeypatch
):
    made = synthetic_records.design(9, weeks=(56, 58), scale=0.1)
    path = synthetic_files.write(synthetic_tables.blocks(made), "npr_second_set", tmp_path)
    outcome, _ = run(tmp_path, monkeypatch, records=str(path), week_start="2017-03-04")
    assert "week_start = 2017-03-04: the records cover weeks that start from" in outcome.message


def test_the_report_comes_between_the_issuance_policy_and_the_claims():
    names = list(request.study())
    assert names[names.index(NOTEBOOK) - 1] == "03_issuance_policy"
    assert names[names.index(NOTEBOOK) + 1] == "05_claims"
