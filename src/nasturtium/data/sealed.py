"""The test rows, which only the protocol opens."""

from typing import NoReturn

import numpy as np
from jaxtyping import Shaped

Rows = Shaped[np.ndarray, "rows ..."]


class SealedTest:
    """Test inputs and targets behind a door that keeps a record.

    It cannot be pickled or copied, so no evaluator in another process can receive it.
    """

    def __init__(self, inputs: Rows, targets: Rows, fingerprint: str) -> None:
        """inputs, targets: as in `Development`. fingerprint: sha256 over both, safe to show."""
        self.__inputs = inputs
        self.__targets = targets
        self.__reasons: list[str] = []
        self.fingerprint = fingerprint

    def __len__(self) -> int:
        return len(self.__targets)

    def __repr__(self) -> str:
        return f"SealedTest({len(self)} rows, opened {len(self.__reasons)} times)"

    def open(self, reason: str) -> tuple[Rows, Rows]:
        """Inputs and targets, read-only. `reason` is recorded and must say something."""
        if not reason.strip():
            raise ValueError("Opening the test set needs a reason, which is written into the result.")
        self.__reasons.append(reason)
        return self.__inputs, self.__targets

    @property
    def openings(self) -> tuple[str, ...]:
        """The reasons of all openings so far, in order."""
        return tuple(self.__reasons)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("The sealed test set cannot be pickled or copied: evaluators must not receive it.")
