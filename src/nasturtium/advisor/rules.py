"""Rules: small functions from a situation to advice, in a plain list. Each says why, and on what it rests."""

from collections.abc import Callable, Iterator

from nasturtium.advisor.advice import Advice, Resolution, settled
from nasturtium.advisor.knowledge import DesignRule
from nasturtium.advisor.situation import UNEVEN, Situation

Rule = Callable[[Situation], Iterator[Advice]]
FEW, MANY = 1_000, 100_000
"""Rows."""
COVERED = ("trees-first-on-tables", "pretrained-when-rows-are-few", "depthwise-on-small-cpus",
           "full-convolutions-on-gpus", "memory-not-params-on-mcu")  # fmt: skip
"""Rules of the knowledge base that stand below as functions, since they may have to give way."""
MOST_KNOWN = 6
"""Rules of the knowledge base in one plan."""


def tables_start_with_trees(now: Situation) -> Iterator[Advice]:
    if now.modality == "table" and now.trains:
        yield Advice(
            "Fit gradient-boosted trees before any network, and take a network only where it is really better.",
            "On tables of this kind trees are hard to beat and take seconds.",
            "Grinsztajn et al. 2022 (arXiv:2207.08815); Shwartz-Ziv and Armon 2022 (arXiv:2106.03253)",
            2, "first model", "trees", {"mlp": 0.5},
        )  # fmt: skip


def interpretable_means_linear(now: Situation) -> Iterator[Advice]:
    if now.need.get("interpretable"):
        yield Advice(
            "Begin with a linear model, or a tree of few levels, and keep it unless the loss is too great.",
            "A person must be able to follow each decision, which no network allows.",
            "Rudin 2019, Stop explaining black box machine learning models (arXiv:1811.10154)",
            3, "first model", "linear",
        )  # fmt: skip


def few_rows_want_small_models(now: Situation) -> Iterator[Advice]:
    if now.trains and now.rows < FEW:
        yield Advice(
            "Prefer small networks, strong augmentation and several seeds; report intervals, not single scores.",
            f"With {now.rows:,} examples, about {now.score_rows:,} are left to compare networks on.",
            "Brigato and Iocchi 2021, A close look at deep learning with small data (arXiv:2003.12843)",
            2, "size", "small", {"lenet5": 0.6, "fcn": 0.4, "mlp": 0.4},
        )  # fmt: skip


def many_rows_want_capacity(now: Situation) -> Iterator[Advice]:
    if now.trains and now.rows >= MANY:
        yield Advice(
            "Use the size that the limits allow: capacity pays.",
            f"{now.rows:,} examples feed a large network.",
            "Kaplan et al. 2020 (arXiv:2001.08361); Tan and Le 2019, EfficientNet (arXiv:1905.11946)",
            2, "size", "large", {"mobilenetv2": 0.4, "resnet8": 0.2, "resnet-1d": 0.4, "tabular-resnet": 0.6},
        )  # fmt: skip


def images_want_residuals(now: Situation) -> Iterator[Advice]:
    if now.trains and now.modality == "image":
        yield Advice(
            "Use convolutions with batch normalisation and residual connections.",
            "Residual connections make depth trainable, and convolutions share what they learn over the image.",
            "He et al. 2016, Deep residual learning (arXiv:1512.03385)",
            2, prefers={"resnet8": 1.0},
        )  # fmt: skip


def small_devices_want_separable(now: Situation) -> Iterator[Advice]:
    if now.trains and now.target.kind in ("microcontroller", "phone", "single-board") and now.modality != "table":
        yield Advice(
            "Use depth-wise separable convolutions.",
            f"They need an eighth of the MACs of dense ones, and {now.target.title} is short of them.",
            "Howard et al. 2017, MobileNets (arXiv:1704.04861); Zhang et al. 2017 (arXiv:1711.07128)",
            2, "convolutions", "separable", {"ds-cnn": 1.5, "mobilenetv2": 1.4},
        )  # fmt: skip


def accelerators_want_dense(now: Situation) -> Iterator[Advice]:
    if now.trains and now.target.kind in ("gpu", "tpu") and now.modality != "table":
        yield Advice(
            "Use dense convolutions of at least 64 channels.",
            "Depth-wise ones leave a matrix unit idle: few multiplications for each number that is read.",
            "Ma et al. 2018, ShuffleNet V2 (arXiv:1807.11164)",
            2, "convolutions", "dense", {"resnet8": 0.8, "resnet-1d": 0.8, "ds-cnn": -0.8, "mobilenetv2": -0.4},
        )  # fmt: skip


def microcontrollers_watch_peak_memory(now: Situation) -> Iterator[Advice]:
    if now.target.kind == "microcontroller":
        yield Advice(
            "Quantise to int8, and watch the peak memory of the first layers, not parameters only.",
            "The first layers have the highest resolution and decide the peak.",
            "Lin et al. 2020, MCUNet (arXiv:2007.10319); Banbury et al. 2021, MLPerf Tiny (arXiv:2106.07597)",
            3,
        )  # fmt: skip


def imbalance_needs_another_metric(now: Situation) -> Iterator[Advice]:
    ratio = float(now.need.get("imbalance"))
    if now.kind in ("classification", "multi-label") and ratio >= UNEVEN:
        yield Advice(
            "Optimise a metric that sees every class (balanced accuracy, macro-F1), and look at each class's recall.",
            f"The commonest class is {ratio:.3g} times the rarest: accuracy rewards ignoring the rare ones.",
            "He and Garcia 2009, Learning from imbalanced data, IEEE TKDE 21",
            3, "metric", "balanced",
        )  # fmt: skip


