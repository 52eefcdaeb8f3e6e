"""The compiled space against brute force, on random trees with nested, repeated and tied decisions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nasturtium.space import (
    Choice,
    Decision,
    Integer,
    Repeat,
    Space,
    choice,
    integer,
    mutate,
    optional,
    register,
    repeat,
    space_from_json,
    space_to_json,
)

MOST = 3000


@register
@dataclass(frozen=True)
class OraclePair:
    left: object
    right: object = 0


def resolved(node: object, decide: Callable[[Decision], int]) -> object:
    """What the compiled space must give, as plainly as it can be said."""
    if isinstance(node, Choice):
        return resolved(node.options[decide(node)], decide)
    if isinstance(node, Decision):
        return node.value(decide(node))
    if isinstance(node, Repeat):
        count = node.count.value(decide(node.count)) if isinstance(node.count, Integer) else node.count
        return tuple(resolved(item, decide) for item in node.items[:count])
    if isinstance(node, tuple):
        return tuple(resolved(part, decide) for part in node)
    if is_dataclass(node) and not isinstance(node, type):
        return type(node)(**{field.name: resolved(getattr(node, field.name), decide) for field in fields(node)})
    return node


def brute_force(tree: object) -> Iterator[tuple[dict[Decision, int], object]]:
    """Every way to make the decisions that are met, by replaying the walk with each script of codes."""
    script: list[int] = []
    while True:
        made: dict[Decision, int] = {}

        def decide(decision: Decision, made: dict[Decision, int] = made) -> int:
            if decision not in made:
                if len(made) == len(script):
                    script.append(0)
                made[decision] = script[len(made)]
            return made[decision]

        yield made, resolved(tree, decide)
        sizes = [decision.size for decision in made]
        while script and script[-1] == sizes[len(script) - 1] - 1:
            script.pop()
        if not script:
            return
        script[-1] += 1


class Grower:
    """Grows a random tree; `pool` holds nodes that may be used again, and so are tied."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.pool: list[object] = []
        self.counts: list[Integer] = [integer(0, 2), integer(1, 3)]

    def node(self, depth: int) -> object:
        kind = self.draw(st.integers(0, 8 if depth else 2))
        made = self.made(kind, depth)
        if isinstance(made, (Decision, OraclePair)):
            self.pool.append(made)
        return made

    def made(self, kind: int, depth: int) -> object:
        if kind == 0:
            return 7
        if kind == 1:
            return choice(*range(self.draw(st.integers(1, 3))))
        if kind == 2:
            return self.draw(st.sampled_from([*self.pool, *self.counts]))
        if kind in (3, 4):
            return choice(a=self.node(depth - 1), b=self.node(depth - 1))
        if kind == 5:
            return optional(self.node(depth - 1))
        if kind == 6:
            return OraclePair(self.node(depth - 1), self.node(depth - 1))
        count = self.draw(st.sampled_from([2, *self.counts, integer(0, 2)]))
        return repeat(lambda at: self.node(depth - 1), count, tied=kind == 8)


@st.composite
def trees(draw: st.DrawFn) -> object:
    grower = Grower(draw)
    return tuple(grower.node(3) for _ in range(draw(st.integers(1, 3))))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(trees())
def test_size_enumeration_and_trees_equal_brute_force(tree: object) -> None:
    space = Space(tree)
    names = {named.decision: named.path for named in space.decisions}
    assert len(set(names.values())) == len(space.decisions)
    assert space.size is not None
    if space.size > MOST:
        return
    expected = {}
    for made, result in brute_force(tree):
        expected[frozenset((names[decision], decision.value(code)) for decision, code in made.items())] = result
    listed = {frozenset(architecture.values.items()): architecture.tree for architecture in space.enumerate()}
    assert space.size == len(expected)
    assert listed == expected


@settings(max_examples=100, deadline=None, derandomize=True)
@given(trees(), st.integers(0, 99))
def test_samples_and_mutants_are_what_the_tree_allows(tree: object, seed: int) -> None:
    space = Space(tree)
    indices = {named.decision: named.index for named in space.decisions}
    rng = np.random.default_rng(seed)
    rows = space.sample_codes(rng, 5)
    rows += [space.codes(mutate(space.from_codes(row), rng, rate)) for row in rows for rate in (None, 0.5)]
    for row in rows:
        met: set[int] = set()

        def decide(decision: Decision, row: tuple[int, ...] = row, met: set[int] = met) -> int:
            met.add(indices[decision])
            return row[indices[decision]]

        assert space.from_codes(row).tree == resolved(tree, decide)
        assert met == {index for index, code in enumerate(row) if code >= 0}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(trees())
def test_random_trees_travel_through_json(tree: object) -> None:
    space = Space(tree)
    copy = space_from_json(space_to_json(space))
    assert [named.path for named in copy.decisions] == [named.path for named in space.decisions]
    assert copy.size == space.size
    assert [copy.sample(seed).tree for seed in range(5)] == [space.sample(seed).tree for seed in range(5)]


def test_sizes_far_beyond_enumeration_are_exact_and_quick() -> None:
    kernel, widths = choice(3, 5, 7), [choice(8, 16, 24, 32) for _ in range(21)]
    chain = tuple(
        repeat(lambda at, k=k: choice(a=(kernel, widths[k]), b=(widths[k], widths[k + 1], choice(1, 2))), integer(1, 3))
        for k in range(20)
    )
    space = Space((kernel, *widths, chain))
    per_stage = sum((1 + 2) ** count for count in (1, 2, 3))
    assert space.size == 3 * 4**21 * per_stage**20


def test_tied_structure_is_counted_once() -> None:
    cell = tuple(choice(a=1, b=choice(1, 2), c=(choice(1, 2), choice(1, 2))) for _ in range(6))
    assert Space(repeat(cell, integer(5, 15))).size == 11 * (1 + 2 + 4) ** 6


def test_a_decision_hidden_under_two_branches_is_eliminated_not_multiplied() -> None:
    shared = choice(x=choice(1, 2, 3), y=0)
    tree = tuple(choice(use=(shared, choice(1, 2)), skip=0) for _ in range(30))
    # 2 per used place, 1 per skipped one; `shared` counts 4 unless every place is skipped.
    assert Space(tree).size == 4 * (3**30 - 1) + 1
