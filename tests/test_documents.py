import json

import pytest

from helpers import documents, paths


def test_every_written_document_is_current():
    for path, content in documents.documents(paths.project_root()).items():
        assert path.read_text(encoding="utf-8") == content, f"{path.name}: run `make documents`"


def test_the_codebook_names_every_field_with_its_type_and_meaning():
    package = json.loads((paths.project_root() / paths.MARKER).read_text(encoding="utf-8"))
    text = documents.codebook(package)
    for resource in package["resources"]:
        assert f"`{resource['path']}`" in text
        for field in resource["schema"]["fields"]:
            assert f"| `{field['name']}` | {field['type']} |" in text
            assert field["description"].replace("|", "\\|") in text


def test_findings_follow_the_results():
    run = paths.project_root() / "papermill_runs/reference/results.json"
    found = json.loads(run.read_text(encoding="utf-8"))["results"]
    found["growth.endpoint.count"]["value"] = 123_456
    assert "123,456 jails" in documents.findings(found)


def test_a_finding_has_the_caveats_of_its_results_below_it():
    run = paths.project_root() / "papermill_runs/reference/results.json"
    found = json.loads(run.read_text(encoding="utf-8"))["results"]
    found["ages.travis.median_weeks"]["caveat"] = "Old.\nFew."
    found["ages.travis.share_booked_before_2017"]["caveat"] = "Old."
    lines = documents.findings(found).splitlines()
    at = next(i for i, line in enumerate(lines) if "Travis County's policy" in line)
    assert lines[at + 1 : at + 3] == ["  *Caveat: Old.*", "  *Caveat: Few.*"]


def test_packages_lists_direct_packages_with_every_locked_version():
    lock = "numpy==2.4.6 ; python_full_version < '3.12' \\\nnumpy==2.5.5 \\\npandas==3.1.1 \\\n"
    assert documents.packages({"dependencies": ["numpy", "pandas>=3"]}, lock) == (
        "#   numpy 2.4.6 or 2.5.5\n#   pandas 3.1.1"
    )


def test_only_what_stands_between_the_marks_is_replaced():
    text = "a\n# x: begin\nold\n# x: end\nb\n"
    assert documents.replace_between(text, "x", "new") == "a\n# x: begin\nnew\n# x: end\nb\n"
    with pytest.raises(ValueError, match="x: begin"):
        documents.replace_between("nothing", "x", "new")
