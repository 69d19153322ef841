"""Tables for readers: a caption, scoped headers, no empty header cell."""

import html

import pandas as pd
from IPython.display import HTML


def show(frame: pd.DataFrame, caption: str) -> HTML:
    """Return a frame as an accessible HTML table.

    Parameters
    ----------
    frame
        What to show, text and numbers already rounded for reading; the index is left out.
    caption
        What the table shows.

    Returns
    -------
    IPython.display.HTML
        A table with a caption and column headers; numbers to the right, text to the left
        and escaped.
    """
    # JupyterLab puts all cells to the right unless each says otherwise.
    sides = {name: "right" if _is_number(frame[name]) else "left" for name in frame.columns}
    head = "".join(
        f'<th scope="col" style="text-align: {side}">{html.escape(str(name))}</th>'
        for name, side in sides.items()
    )
    body = "\n".join(
        "<tr>"
        + "".join(_cell(value, side) for value, side in zip(row, sides.values(), strict=True))
        + "</tr>"
        for row in frame.itertuples(index=False)
    )
    return HTML(
        f"<table>\n<caption>{html.escape(caption)}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )


def _is_number(column: pd.Series) -> bool:
    kinds = pd.api.types
    return kinds.is_numeric_dtype(column) and not kinds.is_bool_dtype(column)


def _cell(value: object, side: str) -> str:
    text = f"{value:,}" if side == "right" else html.escape(str(value))
    return f'<td style="text-align: {side}">{"" if pd.isna(value) else text}</td>'
