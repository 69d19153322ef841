"""A small study is executed again, with one thing after the other changed."""

import base64
import datetime as dt
import io
import json
import shutil
from types import SimpleNamespace

import bs4
import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner

import checked_study
from helpers import causes, check, cli, comparison, locks, manifest, paths, runner
from helpers.check import CheckError
from helpers.locks import BusyError
from helpers.request import RunError
from small_study import EVIDENCE, GROWTH, read

ALTERED = "was altered after its run wrote it"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The study with one finished run, `mine`."""
    root = tmp_path_factory.mktemp("checked")
    checked_study.make(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DETAINERS_ROOT", str(root))
        patch.setattr(manifest, "HELPERS", root / "helpers")
        assert runner.run("mine", {}, plain_kernel=True).message == ""
    return root


@pytest.fixture(scope="module")
def changed(study, tmp_path_factory):
    """Gives a function that copies the study, changes it, and checks it."""
    patch = pytest.MonkeyPatch()

    def checked(change, action=check.check, *arguments):
        root = tmp_path_factory.mktemp("changed") / "study"
        shutil.copytree(study, root)
        patch.setenv("DETAINERS_ROOT", str(root))
        patch.setattr(manifest, "HELPERS", root / "helpers")
        place = SimpleNamespace(
            root=root, run=root / "papermill_runs/mine", figures=root / "figures/mine"
        )
        change(place)
        return action("mine", *arguments)

    yield checked
    patch.undo()


def replace(path, old, new):
    content = path.read_text(encoding="utf-8")
    assert content.count(old) == 1, f"{old!r} is {content.count(old)} times in {path}"
    path.write_text(content.replace(old, new), encoding="utf-8")


def rewrite(path, change):
    content = read(path)
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def set_result(place, notebook, name, **fields):
    for file in (f"{notebook}.results.json", "results.json"):
        rewrite(place.run / file, lambda content: content["results"][name].update(fields))


def repainted(png, box, shade):
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    ImageDraw.Draw(picture).rectangle(box, fill=(shade, shade, shade))
    buffer = io.BytesIO()
    picture.save(buffer, "png")
    return buffer.getvalue()


def repaint(path, box, shade):
    path.write_bytes(repainted(path.read_bytes(), box, shade))


def repaint_inline(content):
    outputs = [output for each in content["cells"] for output in each.get("outputs", [])]
    data = next(output["data"] for output in outputs if "image/png" in output.get("data", {}))
    png = repainted(base64.b64decode(data["image/png"]), (30, 5, 33, 8), 0)
    data["image/png"] = base64.b64encode(png).decode()


def of(report, level, what=""):
    found = report["differences"]
    return [each for each in found if each["level"] == level and what in each["what"]]


# Nothing, and less than counts


@pytest.fixture(scope="module")
def nearly_same(changed):
    def change(place):
        set_result(place, GROWTH, "growth.doubled", value=2000.0 * (1 + 9e-4))
        set_result(place, EVIDENCE, "evidence.second", interval=[29.0 * (1 + 9e-7), None])
        replace(place.figures / "counts.csv", "second,30.0", "second,30.00001")
        replace(place.figures / "counts.svg", "x='30.0'", "x='30.04'")
        repaint(place.figures / "counts.png", (40, 5, 50, 9), 255 - 16)

    return changed(change)


def test_changes_below_tolerance_are_no_differences(nearly_same):
    assert nearly_same["differences"] == []
    assert nearly_same["ok"] is True


def test_every_level_was_compared_in_the_locked_environment(nearly_same):
    compared = {level["level"]: level["compared"] for level in nearly_same["levels"]}
    assert compared == {"notebook": 2, "text": 11, "result": 3, "figure data": 2, "picture": 3}
    assert nearly_same["environment"]["obstacles"] == []
    assert all(level["fails"] for level in nearly_same["levels"])


def test_altered_files_are_named_even_where_all_is_the_same(nearly_same):
    altered = {name: each["altered"] for name, each in nearly_same["notebooks"].items()}
    assert altered[GROWTH] == [f"{GROWTH}.results.json"]
    assert set(altered[EVIDENCE]) == {
        f"{EVIDENCE}.results.json",
        "counts.csv",
        "counts.png",
        "counts.svg",
    }


def test_what_was_executed_is_kept_beside_the_report(nearly_same):
    kept = paths.Path(nearly_same["folder"])
    assert kept.name == "mine.check"
    assert read(kept / "check.json")["ok"] is True
    executed = read(kept / "papermill_runs/again" / f"{GROWTH}.ipynb")
    assert "doubled: 2,001.80" not in json.dumps(executed)  # what 00 stores is read
    assert "doubled: 2,000.00" in json.dumps(executed)
    assert (kept / "figures/again/counts.csv").is_file()


# Stored outputs altered


@pytest.fixture(scope="module")
def altered(changed):
    def change(place):
        replace(place.run / f"{EVIDENCE}.ipynb", "Another names 30.", "Another names 31.")
        rewrite(place.run / f"{EVIDENCE}.ipynb", repaint_inline)
        set_result(place, EVIDENCE, "evidence.second", interval=[29.1, None])
        set_result(place, GROWTH, "growth.doubled", value=2004.0)
        rewrite(
            place.run / "results.json",
            lambda content: content["results"]["evidence.first"].update(value=1001.0),
        )
        replace(place.figures / "counts.csv", "second,30.0", "second,30.1")
        replace(place.figures / "counts.json", "A bar", "A line")
        replace(place.figures / "counts.svg", "second", "third")
        repaint(place.figures / "counts.png", (40, 5, 50, 9), 255 - 17)

    return changed(change)


def test_a_digit_of_a_stored_text_is_caught(altered):
    (found,) = of(altered, "text")
    assert found["what"] == f"{EVIDENCE}, cell facts"
    assert found["where"] == "text/markdown, line 3"
    assert (found["stored"], found["now"]) == ("Another names 31.", "Another names 30.")
    assert found["size"] == pytest.approx(1 / 31)
    assert found["why"] == [f"the stored {EVIDENCE}.ipynb {ALTERED}"]


def test_a_stored_result_beyond_its_own_tolerance_is_caught(altered):
    (found,) = of(altered, "result", "growth.doubled")
    assert (found["where"], found["stored"], found["now"]) == ("value", "2004.0", "2000.0")
    assert (found["size"], found["allowed"]) == (pytest.approx(4 / 2004), 1e-3)
    assert found["why"] == [
        f"the stored {GROWTH}.results.json {ALTERED}",
        f"{EVIDENCE}.results.json changed",
    ]


def test_the_end_of_a_stored_interval_is_caught(altered):
    (found,) = of(altered, "result", "evidence.second")
    assert (found["where"], found["stored"], found["now"]) == ("interval 1 of 2", "29.1", "29.0")


def test_a_merged_result_that_its_notebook_did_not_give_is_caught(altered):
    (found,) = of(altered, "result", "evidence.first")
    assert (found["file"], found["stored"], found["now"]) == ("results.json", "1001.0", "1000.0")
    assert found["why"] == ["the stored results.json is not what its notebooks' files say"]


def test_a_number_of_a_figures_data_is_caught(altered):
    found = next(each for each in of(altered, "figure data") if each["file"] == "counts.csv")
    assert (found["what"], found["where"]) == ("counts", "column jails, row 2")
    assert (found["stored"], found["now"], found["allowed"]) == ("30.1", "30.0", 1e-6)
    assert found["size"] == pytest.approx(0.1 / 30.1)
    assert found["why"] == [f"the stored counts.csv {ALTERED}"]


def test_the_words_of_a_figure_are_compared_to_the_letter(altered):
    found = next(each for each in of(altered, "figure data") if each["file"] == "counts.json")
    assert (found["where"], found["stored"], found["now"]) == ("alt", "A line", "A bar")
    drawing = next(each for each in of(altered, "picture") if each["file"] == "counts.svg")
    assert (drawing["stored"], drawing["now"]) == ("third", "second")


def test_a_region_of_pixels_is_caught_in_the_file_and_in_the_notebook(altered):
    found = next(each for each in of(altered, "picture") if each["file"] == "counts.png")
    assert found["where"] == "pixels 40 to 50 across, 5 to 9 down"
    assert (found["size"], found["allowed"]) == (17, 16)
    assert found["why"] == [f"the stored counts.png {ALTERED}"]
    (inline,) = of(altered, "picture", f"{EVIDENCE}, cell figure")
    assert inline["where"] == "pixels 30 to 33 across, 5 to 8 down"


def test_the_outcome_of_differences_is_that_the_run_does_not_reproduce(altered):
    assert altered["ok"] is False
    assert len(altered["differences"]) == 8 + 1
    assert all(each["fails"] for each in altered["differences"])


def test_the_report_shows_each_difference_side_by_side_and_each_picture(altered):
    page = bs4.BeautifulSoup(
        (paths.Path(altered["folder"]) / "check.html").read_text(encoding="utf-8"), "html.parser"
    )
    sections = page.find_all("section")
    assert len(sections) == len(altered["differences"])
    for section, found in zip(sections, altered["differences"], strict=True):
        assert found["what"] in section.h3.text
        assert [pre.text for pre in section.find_all("pre")] == [found["stored"], found["now"]]
        assert [item.text for item in section.find_all("li")] == found["why"]
    pictures = page.find_all("img")
    assert len(pictures) == 2 * 3
    assert all(img["alt"] and img["src"].startswith("data:image/png;base64,") for img in pictures)
    assert page.html["lang"] == "en"
    assert all(table.caption for table in page.find_all("table"))
    assert not page.find_all(["script", "link"])


# What the run is made from changed


@pytest.fixture(scope="module")
def made_from_others(changed):
    def change(place):
        replace(place.root / checked_study.FACTS, "A2,30", "A2,20")
        replace(place.root / checked_study.FACTS, "A3,7", "A3,8")
        replace(place.root / checked_study.HELPER, "2.0", "2.5")
        replace(place.root / "requirements.lock", "pandas==", "pandas==0.")
        source = place.root / "notebooks" / f"{GROWTH}.ipynb"
        replace(source, "doubled: {doubled", "doubling: {doubled")

    return changed(change)


def test_a_changed_fact_is_named_for_what_rests_on_it(made_from_others):
    for found in of(made_from_others, "result", "evidence.second"):
        assert f"fact A2 ({checked_study.FACTS}) changed, an input of this" in found["why"]
        assert not any("fact A3" in reason for reason in found["why"])
    assert {each["where"] for each in of(made_from_others, "result", "evidence.second")} == {
        "value",
        "interval 1 of 2",
    }
    assert of(made_from_others, "result", "evidence.first") == []
    (data,) = of(made_from_others, "figure data", "counts")
    assert f"fact A2 ({checked_study.FACTS}) changed, an input of this" in data["why"]


def test_an_edited_cell_of_the_source_is_named_but_is_no_cause(made_from_others):
    edited = {name: each["edited"] for name, each in made_from_others["notebooks"].items()}
    assert edited == {EVIDENCE: [], GROWTH: ["growth changed"]}
    assert "growth" not in str(of(made_from_others, "text", GROWTH)[0]["why"])


def test_what_does_not_say_what_it_rests_on_may_be_moved_by_any_change(made_from_others):
    (text,) = of(made_from_others, "text", EVIDENCE)
    assert {
        f"fact A2 ({checked_study.FACTS}) changed",
        f"fact A3 ({checked_study.FACTS}) changed",
        "helpers/doubling.py changed",
        "requirements.lock changed",
    } == set(text["why"])


def test_a_changed_constant_of_a_helper_is_named(made_from_others):
    (found,) = of(made_from_others, "result", "growth.doubled")
    assert (found["stored"], found["now"]) == ("2000.0", "2500.0")
    assert found["size"] == pytest.approx(0.25)
    assert "helpers/doubling.py changed" in found["why"]
    (text,) = of(made_from_others, "text", GROWTH)
    assert (text["stored"], text["now"]) == ("doubled: 2,000.00", "doubled: 2,500.00")


def test_outside_the_locked_environment_pictures_are_reported_and_do_not_fail(made_from_others):
    environment = made_from_others["environment"]
    assert environment["locked"] is False
    assert any(obstacle.startswith("pandas: the lock has") for obstacle in environment["obstacles"])
    pictures = of(made_from_others, "picture")
    assert {each["file"] for each in pictures} == {"counts.png", "counts.svg", f"{EVIDENCE}.ipynb"}
    assert not any(each["fails"] for each in pictures)
    assert made_from_others["ok"] is False


# Cells that fail, notebooks that lack


@pytest.fixture(scope="module")
def broken(changed):
    def change(place):
        replace(place.root / checked_study.FACTS, "A2,30", "A4,30")
        (place.run / f"{GROWTH}.ipynb").unlink()

    return changed(change)


def test_a_cell_that_fails_is_named_and_those_after_it_are_not(broken):
    (found,) = of(broken, "text")
    assert (found["what"], found["where"]) == (f"{EVIDENCE}, cell facts", "error")
    assert (found["stored"], found["now"]) == ("", "KeyError: 'A2'")
    assert set(found["why"]) == {
        f"fact A2 ({checked_study.FACTS}) is gone",
        f"fact A4 ({checked_study.FACTS}) is new",
    }


def test_results_that_were_not_written_are_one_line(broken):
    (found,) = of(broken, "result")
    assert (found["what"], found["stored"], found["now"]) == (EVIDENCE, "2 results", "missing")


def test_a_missing_notebook_is_named(broken):
    (found,) = of(broken, "notebook")
    said = found["what"], found["stored"], found["now"]
    assert said == (GROWTH, "missing", "not executed, for none is stored")
    assert broken["ok"] is False


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("import os; os._exit(1)", "not executed"),
        ("# NBVAL_SKIP\n1", "not executed"),
    ],
)
def test_a_cell_that_was_not_executed_is_a_difference(changed, cell, said):
    def change(place):
        def put(content):
            content["cells"][-1]["source"] = cell

        rewrite(place.run / f"{GROWTH}.ipynb", put)

    report = changed(change, lambda run: check.check(run, skip=["00"]))
    assert report["skipped"] == [EVIDENCE]
    assert any(found["what"] == f"{GROWTH}, cell results" for found in of(report, "text"))
    assert report["ok"] is False


# Two finished runs


def same_but(study, tmp_path, change=lambda place: None):
    root = tmp_path / "other"
    shutil.copytree(study, root)
    change(SimpleNamespace(run=root / "papermill_runs/mine", figures=root / "figures/mine"))
    return str(root / "papermill_runs/mine")


def test_two_runs_that_are_the_same_are_compared_without_running_anything(
    study, changed, tmp_path, no_kernel
):
    other = same_but(study, tmp_path)
    report = changed(lambda place: None, check.compare_runs, other)
    assert (report["ok"], report["differences"]) == (True, [])
    assert {level["level"]: level["compared"] for level in report["levels"]}["text"] == 11
    assert paths.Path(report["folder"]).name == "mine.mine.check"


def test_two_runs_made_on_unlike_machines_may_draw_unlike_pictures(study, changed, tmp_path):
    def change(place):
        set_manifest(place, platform="Darwin arm64")
        repaint(place.figures / "counts.png", (0, 0, 5, 5), 0)

    def set_manifest(place, **versions):
        rewrite(place.run / "manifest.json", lambda content: content["versions"].update(versions))

    other = same_but(study, tmp_path, change)
    report = changed(lambda place: None, check.compare_runs, other)
    (found,) = report["differences"]
    assert found["why"] == [f"the platform is Darwin arm64, was {manifest.this_platform()}"]
    assert (found["fails"], report["ok"]) == (False, True)


def test_two_runs_that_differ_for_no_recorded_reason_say_so(study, changed, tmp_path):
    def change(place):
        replace(place.run / f"{GROWTH}.ipynb", "doubled: 2,000.00", "doubled: 2,000.01")

    other = same_but(study, tmp_path, change)
    (found,) = changed(lambda place: None, check.compare_runs, other)["differences"]
    assert found["why"] == [causes.UNEXPLAINED]


def test_all_of_results_json_is_compared_in_either_run(study, changed, tmp_path):
    def change(place):
        def put(content):
            result = content["results"]["evidence.first"]
            content["results"]["evidence.bogus"] = {**result, "notebook": "zz"}

        rewrite(place.run / "results.json", put)

    def change_other(place):
        def put(content):
            content["results"]["evidence.first"]["value"] = 1234.0
            del content["results"]["growth.doubled"]

        rewrite(place.run / "results.json", put)

    other = same_but(study, tmp_path, change_other)
    report = changed(change, check.compare_runs, other)
    first, doubled = of(report, "result", "evidence.first"), of(report, "result", "growth.doubled")
    bogus = of(report, "result", "evidence.bogus")
    found = {
        each["what"]: (each["where"], each["stored"], each["now"], *each["why"])
        for each in [*first, *doubled, *bogus]
    }
    whose = "results.json is not what its notebooks' files say"
    assert found == {
        "evidence.bogus": ("all of it", "there", "missing", f"the stored {whose}"),
        "evidence.first": ("value", "1000.0", "1234.0", f"the other run's {whose}"),
        "growth.doubled": ("all of it", "there", "missing", f"the other run's {whose}"),
    }
    assert len(report["differences"]) == 3
    assert report["ok"] is False


def test_a_missing_results_json_is_one_difference(study, changed, tmp_path):
    other = same_but(study, tmp_path)
    report = changed(lambda place: (place.run / "results.json").unlink(), check.compare_runs, other)
    (found,) = report["differences"]
    assert (found["file"], found["stored"], found["now"]) == ("results.json", "missing", "there")


def test_what_a_notebook_to_skip_gave_is_left_out_and_nothing_else(study, changed, tmp_path):
    def change(place):
        set_result(place, GROWTH, "growth.doubled", value=2500.0)
        rewrite(place.figures / "counts.json", lambda about: about.update(notebook=GROWTH))
        (place.figures / "added.json").write_text('{"notebook": "zz"}', encoding="utf-8")

    other = same_but(study, tmp_path, change)
    report = changed(
        lambda place: None, lambda run: check.compare_runs(run, other, skip=[GROWTH[:2]])
    )
    assert {each["file"] for each in report["differences"]} == {"added.json", "counts.json"}


def test_a_missing_picture_and_other_words_fail_wherever_it_was_drawn(study, changed, tmp_path):
    def change(place):
        rewrite(place.run / "manifest.json", lambda made: made["versions"].update(python="3.11.0"))
        repaint(place.figures / "counts.png", (0, 0, 5, 5), 0)
        replace(place.figures / "counts.svg", "second", "third")
        rewrite(place.run / f"{EVIDENCE}.ipynb", remove_pictures)

    def remove_pictures(content):
        for cell in content["cells"]:
            for output in cell.get("outputs", []):
                output.get("data", {}).pop("image/png", None)

    other = same_but(study, tmp_path, change)
    report = changed(lambda place: None, check.compare_runs, other)
    assert {each["file"]: each["fails"] for each in of(report, "picture")} == {
        "counts.png": False,
        "counts.svg": True,
        f"{EVIDENCE}.ipynb": True,
    }
    page = (paths.Path(report["folder"]) / "check.html").read_text(encoding="utf-8")
    assert "but for pixels and points, which are reported only" in page


def test_the_page_gives_the_command_that_was_asked(study, changed, tmp_path):
    other = same_but(study, tmp_path / "two words")
    report = changed(lambda place: None, lambda run: check.compare_runs(run, other, skip=["01"]))
    page = (paths.Path(report["folder"]) / "check.html").read_text(encoding="utf-8")
    codes = [code.text for code in bs4.BeautifulSoup(page, "html.parser").find_all("code")]
    assert codes == [f"detainers check mine '{other}' --skip 01"]


def test_a_run_that_is_being_written_is_refused(study, changed, tmp_path):
    other = same_but(study, tmp_path)
    with (
        locks.writing(paths.Path(other), "it"),
        pytest.raises(BusyError, match="another process is writing the run"),
    ):
        changed(lambda place: None, check.compare_runs, other)


def test_a_run_that_is_written_while_it_is_read_is_refused(study, changed, tmp_path, monkeypatch):
    other = same_but(study, tmp_path)
    compared = comparison.of_runs

    def written_meanwhile(*arguments):
        rewrite(paths.Path(other, "manifest.json"), lambda made: made.update(git=None))
        return compared(*arguments)

    monkeypatch.setattr(comparison, "of_runs", written_meanwhile)
    with pytest.raises(BusyError, match="was written while it was read"):
        changed(lambda place: None, check.compare_runs, other)


def test_the_report_says_how_long_the_comparison_took(study, changed, tmp_path, monkeypatch):
    clock, compared = [dt.datetime(2026, 1, 2, tzinfo=dt.UTC)], comparison.of_runs

    def slowly(*arguments):
        clock.append(clock[-1] + dt.timedelta(seconds=7))
        return compared(*arguments)

    monkeypatch.setattr(check, "_now", lambda: clock[-1])
    monkeypatch.setattr(comparison, "of_runs", slowly)
    report = changed(lambda place: None, check.compare_runs, same_but(study, tmp_path))
    assert (report["started"], report["seconds"]) == ("2026-01-02T00:00:00+00:00", 7.0)


# The command


def test_the_command_shows_the_levels_and_each_difference_and_exits_with_1(
    study, changed, tmp_path
):
    def change(place):
        set_result(place, GROWTH, "growth.doubled", value=2500.0)

    other = same_but(study, tmp_path, change)
    answer = changed(lambda place: None, ask, other)
    assert answer.exit_code == 1, answer.output
    lines = " ".join(answer.stdout.split())
    assert (
        "growth.doubled: value stored: 2000.0 now: 2500.0 apart: 0.25 of the stored; all" in lines
    )
    assert "The runs differ: 1 difference." in lines
    assert answer.stdout.splitlines()[-1].endswith("check.html")


def test_the_command_answers_in_json_and_exits_with_0_where_all_is_the_same(
    study, changed, tmp_path
):
    answer = changed(lambda place: None, ask, same_but(study, tmp_path), "--json")
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["ok"] is True


def test_the_command_leaves_out_a_list_of_notebooks(study, changed, tmp_path):
    other = same_but(study, tmp_path)
    answer = changed(lambda place: None, ask, other, "--skip", "00, 01")
    assert answer.stderr.splitlines() == [
        f"the manifests of 'mine' and '{other}' name no notebook to compare"
    ]


def test_the_command_refuses_what_is_not_there_in_a_line(changed):
    answer = changed(lambda place: None, ask, "nowhere")
    assert answer.exit_code == 2
    assert answer.stderr.splitlines() == [
        "there is no run 'nowhere' to check: its manifest.json is not there; there are: mine"
    ]


def test_an_interrupted_check_leaves_an_earlier_report(changed, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    def earlier(place):
        paths.write_atomically(place.run.with_name("mine.check") / "check.html", "earlier")

    monkeypatch.setattr(check.reexecution, "execute", interrupt)
    answer = changed(earlier, ask)
    assert answer.exit_code == 130
    assert answer.stderr.splitlines() == [
        "interrupted; an earlier report stays, the next check begins anew"
    ]
    assert (
        paths.run_folder("mine").with_name("mine.check") / "check.html"
    ).read_text() == "earlier"


def ask(*arguments):
    return CliRunner().invoke(cli.app, ["check", *arguments])


# Requests that cannot be met


@pytest.mark.parametrize(
    ("run", "said"),
    [("nowhere", "is not there"), ("../mine", "is not there")],
)
def test_a_run_that_is_not_there_is_refused(changed, no_kernel, run, said):
    with pytest.raises(CheckError, match=said):
        changed(lambda place: None, lambda _: check.check(run))


def test_a_manifest_that_cannot_be_read_is_refused(changed, no_kernel):
    def change(place):
        (place.run / "manifest.json").write_text("{", encoding="utf-8")

    with pytest.raises(CheckError, match="cannot be read"):
        changed(change)


def test_a_damaged_file_is_refused_by_the_runs_name(study, changed, tmp_path):
    def change(place):
        rewrite(
            place.run / f"{GROWTH}.results.json",
            lambda content: content["results"]["growth.doubled"].pop("tolerance"),
        )

    other = same_but(study, tmp_path)
    with pytest.raises(CheckError, match=r"a file of the run 'mine' is damaged \(KeyError"):
        changed(change, check.compare_runs, other)


def test_a_notebook_to_skip_that_is_not_there_is_refused(changed, no_kernel):
    with pytest.raises(RunError, match="there is no notebook '09'"):
        changed(lambda place: None, lambda run: check.check(run, skip=["09"]))


def test_markup_in_a_run_stays_text(study, changed, tmp_path):
    evil = "<script>alert(1)</script>"

    def change(place):
        replace(place.run / f"{GROWTH}.ipynb", "doubled: 2,000.00", evil)

    other = same_but(study, tmp_path, change)
    report = changed(lambda place: None, check.compare_runs, other)
    page = (paths.Path(report["folder"]) / "check.html").read_text(encoding="utf-8")
    assert evil not in page
    assert bs4.BeautifulSoup(page, "html.parser").section.find_all("pre")[1].text == evil


def test_a_pin_for_another_python_and_a_package_that_is_not_here_are_no_obstacle(tmp_path):
    lock = tmp_path / "requirements.lock"
    pins = ["pandas==0.1 ; python_full_version < '3'", "no-such-package==1", "pytest==0.1 \\"]
    lock.write_text("\n".join([*pins, "    --hash=sha256:00", ""]), encoding="utf-8")
    (found,) = causes.unlocked(lock)
    assert found.startswith("pytest: the lock has ==0.1, here is ")
