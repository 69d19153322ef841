"""What a result or a figure rests on, said in one form: `kind:name`."""

import re
from collections.abc import Iterable

KINDS = ("fact", "series", "result", "parameter", "assumption", "simulation", "records")
"""Kinds of inputs: `fact:A028`, `series:weekly_detainers`, `result:growth.factor`,
`parameter:baseline`, `assumption:NAME`, `simulation:SEED`, `records:NAME@HASH` (a file of the
reader's: `helpers.records.given`)."""


def once_each(inputs: Iterable[str], owner: str) -> list[str]:
    """Return the inputs of a result or figure, in their order, each once.

    Parameters
    ----------
    inputs
        Names of inputs.
    owner
        What rests on them, for the message.

    Raises
    ------
    ValueError
        If there is none, or one is not of the form `kind:name`.
    """
    listed = list(dict.fromkeys(inputs))
    well_formed = re.compile(rf"({'|'.join(KINDS)}):\S+")
    if not listed or not all(well_formed.fullmatch(item) for item in listed):
        raise ValueError(f"{owner}: inputs {listed}: none, or not of the form kind:name")
    return listed
