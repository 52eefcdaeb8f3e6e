"""The bundled knowledge base: complete, sourced, and its counted figures counted again."""

import re
import tomllib
from importlib import resources
from math import prod
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.advisor.knowledge import Known, load_knowledge
from nasturtium.blocks import build, counted
from nasturtium.errors import KnowledgeError
from nasturtium.schedulers import SCHEDULERS
from nasturtium.strategies import STRATEGIES
from nasturtium.supernet.registry import ONE_SHOT
from nasturtium.task import Signal, Task
from nasturtium.zoo.genotypes import GENOTYPES
from nasturtium.zoo.known import MAKERS, build_known

KNOWLEDGE = load_knowledge()
COUNTED = [known for known in KNOWLEDGE.architectures if known.counted]

# Params and multiply-accumulates of the same networks in torchvision 0.29 and timm 1.0.31, counted there with
# torch's FlopCounterMode.
ELSEWHERE = {
    "convnext-atto": (3_695_520, 547_332_480),
    "convnext-tiny": (28_589_128, 4_455_531_264),
    "deit-small": (22_050_664, 4_598_882_304),
    "deit-tiny": (5_717_416, 1_253_683_200),
    "efficientnet-b0": (5_288_548, 385_814_752),
    "efficientnet-lite0": (4_652_008, 385_187_552),
    "mobilenet-v1": (4_231_976, 568_740_352),
    "mobilenet-v2": (3_504_872, 300_774_272),
    "mobilenet-v3-large": (5_483_032, 216_589_760),
    "mobilenet-v3-small": (2_542_856, 56_510_400),
    "mobilenet-v4-conv-small": (3_774_024, 186_005_568),
    "regnetx-200mf": (2_684_792, 199_039_872),
    "resnet-18": (11_689_512, 1_814_073_344),
    "resnet-50": (25_557_032, 4_089_184_256),
}


def task_of(known: Known) -> Task:
    """The task of the published configuration."""
    assert known.outputs is not None
    shape = tuple(map(int, known.input.split("x")))
    kind = "regression" if known.outputs == 1 else "classification"
    return Task(kind, Signal(known.modalities[0], shape), known.outputs, "accuracy")  # type: ignore[arg-type]


@pytest.mark.parametrize("known", COUNTED, ids=lambda known: known.name)
def test_a_counted_figure_is_what_is_counted(known: Known) -> None:
    assert known.builder is not None
    task = task_of(known)
    counts = counted(build_known(known.builder, task).tree.lower(task.input), task.input)
    assert (counts.params, counts.macs) == (known.params, known.macs)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_counted_figure_is_that_of_another_library(name: str) -> None:
    known = KNOWLEDGE.architecture(name)
    assert (known.params, known.macs) == ELSEWHERE[name]


def test_ft_transformer_has_the_weights_of_its_authors_default() -> None:
    """yandex-research/rtdl, FTTransformer.make_default(n_num_features=8): by hand."""
    tokens, class_token, head = 2 * 8 * 192, 192, 2 * 192 + 193
    attention, network = 4 * (192 * 192 + 192), 192 * 512 + 512 + 256 * 192 + 192
    norms = 5 * 2 * 192  # the first block has no normalisation before its attention
    weights = tokens + class_token + 3 * (attention + network) + norms + head
    assert KNOWLEDGE.architecture("ft-transformer").params == weights


@pytest.mark.parametrize("known", [one for one in COUNTED if one.family != "recurrent"], ids=lambda known: known.name)
def test_the_built_network_has_as_many_params_and_macs_as_counted(known: Known) -> None:
    """The module itself, with torch's counter; without weights, so that large ones are quick, too."""
    task = task_of(known)
    with torch.device("meta"):
        network = build(build_known(str(known.builder), task).tree.lower(task.input), task.input).eval()
        rows = torch.zeros(2, *task.input.tensor_shape)
    assert sum(weight.numel() for weight in network.parameters()) == known.params
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        assert network(rows).shape == (2, task.outputs)
    assert counter.get_total_flops() == 2 * 2 * known.macs  # type: ignore[operator]


@pytest.mark.parametrize(("name", "gates"), [("lstm", 4), ("gru", 3)])
def test_recurrent_networks_are_counted_by_their_gates(name: str, gates: int) -> None:
    """Torch's counter does not look into recurrent kernels: each step multiplies with every weight once."""
    known = KNOWLEDGE.architecture(name)
    task = task_of(known)
    network = build(build_known(name, task).tree.lower(task.input), task.input)
    assert network(torch.zeros(2, *task.input.tensor_shape)).shape == (2, task.outputs)
    assert sum(weight.numel() for weight in network.parameters()) == known.params
    assert known.macs == 784 * gates * 128 * (1 + 128) + 128 * 10


