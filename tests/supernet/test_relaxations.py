"""How each algorithm turns architecture parameters into weights: against closed forms, frequencies and derivatives."""

from math import exp, log

import pytest
import torch
from scipy import stats
from torch import Tensor

from nasturtium.supernet import beta_darts, darts, drnas, fair_darts, gdas, pc_darts, snas
from nasturtium.supernet.mixtures import Mixture
from nasturtium.supernet.one_shot import Moment
from nasturtium.supernet.relaxation import gumbel, straight_through

THREE = ("none", "skip_connect", "nor_conv_3x3")
LOGITS = torch.tensor([0.5, -1.0, 1.0], dtype=torch.float64)


def _moment(progress: float = 0.0, kinds: tuple[str, ...] = ("edge",), seed: int = 0, **options: object) -> Moment:
    mixtures = tuple(Mixture(f"m{place}", THREE, kind) for place, kind in enumerate(kinds))  # type: ignore[arg-type]
    kept = options.get("kept", ((0, 1, 2),) * len(kinds))
    return Moment(mixtures, progress, kept, torch.Generator().manual_seed(seed))  # type: ignore[arg-type]


def _draws(relax: object, count: int, progress: float = 0.0) -> Tensor:
    moment = _moment(progress)
    return torch.stack([relax([LOGITS], moment).weights[0] for _ in range(count)])  # type: ignore[operator]


def test_darts_weighs_by_softmax_and_computes_everything() -> None:
    mix = darts.relax([LOGITS], _moment())
    assert torch.allclose(mix.weights[0], LOGITS.softmax(-1))
    assert mix.active is None


def test_an_option_that_was_pruned_has_no_weight_and_is_not_computed() -> None:
    mix = darts.relax([LOGITS], _moment(kept=((0, 2),)))
    assert torch.allclose(mix.weights[0], torch.tensor([log(1), -torch.inf, 0.5]).double().softmax(-1))
    assert mix.active == ((0, 2),)


@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_gdas_draws_options_by_their_softmax_at_any_temperature(progress: float) -> None:
    search = gdas.gdas()
    drawn = _draws(search.relax, 2000, progress)
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    found = drawn.sum(0).numpy()
    assert stats.chisquare(found, 2000 * LOGITS.softmax(-1).numpy()).pvalue > 1e-3


def test_gdas_computes_the_drawn_option_alone() -> None:
    mix = gdas.gdas().relax([LOGITS], _moment(seed=3))
    assert mix.active == ((int(mix.weights[0].argmax()),),)


def test_the_temperature_of_gdas_falls_from_10_to_a_tenth_evenly() -> None:
    """At temperature t the softmax that gives the gradient is that of the same draw divided by t."""
    noise = -torch.empty_like(LOGITS).exponential_(generator=torch.Generator().manual_seed(5)).log()
    for progress, temperature in ((0.0, 10.0), (0.5, 5.05), (1.0, 0.1)):
        alpha = LOGITS.clone().requires_grad_()
        weights = gdas.gdas().relax([alpha], _moment(progress, seed=5)).weights[0]
        other = LOGITS.clone().requires_grad_()
        soft = ((other.log_softmax(-1) + noise) / temperature).softmax(-1)
        along = torch.tensor([1.0, 2.0, -3.0], dtype=torch.float64)
        ours, theirs = (torch.autograd.grad(w @ along, a)[0] for w, a in ((weights, alpha), (soft, other)))
        assert torch.allclose(ours, theirs)


def test_straight_through_is_exactly_hard_with_the_gradient_of_soft() -> None:
    soft = torch.tensor([0.1, 0.6, 0.3]).requires_grad_()
    hard, option = straight_through(soft)
    assert hard.tolist() == [0.0, 1.0, 0.0]
    assert option == 1
    along = torch.tensor([3.0, -1.0, 2.0])
    assert torch.equal(torch.autograd.grad(hard @ along, soft)[0], along)


def test_the_gumbel_softmax_is_the_concrete_distribution() -> None:
    """The strongest option is drawn by its probability, and the draw sharpens as the temperature falls."""
    draws = torch.Generator().manual_seed(0)
    soft = torch.stack([gumbel(LOGITS.log_softmax(-1), 0.5, draws) for _ in range(2000)])
    found = torch.bincount(soft.argmax(1), minlength=3).numpy()
    assert stats.chisquare(found, 2000 * LOGITS.softmax(-1).numpy()).pvalue > 1e-3
    warm = torch.stack([gumbel(LOGITS.log_softmax(-1), 5.0, draws) for _ in range(300)])
    assert warm.max(1).values.mean() < soft[:300].max(1).values.mean() - 0.2


