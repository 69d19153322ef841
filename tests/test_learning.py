import json
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from helpers import learning
from helpers.results import ResultError

ROOT = Path(__file__).resolve().parents[1]
LESSONS = {
    path.stem: learning.load(path.stem, ROOT)
    for path in sorted((ROOT / "docs" / "learning").glob("*.yaml"))
}
EXERCISES = [
    pytest.param(exercise, id=f"{name}-{number}")
    for name, lesson in LESSONS.items()
    for number, exercise in enumerate(lesson.exercises, start=1)
]
SMALL = (
    """\
goals: [One, Two, Three]
exercises:
"""
    + 3
    * (
        "  - {title: A title, question: 'How many?', hint: Count., answer: 'seen = 2',\n"
        "     expected: {seen: '2'}, finding: 'There are {seen}.'}\n"
    )
)
RESULTS = {
    "a.ratio": {"value": 2.345, "decimals": 1, "tolerance": 0.01, "interval": None},
    "a.word": {"value": "March", "decimals": 0, "tolerance": 0, "interval": None},
}


@pytest.fixture(scope="module")
def published():
    file = ROOT / "papermill_runs" / "reference" / "results.json"
    return json.loads(file.read_text(encoding="utf-8"))["results"]


@pytest.fixture
def written(tmp_path):
    """Write a lesson of notebook 09 and load it."""
    folder = tmp_path / "docs" / "learning"
    folder.mkdir(parents=True)

    def load(text):
        (folder / "09.yaml").write_text(text, encoding="utf-8")
        return learning.load("09_anything", tmp_path)

    return load


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_answer_runs_and_finds_what_its_exercise_states(exercise, published, environment):
    environment.chdir(ROOT / "notebooks")  # where a student runs it
    names = {}
    exec(compile(exercise.answer, exercise.title, "exec"), names)
    wrong = {
        name: (stated, names[name])
        for name, stated in exercise.expected.items()
        if not learning.holds(stated, names[name], published)
    }
    assert wrong == {}


def test_every_notebook_of_the_study_has_a_lesson():
    notebooks = {path.stem[:2] for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks <= {*LESSONS}


@pytest.mark.parametrize("exercise", EXERCISES)
def test_each_thing_expected_is_told_in_the_finding(exercise, published):
    for name in exercise.expected:
        assert f"{{{name}}}" in exercise.finding
    assert "{" not in exercise.finding.format_map(learning.shown(exercise, published))


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_becomes_sections_with_a_folded_hint_and_answer_each(name, published):
    text = learning.exercises(LESSONS[name], published)
    tokens = MarkdownIt().parse(text)
    assert [t.tag for t in tokens if t.type == "heading_open"] == ["h2", "h3", "h3", "h3"]
    assert sum(token.type == "fence" for token in tokens) == 3
    assert text.count("<details>") == text.count("</details>") == 6
    assert learning.goals(LESSONS[name]).count("\n- ") == len(LESSONS[name].goals)


def test_a_notebook_without_a_lesson_has_none(tmp_path):
    assert learning.load("09_anything", tmp_path) is None


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (SMALL.replace("One, Two, Three", "One"), r"09\.yaml: goals: List should have at least 3"),
        (SMALL.replace("hint: Count., ", ""), r"09\.yaml: exercises\.0\.hint: Field required"),
        (SMALL + "more: 1\n", r"09\.yaml: more: Extra inputs"),
        ("goals: [", r"09\.yaml: while parsing"),
        ("", r"09\.yaml: the whole file: "),
    ],
)
def test_a_damaged_lesson_is_refused_in_one_line(written, broken, message):
    with pytest.raises(learning.LessonError, match=message) as error:
        written(broken)
    assert "\n" not in str(error.value)


def test_a_finding_shows_results_as_readers_see_them(written):
    lesson = written(SMALL.replace("'2'}", "'= a.ratio'}"))
    assert "There are 2.3." in learning.exercises(lesson, RESULTS)


def test_an_unknown_result_is_refused(written):
    lesson = written(SMALL.replace("'2'}", "'= a.nothing'}"))
    with pytest.raises(ResultError, match=r"a\.nothing"):
        learning.exercises(lesson, RESULTS)


@pytest.mark.parametrize(
    ("stated", "value", "holds"),
    [
        ("2.35", 2.3549, True),
        ("2.35", 2.356, False),
        ("-3", -3.4, True),
        ("3", 4, False),
        ("holds", "holds", True),
        ("holds", "does not hold", False),
        ("= a.ratio", 2.36, True),
        ("= a.ratio", 2.4, False),
        ("= a.word", "March", True),
        ("= a.word", "May", False),
    ],
)
def test_a_value_holds_within_what_is_printed(stated, value, holds):
    assert learning.holds(stated, value, RESULTS) == holds
