"""Run the cells of notebooks one after another in one process: the limit for any runner.

Libraries are imported once. Outputs are made as a kernel makes them (tables as HTML, figures as
PNG), but no message is sent and no notebook written.

    python bare.py NOTEBOOK ...
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell


class _Shell(InteractiveShell):
    """A shell with figures as in a kernel."""

    def enable_gui(self, gui: str | None = None) -> None:
        """Do nothing: pictures need no event loop."""


def main(paths: list[str]) -> None:
    """Run the notebooks; raise what a cell raises."""
    shell = _Shell.instance()
    shell.history_manager.enabled = False
    shell.enable_matplotlib("inline")
    for path in paths:
        shell.user_ns.clear()
        shell.init_user_ns()
        notebook = json.loads(Path(path).read_bytes())
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                with contextlib.redirect_stdout(io.StringIO()):
                    done = shell.run_cell("".join(cell["source"]), store_history=True)
                done.raise_error()


if __name__ == "__main__":
    main(sys.argv[1:])
