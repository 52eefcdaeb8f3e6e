"""HTML from plain text. Whatever comes from data passes through `text`, so that no name of a class becomes markup."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

NUMBER_AND_UNIT = re.compile(r"(?<=\d) (?=%|(?:ms|s|min|h|B|KB|MB|GB|k|M|G|points?)\b)")
VERBATIM = ("pre", "code", "script")


@dataclass(frozen=True)
class Html:
    """Text that is markup already."""

    markup: str

    def __str__(self) -> str:
        return self.markup


Cell = str | Html


def text(value: Cell) -> str:
    """Escaped, unless it is markup."""
    return value.markup if isinstance(value, Html) else escape(value, quote=True)


def prose(value: Cell) -> str:
    """The same; a number and its unit are not parted at the end of a line."""
    return value.markup if isinstance(value, Html) else NUMBER_AND_UNIT.sub("\u00a0", escape(value, quote=True))


def element(name: str, *parts: Cell, **attributes: str) -> Html:
    """`<name attribute="…">parts</name>`. A trailing underscore of an attribute goes (`class_`)."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items() if value
    )
    write = text if name in VERBATIM else prose
    return Html(f"<{name}{given}>{''.join(map(write, parts))}</{name}>")


def joined(*parts: Cell) -> Html:
    return Html("\n".join(text(part) for part in parts if str(part)))


def section(title: str, anchor: str, *parts: Cell) -> Html:
    """A titled part of the page; nothing if all parts are empty."""
    kept = [part for part in parts if str(part)]
    return element("section", element("h2", title), *kept, id=anchor) if kept else Html("")


def bullets(lines: Sequence[str]) -> Html:
    return element("ul", *(element("li", line) for line in lines)) if lines else Html("")


def table(
    head: Sequence[str], rows: Sequence[Sequence[Cell]], numeric: Sequence[int] = (), marked: Sequence[int] = ()
) -> Html:
    """numeric: columns that are set to the right. marked: rows that stand out."""
    if not rows:
        return Html("")

    def row(cells: Sequence[Cell], kind: str, mark: str = "") -> Html:
        made = [element(kind, cell, class_="number" if k in numeric else "") for k, cell in enumerate(cells)]
        return element("tr", *made, class_=mark)

    body = [row(cells, "td", "marked" if k in marked else "") for k, cells in enumerate(rows)]
    whole = element("table", element("thead", row(head, "th")), element("tbody", *body))
    return element("div", whole, class_="scroll")


def caption(line: Cell) -> Html:
    return element("p", line, class_="caption") if str(line) else Html("")
