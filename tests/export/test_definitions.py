"""What a class needs to stand alone, found in its file. Oracle: the collected text runs in an empty namespace."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from nasturtium.blocks import modules
from nasturtium.export._definitions import Definitions, definitions


@pytest.fixture
def user_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def make(text: str, name: str = "users_blocks") -> ModuleType:
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return make


def run(found: Definitions) -> dict[str, object]:
    lines = [
        f"from {i.module} import {i.member} as {i.name}" if i.member else f"import {i.module} as {i.name}"
        for i in found.imports.values()
    ]
    text = "\n".join([*lines, *found.texts])
    space: dict[str, object] = {"__name__": "alone"}
    future = "from __future__ import annotations\n" if found.lazy_annotations else ""
    exec(compile(future + text, "alone", "exec"), space)
    return space


def test_a_class_brings_its_helpers_constants_and_imports_and_nothing_else(user_file):
    file = user_file(
        "import math\n"
        "import os\n"
        "import torch.nn.functional as F\n"
        "from torch import nn\n\n"
        "# Why four: because.\n"
        "GAIN = 4\n"
        "UNUSED = os.getcwd()\n"
        "TABLE = {}\n"
        "TABLE['relu'] = F.relu\n\n"
        "class Base(nn.Module):\n    pass\n\n"
        "def scaled(x):\n    return math.sqrt(GAIN) * x\n\n"
        "class Other(nn.Module):\n    pass\n\n"
        "class Mine(Base):\n"
        "    def forward(self, x):\n"
        "        return TABLE['relu'](scaled(x))\n"
    )
    found = definitions([file.Mine])
    assert not found.missing
    assert set(found.imports) == {"math", "nn", "F"}
    assert list(found.names) == ["GAIN", "TABLE", "Base", "scaled", "Mine"]
    assert found.texts[0].startswith("# Why four")
    torch.testing.assert_close(run(found)["Mine"]()(torch.tensor([-1.0, 3.0])), torch.tensor([0.0, 6.0]))


def test_an_import_beyond_torch_and_the_standard_library_is_named(user_file):
    file = user_file(
        "import numpy as np\nfrom torch import nn\n\n"
        "class Mine(nn.Module):\n    def forward(self, x):\n        return x * float(np.pi)\n"
    )
    found = definitions([file.Mine])
    assert found.missing == ["'np' comes from numpy, which is neither torch nor the standard library"]


def test_a_name_used_in_annotations_only_need_not_exist(user_file):
    file = user_file(
        "from jaxtyping import Float\nfrom torch import Tensor, nn\n\n"
        "class Mine(nn.Module):\n"
        "    def forward(self, x: Float[Tensor, 'n d']) -> Float[Tensor, 'n d']:\n        return x + 1\n"
    )
    found = definitions([file.Mine])
    assert not found.missing
    assert found.lazy_annotations
    assert run(found)["Mine"]()(torch.zeros(1)).item() == 1


def test_two_files_with_one_name_for_two_things_are_told_apart(user_file):
    text = "from torch import nn\n\nclass Mine(nn.Module):\n    pass\n"
    first, second = user_file(text, "first_file"), user_file(text, "second_file")
    assert definitions([first.Mine, second.Mine]).missing == ["'Mine' is defined in both first_file and second_file"]


def test_a_name_that_model_py_uses_itself_is_refused(user_file):
    file = user_file("from torch import nn\n\ndef load():\n    return 1\n\nclass Mine(nn.Module):\n    x = load()\n")
    assert definitions([file.Mine], ["load"]).missing == ["'load' is a name that model.py itself uses"]


def test_a_class_without_a_file_is_named():
    space: dict[str, object] = {"__name__": "nowhere"}
    exec("from torch import nn\nclass Mine(nn.Module):\n    pass\n", space)
    missing = definitions([space["Mine"]]).missing
    assert missing == ["the source of Mine (module 'nowhere') cannot be read"]


def test_classes_of_torch_need_no_source():
    assert definitions([nn.Linear, nn.Conv2d]) == Definitions()


def test_every_own_module_stands_alone():
    own = [part for part in vars(modules).values() if getattr(part, "__module__", "") == modules.__name__]
    found = definitions(own)
    assert not found.missing
    assert {part.__name__ for part in own} <= set(run(found))
