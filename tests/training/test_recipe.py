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
        ("[1]", "A recipe is a JSON object, not list"),
        ("{", "The recipe is not JSON"),
    ],
)
def test_a_wrong_recipe_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Recipe.from_json(text)


def _image(side: int) -> Task:
    return Task("classification", Signal("image", (1, side, side)), 10, "accuracy")


def test_images_are_not_mirrored_unless_the_caller_says_so() -> None:
    assert not default_recipe(_image(28), 4000).augment.flip
    assert default_recipe(_image(28), 4000, flip=True).augment.flip


def test_more_rows_are_passed_fewer_times_and_effort_multiplies() -> None:
    few, many = default_recipe(_image(28), 1000), default_recipe(_image(28), 50_000)
    assert few.epochs > many.epochs
    assert default_recipe(_image(28), 4000, effort=0.5).epochs < default_recipe(_image(28), 4000).epochs
