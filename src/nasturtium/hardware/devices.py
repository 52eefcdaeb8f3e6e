"""Devices that networks run on: what they hold and how fast they can be, one data file each in `devices/`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

from pydantic import ConfigDict

from nasturtium.errors import KnowledgeError, hint
from nasturtium.hardware.data_files import checked, parse_toml
from nasturtium.hardware.limits import Limits

DeviceKind = Literal["microcontroller", "phone", "single-board", "laptop", "cpu-server", "gpu", "tpu"]

THIS_MACHINE = "this-machine"
"""The name of no file: where the search runs and latency is measured."""
MICRO_SHARE = 0.75
"""Of a microcontroller's memory and flash that a network may have: the rest is the stack, buffers and the runtime."""
MEMORY_SHARE = 0.25
"""Of the memory of a device with an operating system that one network may have for its tensors."""


@dataclass(frozen=True)
class Speed:
    """Multiply-accumulates a second at most, in one numeric type. basis: how the figure was come by."""

    numeric_type: Literal["float32", "tf32", "bfloat16", "float16", "int16", "int8"]
    macs: float
    basis: str


@dataclass(frozen=True)
class Device:
    """A device, with the figures of its maker.

    memory_bytes: for tensors: SRAM of a microcontroller, RAM, or the memory of a GPU or TPU. flash_bytes: for
    programs and weights, None where files lie on a disk. speeds: peaks; a real network reaches a tenth to a half.
    bandwidth: bytes a second between memory and processor. cache_bytes: of the last level on the chip; None: no cache,
    or not found. numeric_types: those it computes in hardware. runtime: what runs networks there. power_w: of the
    device under load, None where no source was found. source: where the figures were published.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    name: str
    title: str
    kind: DeviceKind
    dated: str
    memory_bytes: float
    speeds: tuple[Speed, ...]
    numeric_types: tuple[str, ...]
    runtime: tuple[str, ...]
    source: str
    notes: str
    flash_bytes: float | None = None
    bandwidth: float | None = None
    cache_bytes: float | None = None
    power_w: float | None = None

    @property
    def macs_a_second(self) -> Mapping[str, float]:
        """Peak multiply-accumulates a second by numeric type."""
        return MappingProxyType({speed.numeric_type: speed.macs for speed in self.speeds})

    @property
    def limits(self) -> Limits:
        """The limits it implies where none were given: tensors and file of a network that leaves room for the rest."""
        if self.kind == "microcontroller":
            flash = None if self.flash_bytes is None else self.flash_bytes * MICRO_SHARE
            return Limits(memory=self.memory_bytes * MICRO_SHARE, size=flash)
        return Limits(memory=self.memory_bytes * MEMORY_SHARE)


def devices() -> Mapping[str, Device]:
    """The devices that are known, by name. Raises `KnowledgeError` for a file that breaks the schema."""
    return _bundled()


@lru_cache(maxsize=1)
def _bundled() -> Mapping[str, Device]:
    return read_devices(resources.files("nasturtium.hardware") / "devices")


def read_devices(folder: Traversable | Path) -> Mapping[str, Device]:
    """The devices of a folder of TOML files, one a file, named as the device is; sorted by name."""
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name)
    return MappingProxyType({file.name.removesuffix(".toml"): read_device(file) for file in files})


def read_device(file: Traversable | Path) -> Device:
    """One device, described by its figures. Raises `KnowledgeError` naming the file, the field and the mend."""
    made: Device = checked(Device, parse_toml(file), file.name, "device")
    if made.name != file.name.removesuffix(".toml"):
        raise KnowledgeError(f"{file.name}: the device calls itself {made.name!r}; name the file {made.name}.toml.")
    amounts = {name: getattr(made, name) for name in ("memory_bytes", "flash_bytes", "bandwidth", "cache_bytes")}
    for name, value in {**amounts, **{f"speeds.{k}": v for k, v in made.macs_a_second.items()}}.items():
        if value is not None and value <= 0:
            raise KnowledgeError(f"{file.name}, device {made.name!r}: {name!r} is {value:g}; it must be above zero.")
    return made


def find_device(name: str) -> Device:
    """The device of that name (underscores are accepted). Raises `KnowledgeError` with the nearest names."""
    key = name.strip().lower().replace("_", "-").replace(" ", "-")
    known = devices()
    if key not in known:
        raise KnowledgeError(
            f"Unknown device {name!r}. {hint(key, known)} Or describe it by its figures: "
            "its kind, memory and, for a microcontroller, flash."
        )
    return known[key]
