"""A knowledge file that breaks its schema is refused with the file, the entry, the field and the mend."""

from pathlib import Path

import pytest

from nasturtium.advisor.knowledge import Conditions, load_knowledge
from nasturtium.errors import KnowledgeError

RULE = {
    "name": '"a-rule"',
    "topic": '"normalisation"',
    "statement": '"Do so."',
    "evidence": '"It was better."',
    "source": '"Somebody 2020"',
    "conditions": '{ modalities = ["image"], max_batch = 16 }',
}
DATED = 'dated = "2026-11-23"\n'


def entry(**changed: str | None) -> str:
    fields = {name: value for name, value in (RULE | changed).items() if value is not None}
    return "[[rule]]\n" + "".join(f"{name} = {value}\n" for name, value in fields.items())


def refused(folder: Path, text: str, name: str = "mine.toml") -> str:
    (folder / name).write_text(text)
    with pytest.raises(KnowledgeError) as caught:
        load_knowledge(folder)
    return str(caught.value)


def test_a_folder_of_ones_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(DATED + entry())
    (tmp_path / "newer.toml").write_text('dated = "2027-01-02"\n' + entry(name='"another"', conditions=None))
    knowledge = load_knowledge(tmp_path)
    assert knowledge.dated == "2027-01-02"
    assert [rule.name for rule in knowledge.rules] == ["a-rule", "another"]
    assert knowledge.rules[0].conditions == Conditions(modalities=("image",), max_batch=16)
    assert knowledge.rules[1].conditions == Conditions()
    assert knowledge.architectures == ()


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    said = refused(tmp_path, DATED + entry(source=None))
    assert said == "mine.toml, rule 'a-rule': the field 'source' is missing; add it."


def test_an_entry_without_a_name_is_told_by_its_place(tmp_path: Path) -> None:
    said = refused(tmp_path, DATED + entry() + entry(name=None))
    assert said == "mine.toml, rule number 2: the field 'name' is missing; add it."


def test_an_unknown_field_gets_a_hint(tmp_path: Path) -> None:
    said = refused(tmp_path, DATED + entry(evidense='"x"'))
    assert said == "mine.toml, rule 'a-rule': unknown field 'evidense'. Did you mean 'evidence'?"


def test_an_unknown_field_inside_a_part_gets_a_hint_from_that_part(tmp_path: Path) -> None:
    said = refused(tmp_path, DATED + entry(conditions="{ max_bach = 16 }"))
    assert said == (
        "mine.toml, rule 'a-rule': unknown field 'conditions.max_bach'. "
        "Did you mean 'max_batch' or 'min_batch' or 'max_params'?"
    )


def test_a_word_that_is_not_in_the_list_gets_a_hint(tmp_path: Path) -> None:
    said = refused(tmp_path, DATED + entry(conditions='{ modalities = ["images"] }'))
    assert (
        said
        == "mine.toml, rule 'a-rule': the field 'conditions.modalities.0' may not be 'images'. Did you mean 'image'?"
    )


def test_a_number_as_text_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, DATED + entry(conditions='{ max_batch = "16" }'))
    assert said == (
        "mine.toml, rule 'a-rule': the field 'conditions.max_batch' is '16': input should be a valid number."
    )


def test_an_infinite_number_is_refused(tmp_path: Path) -> None:
    assert "max_batch' is inf" in refused(tmp_path, DATED + entry(conditions="{ max_batch = inf }"))


def test_an_empty_text_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, DATED + entry(source='" "'))
    assert said == "mine.toml, rule 'a-rule': the field 'source' is empty; say it, or leave the entry out."


def test_a_name_that_is_no_name_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, DATED + entry(name='"A Rule"'))
    assert said == "mine.toml, rule 'A Rule': the name 'A Rule' must be of lower-case letters, digits and hyphens."


def test_a_second_entry_of_a_name_is_refused_with_the_file_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "first.toml").write_text(DATED + entry())
    said = refused(tmp_path, DATED + entry(), "second.toml")
    assert said == "second.toml: the rule 'a-rule' is already in first.toml; keep one, or rename it."


def test_an_unknown_table_gets_a_hint(tmp_path: Path) -> None:
    said = refused(tmp_path, DATED + entry().replace("[[rule]]", "[[rules]]"))
    assert said == "mine.toml: unknown table 'rules'. Did you mean 'rule'?"


def test_a_table_that_is_no_list_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, DATED + entry().replace("[[rule]]", "[rule]"))
    assert said == "mine.toml: 'rule' must be a list of entries; write [[rule]] above each."


@pytest.mark.parametrize("dated", ["", 'dated = "yesterday"\n'])
def test_a_file_without_a_day_is_refused(tmp_path: Path, dated: str) -> None:
    shown = "'yesterday'" if dated else "None"
    assert refused(tmp_path, dated + entry()) == (
        f"mine.toml: `dated` is {shown}; write the day of the last check above the first entry, such as "
        'dated = "2026-11-23".'
    )


def test_a_mistake_of_the_format_is_told_with_its_line(tmp_path: Path) -> None:
    said = refused(tmp_path, DATED + "[[rule]]\nname = unquoted\n")
    assert said == "mine.toml is not valid TOML: Invalid value (at line 3, column 8). Mend that line."


def test_a_folder_that_is_not_there_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="is not there; name a folder of TOML files"):
        load_knowledge(tmp_path / "nowhere")
    with pytest.raises(KnowledgeError, match=r"holds no knowledge; it needs at least one \.toml file"):
        load_knowledge(tmp_path)


def test_conditions_hold_fail_or_are_not_known() -> None:
    conditions = Conditions(modalities=("image",), max_batch=16, min_side=32)
    assert conditions.hold(modality="image", batch=16, side=32) is True
    assert conditions.hold(modality="table", batch=None, side=None) is False
    assert conditions.hold(modality="image", batch=17) is False
    assert conditions.hold(modality="image", batch=8) is None
    assert Conditions().hold() is True
