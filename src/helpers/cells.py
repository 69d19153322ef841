"""Which cell of a notebook is running."""

import json

from IPython import get_ipython

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
    shell = get_ipython()
    path = project_root() / "notebooks" / f"{notebook}.ipynb"
    if shell is None or not path.is_file():
        return None
    running = shell.history_manager.input_hist_raw[-1].strip()
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return next((c["id"] for c in cells if "".join(c["source"]).strip() == running), None)
