"""`model.py` as text, executed in a namespace of its own. Oracle: the module itself."""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from nasturtium.export import Deployable
from nasturtium.export._script import write_script


def executed(text: str, folder: Path, deployable: Deployable) -> ModuleType:
    save_file({name: tensor.clone() for name, tensor in deployable.state.items()}, folder / "weights.safetensors")
    module = ModuleType("model")
    module.__file__ = str(folder / "model.py")
    exec(compile(text, module.__file__, "exec"), vars(module))
    return module


@pytest.mark.parametrize(("kind", "encoding"), [("image", "ARRAYS"), ("table", "TABLE"), ("sequence", "ARRAYS")])
def test_the_script_gives_exactly_what_the_trained_model_gives(models, tmp_path, kind, encoding):
    deployable = getattr(models, kind)
    script = executed(write_script(deployable, getattr(models, encoding), "A model.").text, tmp_path, deployable)
    x = torch.from_numpy(models.rows(deployable.task))
    with torch.inference_mode():
        assert torch.equal(script.load()(x), deployable.module()(x))


def test_predict_gives_class_names_label_lists_or_values(models, tmp_path):
    image, table, sequence = models.image, models.table, models.sequence
    script = executed(write_script(image, models.ARRAYS, "").text, tmp_path, image)
    x = models.digit_rows
    expected = image.module()(torch.from_numpy(x)).argmax(1).tolist()
    assert script.predict(x) == [str(k) for k in expected]
    assert script.predict(x[0]) == [str(expected[0])]
    np.testing.assert_allclose(script.probabilities(x).sum(1), 1, atol=1e-5)
    script = executed(write_script(sequence, models.ARRAYS, "").text, tmp_path, sequence)
    scores = sequence.module()(torch.from_numpy(models.tag_rows))
    assert script.predict(models.tag_rows) == [
        [models.TAGS.classes[k] for k in range(3) if row[k] > 0] for row in scores
    ]
    script = executed(write_script(table, models.TABLE, "").text, tmp_path, table)
    assert script.predict(models.house_rows) == table.module()(torch.from_numpy(models.house_rows))[:, 0].tolist()


def test_dictionaries_are_encoded_by_column_name_and_vocabulary(models, tmp_path):
    table = models.table
    script = executed(write_script(table, models.TABLE, "").text, tmp_path, table)
    people = [
        {"area": 1.5, "rooms": "2", "town": "St. Ives", "more": 1},
        {"area": None, "rooms": True, "town": " Ayr "},
        {"rooms": "?", "town": "Paris"},
    ]
    nan = float("nan")
    expected = torch.tensor([[1.5, 2, 2], [nan, 1, 1], [nan, nan, 0]])
    torch.testing.assert_close(script.as_input(people), expected, equal_nan=True)
    assert len(script.predict(people[0])) == 1


def test_rows_of_the_wrong_shape_are_refused_in_words(models, tmp_path):
    image = models.image
    script = executed(write_script(image, models.ARRAYS, "").text, tmp_path, image)
    with pytest.raises(ValueError, match=r"Rows of shape \(1, 8, 8\) are expected, but the shape of all rows is"):
        script.predict(np.zeros((2, 8, 8), dtype=np.float32))


def test_the_script_imports_torch_and_the_standard_library_only(models):
    tree = ast.parse(write_script(models.table, models.TABLE, "A model.").text)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"json", "collections", "pathlib", "torch"}


def test_names_from_the_data_cannot_break_out_of_the_script(models, tmp_path):
    table = models.table
    odd = ['"""', "\\", "a-b " * 60, "'; import os", "line\nbreak"]
    encoding = models.TABLE | {"numbers": ["x", 'y"'], "categories": [{"name": '"""', "values": odd}]}
    text = write_script(table, encoding, 'A """model""" \\ of mine.').text
    script = executed(text, tmp_path, table)
    assert {'"""': tuple(odd)} == script.CATEGORIES
    assert script.NUMBERS == ("x", 'y"')


def test_long_lists_are_wrapped(models, tmp_path):
    table = models.table
    names = [f"column-{k} with blanks" for k in range(40)]
    text = write_script(table, models.TABLE | {"numbers": names}, "").text
    assert tuple(names) == executed(text, tmp_path, table).NUMBERS
    assert max(map(len, text.splitlines())) <= 120


def test_the_script_is_tidy(models, tmp_path):
    pytest.importorskip("ruff", reason="ruff is not installed here")
    for kind, encoding in (("image", models.ARRAYS), ("table", models.TABLE), ("sequence", models.ARRAYS)):
        (tmp_path / f"{kind}.py").write_text(write_script(getattr(models, kind), encoding, "A model.").text)
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--line-length", "120", str(tmp_path)]
    checked = subprocess.run([*ruff, "check", "--select", "E,F,I", *options], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    formatted = subprocess.run([*ruff, "format", "--diff", *options], capture_output=True, text=True)
    assert formatted.returncode == 0, formatted.stdout
