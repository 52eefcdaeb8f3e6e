"""A network drawn as boxes in reading order: SVG made here, with rows that wrap."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

from nasturtium.report.numbers import count

BOX_WIDTH, GAP, ROW_GAP, MARGIN = 148, 26, 34, 4
LINE, HEAD, CHARACTERS, DETAILS = 15, 22, 21, 5
INK, QUIET, EDGE, FILL = "#1f2933", "#52606d", "#9aa5b1", "#ffffff"
STROKE = f'fill="none" stroke="{EDGE}" stroke-width="1.5"'
TINTS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Okabe and Ito's colours, which people with any colour vision tell apart."""
MOST_BOXES = 120


@dataclass(frozen=True)
class Box:
    """One part of the network. group: name of the stage it belongs to, "" for none. share: of all parameters."""

    name: str
    details: tuple[str, ...]
    group: str
    share: float


def draw(drawing: Mapping[str, Any], columns: int) -> str:
    """The drawing as an `<svg>`, `columns` boxes a row.

    drawing: {"name", "text", "shape", "params", "parts"} nested; parts of parts of the whole become boxes.
    """
    boxes = list(_boxes(drawing))
    if not boxes:
        return ""
    tints = {name: TINTS[k % len(TINTS)] for k, name in enumerate(dict.fromkeys(box.group for box in boxes))}
    rows = [boxes[start : start + columns] for start in range(0, len(boxes), columns)]
    width = MARGIN * 2 + columns * BOX_WIDTH + (columns - 1) * GAP
    parts: list[str] = []
    y, before = MARGIN + LINE, ""
    for number, row in enumerate(rows):
        height = HEAD + LINE * max(len(box.details) for box in row) + 14
        for column, box in enumerate(row):
            x = MARGIN + column * (BOX_WIDTH + GAP)
            parts += _box(box, x, y, height, tints[box.group], box.group != before)
            before = box.group
            if column + 1 < len(row):
                parts.append(_right(x + BOX_WIDTH, y + height / 2))
        if number + 1 < len(rows):
            last = MARGIN + (len(row) - 1) * (BOX_WIDTH + GAP) + BOX_WIDTH / 2
            parts.append(_wrapped(last, y + height, y + height + ROW_GAP))
        y += height + ROW_GAP
    name = escape(f"{drawing.get('name', 'The network')} as a diagram of {len(boxes)} parts", quote=True)
    return (
        f'<svg viewBox="0 0 {width} {y - ROW_GAP + MARGIN + 4}" role="img" aria-label="{name}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def _boxes(drawing: Mapping[str, Any]) -> Iterator[Box]:
    whole = max(int(drawing.get("params") or 0), 1)
    listed: list[tuple[Mapping[str, Any], str]] = []
    for part in drawing.get("parts") or [drawing]:
        inner: Sequence[Mapping[str, Any]] = part.get("parts") or ()
        listed += [(each, str(part["name"])) for each in inner] if inner else [(part, "")]
    for part, group in listed[:MOST_BOXES]:
        details = wrap(str(part.get("text") or ""), CHARACTERS)
        if len(details) > DETAILS - 1:
            details = [*details[: DETAILS - 2], details[DETAILS - 2][: CHARACTERS - 1] + "…"]
        if part.get("shape"):
            details.append("→ " + " × ".join(map(str, part["shape"])))
        params = int(part.get("params") or 0)
        details.append(f"{count(params)} params" if params else "no params")
        yield Box(str(part["name"]), tuple(details), group, params / whole)
    if len(listed) > MOST_BOXES:
        yield Box("…", (f"{len(listed) - MOST_BOXES} more parts",), "", 0.0)


def _box(box: Box, x: float, y: float, height: float, tint: str, named: bool) -> Iterator[str]:
    if box.group and named:
        yield _text(x, y - 5, box.group, 11, INK, "600")
    yield f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{height}" rx="6" fill="{FILL}" stroke="{EDGE}"/>'
    yield f'<rect x="{x}" y="{y}" width="4" height="{height}" rx="2" fill="{tint}"/>'
    yield _text(x + 12, y + 16, box.name[: CHARACTERS - 3], 12.5, INK, "600")
    for line, detail in enumerate(box.details):
        yield _text(x + 12, y + HEAD + 12 + LINE * line - 2, detail, 11, QUIET)
    length = (BOX_WIDTH - 20) * min(box.share, 1.0)
    if length > 0.5:  # how much of the network's parameters lives here
        yield f'<rect x="{x + 12}" y="{y + height - 7}" width="{length:.1f}" height="3" rx="1.5" fill="{tint}"/>'


def _text(x: float, y: float, words: str, size: float, colour: str, weight: str = "400") -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" fill="{colour}">{escape(words)}</text>'


def _right(x: float, y: float) -> str:
    """An arrow through the gap between two boxes."""
    tip = x + GAP - 7
    return f'<path d="M{x:g} {y:g} H{tip:g}" {STROKE}/><path d="M{tip:g} {y - 4:g} v8 l7 -4 z" fill="{EDGE}"/>'


def _wrapped(x: float, y: float, below: float) -> str:
    """An arrow from the last box of a row (its middle, bottom) to the first box of the next row."""
    middle, end, tip = y + (ROW_GAP - LINE) / 2, MARGIN + BOX_WIDTH - 20, below - 7
    line = f'<path d="M{x:g} {y:g} V{middle:g} H{end:g} V{tip:g}" {STROKE}/>'
    return line + f'<path d="M{end - 4:g} {tip:g} h8 l-4 7 z" fill="{EDGE}"/>'