def test_snas_weighs_softly_and_ever_more_sharply() -> None:
    search = snas.snas()
    warm, cold = _draws(search.relax, 200, 0.0), _draws(search.relax, 200, 1.0)
    assert torch.allclose(warm.sum(1), torch.ones(200, dtype=torch.float64))
    assert cold.max(1).values.mean() > 0.97 > warm.max(1).values.mean()
    assert search.relax([LOGITS], _moment()).active is None


def test_drnas_draws_from_the_dirichlet_distribution_of_elu_plus_1() -> None:
    concentration = torch.nn.functional.elu(LOGITS) + 1
    drawn = _draws(drnas.drnas().relax, 2000)
    wanted = torch.distributions.Dirichlet(concentration)
    assert torch.allclose(drawn.mean(0), wanted.mean, atol=0.03)
    assert torch.allclose(drawn.var(0), wanted.variance, atol=0.01)
    assert stats.kstest(drawn[:, 1].numpy(), stats.beta(*_marginal(concentration, 1)).cdf).pvalue > 1e-3


def test_the_gradient_of_the_dirichlet_draw_is_that_of_the_expectation() -> None:
    """E[w_0^2] = a_0 (a_0 + 1) / (A (A + 1)), so its derivative is known; the pathwise estimate averages to it."""
    alpha = LOGITS.clone().requires_grad_()
    a = torch.nn.functional.elu(alpha) + 1
    oracle = torch.autograd.grad(a[0] * (a[0] + 1) / (a.sum() * (a.sum() + 1)), alpha)[0]
    moment, search = _moment(), drnas.drnas()
    drawn = torch.stack([search.relax([alpha], moment).weights[0] for _ in range(1500)])
    found = torch.autograd.grad((drawn[:, 0] ** 2).mean(), alpha)[0]
    assert torch.allclose(found, oracle, atol=0.03)
    assert oracle.abs().max() > 0.05


def test_a_pruned_dirichlet_draw_is_one_over_the_options_that_are_left() -> None:
    moment, search = _moment(kept=((0, 2),)), drnas.drnas()
    drawn = torch.stack([search.relax([LOGITS], moment).weights[0] for _ in range(2000)])
    assert torch.equal(drawn[:, 1], torch.zeros(2000, dtype=torch.float64))
    concentration = torch.nn.functional.elu(LOGITS[[0, 2]]) + 1
    wanted = stats.beta(*concentration.tolist())
    assert stats.kstest(drawn[:, 0].numpy(), wanted.cdf).pvalue > 1e-3


def test_the_anchor_of_drnas_is_the_divergence_from_the_uniform_distribution() -> None:
    search = drnas.drnas(anchor="kl", scale=0.5)
    assert search.settings.arch_weight_decay == 0
    assert search.penalty is not None
    assert float(search.penalty([torch.zeros(3)], 0.3)) == 0
    a = torch.nn.functional.elu(LOGITS) + 1
    gammas = torch.lgamma(a.sum()) - torch.lgamma(torch.tensor(3.0)) - torch.lgamma(a).sum()
    oracle = gammas + ((a - 1) * (torch.digamma(a) - torch.digamma(a.sum()))).sum()
    assert float(search.penalty([LOGITS, LOGITS], 0.3)) == pytest.approx(0.5 * 2 * float(oracle))


def test_beta_decay_is_the_mean_of_log_sum_exp_with_a_weight_that_grows_to_50() -> None:
    search, other = beta_darts.beta_darts(), torch.zeros(4, dtype=torch.float64)
    assert search.penalty is not None
    by_hand = (float(LOGITS.exp().sum().log()) + log(4)) / 2
    for progress, weight in ((0.0, 0.0), (0.2, 10.0), (1.0, 50.0)):
        assert float(search.penalty([LOGITS, other], progress)) == pytest.approx(weight * by_hand)


def test_in_fair_darts_the_weight_of_an_option_depends_on_no_other_option() -> None:
    alpha = LOGITS.clone().requires_grad_()
    mix = fair_darts.relax([alpha], _moment())
    assert mix.weights[0].tolist() == pytest.approx([1 / (1 + exp(-a)) for a in LOGITS.tolist()])
    assert mix.active is None
    slopes = torch.stack([torch.autograd.grad(w, alpha, retain_graph=True)[0] for w in mix.weights[0]])
    sigmoid = LOGITS.sigmoid()
    assert torch.allclose(slopes, torch.diag(sigmoid * (1 - sigmoid)))


