"""Where a network is to run: a named device, or what is usual for its class."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nasturtium.advisor.parsing import device, parse_number, positive
from nasturtium.advisor.words import DEVICES
from nasturtium.errors import UserError, hint
from nasturtium.hardware.devices import THIS_MACHINE, Device, devices, find_device
from nasturtium.hardware.limits import parse_amount

REACHED = 0.2
"""Of a device's peak, by a small network: K of `hardware.devices` says a tenth to a half."""


@dataclass(frozen=True)
class Target:
    """memory, flash: bytes; None bounds nothing. macs_a_second: that a small network reaches. width: bytes of a number
    there. power_w: under load, None where it is not known. named: a device, not a class only."""

    name: str
    title: str
    kind: str
    memory: float | None
    flash: float | None
    macs_a_second: float
    width: int
    power_w: float | None
    source: str
    named: bool


FIGURES: Mapping[str, tuple[str, str | None]] = {
    "memory": ("memory", "memory"), "flash": ("flash", "size"), "macs": ("macs_a_second", "macs"),
    "power": ("power_w", None),
}  # fmt: skip
EXAMPLE = "microcontroller:memory=256KB,flash=1MB"
USUAL = "usual for the class; our judgement, give --device NAME for the figures of a device"
CLASSES: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target("microcontroller", "a microcontroller", "microcontroller", 192e3, 768e3, 20e6, 1, 0.05, USUAL, False),
        Target("single-board", "a single-board computer", "single-board", 1e9, None, 5e9, 4, 6.0, USUAL, False),
        Target("phone", "a phone", "phone", 1e9, None, 10e9, 4, 3.0, USUAL, False),
        Target("laptop", "a laptop", "laptop", 4e9, None, 30e9, 4, 30.0, USUAL, False),
        Target("cpu-server", "a CPU server", "cpu-server", 16e9, None, 100e9, 4, 150.0, USUAL, False),
        Target("gpu", "a GPU", "gpu", 8e9, None, 2e12, 4, 250.0, USUAL, False),
        Target("tpu", "a TPU", "tpu", 8e9, None, 5e12, 4, 200.0, USUAL, False),
    )
}
"""The microcontroller: three quarters of 256 KB and 1 MB (Banbury et al. 2021, MLPerf Tiny, arXiv:2106.07597, names
such boards); int8, as the runtimes there compute."""
assert tuple(CLASSES) == DEVICES


def find_target(name: str) -> Target:
    """The class or device of that name, or one that is described. Raises `UserError` with the nearest names.

    This machine is a laptop that nothing is known of: it sets no limit, and what is measured here holds there.

    >>> find_target("microcontroller:memory=256KB,flash=1MB").memory
    256000.0
    """
    key = device(name)
    kind, described, figures = key.partition(":")
    if described:
        return _described(kind, figures)
    if key in CLASSES:
        return CLASSES[key]
    if key == THIS_MACHINE:
        return CLASSES["laptop"]
    if key in devices():
        return of_device(find_device(key))
    known = (THIS_MACHINE, *DEVICES, *devices())
    raise UserError(f"Unknown device {name!r}. {hint(key, known)} Or describe it by its figures: {EXAMPLE}.")


def _described(kind: str, figures: str) -> Target:
    """Its class, and what of it is known: `microcontroller:memory=256KB,flash=1MB,macs=50M,power=0.05`."""
    if kind not in CLASSES:
        raise UserError(f"A device that is described begins with its class, not {kind!r}. {hint(kind, DEVICES)}")
    target = replace(CLASSES[kind], title=f"the {kind} that you describe", source="your description", named=True)
    for part in figures.split(","):
        name, _, amount = part.partition("=")
        if name.strip() not in FIGURES or not amount:
            raise UserError(f"A device has no figure {part.strip()!r}. {hint(name, FIGURES)} Write {EXAMPLE}.")
        field, unit = FIGURES[name.strip()]
        value: Any = positive("power", parse_number("power", amount)) if unit is None else parse_amount(unit, amount)
        target = replace(target, **{field: value})
    return target


def of_device(device: Device) -> Target:
    """What a device has for one network, and what it computes with."""
    speeds = device.macs_a_second
    width = 4 if "float32" in speeds and device.kind != "microcontroller" else 1
    peak = speeds.get("float32" if width == 4 else "int8") or max(speeds.values())
    limits = device.limits
    return Target(
        device.name, device.title, device.kind, limits.memory, limits.size, REACHED * peak, width, device.power_w,
        device.source, True,
    )  # fmt: skip
