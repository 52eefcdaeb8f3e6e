"""Costs of architectures, folded link by link from a memo: one dictionary look-up a block once it is warm."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from nasturtium.blocks import Block
from nasturtium.blocks.block import resize
from nasturtium.errors import SpaceError
from nasturtium.hardware.links import Branch, Leaf, Linker, Node, Prefix, Series, Staged, State
from nasturtium.hardware.shares import Measure, Numbers, Shares
from nasturtium.space.places import Codes, Place
from nasturtium.task import Signal


class Fold:
    """Costs `names` of every architecture of a space.

    combine: `sum` for costs that add up, `max` for peaks. ignored: decisions known not to bear on these costs.
    """

    def __init__(
        self,
        root: Place,
        x: Signal,
        names: tuple[str, ...],
        measure: Measure,
        combine: Callable[[Iterable[int]], int],
        ignored: frozenset[int] = frozenset(),
    ) -> None:
        self.names, self.combine, self.ignored = names, combine, ignored
        self.chain = Linker(ignored).node(root)
        self.start: State = 0
        self._measure = measure
        self._signals, self._numbers = [x], {x: 0}
        self._memo: defaultdict[Leaf, dict[tuple[State, object], tuple[Numbers, State] | SpaceError]] = defaultdict(
            dict
        )
        self._zero: Numbers = (0,) * len(names)
        self._shares: dict[Leaf, Shares] = {}

    def __call__(self, codes: Codes) -> Numbers:
        """The costs of a row of codes, in the order of `names`. Raises `SpaceError` where it cannot be built."""
        return self.through(self.chain, codes, self.start)[0]

    def through(self, node: Node, codes: Codes, state: State) -> tuple[Numbers, State]:
        """Costs of a part of the chain, and the state after it."""
        entries: list[Numbers] = [self._zero]
        end = self._walk(node, codes, state, entries)
        return tuple(map(self.combine, zip(*entries, strict=True))), end

    def link(self, leaf: Leaf, codes: Codes, state: State) -> tuple[Numbers, State]:
        """Costs of one link and the state after it. Raises `SpaceError` where it cannot be applied."""
        if leaf.is_wide:
            return self._wide(leaf, codes, state)
        memo = self._memo[leaf]
        key = (state, leaf.key(codes) if state & 1 else leaf.later_key(codes))
        known = memo.get(key)
        if known is None:
            known = memo[key] = self._look(leaf, codes, state)
        if isinstance(known, SpaceError):
            raise known
        return known

    def shares(self, leaf: Leaf) -> Shares:
        """The costs of a wide leaf, part by part."""
        if leaf not in self._shares:
            self._shares[leaf] = Shares(leaf, self._measure, len(self.names))
        return self._shares[leaf]

    def measured(self, block: Block, state: State) -> tuple[Numbers, State]:
        """Costs of a block, and the state after it."""
        numbers, out = self._measure(block, self.signal(state))
        return numbers, self.state(out)

    def state(self, out: Signal) -> State:
        """The state in which this type of signal arrives."""
        if out not in self._numbers:
            self._numbers[out] = len(self._signals)
            self._signals.append(out)
        return 2 * self._numbers[out]

    def signal(self, state: State) -> Signal:
        """The type of what arrives in a state."""
        return self._signals[state >> 1]

    def _walk(self, node: Node, codes: Codes, state: State, entries: list[Numbers]) -> State:
        kind = type(node)  # isinstance in a loop this hot would double its time
        if kind is Leaf:
            numbers, state = self.link(node, codes, state)  # type: ignore[arg-type]
            entries.append(numbers)
            return state
        if kind is Series:
            for part in node.parts:  # type: ignore[attr-defined]
                state = self._walk(part, codes, state, entries)
            return state
        if kind is Staged:
            return self._walk(node.body, codes, state | 1, entries) & ~1  # type: ignore[attr-defined]
        if kind is Branch:
            return self._walk(node.options[codes[node.index]], codes, state, entries)  # type: ignore[attr-defined]
        assert isinstance(node, Prefix)
        for part in node.parts[: node.counts[0 if node.index is None else codes[node.index]]]:
            state = self._walk(part, codes, state, entries)
        return state

    def _look(self, leaf: Leaf, codes: Codes, state: State) -> tuple[Numbers, State] | SpaceError:
        plain = list(codes)
        for index in self.ignored:
            plain[index] = 0
        try:
            block = leaf.place.resolve(plain)
            if block is None:
                return self._zero, state
            if leaf.width is not None and leaf.stride is not None:
                stride = leaf.stride.resolve(plain) if state & 1 else 1
                block = resize(block, leaf.width.resolve(plain), stride)
            return self.measured(block, state)
        except SpaceError as error:
            return error

    def _wide(self, leaf: Leaf, codes: Codes, state: State) -> tuple[Numbers, State]:
        """Of a wide leaf: its architectures are not remembered, there are too many."""
        shares, x = self.shares(leaf), self.signal(state)
        if self.combine is sum:
            rest = shares.rest(codes, state, x)
            if rest.block.ceiling() is rest.block:
                added = zip(rest.numbers, shares.terms(codes, state, x), strict=True)
                return tuple([a + b for a, b in added]), self.state(rest.out)
        return self.measured(shares.block(codes), state)
