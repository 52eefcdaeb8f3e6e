"""The section on weight sharing: what moved, named by the option that leads at the end."""

from dataclasses import replace

import numpy as np
import pytest

from nasturtium.report import one_shot
from nasturtium.report.page import page


@pytest.fixture
def shared(content):
    def epoch(share: float, skips: float) -> dict:
        return {
            "weights": [[1 - share, share], [0.5, 0.5], [1.0]],
            "entropy": 1 - share / 2,
            "skips": skips,
            "train_loss": 1.0,
            "eigenvalue": None,
        }

    trace = {
        "method": "DARTS",
        "mixtures": [
            {"name": "cell.edge_0_1", "options": ["<b>conv</b>", "skip_connect"]},
            {"name": "cell.edge_0_2", "options": ["none", "conv"]},
            {"name": "fixed", "options": ["only"]},
        ],
        "epochs": [epoch(share, share) for share in (0.5, 0.7, 0.9)],
        "passes": 2.6,
        "remarks": ["Collapse: skip connections take over."],
        "ended": "finished",
        "seconds": 12.0,
        "derived": [{"cell.0": "skip_connect"}],
    }
    return replace(content, one_shot=trace)


def test_the_map_shows_the_option_that_leads_at_the_end_from_the_first_epoch_to_the_last(shared):
    heat = one_shot.weights(shared)["data"][0]
    assert heat["y"][-1] == "cell.edge_0_1: skip_connect"  # what gained most stands on top
    np.testing.assert_allclose(heat["z"][-1], [0.5, 0.7, 0.9])
    assert len(heat["y"]) == 2  # a mixture of one option has nothing to show


def test_entropy_and_skips_are_drawn_epoch_by_epoch(shared):
    entropy, skips = one_shot.course(shared)["data"]
    np.testing.assert_allclose(entropy["y"], [0.75, 0.65, 0.55])
    np.testing.assert_allclose(skips["y"], [0.5, 0.7, 0.9])


def test_uniform_paths_have_no_map(shared):
    trace = shared.one_shot
    still = {**trace, "epochs": [trace["epochs"][0]] * 3}
    assert one_shot.weights(replace(shared, one_shot=still)) is None


def test_the_page_tells_what_was_noticed_and_what_was_derived(shared, content):
    text = page(shared)
    assert "DARTS trained one supernet for 2.6 epochs" in text
    assert "Collapse: skip connections take over." in text
    assert "skip_connect" in text
    assert "<b>conv</b>" not in text
    assert "Weight sharing" not in page(content)


def test_the_audit_shows_both_scores_of_what_was_derived_and_of_the_random_control(shared):
    points = [{"trial": k, "inherited": 0.1 * k, "alone": 0.5 + 0.01 * k, "derived": k % 3 == 0} for k in range(10)]
    audit = {"sentence": "Kendall's tau is <1>.", "correlation": {"kendall": 1.0}, "points": points}
    audited = replace(shared, one_shot={**shared.one_shot, "audit": audit})
    derived, random = one_shot.audit_points(audited)["data"]
    assert (derived["name"], random["name"]) == ("derived", "random control")
    np.testing.assert_allclose(derived["x"], [0.0, 0.3, 0.6, 0.9])
    np.testing.assert_allclose(derived["y"], [0.5, 0.53, 0.56, 0.59])
    assert len(random["x"]) == 6
    assert "Kendall&#x27;s tau is &lt;1&gt;." in page(audited)


def test_an_audit_of_too_few_is_words_without_a_figure(shared):
    audit = {"sentence": "The supernet was not audited: 4 architectures.", "correlation": None, "points": []}
    audited = replace(shared, one_shot={**shared.one_shot, "audit": audit})
    assert one_shot.audit_points(audited) is None
    assert "The supernet was not audited: 4 architectures." in page(audited)
    assert "Can inherited scores be trusted?" not in page(shared)
