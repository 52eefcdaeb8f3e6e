"""The table of NAS-Bench-201's cells, and the ways to tell cells apart.

Dong and Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search", ICLR 2020
(arXiv:2001.00326); labels of NATS-Bench (Dong et al., TPAMI 2021).
"""

from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from nasturtium.bench.candidates import Codes, Rows, TableSpace
from nasturtium.bench.files import column, find, numbers, read, refuse_duplicates
from nasturtium.blocks import NB201_OPERATIONS, NB201Cell
from nasturtium.blocks.canonical import canonical
from nasturtium.errors import DataError, hint
from nasturtium.hardware import CostModel, Lazy, LimitedCandidates, Limits
from nasturtium.roles import Features
from nasturtium.space import Architecture, choice
from nasturtium.task import Signal, Task

if TYPE_CHECKING:
    import pandas as pd

NAME = "nb201"
SETS = ("c10", "c100", "in16")
IDENTITIES = ("strings", "networks", "proxies")
PUBLISHED_PROXIES = (
    *("nwot", "synflow", "jacov"),
    *("epe_nas", "fisher", "grad_norm", "grasp", "l2_norm", "plain", "snip", "zen"),
)
CELL_INPUT = Signal("image", (16, 32, 32))
CIFAR = Task("classification", Signal("image", (3, 32, 32)), 10, "accuracy")
SOURCES = [["0"], ["0"], ["1"], ["0"], ["1"], ["2"]]
"""Where the six operations of a cell come from, in the order of its text."""


class Cells:
    """The table, and its rows as codes of six operations. Raises `DataError` for what is wrong with it."""

    def __init__(self, folder: Path) -> None:
        self.path = find(folder, NAME)
        self.where = repr(self.path.name)
        self.table = read(self.path)
        self.codes = cell_codes(self.table, self.where)
        self.row = {codes: row for row, codes in enumerate(self.codes)}

    def numbers(self, name: str, purpose: str) -> Float[np.ndarray, " rows"]:
        return numbers(self.table, name, self.where, purpose)

    def lookup(self, architecture: Architecture) -> int:
        """The row of an architecture: of the raw cell that was proposed, whatever it is equal to."""
        assert architecture.codes is not None
        return self.row[architecture.codes]

    def candidates(self, identity: str) -> Rows:
        """identity: "strings", where every cell is its own; "networks", where equal networks are one; "proxies", the
        same with published zero-cost scores among the features."""
        if identity != "proxies":
            return _candidates(identity, tuple(self.codes))
        networks = _candidates("networks", tuple(self.codes))
        return with_proxies(networks, self.codes, self._proxies())

    def _proxies(self) -> Float[np.ndarray, "rows proxies"]:
        """On CIFAR-10, by row of the table; NaN where nothing was published (NAS-Bench-Suite-Zero, Krishnakumar et al.
        2022, arXiv:2210.03230)."""
        path = find(self.path.parent, "nb201_zcproxies")
        table, where = read(path), repr(path.name)
        chosen = table[column(table, "dataset", where, "which names the data sets") == "cifar10"]
        row = {index: at for at, index in enumerate(column(self.table, "idx", self.where, "which joins the scores"))}
        scores = np.full((len(self.codes), len(PUBLISHED_PROXIES)), np.nan)
        at = [row[index] for index in column(chosen, "idx", where, "which names the cells")]
        for place, name in enumerate(PUBLISHED_PROXIES):
            scores[at, place] = numbers(chosen, name, where, "which is a proxy")
        return scores


def with_proxies(networks: Rows, codes: list[Codes], scores: Float[np.ndarray, "rows proxies"]) -> Rows:
    """The networks, each with the scores of whichever of its cells has them: equal networks have equal scores."""
    known: dict[str, Float[np.ndarray, " proxies"]] = {}
    for one, row in zip(codes, scores, strict=True):
        if np.isfinite(row).all():
            known.setdefault(networks.space.from_codes(one).arch_id, row)
    unknown = np.full(scores.shape[1], np.nan)

    def features(architecture: Architecture) -> Features:
        found = networks.features(architecture)
        groups = {group: partial(found.__getitem__, group) for group in found}
        return Lazy({**groups, "proxies": lambda: known.get(architecture.arch_id, unknown)})

    return Rows(networks.space, codes, features)


def cell_codes(table: "pd.DataFrame", where: str) -> list[Codes]:
    """Codes of the cells in the column `arch`. Raises `DataError` for unknown operations and cells that come twice."""
    texts = column(table, "arch", where, "which names the cells").astype(str).tolist()
    code = {name: place for place, name in enumerate(NB201_OPERATIONS)}
    codes = []
    for row, text in enumerate(texts):
        operations = [part.split("~") for node in text.split("+") for part in node.strip("|").split("|")]
        if [part[1:] for part in operations] != SOURCES:
            raise DataError(
                f"Row {row} of {where} has the cell {text!r}, which is not of the form "
                "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|. Write its six operations so."
            )
        for name, _ in operations:
            if name not in code:
                raise DataError(
                    f"Row {row} of {where} has the unknown operation {name!r} in {text!r}. {hint(name, code)}"
                )
        codes.append(tuple(code[name] for name, _ in operations))
    refuse_duplicates(codes, texts, where)
    return codes


@lru_cache(maxsize=4)
def _candidates(identity: str, codes: tuple[Codes, ...]) -> Rows:
    if identity == "strings":
        return Rows(TableSpace(tuple(choice(*NB201_OPERATIONS) for _ in range(6)), None, "nb201-strings"), codes)
    from nasturtium.zoo import nasbench201

    space = TableSpace(nasbench201(CIFAR), CIFAR, "nasbench201", _cell_text)
    return Rows(space, codes, LimitedCandidates(space, CostModel(space), Limits()).features)


def _cell_text(codes: Codes) -> str:
    """The cell's canonical form: all else is equal, and the whole network's takes ten times as long."""
    cell = NB201Cell(tuple(NB201_OPERATIONS[code] for code in codes))
    return canonical(cell.lower(CELL_INPUT), CELL_INPUT)
