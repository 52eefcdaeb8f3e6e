"""Published settings, number by number: those of the papers, of the authors' code, and of NAS-Bench-201."""

from dataclasses import asdict
from typing import Any

import pytest

from nasturtium.space import Space
from nasturtium.strategies import EnasController
from nasturtium.supernet.beta_darts import beta_darts
from nasturtium.supernet.bilevel import Bilevel, Settings
from nasturtium.supernet.darts import darts
from nasturtium.supernet.drnas import PROGRESSIVE, drnas
from nasturtium.supernet.enas import Enas
from nasturtium.supernet.evolution import Evolution
from nasturtium.supernet.fair_darts import fair_darts
from nasturtium.supernet.fairnas import FairNas
from nasturtium.supernet.gdas import gdas
from nasturtium.supernet.once_for_all import OnceForAll
from nasturtium.supernet.pc_darts import pc_darts
from nasturtium.supernet.sandwich import BigNas
from nasturtium.supernet.snas import snas, snas_nasbench201
from nasturtium.supernet.spos import Spos
from nasturtium.training import Recipe

DARTS = {
    "epochs": 50,
    "batch_size": 64,
    "train_share": 0.5,
    "lr": 0.025,
    "lr_min": 0.001,
    "momentum": 0.9,
    "nesterov": False,
    "weight_decay": 3e-4,
    "clip": 5.0,
    "arch_lr": 3e-4,
    "arch_betas": (0.5, 0.999),
    "arch_weight_decay": 1e-3,
    "architecture_first": True,
}
NASBENCH201 = DARTS | {"nesterov": True, "weight_decay": 5e-4, "architecture_first": False}
"""AutoDL-Projects, configs/nas-benchmark/algos."""
SEARCHES: dict[str, tuple[Bilevel, dict[str, Any]]] = {
    "darts": (darts(), DARTS),
    "darts, NAS-Bench-201": (darts(Settings.nasbench201()), NASBENCH201),
    "gdas": (gdas(), NASBENCH201 | {"epochs": 250}),
    "pc-darts": (pc_darts(), DARTS | {"batch_size": 256, "lr": 0.1, "lr_min": 0.0, "arch_lr": 6e-4}),
    "drnas": (drnas(), DARTS | {"epochs": 100}),
    "drnas, decay of another size": (drnas(scale=0.1), DARTS | {"epochs": 100, "arch_weight_decay": 0.1}),
    "drnas, divergence": (drnas(anchor="kl"), DARTS | {"epochs": 100, "arch_weight_decay": 0.0}),
    "beta-darts": (beta_darts(), DARTS | {"epochs": 100}),
    "fair-darts": (
        fair_darts(),
        DARTS | {"batch_size": 128, "lr": 0.005, "arch_lr": 3e-3, "arch_betas": (0.9, 0.999)},
    ),
    "snas": (snas(), DARTS | {"epochs": 150, "train_share": 1.0}),
    "snas, NAS-Bench-201": (snas_nasbench201(), DARTS | {"epochs": 100}),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_settings_of_searches_by_gradients(name: str) -> None:
    search, wanted = SEARCHES[name]
    assert asdict(search.settings) == wanted


def test_temperatures_and_penalties() -> None:
    def options(part: Any) -> dict[str, float]:
        return dict(part.keywords)

    assert options(gdas().relax) == {"hot": 10.0, "cold": 0.1}
    assert options(snas().relax) == {"hot": 1.0, "cold": 0.03}
    assert options(snas_nasbench201().relax) == {"hot": 10.0, "cold": 1.0}
    assert options(beta_darts().penalty) == {"weight": 50.0}
    assert options(fair_darts().penalty) == {"weight": 10.0}
    assert options(fair_darts().probabilities) == {"threshold": 0.85}
    assert options(drnas(anchor="kl").penalty) == {"scale": 1e-3}


def test_stages() -> None:
    assert [asdict(stage) for stage in drnas(stages=PROGRESSIVE).stages] == [
        {"share": 1.0, "keep": None, "partial": 4, "frozen": 0.2},
        {"share": 1.0, "keep": 3, "partial": 2, "frozen": 0.2},
    ]
    assert [asdict(stage) for stage in pc_darts().stages] == [
        {"share": 1.0, "keep": None, "partial": 4, "frozen": 0.3}  # 15 of 50 epochs
    ]


def test_recipes_of_searches_by_paths() -> None:
    def sgd(lr: float, decay: float, epochs: int, batch: int, smoothing: float = 0.0, **more: Any) -> Recipe:
        return Recipe("sgd", lr, decay, 0.9, "cosine", more.pop("warmup", 0.0), epochs, batch, smoothing, **more)

    micro = Enas.original_micro(EnasController.original().policy)
    assert Spos.original().recipe == sgd(0.5, 4e-5, 120, 1024, 0.1)
    assert FairNas.original().recipe == sgd(0.045, 4e-5, 150, 256, clip=5.0)
    assert OnceForAll.original().recipe == sgd(2.6, 3e-5, 590, 2048, 0.1, warmup=None)
    assert micro.recipe == sgd(0.05, 1e-4, 150, 160, clip=5.0)
    assert (micro.steps, micro.samples, micro.final, micro.held) == (30, 10, 10, 0.1)


def test_numbers_of_searches_by_paths(path_space: Space) -> None:
    paper = {"population": 50, "generations": 20, "top": 10, "crossovers": 25, "mutations": 25, "rate": 0.1}
    for method in (Spos(), FairNas(), OnceForAll(), BigNas()):
        assert asdict(method.evolution) == paper == asdict(Evolution())
    phases = OnceForAll().phases(path_space)
    assert [phase.rate for phase in phases] == [1.0, 0.37, 0.03, 0.09, 0.03, 0.09]
    assert (OnceForAll().distillation, BigNas().between) == (1.0, 2)
    enas = Enas(EnasController().policy)
    assert (enas.steps, enas.samples, enas.final) == (None, 20, 100)
