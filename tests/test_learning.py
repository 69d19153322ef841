import json

import pytest

from helpers import learning
from helpers.results import ResultError

LESSON = """\
goals: [One, Two, Three]
exercises:
{exercises}"""
EXERCISE = """\
  - title: A title
    question: How many?
    hint: Count.
    answer: |
      seen = 1 + 1
    expected: {seen: "2"}
    finding: "There are {seen}."
"""
RESULTS = {"a.b": {"value": 2.345, "decimals": 1, "tolerance": 1e-6, "interval": None}}


@pytest.fixture(scope="module")
def published(root):
    file = root / "papermill_runs" / "reference" / "results.json"
    return json.loads(file.read_text(encoding="utf-8"))["results"]


def names(root):
    return sorted(path.stem for path in (root / "docs" / "learning").glob("*.yaml"))


def every_exercise(metafunc_root):
    return [
        (name, number)
        for name in names(metafunc_root)
        for number in range(len(learning.load(name, metafunc_root).exercises))
    ]
