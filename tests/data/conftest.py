"""Small sources for the tests of the data room."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def passengers() -> pd.DataFrame:
    """300 made-up passengers with every kind of column."""
    rng = np.random.default_rng([7, 0])
    rows = 300
    sex = rng.choice(["male", "female"], rows)
    survived = np.where(sex == "female", rng.random(rows) < 0.75, rng.random(rows) < 0.2).astype(int)
    age = rng.normal(30, 12, rows).round(1)
    age[rng.random(rows) < 0.2] = np.nan
    title = np.where(sex == "male", "Mr.", "Mrs.")
    return pd.DataFrame(
        {
            "PassengerId": np.arange(1, rows + 1),
            "Survived": survived,
            "Name": [f"Number{i}, {title[i]} Ann of Bristol" for i in range(rows)],
            "Sex": sex,
            "Age": age,
            "Ticket": [f"A{n}" for n in rng.permutation(rows)],
            "Fare": rng.gamma(2, 15, rows).round(2),
            "Embarked": rng.choice(["S", "C", "Q", None], rows, p=[0.6, 0.2, 0.15, 0.05]),
            "Boarded": pd.date_range("1912-04-01", periods=rows, freq="h").astype(str),
            "Alone": rng.random(rows) < 0.5,
            "Ship": "Titanic",
        }
    )


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write
