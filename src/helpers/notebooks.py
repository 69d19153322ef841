"""What a stored notebook says of itself: the results it reads, and which of its cells runs."""

import json
from collections.abc import Mapping
from typing import Any

from helpers.paths import project_root


def running_cell(notebook: str) -> str | None:
    """Return the id of the cell that is running.

    The kernel is told a cell's source and not its id, so the cell is found by its source in
    notebooks/; the id is the same in every executed copy.

    Parameters
    ----------
    notebook
        Name of the notebook, for example `01_jurisdiction_growth`.

    Returns
    -------
    str or None
        The id; None outside a notebook, or where the running source is in no stored cell.
    """
    from IPython import get_ipython  # half a second, which the runner need not pay

    shell = get_ipython()
    if shell is None:
        return None
    running = shell.history_manager.input_hist_raw[-1].strip()
    cells = stored(notebook).get("cells", [])
    return next((c["id"] for c in cells if "".join(c["source"]).strip() == running), None)


def declared_reads(notebook: Mapping[str, Any]) -> list[str]:
    """Return the notebooks whose results a notebook (nbformat JSON) reads, by its metadata.

    `{"detainers": {"reads": ["01_jurisdiction_growth"]}}` declares one.
    """
    return list(notebook.get("metadata", {}).get("detainers", {}).get("reads", []))


def stored(notebook: str) -> dict[str, Any]:
    """Return a notebook of notebooks/ (nbformat JSON) by name; empty where there is none."""
    path = project_root() / "notebooks" / f"{notebook}.ipynb"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