def test_the_zero_one_loss_is_the_mean_square_distance_from_a_half_and_drives_weights_apart() -> None:
    search, alpha = fair_darts.fair_darts(), LOGITS.clone().requires_grad_()
    other = torch.tensor([2.0, 0.0], dtype=torch.float64).requires_grad_()
    assert search.penalty is not None
    found = search.penalty([alpha, other], 0.3)
    s = [1 / (1 + exp(-a)) for a in (0.5, -1.0, 1.0, 2.0, 0.0)]
    assert float(found.detach()) == pytest.approx(-10 / 5 * sum((one - 0.5) ** 2 for one in s))
    gradient = torch.cat(torch.autograd.grad(found, [alpha, other])).tolist()
    assert gradient == pytest.approx([-10 / 5 * 2 * (one - 0.5) * one * (1 - one) for one in s])
    assert gradient[-1] == 0, "a weight of a half is pushed by the loss of the network alone"
    assert float(search.penalty([alpha, other], 0.9).detach()) == float(found.detach()), "the same all along"


def test_fair_darts_derives_nothing_where_no_option_of_an_edge_reaches_the_threshold() -> None:
    probable = fair_darts.fair_darts().probabilities
    weak, strong = (torch.tensor([9.0, -1.0, a], dtype=torch.float64) for a in (log(0.84 / 0.16), log(0.86 / 0.14)))
    mixtures = (_edge("n"), _edge("n"), Mixture("depth", THREE, "depth"))
    found = probable([weak, strong, weak], mixtures)
    assert [int(w.argmax()) for w in found] == [0, 2, 0]
    assert found[0].tolist() == pytest.approx([0.85, 1 / (1 + exp(1)), 0.84])
    assert torch.allclose(found[2], weak.sigmoid()), "no edge: the strongest"


def test_fair_darts_draws_an_ordered_decision_by_the_shares_of_its_weights() -> None:
    moment = _moment(kinds=("ordered",), kept=((0, 2),))
    drawn = torch.stack([fair_darts.relax([LOGITS], moment).weights[0] for _ in range(2000)]).detach()
    assert torch.equal(drawn[:, 1], torch.zeros(2000, dtype=torch.float64))
    wanted = LOGITS[[0, 2]].sigmoid() / LOGITS[[0, 2]].sigmoid().sum()
    assert stats.chisquare(drawn[:, [0, 2]].sum(0).numpy(), 2000 * wanted.numpy()).pvalue > 1e-3


def test_edges_are_normalised_over_those_that_meet_in_a_node() -> None:
    """Node 3 of a cell has the edges 1 and 2, node 2 the edge 0; a choice beside it is not touched."""
    nodes = ("cell 1", "cell 2", "cell 2", None)
    mixtures = [_edge(node) for node in nodes]
    betas = torch.tensor([0.3, 1.0, -1.0, 7.0], dtype=torch.float64)
    found = torch.stack(pc_darts.normalised(betas, mixtures))  # type: ignore[arg-type]
    e = torch.tensor([1.0, -1.0], dtype=torch.float64).exp()
    assert torch.allclose(found, torch.tensor([1.0, *(e / e.sum()), 1.0], dtype=torch.float64))


def test_the_weights_of_pc_darts_are_those_of_the_option_times_those_of_the_edge() -> None:
    moment = _moment(kinds=("edge", "edge"))
    parameters = [LOGITS, -LOGITS, torch.tensor([0.2, 0.4], dtype=torch.float64)]
    object.__setattr__(moment, "mixtures", (_edge("n"), _edge("n")))
    mix = pc_darts.relax(parameters, moment)
    shares = parameters[2].softmax(-1)
    assert torch.allclose(mix.weights[0], LOGITS.softmax(-1) * shares[0])
    assert torch.allclose(mix.weights[1], (-LOGITS).softmax(-1) * shares[1])
    assert pc_darts.start(moment.mixtures) == [3, 3, 2]


ADDED = [darts.darts(), snas.snas(), drnas.drnas(), fair_darts.fair_darts()]


@pytest.mark.parametrize("search", ADDED, ids=lambda search: search.name)
def test_of_an_ordered_decision_one_option_is_drawn_whatever_the_algorithm(search: object) -> None:
    mix = search.relax([LOGITS, LOGITS], _moment(kinds=("edge", "ordered")))  # type: ignore[attr-defined]
    assert sorted(mix.weights[1].tolist()) == [0.0, 0.0, 1.0]
    assert mix.active == ((0, 1, 2), (int(mix.weights[1].argmax()),))


def _edge(node: str | None) -> Mixture:
    return Mixture("edge", THREE, "edge", node)


def _marginal(concentration: Tensor, place: int) -> tuple[float, float]:
    return float(concentration[place]), float(concentration.sum() - concentration[place])
