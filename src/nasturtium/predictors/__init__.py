"""Predictors: surrogates of trained scores, how well they rank, and what a learning curve will come to."""

from nasturtium.predictors._surrogate import Fitted, Surrogate
from nasturtium.predictors.boosting import Boosting
from nasturtium.predictors.correlation import Correlation, correlate, correlations, cross_validated, useful
from nasturtium.predictors.features import Assembly, assemble
from nasturtium.predictors.forest import Forest
from nasturtium.predictors.graph_network import GraphNetwork
from nasturtium.predictors.mlp_ensemble import MlpEnsemble

__all__ = [
    "Assembly",
    "Boosting",
    "Correlation",
    "Fitted",
    "Forest",
    "GraphNetwork",
    "MlpEnsemble",
    "Surrogate",
    "assemble",
    "correlate",
    "correlations",
    "cross_validated",
    "useful",
]
