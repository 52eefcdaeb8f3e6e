"""Names of columns and arrays."""

from collections import Counter
from collections.abc import Iterable

from nasturtium.errors import DataError


def check_names(names: Iterable[str], where: str) -> None:
    """Raises `DataError` if two columns have one name."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        shown = ", ".join(repr(name) for name in twice[:5])
        raise DataError(f"{where} has more than one column named {shown}. Give every column a name of its own.")
