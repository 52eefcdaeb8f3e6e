"""Every Python snippet of the README and the documents runs, in order, as a reader would run it."""

import importlib
import json
import re
import runpy
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = {"json": json.loads, "toml": tomllib.loads}
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (\w+\.py)\n")

# result.md is compared whole, below.
DOCUMENTS = [ROOT / "README.md", *sorted(page for page in (ROOT / "docs").glob("*.md") if page.name != "result.md")]


def with_snippets() -> list[Path]:
    return [document for document in DOCUMENTS if SNIPPET.search(document.read_text())]


@pytest.mark.parametrize("document", with_snippets(), ids=lambda path: path.stem)
def test_the_snippets_of_a_document_run_in_order(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One namespace a document. A snippet that begins with `# name.py` is that file, and is imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    known = set(sys.modules)
    text = document.read_text()
    namespace: dict[str, object] = {"__name__": f"snippets_of_{document.stem}"}
    try:
        for found in SNIPPET.finditer(text):
            run(found[1], f"{document.name}, line {text[: found.start()].count(chr(10)) + 2}", namespace)
    finally:
        for name in set(sys.modules) - known:
            if Path(getattr(sys.modules[name], "__file__", None) or "/").is_relative_to(tmp_path):
                del sys.modules[name]


def run(code: str, where: str, namespace: dict[str, object]) -> None:
    named = FILE_NAME.match(code)
    if named is not None:
        Path(named[1]).write_text(code)
        importlib.invalidate_caches()
        importlib.import_module(named[1].removesuffix(".py"))
        return
    try:
        exec(compile(code, where, "exec"), namespace)
    except Exception as error:
        pytest.fail(f"{where}: {type(error).__name__}: {error}\n\n{code}")


def test_every_snippet_says_its_language() -> None:
    for document in DOCUMENTS:
        fences = re.findall(r"^```(.*)$", document.read_text(), re.MULTILINE)
        assert set(fences[1::2]) <= {""}, document.name
        # Only a listing of files may go without; "text" is something to say to a program of others.
        assert [fence for fence in fences[::2] if fence not in ("python", "sh", "text", *DATA, "")] == [], document.name


def test_data_in_the_documents_can_be_read() -> None:
    found = 0
    for document in DOCUMENTS:
        for block in re.finditer(r"^```(json|toml)\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL):
            assert DATA[block[1]](block[2]), document.name
            found += 1
    assert found > 0


def test_own_spaces_of_the_documents_are_made_by_their_references(tmp_path: Path) -> None:
    """`--space file.py:NAME` of a command is a space, where the file is a snippet of the same document."""
    from nasturtium.space import load_space
    from nasturtium.task import Signal, Task

    task = Task("classification", Signal("image", (1, 8, 8)), 10, "accuracy")
    loaded = 0
    for document in DOCUMENTS:
        text = document.read_text()
        for code in SNIPPET.findall(text):
            if named := FILE_NAME.match(code):
                (tmp_path / named[1]).write_text(code)
                for name in set(re.findall(rf"{re.escape(named[1])}:(\w+)", text)):
                    space = load_space(str(tmp_path / f"{named[1]}:{name}"), task)
                    assert space.sample(seed=0).tree.lower(task.input).out(task.input).size == 10
                    loaded += 1
    assert loaded >= 2


def test_the_page_on_the_result_is_up_to_date() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_result.py"))
    assert (ROOT / "docs" / "result.md").read_text() == made["page"](), "write it anew: python docs/make_result.py"


def test_links_between_documents_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).is_file(), f"{document.name} links to {target}"
