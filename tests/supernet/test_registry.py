"""One-shot searches by name: published settings where there are rows enough, and what changes where there are not."""

import pytest

from nasturtium.errors import RunError
from nasturtium.strategies import EnasController
from nasturtium.supernet.darts import PUBLISHED
from nasturtium.supernet.registry import ONE_SHOT, one_shot, one_shot_name

POLICY = EnasController().policy


def test_every_name_has_a_trainer_and_aliases_lead_to_it():
    for name in ONE_SHOT:
        assert one_shot(name, 50_000, POLICY).trainer.name
    assert one_shot_name("Once_For_All") == "ofa"
    assert one_shot_name("tpe") is None


def test_on_cifar10_the_settings_are_the_published_ones():
    assert one_shot("darts", 50_000, POLICY).trainer.settings == PUBLISHED
    assert one_shot("pc-darts", 50_000, POLICY).partial == 4


def test_few_rows_have_smaller_batches_and_a_faster_architecture():
    settings = one_shot("darts", 1000, POLICY).trainer.settings
    assert settings.batch_size == 500 // 16
    assert PUBLISHED.arch_lr < settings.arch_lr <= 10 * PUBLISHED.arch_lr


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(RunError, match="Did you mean 'gdas'"):
        one_shot("gdass", 1000, POLICY)
