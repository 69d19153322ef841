import copy

import small_study
from helpers import manifest, outputs, paths


def opened(root, entries=None):
    folder, figures = root / "papermill_runs" / "mine", root / "figures" / "mine"
    folder.mkdir(parents=True)
    figures.mkdir(parents=True)
    return outputs.Run("mine", root, folder, figures, {}, entries or {})


def executed():
    stamps = {"start_time": "2026-01-01T00:00:00", "duration": 0.1}
    notebook = small_study.evidence()
    notebook["metadata"] |= {
        "papermill": {**stamps, "input_path": "/home/someone/a.ipynb"},
        "language_info": {"name": "python", "version": "3.11.2"},
    }
    injected = small_study.cell("f00ba4", "# Parameters\na = 1", "injected-parameters")
    notebook["cells"].insert(2, injected)
    for cell in notebook["cells"]:
        cell["metadata"] |= {"papermill": stamps, "execution": {"iopub.status.busy": "2026"}}
        cell["metadata"].setdefault("tags", [])
    return notebook


def test_a_cleaned_notebook_has_no_times_paths_or_random_ids():
    cleaned = outputs.clean(executed())
    text = paths.as_json(cleaned)
    for trace in ("2026", "/home", "papermill", "duration", "f00ba4", "3.11.2"):
        assert trace not in text
    assert [cell["id"] for cell in cleaned["cells"]] == [
        "title",
        "parameters",
        "injected-parameters",
        "imports",
        "results",
    ]


def test_cleaning_keeps_sources_tags_and_own_metadata_and_leaves_its_argument_alone():
    notebook = executed()
    before = copy.deepcopy(notebook)
    cleaned = outputs.clean(notebook)
    assert notebook == before
    assert [c["source"] for c in cleaned["cells"]] == [c["source"] for c in notebook["cells"]]
    assert cleaned["cells"][1]["metadata"] == {"tags": ["parameters"]}
    assert cleaned["cells"][3]["metadata"] == {}
    assert cleaned["metadata"]["detainers"] == {"reads": []}
    assert outputs.clean(cleaned) == cleaned


def test_results_are_read_from_the_run_and_else_from_the_reference_run(tmp_path, monkeypatch):
    paths.write_atomically(tmp_path / paths.MARKER, "{}")
    monkeypatch.setenv("DETAINERS_ROOT", str(tmp_path))
    run = opened(tmp_path)
    source = small_study.growth()
    assert outputs.hashes_read(run, source) == {"00_evidence": None}
    reference = tmp_path / "papermill_runs" / "reference" / "00_evidence.results.json"
    reference.parent.mkdir()
    reference.write_text("reference", encoding="utf-8")
    assert outputs.hashes_read(run, source) == {"00_evidence": manifest.sha256(reference)}
    run.results("00_evidence").write_text("own", encoding="utf-8")
    own = manifest.sha256(run.results("00_evidence"))
    assert outputs.hashes_read(run, source) == {"00_evidence": own}
    assert own != manifest.sha256(reference)


def test_a_notebook_that_declares_nothing_reads_nothing(tmp_path):
    source = small_study.evidence()
    del source["metadata"]["detainers"]
    assert outputs.hashes_read(opened(tmp_path), source) == {}


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path):
    run = opened(tmp_path)
    (run.folder / ".staging-01" / "papermill_runs").mkdir(parents=True)
    for path in (run.folder / ".a.json.12.part", run.figures / ".b.svg.3.part"):
        path.write_text("half", encoding="utf-8")
    (run.folder / "results.json").write_text("{}", encoding="utf-8")
    outputs.remove_leftovers(run)
    assert [path.name for path in run.folder.iterdir()] == ["results.json"]
    assert list(run.figures.iterdir()) == []
