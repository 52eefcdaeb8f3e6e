"""Conformance suites: a new part of a kind inherits the tests that every part of that kind must pass (needs pytest)."""

from nasturtium.testing.spaces import SpaceConformance

__all__ = ["SpaceConformance"]
