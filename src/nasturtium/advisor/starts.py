"""Baselines: what to run before any network is designed."""

from nasturtium.advisor.plan import Start
from nasturtium.advisor.situation import Situation
from nasturtium.classical import applicable

TREES = "Grinsztajn et al. 2022, Why do tree-based models still outperform deep learning (arXiv:2207.08815)"
SIMPLE = "scikit-learn; the protocol of Nasturtium runs it on the same split as every network"
CLASSICAL = {
    "majority": "What guessing the commonest class gives: nothing below it is worth anything.",
    "mean": "What guessing the mean gives: nothing below it is worth anything.",
    "logistic": "Linear: quick, small, each weight can be read, and often enough.",
    "ridge": "Linear: quick, small, each weight can be read, and often enough.",
    "svc": "A kernel machine: strong on a few thousand rows without any design.",
    "svr": "A kernel machine: strong on a few thousand rows without any design.",
    "boosting": "Gradient-boosted trees: on tables the one to beat.",
}
OTHERS: dict[str, tuple[Start, ...]] = {
    "forecasting": (
        Start("seasonal-naive", "The value one season ago: many networks do not beat it.",
              "Hyndman and Athanasopoulos 2021, Forecasting: principles and practice, section 5.2"),
        Start("linear", "One linear layer from the past to the future (DLinear).",
              "Zeng et al. 2023, Are Transformers effective for time series forecasting? (arXiv:2205.13504)"),
    ),
    "segmentation": (
        Start("threshold", "A threshold on colour, or a forest on each pixel's neighbourhood: hours, not days.",
              "Shotton et al. 2009, TextonBoost, IJCV 81"),
        Start("small-u-net", "A U-Net of 16 channels: the network to beat.",
              "Ronneberger et al. 2015, U-Net (arXiv:1505.04597)"),
    ),
    "detection": (
        Start("pretrained-detector", "A published detector, not trained further: it says how hard the data is.",
              "Lin et al. 2014, Microsoft COCO (arXiv:1405.0312)"),
    ),
    "language-modelling": (
        Start("n-gram", "An interpolated 5-gram model: minutes, and a perplexity to beat.",
              "Chen and Goodman 1999, An empirical study of smoothing techniques, Computer Speech & Language 13"),
    ),
    "generation": (
        Start("nearest-examples", "Training examples, shown again: what memorising alone would score.",
              "Theis et al. 2016, A note on the evaluation of generative models (arXiv:1511.01844)"),
    ),
}  # fmt: skip
BAG = Start("bag-of-words", "TF-IDF and a linear classifier: seconds, and hard to beat on short texts.",
            "Joulin et al. 2017, Bag of tricks for efficient text classification (arXiv:1607.01759)")  # fmt: skip
DEGREE = Start("features-only", "A model on the nodes' own features without edges: says whether the graph helps.",
               "Shchur et al. 2018, Pitfalls of graph neural network evaluation (arXiv:1811.05868)")  # fmt: skip


def starts(situation: Situation) -> tuple[Start, ...]:
    """In the order in which they should be run."""
    if situation.trains:
        simple = applicable(situation.task, situation.rows)
        found = [Start(one.name, CLASSICAL[one.name], _source(one.name, situation)) for one in simple]
        if situation.modality == "sequence":
            found.append(ROCKET)
        if situation.need.get("interpretable"):  # what a person can follow first
            found.sort(key=lambda one: one.name not in ("majority", "mean", "logistic", "ridge"))
        return tuple(found)
    if situation.kind in OTHERS:
        return OTHERS[situation.kind]
    return (BAG,) if situation.modality == "text" else (DEGREE,)


ROCKET = Start("rocket", "Random convolutions and a linear classifier: minutes, and near the best (not built in here).",
               "Dempster et al. 2020, ROCKET (arXiv:1910.13051)")  # fmt: skip


def _source(name: str, situation: Situation) -> str:
    return TREES if name == "boosting" and situation.modality == "table" else SIMPLE
