import json
import os
import subprocess
import sys

import pandas as pd
import pytest
import record_files

from helpers import records
from helpers.records import cache
from helpers.records.columns import CANONICAL, GROUPS, NAMES
from helpers.records.problems import shape

LAYOUTS = list(record_files.HEADS)


@pytest.fixture(autouse=True)
def _in_a_cache_of_its_own(tmp_path_factory, root, monkeypatch):
    monkeypatch.setenv("DETAINERS_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("DETAINERS_ROOT", str(root))


def rows_of(read):
    with records.connect(read) as database:
        table = database.execute("FROM records")
        names = [column[0] for column in table.description]
        return [dict(zip(names, row, strict=True)) for row in table.fetchall()]


def canonical(read):
    """Rows without lineage and flags."""
    return [{name: row[name] for name in NAMES[:-7]} for row in rows_of(read)]


@pytest.mark.parametrize("wrapped", ["", "gz", "zip"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_of_each_layout_reads_to_the_same_canonical_table(tmp_path, layout, wrapped):
    path = record_files.write(tmp_path, layout, wrapped=wrapped)
    read = records.read(path)
    assert read.layout == layout
    assert read.report["rows"] == {"read": 60, "kept": 60, "refused": 0}
    assert canonical(read) == record_files.expected(layout)
