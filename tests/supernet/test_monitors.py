"""The dominant eigenvalue against a dense Hessian, its stopping rule, and what is said of a search."""

from dataclasses import replace
from math import log

import numpy as np
import pytest
import torch

from nasturtium.roles import TraceEpoch
from nasturtium.supernet.eigenvalue import EarlyStop, dominant_eigenvalue
from nasturtium.supernet.monitors import Watch, entropy, skip_share

NB201 = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


@pytest.mark.parametrize("size", [2, 6, 30])
def test_the_dominant_eigenvalue_is_that_of_the_dense_hessian(size: int) -> None:
    torch.manual_seed(size)
    mixing = torch.randn(size, 8, dtype=torch.float64)

    def loss(point: torch.Tensor) -> torch.Tensor:
        return torch.tanh(point.softmax(-1) @ mixing).pow(2).sum() + 0.3 * (point @ mixing).cos().sum()

    def gradient(point: torch.Tensor) -> torch.Tensor:
        return torch.autograd.functional.vjp(loss, point, torch.ones((), dtype=torch.float64))[1]

    point = 0.1 * torch.randn(size, dtype=torch.float64)
    dense = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, point))
    found = dominant_eigenvalue(gradient, point, torch.Generator().manual_seed(0))
    assert found == pytest.approx(float(dense[-1]), rel=0.01)


def test_a_flat_loss_has_the_eigenvalue_0() -> None:
    assert dominant_eigenvalue(lambda point: torch.ones(4), torch.zeros(4), torch.Generator().manual_seed(0)) == 0


def test_averages_are_centred_on_their_epoch() -> None:
    values = [1.0, 2.0, 6.0, 3.0, 8.0, 1.0]
    assert EarlyStop().averages(values) == [3.0, 3.0, 4.0, 4.0]  # mean of 3, of 4, of 5 epochs, of 5


def test_the_search_stops_once_an_average_is_1_3_times_that_of_four_epochs_before() -> None:
    rule = EarlyStop(start=3)
    calm = [1.0] * 12
    assert rule.back_to(calm) is None
    for more in range(1, 8):
        values = calm + [2.0] * more
        if (back := rule.back_to(values)) is not None:
            break
    # The average of epochs 9 to 13 is (3 + 2 x 2) / 5 = 1.4, that of epoch 7 is 1.
    assert more == 2
    assert back == 7
    assert EarlyStop().back_to(values) is None, "before epoch 10 nothing is gone back to"


def test_entropy_is_1_for_equal_weights_and_0_for_one_option() -> None:
    assert entropy([np.full(5, 0.2), np.full(3, 1 / 3)]) == pytest.approx(1)
    assert entropy([np.array([0.0, 1.0])]) == 0
    assert entropy([np.array([0.5, 0.5, 0.0, 0.0]), np.ones(1)]) == pytest.approx(log(2) / log(4))
    assert entropy([np.array([0.1, 0.1])]) == pytest.approx(1), "weights of a normalised edge add up to less than 1"


def test_the_share_of_skips_is_that_of_the_edges_which_are_there() -> None:
    assert skip_share([NB201] * 3, [(1,), (3,), ()]) == 0.5
    assert skip_share([("3", "5")], [(0,)]) is None


def _epoch(skip: float, share: float, eigenvalue: float | None = None) -> TraceEpoch:
    weights = np.full(5, (1 - skip) / 4)
    weights[1] = skip
    return TraceEpoch((weights,) * 6, entropy([weights]), share, 1.0, 1.0, eigenvalue)


def _watch() -> Watch:
    return Watch("DARTS", (NB201,) * 6, EarlyStop())


def test_collapse_is_announced_once_and_with_what_to_do() -> None:
    watch, epochs, said = _watch(), [_epoch(0.2, 1 / 6)], list[str]()
    for skip, share in ((0.25, 0.5), (0.3, 4 / 6), (0.5, 1.0)):
        epochs.append(_epoch(skip, share))
        said += watch.remarks(epochs, 50, said)
    assert said == [
        "Collapse: after epoch 3 of 50, 67% of the edges of the architecture that would be derived are skip "
        "connections (17% after the first epoch). They help the supernet to train, and make a weak network by "
        "themselves. What helps: the architecture of an earlier epoch (the strategy darts-es), or beta-DARTS."
    ]


def test_a_collapse_that_did_not_last_is_said_at_the_end() -> None:
    (remark,) = _watch().final([_epoch(0.9, 1.0), _epoch(0.9, 1 / 6)], 2.0, ["Collapse: after epoch 1 of 2 ..."])
    assert remark.startswith("Fewer skips: the search went on, and at its end 17% of the edges are skip connections.")
    assert _watch().final([_epoch(0.9, 0.5)], 1.0, ["Collapse: after epoch 1 of 1 ..."]) == []
    assert _watch().final([_epoch(0.9, 1 / 6)], 1.0, []) == []


def test_skips_that_hardly_outweigh_the_others_are_no_collapse() -> None:
    epochs = [_epoch(0.21, 4 / 6)] * 3
    assert _watch().remarks(epochs, 50, []) == []


def test_one_epoch_of_skips_is_no_collapse() -> None:
    assert _watch().remarks([_epoch(0.4, 0.2), _epoch(0.4, 0.8)], 50, []) == []


def test_a_growing_eigenvalue_is_announced() -> None:
    epochs = [_epoch(0.2, 0.2, 1.0)] * 8 + [_epoch(0.2, 0.2, 3.0)] * 2
    (remark,) = _watch().remarks(epochs, 50, [])
    assert remark.startswith("Sharp: after epoch 10 of 50 the dominant eigenvalue of the Hessian is 1.80 times what")


def test_weights_that_did_not_move_are_said_to_be_no_better_than_chance() -> None:
    (remark,) = _watch().final([_epoch(0.2, 0.2)], 1.0, [])
    assert remark.startswith("Undecided: after 1 epoch the options still weigh almost the same (entropy 1.00 of 1)")
    assert _watch().final([_epoch(0.9, 0.2)], 1.0, []) == []


def test_beta_darts_whose_weights_stay_alike_is_undecided_only_while_their_order_changes() -> None:
    one, other = _epoch(0.21, 0.2), _epoch(0.19, 0.2)
    beta = replace(_watch(), method="beta-DARTS")
    assert beta.final([other] * 8 + [one] * 3, 11.0, []) == []
    assert _watch().final([other] * 8 + [one] * 3, 11.0, [])[0].startswith("Undecided")
    for epochs in ([one] * 9 + [other, one], [one] * 8 + [other] * 2, [one] * 4):
        (remark,) = beta.final(epochs, float(len(epochs)), [])
        assert remark.startswith("Undecided"), "it changed in the last fifth, or they are too few"
