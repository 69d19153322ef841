"""A result's lineage as a picture: layers of boxes from the result down to its sources (SVG)."""

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from graphlib import TopologicalSorter
from html import escape
from typing import Any

from helpers import lineage
from helpers.lineage import Lineage
from helpers.lineage_text import result_head

_WIDTH, _GAP, _BETWEEN, _EDGE = 250, 80, 10, 12
_LINE, _PAD, _FONT, _BOLD, _PLAIN, _LINES = 15, 8, 12, 29, 34, 2
_FILLS = {
    "result": "#dcebf7",
    "fact": "#ffffff",
    "series": "#ffffff",
    "assumption": "#f8ecdd",
    "parameter": "#f8ecdd",
    "simulation": "#f8ecdd",
    "records": "#ffffff",
    "source": "#e3f1ec",
}
_STYLE = f"""\
text {{ font: {_FONT}px "DejaVu Sans", Verdana, sans-serif; fill: #222222 }}
.name {{ font-weight: bold }}
rect {{ stroke: #767676 }}
path {{ fill: none; stroke: #767676 }}
a text {{ fill: #0072b2; text-decoration: underline }}"""


@dataclass
class _Node:
    """A box: its kind, its name, what it says, where it leads, and what rests on it."""

    kind: str
    name: str
    says: list[str]
    url: str = ""
    users: dict[str, None] = field(default_factory=dict)
    layer: int = 0
    top: float = 0.0

    @property
    def lines(self) -> list[str]:
        """The text in the box, cut to its width."""
        said = [line for text in self.says for line in _cut(text, _PLAIN)]
        return [*_cut(self.name, _BOLD), *said]

    @property
    def height(self) -> float:
        return _LINE * len(self.lines) + 2 * _PAD

    @property
    def left(self) -> float:
        return _EDGE + self.layer * (_WIDTH + _GAP)


def svg(found: Lineage, name: str) -> str:
    """Draw what a result rests on.

    The result stands at the top left; each column to its right holds what those before rest on, as
    far left as all that rests on it allows (longest-path layering; Sugiyama, Tagawa and Toda
    1981, *IEEE Transactions on Systems, Man, and Cybernetics* 11: 109). In a column, boxes are
    ordered by the mean place of what rests on them.

    Parameters
    ----------
    found
        The run.
    name
        Name of the result.

    Returns
    -------
    str
        SVG: text is text, long text is cut in its box and whole in the box's title; sources are
        links; no script. Equal runs give equal text.

    Raises
    ------
    helpers.results.ResultError
        If there is no such result.
    """
    nodes = _nodes(lineage.explain(found, name))
    _place(nodes)
    top, *_ = nodes.values()
    key = f"lineage-{name.replace('.', '-')}"
    width = max(node.left for node in nodes.values()) + _WIDTH + _EDGE
    height = max(node.top + node.height for node in nodes.values()) + _EDGE
    edges = [_edge(nodes[user], node) for node in nodes.values() for user in node.users]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
            f'viewBox="0 0 {width:g} {height:g}" role="group" lang="en" '
            f'aria-labelledby="{key}-title" aria-describedby="{key}-desc">',
            f'<title id="{key}-title">Lineage of {escape(name)}</title>',
            f'<desc id="{key}-desc">{escape(_summary(top, nodes.values()))}</desc>',
            f"<style>{_STYLE}</style>",
            '<g aria-hidden="true">',
            *edges,
            "</g>",
            *(_box(node) for node in nodes.values()),
            "</svg>\n",
        ]
    )


def _nodes(tree: Mapping[str, Any]) -> dict[str, _Node]:
    """Return the boxes by name, the result first."""
    nodes: dict[str, _Node] = {}
    _add(tree, None, nodes)
    return nodes


