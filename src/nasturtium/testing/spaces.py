"""What every space must do. Inherit `SpaceConformance` in a test class and say which space it is."""

import json
import pickle
from abc import ABC, abstractmethod
from itertools import islice, pairwise

import numpy as np

from nasturtium.space import (
    Architecture,
    Space,
    crossover,
    encode,
    hamming,
    mutate,
    neighbours,
    space_from_json,
    space_to_json,
)

SAMPLES = 20
LISTABLE = 3000


class SpaceConformance(ABC):
    """Tests of one space.

    >>> class TestMine(SpaceConformance):  # doctest: +SKIP
    ...     def space(self) -> Space:
    ...         return Space(mine, task)
    """

    json_tree = True
    """Whether all blocks are registered and no class stands in the tree, so that JSON alone can rebuild it."""

    @abstractmethod
    def space(self) -> Space:
        """The space; a new one, or always the same."""

    def samples(self, space: Space) -> list[Architecture]:
        """A few architectures, always the same."""
        rng = np.random.default_rng([0, 7])
        return [space.sample(rng) for _ in range(SAMPLES)]

    def test_samples_are_valid(self) -> None:
        space = self.space()
        for architecture in self.samples(space):
            space.validate(architecture)
            assert architecture in space
            assert set(architecture.values) <= set(space.index)

    def test_samples_depend_on_the_seed_alone(self) -> None:
        first, second = self.space(), self.space()
        assert [first.sample(seed) for seed in range(9)] == [second.sample(seed) for seed in range(9)]
        assert first.sample_codes(np.random.default_rng(3), 9) == second.sample_codes(np.random.default_rng(3), 9)

    def test_the_fast_path_gives_the_same_samples(self) -> None:
        space = self.space()
        rng = np.random.default_rng(5)
        one_by_one = [space.codes(space.sample(rng)) for _ in range(SAMPLES)]
        assert space.sample_codes(np.random.default_rng(5), SAMPLES) == one_by_one

    def test_equal_architectures_have_equal_trees_hashes_and_ids(self) -> None:
        space, again = self.space(), self.space()
        for architecture in self.samples(space):
            other = again.architecture(architecture.values)
            assert other == architecture
            assert hash(other) == hash(architecture)
            assert other.tree == architecture.tree
            assert other.arch_id == architecture.arch_id
            assert len(other.arch_id) == 16

    def test_architectures_travel_through_json(self) -> None:
        space = self.space()
        for architecture in self.samples(space):
            text = architecture.to_json()
            assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            assert space.from_json(text) == architecture
            if self.json_tree:
                alone = Architecture.from_json(text, task=space.task)
                assert alone == architecture
                assert alone.tree == architecture.tree
                assert alone.arch_id == architecture.arch_id
                assert alone.to_json() == text

    def test_architectures_travel_through_pickles(self) -> None:
        space = self.space()
        for architecture in self.samples(space):
            copy = pickle.loads(pickle.dumps(architecture))
            assert copy == architecture
            assert hash(copy) == hash(architecture)
            assert copy.tree == architecture.tree
            assert copy.arch_id == architecture.arch_id
            assert space.attach(copy).codes == architecture.codes

    def test_the_space_travels_through_pickles(self) -> None:
        space = self.space()
        copy = pickle.loads(pickle.dumps(space))
        assert [named.path for named in copy.decisions] == [named.path for named in space.decisions]
        assert copy.sample(1) == space.sample(1)

    def test_the_space_travels_through_json(self) -> None:
        if not self.json_tree:
            return
        space = self.space()
        copy = space_from_json(space_to_json(space), space.task)
        assert [named.path for named in copy.decisions] == [named.path for named in space.decisions]
        assert copy.size == space.size
        assert copy.sample(2).tree == space.sample(2).tree

    def test_neighbours_differ_in_one_decision(self) -> None:
        space = self.space()
        for architecture in self.samples(space)[:5]:
            found = neighbours(architecture)
            assert architecture not in found
            assert len(set(found)) == len(found)
            for other in islice(found, 0, None, max(1, len(found) // 20)):
                space.validate(other)
                shared = set(architecture.values) & set(other.values)
                assert sum(architecture.values[path] != other.values[path] for path in shared) == 1
                assert hamming(architecture, other) >= 1

    def test_mutation_is_valid_and_never_idle(self) -> None:
        space = self.space()
        rng = np.random.default_rng([0, 8])
        for architecture in self.samples(space):
            for rate in (None, 0.3):
                other = mutate(architecture, rng, rate)
                space.validate(other)
                assert other != architecture or not neighbours(architecture)

    def test_children_take_what_their_parents_have(self) -> None:
        space = self.space()
        rng = np.random.default_rng([0, 9])
        parents = self.samples(space)
        for first, second in pairwise(parents):
            child = crossover(first, second, rng)
            space.validate(child)
            for path, value in child.values.items():
                had = [parent.values[path] for parent in (first, second) if path in parent.values]
                assert not had or value in had

    def test_vectors_have_one_length_and_tell_architectures_apart(self) -> None:
        space = self.space()
        vectors = {}
        for architecture in self.samples(space):
            vector = encode(architecture)
            assert vector.shape == (len(space.encoding.names),)
            assert ((vector >= 0) & (vector <= 1)).all()
            vectors[vector.tobytes()] = architecture
            assert vectors[vector.tobytes()] == architecture
        assert len(vectors) == len(set(self.samples(space)))

    def test_the_size_is_what_enumeration_gives(self) -> None:
        space = self.space()
        if space.size is None or space.size > LISTABLE:
            return
        listed = list(space.enumerate())
        assert len(listed) == len(set(listed)) == space.size
        for architecture in listed[:: max(1, len(listed) // 50)]:
            space.validate(architecture)

    def test_its_text_fits_the_terminal(self) -> None:
        space = self.space()
        lines = space.lines()
        assert lines[0].startswith(f"{space.name}: {len(space.decisions)} decision")
        assert max(len(line) for line in lines) <= 80
