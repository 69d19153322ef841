"""What each notebook teaches: learning goals, and exercises whose answers run.

A lesson is a YAML file in docs/learning/, named by the notebook's two digits. The tests execute
every answer and compare what it finds with what the lesson states.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from helpers import paths, results
from helpers.errors import UserError

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_STRICT = ConfigDict(extra="forbid", frozen=True)


class LessonError(UserError):
    """A lesson is missing or not as it should be; the message is one line."""


class Exercise(BaseModel):
    """A question with a hint, an answer that runs, and what it finds.

    Attributes
    ----------
    title, question, hint
        Markdown; the title is one line.
    answer
        Python code that uses the helpers and data of the repository.
    expected
        What the answer finds, by the name of its variable: a number as printed (it holds within
        half a unit of its last digit), a text, or `=` and the name of a result.
    finding
        Markdown with a place in braces for each name of `expected`.
    """

    model_config = _STRICT

    title: _Text
    question: _Text
    hint: _Text
    answer: _Text
    expected: dict[str, _Text] = Field(min_length=1)
    finding: _Text


class Lesson(BaseModel):
    """What a notebook teaches: three to five goals, and three exercises."""

    model_config = _STRICT

    goals: list[_Text] = Field(min_length=3, max_length=5)
    exercises: list[Exercise] = Field(min_length=3, max_length=3)


def load(notebook: str, root: Path | None = None) -> Lesson | None:
    """Return the lesson of a notebook; None where it has none.

    Parameters
    ----------
    notebook
        Name of the notebook, which begins with two digits.
    root
        The project; found from the working directory where None.

    Raises
    ------
    LessonError
        If the file is no lesson.
    """
    file = (root or paths.project_root()) / "docs" / "learning" / f"{notebook[:2]}.yaml"
    if not file.is_file():
        return None
    try:
        return Lesson.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise LessonError(f"{file.name}: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise LessonError(f"{file.name}: {where or 'the whole file'}: {first['msg']}") from None


def goals(lesson: Lesson) -> str:
    """Return the learning goals as a Markdown section."""
    return "\n".join(["## What you will learn", "", *(f"- {goal}" for goal in lesson.goals)]) + "\n"


def exercises(lesson: Lesson, found: Mapping[str, dict[str, Any]]) -> str:
    """Return the exercises as a Markdown section, hints and answers folded.

    Parameters
    ----------
    lesson
        The lesson.
    found
        Results of a run by name, for what the lesson states by the name of a result.

    Raises
    ------
    helpers.results.ResultError
        If a named result is not among them.
    """
    parts = ["## Exercises", ""]
    for number, exercise in enumerate(lesson.exercises, start=1):
        finding = exercise.finding.format_map(shown(exercise, found))
        answer = f"```python\n{exercise.answer}\n```\n\n{finding}"
        parts += [f"### Exercise {number}: {exercise.title}", "", exercise.question, ""]
        parts += [_folded(f"Hint for exercise {number}", exercise.hint)]
        parts += [_folded(f"Answer to exercise {number}", answer)]
    return "\n".join(parts)


def shown(exercise: Exercise, found: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Return what an exercise expects as readers see it, by name.

    Parameters
    ----------
    exercise
        The exercise.
    found
        Results of a run by name.
    """

    def text(stated: str) -> str:
        if stated.startswith("="):
            return results.shown(results.named(found, stated[1:].strip()))
        return stated.replace("-", "\N{MINUS SIGN}") if _is_number(stated) else stated

    return {name: text(stated) for name, stated in exercise.expected.items()}


def holds(stated: str, value: Any, found: Mapping[str, dict[str, Any]]) -> bool:  # noqa: ANN401
    """Return whether an answer found what its exercise states.

    Parameters
    ----------
    stated
        One of `Exercise.expected`.
    value
        What the answer found.
    found
        Results of a run by name.
    """
    if stated.startswith("="):
        result = results.named(found, stated[1:].strip())
        if isinstance(result["value"], str):
            return bool(value == result["value"])
        return math.isclose(value, result["value"], rel_tol=result["tolerance"])
    if not _is_number(stated):
        return bool(value == stated)
    last_digit = 10.0 ** -len(stated.partition(".")[2])
    return math.isclose(value, float(stated), rel_tol=1e-9, abs_tol=last_digit / 2)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _folded(summary: str, content: str) -> str:
    return f"<details>\n<summary>{summary}</summary>\n\n{content}\n\n</details>\n"
