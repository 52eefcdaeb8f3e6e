"""A profile as text."""

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

WIDTH = 78
"""Two less than a terminal has: the lines are shown indented."""
LABEL = 12
SHOWN = 8


def profile_lines(facts: Mapping[str, Any]) -> list[str]:
    """Lines of at most 78 characters: a heading, then one labelled paragraph for each thing worth saying."""
    heading = f"{facts['name']}: {facts['rows']:,} rows, {_shape(facts)}; {facts['task']} of {facts['target']!r}"
    lines = wrap(f"{heading} ({facts['metric']})", WIDTH)
    for label, text in _paragraphs(facts):
        lines += wrap(text, WIDTH, initial_indent=label.ljust(LABEL), subsequent_indent=" " * LABEL)
    return lines


def _shape(facts: Mapping[str, Any]) -> str:
    shape, largest = facts["shape"], facts["largest"]
    if facts["modality"] == "table":
        return f"table of {shape[0]} column{'s' if shape[0] != 1 else ''}"
    size = "×".join(map(str, shape))
    return f"{facts['modality']}s {size}" if shape == largest else f"images {size} to {'×'.join(map(str, largest))}"


def _paragraphs(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    said = [
        ("Classes" if facts["task"] == "classification" else "Labels", _balance(facts)),
        ("Target", ", ".join(f"{name} {value:,.4g}" for name, value in facts["amounts"].items())),
        ("Columns", ", ".join(_plural(count, kind) for kind, count in facts["kinds"].items())),
        ("Missing", _some([f"{name} {_percent(share)}" for name, share in _largest(facts["missing"])])),
        *[("Kept apart", f"{each['name']} ({each['kind']}): {each['reason']}") for each in facts["kept_apart"][:SHOWN]],
        ("", _rest(facts["kept_apart"])),
        *[("Leak?", _leak(leak)) for leak in facts["leaks"]],
        ("Duplicates", _duplicates(facts)),
        ("Left out", ", ".join(f"{count:,} rows ({reason})" for reason, count in facts["dropped_rows"].items())),
        *[("Note", note) for note in facts["notes"]],
        ("Split", _split(facts)),
        ("Fingerprint", facts["fingerprint"][:16]),
    ]
    return [(label, text) for label, text in said if text]


def _balance(facts: Mapping[str, Any]) -> str:
    """All of a few classes; of many only the most and the least frequent."""
    counts = facts["balance"]
    shares = [f"{name} {count:,} ({_percent(count / facts['rows'])})" for name, count in counts.items()]
    if len(shares) <= SHOWN:
        return ", ".join(shares)
    least, most = min(counts, key=counts.get), max(counts, key=counts.get)
    if counts[least] == counts[most]:
        return f"{len(counts)}, {counts[most]:,} rows each"
    return f"{len(counts)}, from {counts[least]:,} rows ({least}) to {counts[most]:,} ({most})"


def _largest(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(shares.items(), key=lambda pair: -pair[1])


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.0005 else "<0.1 %"


def _plural(count: int, kind: str) -> str:
    return f"{count} {kind}" if count == 1 else f"{count} {kind[:-1] + 'ies' if kind.endswith('y') else kind + 's'}"


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - SHOWN} more columns" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more


def _rest(kept_apart: Any) -> str:
    return f"and {len(kept_apart) - SHOWN} more columns" if len(kept_apart) > SHOWN else ""


def _leak(leak: Mapping[str, Any]) -> str:
    baseline = f" (the majority: {leak['majority']:.3f})" if leak["measure"] == "accuracy" else ""
    return (
        f"{leak['column']!r} alone predicts the target with {leak['measure']} {leak['score']:.3f}{baseline}. "
        f"If it would not be known in advance, remove it."
    )


def _duplicates(facts: Mapping[str, Any]) -> str:
    if not facts["duplicates"]:
        return ""
    count = facts["duplicates"]
    conflict = f"; of equal rows {facts['conflicts']:,} have different targets" if facts["conflicts"] else ""
    across = f"; {facts['across']:,} outside train also occur in train" if facts["across"] else ""
    return f"{count:,} ({_percent(count / facts['rows'])}) repeat an earlier row{conflict}{across}"


def _split(facts: Mapping[str, Any]) -> str:
    if not facts["split"]:
        return ""
    train, validation, test = facts["split_rows"]
    return f"{train:,} train, {validation:,} validation, {test:,} test: {facts['split']}"
