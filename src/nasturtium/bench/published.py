"""Published figures: data with their source, shown in the same table as ours."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A published mean. std: as printed, None where there is none. source: publication or study."""

    method: str
    metric: str
    mean: float
    std: float | None
    source: str


def rows(method: str, source: str, **values: tuple[float, float] | float) -> tuple[Figure, ...]:
    """Figures of one method: metric = mean, or (mean, std)."""
    made = ((name, given if isinstance(given, tuple) else (given, None)) for name, given in values.items())
    return tuple(Figure(method, name, mean, std, source) for name, (mean, std) in made)


DONG = "Dong and Yang 2020 (ICLR), table 5"
ROBOT = "He et al. 2024 (RoBoT, ICLR), 20 labels and 6 zero-cost proxies"
TABLE = "searches on this table, 300 seeds (our own study)"

NB201_OFFICIAL = (
    *rows("RS", DONG, c10_test=(93.70, 0.36), c100_test=(71.04, 1.07), in16_test=(44.57, 1.25)),
    *rows("REA", DONG, c10_test=(93.92, 0.30), c100_test=(71.84, 0.99), in16_test=(45.54, 1.03)),
    *rows("REINFORCE", DONG, c10_test=(93.85, 0.37), c100_test=(71.71, 1.09), in16_test=(45.24, 1.18)),
    *rows("BOHB", DONG, c10_test=(93.61, 0.52), c100_test=(70.85, 1.28), in16_test=(44.42, 1.49)),
    *rows("RoBoT", ROBOT, c10_test=(94.36, 0.0), c100_test=(73.51, 0.0), in16_test=(46.34, 0.0)),
)

NB201_QUERIES = (
    *rows("local search", TABLE, queries_to_best_c10=65, queries_to_best_c100=63, queries_to_best_in16=320),
    *rows("REA P30-S10", TABLE, queries_to_best_c10=104, queries_to_best_c100=110, queries_to_best_in16=177),
    *rows("REA P10-S3", TABLE, queries_to_best_c10=228, queries_to_best_c100=270, queries_to_best_in16=570),
    *rows("random", "expectation", queries_to_best_c10=5209, queries_to_best_c100=7813, queries_to_best_in16=7813),
)

NB_MACRO = (
    *rows("REA P30-S10", TABLE, **{"queries_to_within_0.05": 63.0}),
    *rows("REA P10-S3", TABLE, **{"queries_to_within_0.05": 81.0}),
)
