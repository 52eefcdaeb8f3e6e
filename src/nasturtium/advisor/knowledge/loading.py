"""Reads the knowledge base: every TOML file of a folder, each entry checked against its record.

A file has `dated` (the day on which its figures were checked) and any of the tables `[[architecture]]`, `[[genotype]]`,
`[[strategy]]`, `[[rule]]` and `[[pitfall]]`.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from nasturtium.advisor.knowledge.records import DesignRule, Genotype, Knowledge, Known, Pitfall, StrategyFact
from nasturtium.errors import KnowledgeError, hint
from nasturtium.hardware.data_files import checked, parse_toml

TABLES: Mapping[str, tuple[str, type]] = {
    "architecture": ("architectures", Known),
    "genotype": ("genotypes", Genotype),
    "strategy": ("strategies", StrategyFact),
    "rule": ("rules", DesignRule),
    "pitfall": ("pitfalls", Pitfall),
}
MAY_BE_UNKNOWN = ("params", "macs", "gpu_days")
"""Fields that an entry may leave out where no source has the figure: TOML has no null."""


def load_knowledge(folder: Path | None = None) -> Knowledge:
    """The knowledge base of the package, or of a folder of TOML files.

    Raises `KnowledgeError` naming the file, the entry, the field and the mend.
    """
    if folder is None:
        return _bundled()
    if not folder.is_dir():
        raise KnowledgeError(f"The folder of knowledge {str(folder)!r} is not there; name a folder of TOML files.")
    return _read(folder)


@lru_cache(maxsize=1)
def _bundled() -> Knowledge:
    return _read(resources.files("nasturtium.advisor.knowledge"))


def _read(folder: Traversable) -> Knowledge:
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name)
    if not files:
        raise KnowledgeError(f"The folder {str(folder)!r} holds no knowledge; it needs at least one .toml file.")
    dates: list[str] = []
    found: dict[str, list[Any]] = {field: [] for field, _ in TABLES.values()}
    owners: dict[tuple[str, str], str] = {}
    for file in files:
        content = parse_toml(file)
        dates.append(_dated(content.pop("dated", None), file.name))
        for table, entries in content.items():
            field, record = _table(table, entries, file.name)
            for place, entry in enumerate(entries):
                made = checked(record, _unknown_as_none(record, entry), file.name, f"{table} {_title(entry, place)}")
                owner = owners.setdefault((table, made.name), file.name)
                if any(made.name == other.name for other in found[field]):
                    raise KnowledgeError(
                        f"{file.name}: the {table} {made.name!r} is already in {owner}; keep one, or rename it."
                    )
                found[field].append(made)
    return Knowledge(dated=max(dates), **{field: tuple(records) for field, records in found.items()})


def _unknown_as_none(record: type, entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    missing = [name for name in MAY_BE_UNKNOWN if name in getattr(record, "__dataclass_fields__", {})]
    return {**dict.fromkeys(missing), **entry}


def _title(entry: Any, place: int) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return repr(name) if isinstance(name, str) else f"number {place + 1}"


def _table(table: str, entries: Any, file: str) -> tuple[str, type]:
    if table not in TABLES:
        raise KnowledgeError(f"{file}: unknown table {table!r}. {hint(table, TABLES)}")
    if not isinstance(entries, list):
        raise KnowledgeError(f"{file}: {table!r} must be a list of entries; write [[{table}]] above each.")
    return TABLES[table]


def _dated(value: Any, file: str) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise KnowledgeError(
            f"{file}: `dated` is {value!r}; write the day of the last check above the first entry, "
            'such as dated = "2026-11-23".'
        ) from None
