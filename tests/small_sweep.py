"""A project with a study of a few settings, to sweep in tests."""

import json
from contextlib import contextmanager

import pyarrow.parquet as pq
from distributed import Client

import small_study
from helpers import studies, sweep
from small_study import EVIDENCE, GROWTH

STUDY = """\
name: mine
notebook: 01_jurisdiction_growth
grid:
  baseline: [listed_week_1, about_120]
  endpoint: [refusing, refusing_or_limited]
settings:
  - {baseline: ice_2014, baseline_date: 2014-07-01}
"""
PUT = """\
def result(value, unit, interval=None, level=None):
    return dict(value=value, unit=unit, interval=interval, level=level, caveat=None)

length = len(baseline) + len(endpoint)
write("01_jurisdiction_growth", ["growth.svg"], **{
    "growth.length": result(length, "letters", [length - 1, None], 0.95),
    "growth.choice": result(f"{baseline} to {endpoint}", "choice"),
    "growth.both": result([len(baseline), facts], "letters"),
})
"""


def notebook(body=""):
    return small_study.notebook(
        small_study.GROWTH_DEFAULTS,
        small_study.cell("read", small_study.READ),
        small_study.cell("estimate", body or "facts * 2"),
        small_study.cell("results", PUT),
        reads=[EVIDENCE],
    )


def make(root):
    small_study.make(root)
    small_study.save(root, GROWTH, notebook())
    for run, facts in (("reference", 3), ("other", 4)):
        put_evidence(root, run, facts)
    (root / "study.yaml").write_text(STUDY, encoding="utf-8")
    return root


def put_evidence(root, run, facts):
    path = root / "papermill_runs" / run / f"{EVIDENCE}.results.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"results": {"evidence.facts": {"value": facts}}}))


@contextmanager
def threads():
    """A cluster of two threads of this process."""
    with Client(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0"
    ) as client:
        yield client


def swept(root, connect=threads, run="reference", **options):
    study = studies.read(root / "study.yaml")
    return sweep.run(sweep.prepare(study, run), connect, **options)


def states(outcome):
    return [setting.state for setting in outcome.settings]


def folder(root):
    return root / "papermill_runs" / "sweeps" / "mine"


def table(root):
    return pq.read_table(folder(root) / sweep.RESULTS)
