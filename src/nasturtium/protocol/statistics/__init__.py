"""Pure functions on numbers: what can be said with what certainty."""

from nasturtium.protocol.statistics.best_of import BestOf as BestOf
from nasturtium.protocol.statistics.best_of import expected_best as expected_best
from nasturtium.protocol.statistics.crossed import Crossed as Crossed
from nasturtium.protocol.statistics.crossed import crossed as crossed
from nasturtium.protocol.statistics.holm import holm as holm
from nasturtium.protocol.statistics.intervals import Interval as Interval
from nasturtium.protocol.statistics.intervals import Scale as Scale
from nasturtium.protocol.statistics.intervals import score_interval as score_interval
from nasturtium.protocol.statistics.paired import Comparison as Comparison
from nasturtium.protocol.statistics.paired import compare as compare
from nasturtium.protocol.statistics.resampled import ResampledTest as ResampledTest
from nasturtium.protocol.statistics.resampled import resampled_t_test as resampled_t_test
from nasturtium.protocol.statistics.row_values import RowValues as RowValues
from nasturtium.protocol.statistics.row_values import row_values as row_values

__all__ = [
    "BestOf",
    "Comparison",
    "Crossed",
    "Interval",
    "ResampledTest",
    "RowValues",
    "Scale",
    "compare",
    "crossed",
    "expected_best",
    "holm",
    "resampled_t_test",
    "row_values",
    "score_interval",
]
