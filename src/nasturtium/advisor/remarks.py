"""Practical remarks: training time, deployment, maintenance, and mistakes that are often made here."""

from collections.abc import Iterator, Sequence

from nasturtium.advisor.knowledge import Conditions, Pitfall
from nasturtium.advisor.plan import Proposal
from nasturtium.advisor.proposals import training_s
from nasturtium.advisor.situation import Situation

MOST_PITFALLS = 3
OWN = ("data", "hardware", "space", "fidelity")
"""Topics of pitfalls that no protocol keeps a user from."""
FILES = {
    "tflite": "The search writes ONNX and a torch module; convert it with ai-edge-torch or onnx2tf to .tflite.",
    "coreml": "The search writes ONNX and a torch module; convert the torch module with coremltools.",
    "tensorflow": "The search writes ONNX and a torch module; onnx2tf brings the ONNX file to TensorFlow.",
    "jax": "The search writes a torch module of plain layers, short enough to write again in Flax.",
    "pytorch": "best/model.py needs torch only; load() gives the trained module.",
    "onnx": "best/model.onnx has the pre-processing inside and takes raw rows.",
    "any": "best/model.onnx has the pre-processing inside, and best/model.py needs torch only.",
}


def remarks(now: Situation, proposed: Sequence[Proposal]) -> tuple[str, ...]:
    return (*_training(now, proposed), *_deployment(now), *_maintenance(now), *_pitfalls(now))


def _training(now: Situation, proposed: Sequence[Proposal]) -> Iterator[str]:
    first = next((one for one in proposed if one.builds and one.macs), None)
    if first is not None and first.macs is not None:
        seconds = training_s(now, first.macs)
        told = f"about {seconds:,.0f} s" if seconds >= 2 else "a few seconds at most"
        yield (
            f"Training: {first.name} takes {told} for {now.epochs} passes on one {now.need.get('hardware')}, judged by "
            "its MACs alone."
        )


def _deployment(now: Situation) -> Iterator[str]:
    if now.trains:
        yield f"Deployment: {FILES[now.need.get('framework')]}"
    if now.target.width == 1:
        yield (
            "Deployment: the limits assume int8. Nasturtium counts and writes float32; quantise after training, and "
            "measure the accuracy again: it often falls by up to a point."
        )
    if now.need.get("max_latency_ms") is not None and now.bounds.limits.latency_ms is None:
        yield f"Deployment: latency is bounded through MACs; measure it on {now.target.title} before you rely on it."


def _maintenance(now: Situation) -> Iterator[str]:
    years = float(now.need.get("maintained_years"))
    yield (
        f"Maintenance: keep a sample of live inputs, score it every month, and train again when it falls; over "
        f"{years:g} years the data will change more than the best architecture."
    )


def _pitfalls(now: Situation) -> Iterator[str]:
    """Those that a user can fall into here, the ones with conditions first; the protocol of a search has the others."""
    held = [one for one in now.knowledge.pitfalls if one.topic in OWN and _holds(one, now)]
    for one in sorted(held, key=lambda one: one.conditions == Conditions())[:MOST_PITFALLS]:
        yield f"Pitfall: {one.symptom} {one.mend} ({one.source})"


def _holds(one: Pitfall, now: Situation) -> bool:
    facts = one.conditions.hold(
        task=now.kind, modality=now.modality, device=now.target.kind, rows=now.rows, side=now.side
    )
    return bool(facts)
