"""What bounds the network: limits that were given, and those that follow from the device, latency, energy and use."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from nasturtium.advisor.requirements import Requirements
from nasturtium.advisor.targets import Target
from nasturtium.hardware.limits import Limits, shown

FLOAT = 4
"""Bytes of a number as our counters and files have it."""
MEASURED_HERE = ("laptop", "cpu-server")
"""Classes for which a latency measured on this machine says something."""


@dataclass(frozen=True)
class Bounds:
    """limits: on the costs as they are counted here (four bytes a number), handed to a search as they are.
    least_params: the fewest parameters wanted. reasons: where each derived limit comes from."""

    limits: Limits
    least_params: float = 0.0
    reasons: tuple[str, ...] = ()


def bounds_of(need: Requirements, target: Target) -> Bounds:
    """need: completed. The tightest of what was given and what follows."""
    given = Limits(
        params=need.get("max_params"),
        macs=need.get("max_macs"),
        latency_ms=need.get("max_latency_ms") if measured_here(target) else None,
        memory=need.get("max_memory"),
        size=need.get("max_size"),
    )
    limits, reasons = tightened(given, (*of_memory(target), *_of_work(need, target)))
    told = tuple(f"{name}: {reason}" for name, reason in reasons.items())
    return Bounds(limits, need.get("min_params") or 0.0, told)


def measured_here(target: Target) -> bool:
    """Does a latency that is measured on this machine say something of the target?"""
    return target.kind in MEASURED_HERE and not target.named


def tightened(given: Limits, found: Iterable[tuple[str, float, str]]) -> tuple[Limits, dict[str, str]]:
    """The limits with those that follow (name, value, reason) where none as tight was given; and, of the ones that
    were taken, the reason by name. One that is equal is taken: a plan gives a search what followed from its device."""
    limits, reasons = given, dict[str, str]()
    for name, value, reason in found:
        held = getattr(limits, name)
        if held is None or value <= held:
            limits = replace(limits, **{name: value})
            reasons[name] = reason
    return limits, reasons


def of_memory(target: Target) -> list[tuple[str, float, str]]:
    """Memory and file, in float32: what the device holds with its own width of numbers counts so many times more."""
    more = FLOAT / target.width
    found = []
    for name, has, what in (("memory", target.memory, "memory"), ("size", target.flash, "flash")):
        if has is None or (name == "memory" and target.kind != "microcontroller" and has > 1e9):
            continue
        reason = f"{target.title} has {shown(name, has)} of {what} for the network"
        if more > 1:
            reason += f"; in int8 that holds what counts {shown(name, has * more)} in float32"
        found.append((name, has * more, reason))
    return found


def _of_work(need: Requirements, target: Target) -> list[tuple[str, float, str]]:
    """MACs of one row, from latency, throughput and energy on the device. Predicted: to be measured there."""
    rate = target.macs_a_second
    found = []
    latency, throughput, energy = need.get("max_latency_ms"), need.get("throughput"), need.get("max_energy_mj")
    reaches = f"{target.title} computes about {shown('macs', rate)} MACs a second on small networks"
    if latency is not None:
        found.append(("macs", latency / 1e3 * rate, f"{latency:g} ms at most, and {reaches}"))
    if throughput:
        found.append(("macs", rate / throughput, f"{throughput:g} predictions a second, and {reaches}"))
    if energy is not None and target.power_w is not None:
        joules = target.power_w / rate
        found.append(
            ("macs", energy / 1e3 / joules, f"{energy:g} mJ at most, and {target.power_w:g} W while {reaches}")
        )
    return found