def test_it_holds_what_the_advisor_needs() -> None:
    assert len(KNOWLEDGE.architectures) >= 40
    assert len(KNOWLEDGE.rules) >= 15
    assert len(KNOWLEDGE.pitfalls) >= 12
    kinds = {(task, modality) for one in KNOWLEDGE.architectures for task in one.tasks for modality in one.modalities}
    assert kinds >= {
        ("classification", "image"), ("multi-label", "image"), ("regression", "image"), ("segmentation", "image"),
        ("detection", "image"), ("generation", "image"), ("classification", "table"), ("regression", "table"),
        ("classification", "vector"), ("classification", "sequence"), ("forecasting", "sequence"),
        ("classification", "text"), ("language-modelling", "text"), ("classification", "graph"),
        ("classification", "audio"),
    }  # fmt: skip
    topics = {rule.topic for rule in KNOWLEDGE.rules}
    assert topics >= {"skip connections", "width and depth", "attention", "activation", "normalisation", "resolution"}
    assert len({one.builder for one in KNOWLEDGE.architectures if one.builder}) >= 15


def test_every_device_class_has_architectures_and_every_known_network_an_entry() -> None:
    for kind in ("microcontroller", "phone", "single-board", "laptop", "cpu-server", "gpu", "tpu"):
        assert sum(kind in one.devices and one.builder is not None for one in KNOWLEDGE.architectures) >= 3, kind
    assert {one.builder for one in KNOWLEDGE.architectures} - {None} == set(MAKERS)


def test_every_record_names_its_source_with_a_year_or_an_address() -> None:
    records = (
        *KNOWLEDGE.architectures,
        *KNOWLEDGE.genotypes,
        *KNOWLEDGE.strategies,
        *KNOWLEDGE.rules,
        *KNOWLEDGE.pitfalls,
    )
    unsourced = [
        one.name for one in records if not re.search(r"(19|20)\d\d|arXiv:|\.com|coral\.ai|design\.md", one.source)
    ]
    assert unsourced == []
    assert len({(type(one), one.name) for one in records}) == len(records)


def test_published_results_are_possible() -> None:
    for one in (*KNOWLEDGE.architectures, *KNOWLEDGE.genotypes, *KNOWLEDGE.strategies):
        for result in one.results:
            assert result.value > 0, one.name
            if "(%)" in result.metric:
                assert result.value < 100, one.name
            assert result.spread is None or 0 <= result.spread < result.value


def test_an_architecture_without_a_count_or_source_says_nothing() -> None:
    for known in KNOWLEDGE.architectures:
        assert 1950 <= known.year <= 2026
        if known.counted:
            assert None not in (known.builder, known.params, known.macs, known.outputs)
            assert prod(task_of(known).input.shape) > 0
        assert known.params is None or known.params > 0
        assert known.macs is None or known.macs > 0


def test_found_cells_are_those_of_the_zoo() -> None:
    assert {one.genotype for one in KNOWLEDGE.genotypes} == set(GENOTYPES)
    for one in KNOWLEDGE.genotypes:
        cell = GENOTYPES[one.genotype]
        assert one.space == cell.space
        assert one.params == pytest.approx(cell.params_m * 1e6, rel=0.03)  # DrNAS: 4.1 M in its README, 4.0 M counted


def test_strategies_are_called_as_on_the_command_line() -> None:
    one_shot = {one.name for one in KNOWLEDGE.strategies if one.kind == "one-shot"}
    assert one_shot == set(ONE_SHOT)
    multi_trial = {one.name for one in KNOWLEDGE.strategies if one.kind == "multi-trial"}
    assert multi_trial == set(STRATEGIES) - {"auto", "llm"}
    assert {one.name for one in KNOWLEDGE.strategies} - one_shot - multi_trial <= set(SCHEDULERS)


def test_every_rule_says_when_it_applies() -> None:
    assert all(any(vars(rule.conditions).values()) for rule in KNOWLEDGE.rules)


def test_a_record_is_found_by_name() -> None:
    assert KNOWLEDGE.architecture("ResNet_18").params == 11_689_512
    assert KNOWLEDGE.strategy("regularized_evolution").kind == "multi-trial"
    with pytest.raises(
        KnowledgeError, match=r"^The knowledge base has no architecture 'resnet-19'\. Did you mean 'res"
    ):
        KNOWLEDGE.architecture("resnet-19")


def test_the_files_are_part_of_the_package() -> None:
    folder = resources.files("nasturtium.advisor.knowledge")
    files = [one for one in folder.iterdir() if one.name.endswith(".toml")]
    assert len(files) >= 8
    assert KNOWLEDGE.dated == max(tomllib.loads(one.read_text(encoding="utf-8"))["dated"] for one in files)


def test_a_wheel_contains_them(tmp_path: Path) -> None:
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed here")
    root = Path(__file__).resolve().parents[2]
    builder = wheel.WheelBuilder(str(root))
    packed = {Path(one.distribution_path).as_posix() for one in builder.recurse_included_files()}
    sources = root / "src"
    for data in (sources / "nasturtium").rglob("*.toml"):
        assert data.relative_to(sources).as_posix() in packed
