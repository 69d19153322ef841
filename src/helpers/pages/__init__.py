"""A finished run as HTML pages that need no server and no network; nothing is executed."""

from helpers.pages.build import build
from helpers.pages.run import PagesError

__all__ = ["PagesError", "build"]
