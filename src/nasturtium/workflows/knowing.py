"""What Nasturtium knows, as plain data: architectures, genotypes, strategies, design rules, pitfalls."""

from dataclasses import asdict
from typing import Any

from nasturtium.errors import RunError, hint

KINDS = ("architectures", "genotypes", "strategies", "rules", "pitfalls")


def knowledge(kind: str) -> dict[str, Any]:
    """One kind of entry, each with its source. Raises `RunError` for an unknown kind."""
    from nasturtium.advisor.knowledge import load_knowledge

    if kind not in KINDS:
        raise RunError(f"There is no knowledge of {kind!r}. {hint(kind, KINDS)}")
    return {kind: [asdict(one) for one in getattr(load_knowledge(), kind)]}
