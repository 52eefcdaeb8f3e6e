from pathlib import Path

import pytest
import torch
from torch import nn

from nasturtium.errors import RunError
from nasturtium.training import load_checkpoint, read_metadata, save_checkpoint, seeded


def _network(width: int = 4) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width)).to(memory_format=torch.channels_last)


def test_weights_buffers_and_metadata_come_back(tmp_path: Path) -> None:
    network = _network()
    network(torch.randn(8, 1, 5, 5))
    save_checkpoint(network, tmp_path / "a.safetensors", {"epochs": 3, "name": "é"})
    other = _network()
    assert load_checkpoint(other, tmp_path / "a.safetensors") == {"epochs": 3, "name": "é"}
    assert read_metadata(tmp_path / "a.safetensors")["epochs"] == 3
    for (name, a), (_, b) in zip(network.state_dict().items(), other.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


def test_an_absent_damaged_or_unfit_checkpoint_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="does not exist"):
        load_checkpoint(_network(), tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"not a checkpoint")
    with pytest.raises(RunError, match="is damaged or no safetensors file"):
        load_checkpoint(_network(), tmp_path / "bad.safetensors")
    save_checkpoint(_network(5), tmp_path / "wide.safetensors")
    with pytest.raises(RunError, match="does not fit this network"):
        load_checkpoint(_network(4), tmp_path / "wide.safetensors")


def test_seeded_gives_the_same_weights_and_leaves_the_global_generator_alone() -> None:
    state = torch.get_rng_state()
    with seeded(3):
        first = nn.Linear(3, 3).weight
    with seeded(3):
        second = nn.Linear(3, 3).weight
    with seeded(4):
        third = nn.Linear(3, 3).weight
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    assert torch.equal(torch.get_rng_state(), state)
