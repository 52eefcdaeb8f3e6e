from dataclasses import fields

import pytest

from nasturtium.errors import UserError
from nasturtium.task import Signal, Task
from nasturtium.training import Augmentation, Recipe, default_recipe


def test_a_recipe_survives_json() -> None:
    recipe = Recipe("sgd", lr=0.3, clip=1.0, patience=5, augment=Augmentation(flip=True, mixup=0.2))
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_left_out_fields_take_their_defaults() -> None:
    assert Recipe.from_json('{"lr": 0.5}') == Recipe(lr=0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"learning_rate": 1}', "Recipe has no field 'learning_rate'"),
        ('{"augment": {"flips": true}}', r"Augmentation has no field 'flips'\. Did you mean 'flip'\?"),
        ('{"optimizer": "adam"}', r"optimizer cannot be 'adam'\. Did you mean 'adamw'\?"),
        ('{"lr": 0}', "lr must be above 0, not 0"),
        ('{"ema": 1.0}', "ema must be at least 0 and below 1, not 1.0"),
        ('{"clip": 0}', "recipe's clip must be above 0, not 0; None does not clip"),
        ('{"huber": -1.0}', r"recipe's huber must be above 0, not -1\.0; None is the squared error"),
        ('{"patience": 0}', "recipe's patience must be above 0, not 0; None always trains on"),
        ('{"weight_decay": -0.1}', r"recipe's weight_decay must be at least 0, not -0\.1"),
        ('{"momentum": 1.0}', r"recipe's momentum must be at least 0 and below 1, not 1\.0"),
        ('{"momentum": -0.1}', r"recipe's momentum must be at least 0 and below 1, not -0\.1"),
        ('{"momentum": NaN}', "recipe's momentum must be at least 0 and below 1, not nan"),
        ('{"warmup": 1.0}', r"recipe's warmup must be at least 0 and below 1, not 1\.0"),
        ('{"warmup": -0.1}', r"recipe's warmup must be at least 0 and below 1, not -0\.1"),
        ("[1]", "A recipe is a JSON object, not list"),
        ("{", "The recipe is not JSON"),
    ],
)
def test_a_wrong_recipe_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Recipe.from_json(text)


@pytest.mark.parametrize("name", [field.name for field in fields(Augmentation) if field.name != "flip"])
def test_a_negative_augmentation_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=rf"augmentation's {name} must be at least 0 \(off\), not -0\.1\."):
        Augmentation(**{name: -0.1})
    with pytest.raises(UserError, match=name):
        Recipe.from_json(f'{{"augment": {{"{name}": -0.1}}}}')


def test_the_ends_of_what_makes_sense_are_taken() -> None:
    ends = Recipe(weight_decay=0, momentum=0, warmup=0, clip=1e-9, huber=1e-9, patience=1, ema=0, label_smoothing=0)
    assert Recipe.from_json(ends.to_json()) == ends
    plain = Recipe(warmup=None, clip=None, huber=None, patience=None)
    assert Recipe.from_json(plain.to_json()) == plain


def _image(side: int) -> Task:
    return Task("classification", Signal("image", (1, side, side)), 10, "accuracy")


def test_images_are_not_mirrored_unless_the_caller_says_so() -> None:
    assert not default_recipe(_image(28), 4000).augment.flip
    assert default_recipe(_image(28), 4000, flip=True).augment.flip


def test_more_rows_are_passed_fewer_times_and_effort_multiplies() -> None:
    few, many = default_recipe(_image(28), 1000), default_recipe(_image(28), 50_000)
    assert few.epochs > many.epochs
    assert default_recipe(_image(28), 4000, effort=0.5).epochs < default_recipe(_image(28), 4000).epochs
