"""Predictors: surrogates of trained scores, how well they rank, and what a learning curve will come to."""

from nasturtium.predictors._curve_shape import Shape, learn_shape
from nasturtium.predictors._segments import ladder
from nasturtium.predictors._surrogate import Fitted, Surrogate
from nasturtium.predictors.boosting import Boosting
from nasturtium.predictors.correlation import Correlation, correlate, correlations, cross_validated, useful
from nasturtium.predictors.curves import CurveModel, are_telling, extrapolate
from nasturtium.predictors.features import Assembly, assemble
from nasturtium.predictors.forest import Forest
from nasturtium.predictors.graph_network import GraphNetwork
from nasturtium.predictors.mlp_ensemble import MlpEnsemble
from nasturtium.predictors.power_law import power_law

__all__ = [
    "Assembly",
    "Boosting",
    "Correlation",
    "CurveModel",
    "Fitted",
    "Forest",
    "GraphNetwork",
    "MlpEnsemble",
    "Shape",
    "Surrogate",
    "are_telling",
    "assemble",
    "correlate",
    "correlations",
    "cross_validated",
    "extrapolate",
    "ladder",
    "learn_shape",
    "power_law",
    "useful",
]
