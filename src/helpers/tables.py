"""Tables for readers: a caption, scoped headers, no empty header cell."""

import html

import pandas as pd
from IPython.display import HTML

_RIGHT = ' style="text-align: right"'


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
        A table with a caption and column headers; numbers right-aligned under theirs; text escaped.
    """
    numeric = {name: _is_number(frame[name]) for name in frame.columns}
    head = "".join(
        f'<th scope="col"{_RIGHT * numeric[name]}>{html.escape(str(name))}</th>'
        for name in frame.columns
    )
    body = "\n".join(
        "<tr>"
        + "".join(_cell(value, numeric[name]) for name, value in zip(frame, row, strict=True))
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


def _cell(value: object, numeric: bool) -> str:
    if pd.isna(value):
        return "<td></td>"
    if numeric:
        return f"<td{_RIGHT}>{value:,}</td>"
    return f"<td>{html.escape(str(value))}</td>"
