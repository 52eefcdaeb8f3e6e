"""`nasturtium space check` for scripts: the exit code says whether the limits can be met."""

import sys

import pytest

from nasturtium.cli import main


@pytest.mark.parametrize(("most", "code"), [("10", 1), ("20k", 0)])
def test_the_exit_code_says_whether_the_limits_can_be_met(
    most: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["space", "check", "mlp", "--source", "wine", "--max-params", most, "--samples", "10"]
    monkeypatch.setattr(sys, "argv", ["nasturtium", *asked])
    with pytest.raises(SystemExit) as left:
        main()
    assert (left.value.code or 0) == code
    assert ("Nothing meets the limit of 10 params" in capsys.readouterr().out) == (code == 1)
