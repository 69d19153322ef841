"""Make the folders in which the benchmarks run: projects that the runner takes for a study.

The runner knows the notebooks of a study by name (`helpers.parameters.MODELS`), so the benchmark
notebook is written under those names, each with the parameters cell of the study's notebook.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = Path(__file__).with_name("notebook.ipynb")
NAMES = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]

_FIELDS = {"month": "date", "area": "string", "issued": "integer", "declined": "integer"}


def small(folder: Path, names: Sequence[str]) -> Path:
    """Make a project of benchmark notebooks under names of the study; return its folder."""
    (folder / "data").mkdir(parents=True)
    (folder / "notebooks").mkdir()
    (folder / "executed").mkdir()
    for seed, name in enumerate(names):
        _counts(seed).to_csv(folder / "data" / f"{name}.csv", index=False)
        _write_json(folder / "notebooks" / f"{name}.ipynb", notebook(name))
    _write_json(folder / "data" / "datapackage.json", _package(names))
    shutil.copy(ROOT / "requirements.lock", folder)
    return folder


def study(folder: Path) -> Path:
    """Copy what the study's notebooks need to run; return the folder."""
    for part in ("data", "notebooks", "papermill_runs/reference"):
        shutil.copytree(ROOT / part, folder / part)
    (folder / "executed").mkdir()
    shutil.copy(ROOT / "requirements.lock", folder)
    return folder


def notebook(name: str) -> dict:
    """Return the benchmark notebook with a name and the parameters cell of the study."""
    template = _read_json(TEMPLATE)
    own = _read_json(ROOT / "notebooks" / f"{name}.ipynb")
    replaced = {
        "parameters": next(c["source"] for c in own["cells"] if "parameters" in _tags(c)),
        "name": [f'NOTEBOOK = "{name}"'],
    }
    for cell in template["cells"]:
        cell["source"] = replaced.get(cell["id"], cell["source"])
    return template


def change(folder: Path, name: str) -> None:
    """Change the last cell of a notebook, as someone who edits it would."""
    path = folder / "notebooks" / f"{name}.ipynb"
    content = _read_json(path)
    content["cells"][-1]["source"] = ["# changed\n", *content["cells"][-1]["source"]]
    _write_json(path, content)


def _counts(seed: int) -> pd.DataFrame:
    """Simulate 1,500 rows: detainers issued and declined in 25 areas and 60 months."""
    random = np.random.default_rng(seed)
    months = pd.date_range("2010-01-01", periods=60, freq="MS")
    areas = [f"area {number:02d}" for number in range(1, 26)]
    rows = pd.MultiIndex.from_product([areas, months], names=["area", "month"]).to_frame(False)
    share = np.repeat(random.uniform(0.02, 0.2, len(areas)), len(months))
    share = share * np.where(rows["month"] >= "2012-07-01", 1.6, 1)
    issued = random.poisson(300, len(rows))
    declined = random.binomial(issued, share)
    return rows.assign(issued=issued, declined=declined)[list(_FIELDS)]


def _package(names: Sequence[str]) -> dict:
    fields = [{"name": name, "type": kind} for name, kind in _FIELDS.items()]
    resources = [
        {"name": name, "path": f"{name}.csv", "schema": {"fields": fields}} for name in names
    ]
    return {"name": "benchmark", "resources": resources}


def _tags(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])


def _read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