def _add(item: Mapping[str, Any], user: str | None, nodes: dict[str, _Node]) -> None:
    name = item["input"]
    if name not in nodes:
        kind, _, key = name.partition(":")
        since = ["changed since the run"] if item.get("changed") else []
        nodes[name] = _Node(kind, f"{kind} {key}", [*_says(item), *since])
    if user is not None:
        nodes[name].users[user] = None
    for below in item.get("inputs", []):
        _add(below, name, nodes)
    for source in item.get("sources", [item["source"]] if "source" in item else []):
        key = f"source:{source['title']} {source['url']}"
        said = [", ".join(filter(None, (source.get("publisher"), source.get("published"))))]
        nodes.setdefault(key, _Node("source", source["title"], said, source["url"]))
        nodes[key].users[name] = None


def _says(item: Mapping[str, Any]) -> list[str]:
    if "method" in item:
        return [result_head(item).partition(" = ")[2], item["method"]]
    if "printed" in item:
        where = ", ".join(filter(None, (item["place"], item["window"])))
        return [f"{item['printed']} {item['unit']}", where]
    if "file" in item:
        return [item["title"]]
    if "reason" in item:
        return [f"{item['value']:g} {item['unit']}", item["meaning"]]
    return [str(item["value"])] if "value" in item else []


def _place(nodes: Mapping[str, _Node]) -> None:
    """Give each box its layer and its place in it; all sources stand in the last layer."""
    layers = _layers(nodes)
    last = max(layers.values())
    for name, node in nodes.items():
        node.layer = last if node.kind == "source" else layers[name]
    for layer in range(last + 1):
        top = float(_EDGE)
        for node in sorted((n for n in nodes.values() if n.layer == layer), key=_mean_place(nodes)):
            node.top = top
            top += node.height + _BETWEEN


def _layers(nodes: Mapping[str, _Node]) -> dict[str, int]:
    """Return how far each box is from the result, on the longest way."""
    graph = TopologicalSorter({name: node.users for name, node in nodes.items()})
    layers: dict[str, int] = {}
    for name in graph.static_order():
        layers[name] = max((layers[user] + 1 for user in nodes[name].users), default=0)
    return layers


def _mean_place(nodes: Mapping[str, _Node]) -> Any:  # noqa: ANN401 - a key for sorting
    def mean(node: _Node) -> float:
        tops = [nodes[user].top for user in node.users]
        return sum(tops) / len(tops) if tops else 0.0

    return mean


def _edge(user: _Node, node: _Node) -> str:
    x1, y1 = user.left + _WIDTH, user.top + user.height / 2
    x2, y2 = node.left, node.top + node.height / 2
    bend = _GAP / 2
    curve = f"C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
    return f'<path d="M{x1:g} {y1:g}{curve}"/>'


def _box(node: _Node) -> str:
    dashes = ' stroke-dasharray="4 3"' if _FILLS[node.kind] == _FILLS["assumption"] else ""
    whole = "; ".join(filter(None, (node.name, *node.says)))
    bold = len(_cut(node.name, _BOLD))
    lines = [
        f'<text x="{node.left + _PAD:g}" y="{node.top + _PAD + _LINE * (row + 0.8):g}" '
        f'class="{"name" if row < bold else "said"}">{escape(line)}</text>'
        for row, line in enumerate(node.lines)
    ]
    linked = node.url.startswith(("http://", "https://"))
    return "\n".join(
        [
            "<g>",
            f"<title>{escape(whole)}</title>",
            f'<rect x="{node.left:g}" y="{node.top:g}" width="{_WIDTH}" height="{node.height:g}" '
            f'rx="4" fill="{_FILLS[node.kind]}"{dashes}/>',
            *([f'<a href="{escape(node.url)}">'] if linked else []),
            *lines,
            *(["</a>"] if linked else []),
            "</g>",
        ]
    )


@cache  # the same facts stand in many drawings
def _cut(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, max_lines=_LINES, placeholder=" …")


def _summary(top: _Node, nodes: Iterable[_Node]) -> str:
    kinds = [node.kind for node in nodes if node is not top]
    counts = [f"{kinds.count(kind)} {_plural(kind, kinds.count(kind))}" for kind in _FILLS]
    known = [text for text in counts if not text.startswith("0 ")]
    return f"{top.name}: {top.says[0]}. It rests on {', '.join(known) or 'nothing'}."


def _plural(kind: str, count: int) -> str:
    return kind if count == 1 or kind in ("series", "records") else f"{kind}s"
