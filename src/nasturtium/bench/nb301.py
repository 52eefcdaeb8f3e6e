"""A surrogate of the DARTS space: for speed and plumbing, not for claims (it ranks with 0.52 of the original).

Zela, Siems, Zimmer, Lukasik, Keuper and Hutter, "Surrogate NAS Benchmarks: Going Beyond the Limited Search Spaces of
Tabular NAS Benchmarks", ICLR 2022 (NAS-Bench-301); surrogate of YAHPO Gym (Pfisterer et al., AutoML 2022).
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from nasturtium.bench.files import find, fingerprint
from nasturtium.bench.metrics import Reached
from nasturtium.bench.plain import AFTER
from nasturtium.bench.problem import Benchmark, Problem, only
from nasturtium.errors import DataError, hint
from nasturtium.roles import Features, Outcome
from nasturtium.space import Architecture, Space, choice, encode
from nasturtium.trial import Fidelity, Objective

NAME, PROTOCOL = "nb301", "queries"
EPOCHS = 98
MOST_QUERIES = 100
INACTIVE = "#na#"


class Surrogate:
    """The surrogate as a function of decisions. space: of DARTS cells, 34 decisions, 24 of them conditional."""

    def __init__(self, model: Path, encoding: Path, config: Path) -> None:
        self._model = str(model)
        self._encoding: dict[str, dict[str, int]] = json.loads(encoding.read_text(encoding="utf-8"))
        described = json.loads(config.read_text(encoding="utf-8"))
        decisions = self._decisions(described, config.name)
        self.space = Space(tree(decisions, described["conditions"]), None, NAME)
        name_of = {id(decision): name for name, decision in decisions.items()}
        self._columns = [
            (
                list(self._encoding).index(name_of[id(named.decision)]),
                named.decision,
                self._encoding[name_of[id(named.decision)]],
            )
            for named in self.space.decisions
        ]

    def _decisions(self, described: dict[str, Any], where: str) -> dict[str, Any]:
        decisions = {}
        for one in described["hyperparameters"]:
            if one["type"] != "categorical":
                continue
            codes = self._encoding.get(one["name"])
            if codes is None:
                raise DataError(
                    f"The encoding has no column {one['name']!r} of {where!r}. {hint(one['name'], self._encoding)}"
                )
            for option in one["choices"]:
                if option not in codes:
                    raise DataError(
                        f"The encoding has no code for {option!r} of {one['name']!r}. {hint(option, codes)}"
                    )
            decisions[one["name"]] = choice(*one["choices"])
        return decisions

    def curve(self, architecture: Architecture, epochs: int) -> Float[np.ndarray, " epochs"]:
        """Validation accuracy in percent after each epoch."""
        row = np.zeros(len(self._encoding), dtype=np.int32)
        for (column, decision, codes), code in zip(self._columns, self.space.codes(architecture), strict=True):
            row[column] = codes[decision.value(code)] if code >= 0 else codes[INACTIVE]
        epoch = np.arange(1, epochs + 1, dtype=np.float32)[:, None]
        inputs = {"x_cat": np.repeat(row[None], epochs, axis=0), "x_cont": epoch}
        return np.asarray(_session(self._model).run(None, inputs)[0][:, 0], dtype=float) * 100.0


@lru_cache(maxsize=2)
def _session(model: str) -> Any:
    """Opened in the process that asks first: a session does not survive a fork."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def tree(decisions: dict[str, Any], conditions: list[dict[str, Any]]) -> Any:
    """Decisions in each other: a conditional one stands below the options of its parent that make it live.

    One that is live under several options is the same decision there.
    """
    below: dict[str, dict[str, list[str]]] = {}
    for condition in conditions:
        for option in condition["values"]:
            below.setdefault(condition["parent"], {}).setdefault(option, []).append(condition["child"])
    for parent, options in below.items():
        decision = decisions[parent]
        full = {key: (key, *(decisions[child] for child in options.get(key, ()))) for key in decision.keys}
        decisions[parent] = choice(**full)
    children = {condition["child"] for condition in conditions}
    short = {name: name.rpartition("_COLON_")[2] for name in decisions}
    return tuple((short[name], decision) for name, decision in decisions.items() if name not in children)


class SurrogateCandidates:
    """Every architecture of the space; fulfils `roles.Candidates`."""

    listed = None

    def __init__(self, space: Space) -> None:
        self.space = space

    def feasible(self, architecture: Architecture) -> bool:
        return True

    def sample(self, rng: np.random.Generator) -> Architecture:
        return self.space.sample(rng)

    def features(self, architecture: Architecture) -> Features:
        return {"encoding": np.asarray(encode(self.space.attach(architecture)), dtype=float)}


def load_nb301(folder: Path, protocol: str | None, queries: int | None) -> Benchmark:
    """Objective: validation accuracy in percent after 98 epochs. Raises `DataError` and `RunError`."""
    only(NAME, PROTOCOL, protocol)
    model = find(folder, "nb301_surrogate_yahpo_v2", (".onnx",))
    encoding, config = (find(folder, name, (".json",)) for name in ("nb301_encoding", "nb301_config_space"))
    surrogate = Surrogate(model, encoding, config)
    candidates = SurrogateCandidates(surrogate.space)

    def query(architecture: Architecture, fidelity: Fidelity, seed: int) -> Outcome:
        curve = surrogate.curve(architecture, fidelity.epochs)
        return Outcome({"val_accuracy": float(curve.max())}, curve=tuple(curve.tolist()), seconds=float(len(curve)))

    most = queries or MOST_QUERIES
    problem = Problem(
        benchmark=NAME,
        protocol=PROTOCOL,
        key="",
        objectives=(Objective("val_accuracy", "maximize"),),
        candidates=lambda seed: candidates,
        query=query,
        metrics=tuple(
            Reached(f"best_after_{count}", "maximize", "val_accuracy", count) for count in AFTER if count <= most
        ),
        trials=most,
        epochs=EPOCHS,
        curves=True,
    )
    return Benchmark(
        name=NAME,
        protocol=PROTOCOL,
        problems=lambda identity: (problem,),
        fingerprint=fingerprint(model, encoding, config),
        notes=("A weak surrogate: for speed and plumbing, not for claims.",),
    )
