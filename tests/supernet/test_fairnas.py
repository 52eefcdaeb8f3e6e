"""FairNAS: strict fairness of the draws, and the accumulated update."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from nasturtium.roles import SearchBudget
from nasturtium.space import Space, choice, integer
from nasturtium.supernet import Supernet
from nasturtium.supernet.evolution import Evolution
from nasturtium.supernet.fairnas import Fair, FairNas
from nasturtium.supernet.learner import Learner
from nasturtium.supernet.one_shot import SearchRows
from nasturtium.supernet.paths import labels, soft_loss
from nasturtium.training import Recipe, build_loss


def test_every_option_of_every_choice_is_covered_exactly_once_a_step() -> None:
    space = Space(tuple(choice(*"abcd") for _ in range(5)), name="even")
    draw, rng = Fair(space), np.random.default_rng(0)
    assert draw.count == 4
    steps = [[path.codes for path in draw(rng)] for _ in range(20)]
    for codes in steps:
        for column in zip(*codes, strict=True):
            assert sorted(column) == [0, 1, 2, 3]
    assert len({tuple(map(tuple, codes)) for codes in steps}) == 20, "the pairing of options is drawn anew"


@pytest.mark.parametrize(("paths", "least", "most"), [(6, 2, 2), (4, 1, 2), (7, 2, 3)])
def test_uneven_choices_are_covered_as_evenly_as_can_be(paths: int, least: int, most: int) -> None:
    space = Space((choice(*"abc"), choice(*"ab"), integer(0, 99)), name="uneven")
    draw, rng = Fair(space, paths), np.random.default_rng(1)
    totals: Counter[int] = Counter()
    for _ in range(300):
        codes = [path.codes for path in draw(rng)]
        counts = Counter(column[0] for column in codes)
        assert set(counts) == {0, 1, 2}
        assert least <= min(counts.values()) <= max(counts.values()) <= most
        assert len({column[2] for column in codes}) == paths, "values of a long number do not repeat in a step"
        totals += counts
    assert max(totals.values()) - min(totals.values()) < 0.1 * sum(totals.values()), "equal in expectation"


def test_the_update_is_made_of_the_sum_of_the_gradients_of_all_paths(path_space: Space, path_rows: SearchRows) -> None:
    """Against gradients that are taken path by path."""
    recipe = Recipe(batch_size=16)
    net = Supernet(path_space)
    inputs, targets = path_rows.inputs[:16], path_rows.targets[:16]
    paths = Fair(path_space, 3)(np.random.default_rng(2))
    loss = build_loss("classification", recipe)
    learner = Learner(net, net, recipe, loss, soft_loss("classification"), 0)
    mean = learner.step("step 0", paths, labels, inputs, targets, 0.0)
    found = {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}
    losses = [loss(net.path(inputs, path), targets) for path in paths]
    parameters = dict(net.named_parameters())
    wanted = torch.autograd.grad(sum(losses), list(parameters.values()), allow_unused=True)
    for (name, _), gradient in zip(parameters.items(), wanted, strict=True):
        if gradient is None:
            assert name not in found
        else:
            torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6)
    assert mean == pytest.approx(sum(loss.item() for loss in losses) / 3, rel=1e-5)


def test_fairnas_trains_and_derives(path_space: Space, path_rows: SearchRows) -> None:
    quick = FairNas(
        recipe=Recipe(epochs=3, batch_size=16),
        evolution=Evolution(population=4, generations=2, top=2, crossovers=2, mutations=2),
    )
    first, second = (quick.train(Supernet(path_space), path_rows, SearchBudget(), seed=4) for _ in range(2))
    assert first.architectures == second.architectures
    assert first.trace.method == "fairnas"
    other = replace(quick, paths=1).train(Supernet(path_space), path_rows, SearchBudget(), seed=4)
    assert other.trace.epochs[0].train_loss != first.trace.epochs[0].train_loss
