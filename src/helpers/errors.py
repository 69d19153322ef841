"""What all errors share that a user can mend."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """What was wrong, where, and what is allowed, in a line or two: the command's whole answer."""


def meant(name: str, known: Iterable[str]) -> str:
    """Ask whether one of the known names was meant that are like an unknown one, if any is."""
    like = get_close_matches(name, known, cutoff=0.7)
    return f"; did you mean {' or '.join(like)}?" if like else ""
