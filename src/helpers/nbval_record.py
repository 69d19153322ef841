"""A pytest plugin that keeps what nbval executed and found: a line of JSON for each cell.

nbval compares and then forgets the outputs; with them kept, one execution serves every comparison.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the folder to keep it in, one file a notebook."""
    parser.addoption("--nbval-record", type=Path, required=True, metavar="FOLDER")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: Any,  # noqa: ANN401 - nbval has no types
    call: pytest.CallInfo[None],
) -> Iterator[None]:
    """Keep the outputs of a cell, nbval's verdict and, in a line, its reason."""
    report: Any = yield
    if call.when == "call" or report.failed:
        line = {
            "cell": item.cell["id"],
            "outcome": report.outcome,
            "reason": str(call.excinfo.value) if call.excinfo else "",
            "outputs": item.test_outputs or [],
        }
        file = item.config.getoption("--nbval-record") / f"{item.path.stem}.jsonl"
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")
    return report
