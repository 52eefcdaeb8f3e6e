"""The benchmarks by name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from nasturtium.bench.nb201 import load_nb201
from nasturtium.bench.problem import Benchmark

Loader = Callable[[Path, str | None, int | None], Benchmark]
"""Data folder, protocol (None: the benchmark's first) and most queries (None: the benchmark's own) to benchmark."""

BENCHMARKS: Mapping[str, Loader] = MappingProxyType({"nb201": load_nb201})
