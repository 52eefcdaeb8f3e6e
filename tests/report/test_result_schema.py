"""result.json: what is read, what is refused, and what is documented."""

import json
import re

import pytest

from nasturtium.errors import RunError
from nasturtium.report import RunResult, check_result, read_result, schema_docs


def test_a_result_is_read_back_with_its_unknown_keys(content, tmp_path):
    path = tmp_path / "result.json"
    path.write_text(json.dumps({**content.result, "added_later": 1}))
    result = read_result(path)
    assert result.best.test.per_seed[0] == 0.9917
    assert result.model_dump(by_alias=True)["added_later"] == 1
    assert result.model_dump(by_alias=True)["schema"] == 1


def test_a_newer_schema_is_refused_in_words(content):
    with pytest.raises(RunError, match=r"a run of a newer Nasturtium \(schema 2; this one reads up to 1\)"):
        check_result({**content.result, "schema": 2}, "result.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"result\.json' is no JSON"),
        ("[]", "it names no schema"),
        ('{"schema": 1, "verdict": "magic"}', r"is damaged at 'verdict': Input should be 'search' or 'baseline'"),
    ],
)
def test_a_damaged_result_is_refused_in_words(tmp_path, text, message):
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(RunError, match=message):
        read_result(tmp_path / "result.json")


def test_a_missing_result_is_refused_in_words(tmp_path):
    with pytest.raises(RunError, match=r"result\.json' cannot be read: No such file or directory\. Did the run end\?"):
        read_result(tmp_path / "result.json")


def test_every_field_is_documented():
    docs = schema_docs()
    for name, field in RunResult.model_fields.items():
        assert field.description
        assert f"| `{field.alias or name}` |" in docs
    assert not re.search(r"typing|nasturtium\.report|<class|None", docs)
