"""Shared by all tests: one thread per process, because two contending OpenMP pools are thirty times slower."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; tests that need it skip, saying so, where it is missing."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("NASTURTIUM_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"the real data folder {folder} is not here (set NASTURTIUM_DATA)")
    return folder
