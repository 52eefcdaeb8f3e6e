"""Write the API pages into build/docs, one for each room, from the docstrings.

python docs/make_api.py          needs the extra `docs`
"""

import pkgutil
import warnings
from pathlib import Path

import pdoc

import nasturtium

OUTPUT = Path(__file__).parents[1] / "build" / "docs"
DOORS = ("cli", "terminal")
"""Documented by `nasturtium --help`."""


def main() -> None:
    warnings.simplefilter("error", UserWarning)  # a name that does not resolve, a link that leads nowhere
    for name in nasturtium.__all__:  # resolved lazily, which pdoc does not see
        setattr(nasturtium, name, getattr(nasturtium, name))
    rooms = [f"nasturtium.{room.name}" for room in pkgutil.iter_modules(nasturtium.__path__) if room.name not in DOORS]
    pdoc.pdoc("nasturtium", *rooms, output_directory=OUTPUT)
    print(f"{len(list(OUTPUT.rglob('*.html')))} pages in {OUTPUT}")


if __name__ == "__main__":
    main()
