"""What there is to know of a data set: `prepare_data`'s profile, and nothing trained or written."""

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nasturtium.workflows.options import SearchOptions


class DataProfile(BaseModel):
    """What there is to know of a data set before a search."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Name of the data.")
    rows: int = Field(description="Rows.")
    modality: str = Field(description="image, sequence or table.")
    task: str = Field(description="classification, multi-label or regression.")
    metric: str = Field(description="The metric by which networks would be judged.")
    target: str = Field(description="Name of the target.")
    shape: list[int] = Field(description="Of one row, as found.")
    balance: dict[str, int] = Field(description="Rows by class or label.")
    missing: dict[str, float] = Field(description="Share of missing values by column.")
    duplicates: int = Field(description="Rows that repeat the features of an earlier one.")
    conflicts: int = Field(description="Rows with the features of another row but a different target.")
    leaks: list[str] = Field(description="Columns that alone predict the target: suspicious.")
    notes: list[str] = Field(description="Assumptions and warnings.")
    split: str = Field(description="How train, validation and test would be parted.")
    lines: list[str] = Field(description="All of it as text.")


def is_bundled(source: str) -> bool:
    """Is it the name of a data set that is no file?"""
    from nasturtium.data.sources.bundled import BUNDLED  # brings torch, as below

    return source in BUNDLED


def profile_source(options: SearchOptions) -> DataProfile:
    """Read, profile and split. Raises `DataError` and `UserError`."""
    from nasturtium.workflows.preparation import prepare_data  # brings torch: a server's start does not wait for it

    found = prepare_data(options).profile
    facts: dict[str, Any] = asdict(found)
    told = {name: facts[name] for name in DataProfile.model_fields if name in facts and name != "leaks"}
    leaks = [leak.column for leak in found.leaks]
    return DataProfile(**told, leaks=leaks, lines=found.lines())
