"""Devices, threads, precision and named randomness."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

from nasturtium.errors import UserError


def set_threads(count: int = 1) -> None:
    """Threads of this process. Workers on a CPU call it with 1: contending OpenMP pools are up to 30 times slower."""
    torch.set_num_threads(count)


def find_device(name: str = "auto") -> torch.device:
    """The device of that name; "auto" is the first CUDA device, or the CPU. Raises `UserError` if it is not here."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"Unknown device {name!r}: use 'auto', 'cpu', 'cuda' or 'cuda:0'.") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"Device {name!r} is not here: torch sees {torch.cuda.device_count()} CUDA devices. Use 'cpu'.")
    return device


def uses_bfloat16(precision: Literal["auto", "float32", "bfloat16"], device: torch.device) -> bool:
    """Should the forward pass run under bfloat16 autocast?

    "auto" never does on a CPU. Measured on an EPYC with avx512_bf16, one thread, 28 × 28 images, a step of 128 rows: a
    dense network of 2.7 M MACs 26 → 22 ms, depthwise-separable ones of 0.84 M MACs 23 → 55 and 30 → 71 ms.
    """
    if precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported()
    return precision == "bfloat16"


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA has a class for it; the CPU allocator raises a plain RuntimeError that says so."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def derive_seed(seed: int, name: str) -> int:
    """A seed for the purpose `name`, independent of the seeds of other purposes."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big") >> 1


def generator(seed: int, name: str) -> torch.Generator:
    """A CPU generator for the purpose `name`: the same numbers whatever the device."""
    return torch.Generator().manual_seed(derive_seed(seed, name))


@contextmanager
def seeded(seed: int, name: str = "init") -> Iterator[None]:
    """Torch's global generator seeded inside, and as it was outside. `with seeded(0): network = build(architecture)`"""
    devices = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(derive_seed(seed, name))
        yield