def noise_needs_a_robust_recipe(now: Situation) -> Iterator[Advice]:
    noise = float(now.need.get("noise"))
    if noise >= 0.02:
        yield Advice(
            "Smooth the labels, stop early, and check the labels of the test rows by hand.",
            f"About {noise:.0%} of them are wrong: long trainings learn the mistakes by heart.",
            "Lukasik et al. 2020 (arXiv:2003.02819); Northcutt et al. 2021, Pervasive label errors (arXiv:2103.14749)",
            2, "training length", "short",
        )  # fmt: skip


def pretrained_beats_search_on_little_data(now: Situation) -> Iterator[Advice]:
    colour = now.modality == "image" and now.need.get("input")[0] == 3 and (now.side or 0) >= 64
    if now.rows < 20_000 and (colour or now.modality == "text") and now.target.kind != "microcontroller":
        yield Advice(
            "Fine-tune a published pretrained network, and compare everything with it.",
            f"With {now.rows:,} examples of natural images or text it is the strongest start there is. Nasturtium does "
            "not fine-tune published weights yet: use timm, torchvision or transformers for that.",
            "Kornblith et al. 2019, Do better ImageNet models transfer better? (arXiv:1805.08974)",
            2, "weights", "pretrained",
        )  # fmt: skip


def no_pretrained_weights_here(now: Situation) -> Iterator[Advice]:
    if not now.need.get("pretrained"):
        yield Advice(
            "Train from scratch.",
            "Published weights may not be used here.",
            "your requirement",
            3,
            "weights",
            "scratch",
        )


def licences_are_checked(now: Situation) -> Iterator[Advice]:
    if now.need.get("licence") == "permissive":
        yield Advice(
            "Train from scratch, or check the licence of the weights and of the data that they saw.",
            "Many published weights, and ImageNet itself, do not allow commercial use.",
            "ImageNet terms of access; each model's card",
            3, "weights", "scratch",
        )  # fmt: skip


def series_begin_with_short_networks(now: Situation) -> Iterator[Advice]:
    if now.trains and now.modality == "sequence":
        yield Advice(
            "Begin with a fully convolutional network; compare with random convolutions (ROCKET).",
            "Over a hundred archives of series, convolutions with global pooling did best among plain networks.",
            "Ismail Fawaz et al. 2019, Deep learning for time series classification (arXiv:1809.04356)",
            2, prefers={"fcn": 0.8, "resnet-1d": 0.9},
        )  # fmt: skip


def audio_becomes_spectrograms(now: Situation) -> Iterator[Advice]:
    if now.trains and now.modality == "audio":
        yield Advice(
            "Turn the sound into log-mel spectrograms first; then it is an image task here.",
            "Small networks on spectrograms are what keyword spotters on microcontrollers use.",
            "Zhang et al. 2017, Hello edge (arXiv:1711.07128)",
            2, prefers={"ds-cnn": 1.2},
        )  # fmt: skip


def long_lives_want_plain_networks(now: Situation) -> Iterator[Advice]:
    years = float(now.need.get("maintained_years"))
    if years >= 5:
        yield Advice(
            "Keep to convolutions, dense layers and ReLU, and archive data, seeds and the ONNX file with the code.",
            f"In {years:g} years it must be trained and run again, by others.",
            "Sculley et al. 2015, Hidden technical debt in machine learning systems, NeurIPS",
            1, prefers={"resnet8": 0.1, "fcn": 0.1, "mlp": 0.1, "lenet5": 0.1},
        )  # fmt: skip


def known_design_rules(now: Situation) -> Iterator[Advice]:
    """The rules of the knowledge base whose conditions hold here, the narrowest first; those in `COVERED` are left to
    the functions that weigh them."""
    held = [rule for rule in now.knowledge.rules if rule.name not in COVERED and _holds(rule, now)]
    for rule in sorted(held, key=lambda one: -_narrow(one))[:MOST_KNOWN]:
        yield Advice(rule.statement, rule.evidence, rule.source, 2)


def _holds(rule: DesignRule, now: Situation) -> bool:
    holds = rule.conditions.hold(
        task=now.kind, modality=now.modality, device=now.target.kind, rows=now.rows, side=now.side,
        params=now.bounds.limits.params,
    )  # fmt: skip
    return bool(holds)


def _narrow(rule: DesignRule) -> int:
    """How many conditions it has."""
    return sum(value not in (None, ()) for value in vars(rule.conditions).values())


RULES: tuple[Rule, ...] = (
    interpretable_means_linear,
    tables_start_with_trees,
    few_rows_want_small_models,
    many_rows_want_capacity,
    images_want_residuals,
    series_begin_with_short_networks,
    audio_becomes_spectrograms,
    small_devices_want_separable,
    accelerators_want_dense,
    microcontrollers_watch_peak_memory,
    imbalance_needs_another_metric,
    noise_needs_a_robust_recipe,
    no_pretrained_weights_here,
    licences_are_checked,
    pretrained_beats_search_on_little_data,
    long_lives_want_plain_networks,
    known_design_rules,
)


def advised(now: Situation) -> tuple[tuple[Advice, ...], tuple[Resolution, ...]]:
    """What all rules say, and what of it had to give way."""
    return settled(piece for rule in RULES for piece in rule(now))
