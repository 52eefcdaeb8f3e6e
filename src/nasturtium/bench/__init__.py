"""The bench: strategies side by side on tables, where a search costs milliseconds."""

from nasturtium.bench.metrics import Course, Measured, Metric, Point, Reached, Until
from nasturtium.bench.plain import load_plain
from nasturtium.bench.problem import Benchmark, Problem
from nasturtium.bench.registry import BENCHMARKS
from nasturtium.bench.search import Searched, search
from nasturtium.bench.summary import Row, Summary

__all__ = [
    "BENCHMARKS",
    "Benchmark",
    "Course",
    "Measured",
    "Metric",
    "Point",
    "Problem",
    "Reached",
    "Row",
    "Searched",
    "Summary",
    "Until",
    "load_plain",
    "search",
]
