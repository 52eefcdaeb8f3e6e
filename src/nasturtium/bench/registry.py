"""The benchmarks by name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from nasturtium.bench.nb201 import load_nb201
from nasturtium.bench.nb201_latency import load_nb201_latency
from nasturtium.bench.nb301 import load_nb301
from nasturtium.bench.nb_macro import load_nb_macro
from nasturtium.bench.problem import Benchmark
from nasturtium.bench.spiking import load_spiking

Loader = Callable[[Path, str | None, int | None], Benchmark]
"""Data folder, protocol (None: the benchmark's first) and most queries (None: the benchmark's own) to benchmark."""

BENCHMARKS: Mapping[str, Loader] = MappingProxyType(
    {
        "nb201": load_nb201,
        "nb201-latency": load_nb201_latency,
        "nb-macro": load_nb_macro,
        "spiking": load_spiking,
        "nb301": load_nb301,
    }
)
