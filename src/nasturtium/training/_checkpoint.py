"""Weights on disk: safetensors only, nothing is unpickled."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from nasturtium.errors import RunError


def save_checkpoint(network: nn.Module, path: str | Path, metadata: Mapping[str, Any] | None = None) -> None:
    """Write weights and buffers, with `metadata` as JSON in the header. The file appears whole or not at all."""
    save_tensors(network.state_dict(), path, metadata)


def load_checkpoint(network: nn.Module, path: str | Path) -> dict[str, Any]:
    """Read the weights into `network` and return the metadata. Raises `RunError` if absent, damaged or unfit."""
    tensors, metadata = load_tensors(path)
    try:
        with torch.no_grad():
            network.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise RunError(f"The checkpoint {path} does not fit this network: {error}") from error
    return metadata


def save_tensors(tensors: Mapping[str, Tensor], path: str | Path, metadata: Mapping[str, Any] | None = None) -> None:
    """Write named tensors, with `metadata` as JSON in the header. The file appears whole or not at all."""
    path = Path(path)
    held = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    safetensors.torch.save_file(held, partial, metadata={"nasturtium": json.dumps(dict(metadata or {}))})
    os.replace(partial, path)


def load_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `save_tensors` wrote, on the CPU. Raises `RunError` if the file is absent or damaged."""
    path = Path(path)
    if not path.is_file():
        raise RunError(f"The checkpoint {path} does not exist.")
    try:
        return safetensors.torch.load_file(path), read_metadata(path)
    except (safetensors.SafetensorError, json.JSONDecodeError) as error:
        raise RunError(f"The checkpoint {path} is damaged or no safetensors file: {error}.") from error


def read_metadata(path: str | Path) -> dict[str, Any]:
    """The metadata alone, without reading the weights."""
    with safetensors.safe_open(str(path), framework="pt") as file:
        return json.loads((file.metadata() or {}).get("nasturtium", "{}"))
