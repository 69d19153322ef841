"""A project of two small notebooks that give what `detainers check` compares, all levels of it.

They rest on a table of facts, and on a helper with a constant; imports stay light.
"""

import importlib.metadata

from small_study import EVIDENCE, EVIDENCE_DEFAULTS, GROWTH, GROWTH_DEFAULTS, cell, notebook, save

FACTS = "data/evidence/facts.csv"
HELPER = "helpers/doubling.py"

IMPORTS = """\
import csv
import io
import json
import runpy
from IPython.display import Image, Markdown
import PIL.Image, PIL.ImageDraw
from helpers import paths

def result(value, inputs, tolerance=1e-6, interval=None):
    return {"value": value, "unit": "jails", "interval": interval, "level": None, "method": "read",
            "inputs": inputs, "notebook": NOTEBOOK, "cell": "results", "synthetic": False,
            "caveat": None, "tolerance": tolerance, "decimals": 2}

def write(**results):
    content = {"schema": 1, "run": paths.run_name(), "results": results}
    file = paths.run_folder() / f"{NOTEBOOK}.results.json"
    paths.write_atomically(file, paths.as_json(content))
"""
FACTS_CELL = """\
with (paths.project_root() / "data/evidence/facts.csv").open(encoding="utf-8") as file:
    facts = {row["fact_id"]: float(row["value"]) for row in csv.DictReader(file)}
Markdown(f"The list names {facts['A1']:.0f} jails.\\n\\nAnother names {facts['A2']:.0f}.")
"""
FACTS_RESULTS = """\
write(**{"evidence.first": result(facts["A1"], ["fact:A1"]),
         "evidence.second": result(facts["A2"], ["fact:A2"], interval=[facts["A2"] - 1, None])})
"""
FIGURE = """\
picture = PIL.Image.new("RGB", (60, 40), "white")
PIL.ImageDraw.Draw(picture).rectangle((10, 40 - facts["A2"], 20, 40), fill="navy")
buffer = io.BytesIO()
picture.save(buffer, "png")
drawn = f"<svg><rect x='{facts['A2']}'/><text>second</text></svg>"
about = {"title": "Two counts", "alt": "A bar", "notebook": NOTEBOOK, "inputs": ["fact:A2"]}
folder = paths.figure_folder()
paths.write_atomically(folder / "counts.png", buffer.getvalue())
paths.write_atomically(folder / "counts.svg", drawn)
paths.write_atomically(folder / "counts.json", paths.as_json(about))
paths.write_atomically(folder / "counts.csv", f"name,jails\\nfirst,0\\nsecond,{facts['A2']}\\n")
Image(data=buffer.getvalue())
"""
GROWTH_CELL = """\
earlier = json.loads((paths.previous_folder() / "00_evidence.results.json").read_bytes())
factor = runpy.run_path(str(paths.project_root() / "helpers/doubling.py"))["FACTOR"]
doubled = earlier["results"]["evidence.first"]["value"] * factor
print(f"doubled: {doubled:,.2f}")
"""
GROWTH_RESULTS = """\
write(**{"growth.doubled": result(doubled, ["result:evidence.first"], tolerance=1e-3)})
"""


def make(root):
    """Write the project; both notebooks can be run."""
    for name, content in {
        "data/datapackage.json": "{}",
        FACTS: "fact_id,value\nA1,1000\nA2,30\nA3,7\n",
        HELPER: "FACTOR = 2.0\n",
        "requirements.lock": f"pandas=={importlib.metadata.version('pandas')}\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    first, second = (f"NOTEBOOK = {name!r}\n{IMPORTS}" for name in (EVIDENCE, GROWTH))
    cells = [("facts", FACTS_CELL), ("results", FACTS_RESULTS), ("figure", FIGURE)]
    save(root, EVIDENCE, notebook(EVIDENCE_DEFAULTS, *_cells(first, cells)))
    cells = [("growth", GROWTH_CELL), ("results", GROWTH_RESULTS)]
    save(root, GROWTH, notebook(GROWTH_DEFAULTS, *_cells(second, cells), reads=[EVIDENCE]))


def _cells(imports, cells):
    return [cell("setting-up", imports), *(cell(name, source) for name, source in cells)]
