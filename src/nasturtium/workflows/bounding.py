"""What bounds a search: the limits that the user gave, and those that follow from the device."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nasturtium.advisor.bounds import measured_here, of_memory, tightened
from nasturtium.advisor.targets import Target, find_target
from nasturtium.errors import LimitError, UserError
from nasturtium.hardware import Limits, shown
from nasturtium.workflows.options import SearchOptions


@dataclass(frozen=True)
class Bounded:
    """limits: all that hold. derived: why, of those that follow from the device, by name: its figure and its source.
    device: as it was asked for. target: what is known of it."""

    limits: Limits
    derived: Mapping[str, str]
    device: str
    target: Target

    def origin(self, name: str) -> dict[str, Any]:
        """Of the limit `name`: was it given or derived, and from what?"""
        reason = self.derived.get(name)
        return {"origin": "given" if reason is None else "derived", "reason": reason}

    def to_json(self) -> list[dict[str, Any]]:
        """Every limit with its origin: what the manifest keeps."""
        return [{"name": name, "limit": limit, **self.origin(name)} for name, limit in self.limits.items()]

    def because(self) -> str:
        """After a refusal: which of the limits are the device's. Empty where none is."""
        if not self.derived:
            return ""
        what = "limits on " if len(self.derived) > 1 else "limit on "
        verb = "follow" if len(self.derived) > 1 else "follows"
        return f" The {what}{' and '.join(self.derived)} {verb} from --device {self.device}: a larger one allows more."

    def sentences(self) -> list[str]:
        """What the device means for this run; nothing of this machine, which sets no limit."""
        follow = [
            f"The limit of {shown(name, getattr(self.limits, name))} {name} follows from --device {self.device}: {why}."
            for name, why in self.derived.items()
        ]
        if measured_here(self.target):
            return follow
        ample = (
            "those that were given are tighter" if of_memory(self.target) else "what it holds is ample for a network"
        )
        none = f"--device {self.device} sets no limit of its own: {ample}."
        return [
            *(follow or [none]),
            f"Latency in this result is that of this machine, not of {self.device}; --max-macs bounds the work there.",
        ]


def bounded(options: SearchOptions) -> Bounded:
    """The limits of a search: the tighter of what was given and what the device holds, counted as `advise` does.

    Raises `LimitError` for an amount that is none, and for a latency on a device where it cannot be measured;
    `UserError` with the nearest names for a device that is not known.
    """
    target = find_target(options.device)
    given = Limits.parse(**options.limits)
    if not measured_here(target):
        _refuse_latency(options, target, given.latency_ms)
    limits, reasons = tightened(given, of_memory(target))
    return Bounded(limits, {name: f"{why} ({target.source})" for name, why in reasons.items()}, options.device, target)


def _refuse_latency(options: SearchOptions, target: Target, limit_ms: float | None) -> None:
    """A latency of this machine must never pass for one of another device."""
    if limit_ms is not None:
        macs = limit_ms / 1e3 * target.macs_a_second
        raise LimitError(
            f"--max-latency is measured on this machine, and the latency of {options.device} cannot be measured here. "
            f"Give --max-macs {shown('macs', macs)} instead: {shown('latency_ms', limit_ms)} at the "
            f"{shown('macs', target.macs_a_second)} MACs a second that a small network may reach there, an estimate."
        )
    if "latency" in options.objectives:
        raise UserError(
            f"--objective latency is measured on this machine, and the latency of {options.device} cannot be measured "
            "here. Give --objective macs instead."
        )
