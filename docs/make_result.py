"""Writes `result.md` from the schema of result.json; a test fails where the page is stale."""

from pathlib import Path

from nasturtium.report import SCHEMA, schema_docs

PAGE = Path(__file__).with_name("result.md")
HEAD = f"""# result.json

What a run found, schema {SCHEMA}. This page is generated from the code by `python docs/make_result.py`.

Scores are in the metric's own unit; accuracy and its kin are fractions. Keys may be added within a schema, so readers
should ignore those that they do not know. The number is raised when a key changes its meaning or goes away. In Python,
`nasturtium.report.read_result(path)` reads and checks the file.

`best` is what ships; `found` is always the best *searched* network, so the two differ where the verdict is "baseline".

"""


def page() -> str:
    """Text of the page."""
    return HEAD + schema_docs()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
