"""The knowledge base: known architectures, found cells, strategies, design rules and pitfalls, each with its source."""

from nasturtium.advisor.knowledge.loading import load_knowledge
from nasturtium.advisor.knowledge.records import (
    Conditions,
    DesignRule,
    Genotype,
    Knowledge,
    Known,
    Pitfall,
    Result,
    StrategyFact,
)

__all__ = [
    "Conditions",
    "DesignRule",
    "Genotype",
    "Knowledge",
    "Known",
    "Pitfall",
    "Result",
    "StrategyFact",
    "load_knowledge",
]
