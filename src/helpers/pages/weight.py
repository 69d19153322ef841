"""Less to load at the first view of a page: late pictures, style sheets without unused rules."""

import re
from pathlib import Path

import PIL.Image

_PICTURE = re.compile(r'<img ([^>]*?)src="([^":]+\.png)"(?: width="\d+")?')
_COMMENT = re.compile(r"/\*(?!!).*?\*/", re.S)
_BEFORE = r"(?:\s|/\*!.*?\*/|@[\w-]+[^;{}]*;)*+"  # licences, and @charset
_TEXT = r"""(?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*+"""
_RULE = re.compile(rf"({_BEFORE})({_TEXT})\{{{_TEXT}\}}", re.S)
_NEGATED = re.compile(r":not\((?:[^()]|\([^()]*\))*\)")
_CLASS = re.compile(r"\.(-?[a-zA-Z_][\w-]*)")


def with_late_images(page: str, site: Path) -> str:
    """Return a page whose pictures load when they come near, each in room kept for it.

    Parameters
    ----------
    page
        The page's HTML.
    site
        Folder of the pages, which has the pictures.
    """

    def late(match: re.Match[str]) -> str:
        with PIL.Image.open(site / match[2]) as picture:
            width, height = picture.size
        room = f'loading="lazy" width="{width}" height="{height}"'
        return f'<img {match[1]}src="{match[2]}" {room}'

    return _PICTURE.sub(late, page)


def lighten(site: Path) -> None:
    """Take out of a site's style sheets what no page and no script uses, and maps for developers.

    The theme's style sheet has rules for thousands of icons and components. As in PurgeCSS, a rule
    stays if each of its classes is a word of some page or script.
    """
    for path in site.rglob("*.map"):
        path.unlink()
    words: set[str] = set()
    for path in (*site.glob("*.html"), *site.rglob("*.js")):
        if path.name not in ("searchindex.js", "facts.js"):
            words.update(re.findall(r"[\w-]+", path.read_text(encoding="utf-8")))
    for path in site.rglob("*.css"):
        path.write_text(used(path.read_text(encoding="utf-8"), words), encoding="utf-8")


def used(sheet: str, words: set[str]) -> str:
    """Return a style sheet without the rules of classes that are not among the words."""

    def kept(match: re.Match[str]) -> str:
        parts = _NEGATED.sub("", match[2]).split(",")
        seen = any(set(_CLASS.findall(part)) <= words for part in parts)
        return match[0] if seen else match[1]

    return _RULE.sub(kept, _COMMENT.sub("", sheet))
