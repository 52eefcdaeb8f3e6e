"""The folders that a client may reach. A path is judged by where it really leads."""

import os
from dataclasses import dataclass
from pathlib import Path

from nasturtium.errors import UserError


class OutsideRoots(UserError):
    """A path that leads out of every allowed folder."""


@dataclass(frozen=True)
class Roots:
    """folders: at least one, resolved. Relative paths start at the first."""

    folders: tuple[Path, ...]

    @staticmethod
    def of(folders: list[str]) -> "Roots":
        """Raises `UserError` for a folder that is not there."""
        for one in folders:
            if not Path(one).is_dir():
                raise UserError(f"--root {one!r} is not a folder. Give one that exists.")
        return Roots(tuple(Path(one).resolve() for one in folders))

    @property
    def first(self) -> Path:
        return self.folders[0]

    def path(self, given: str, what: str) -> Path:
        """Where `given` leads, links followed; it need not exist. Raises `OutsideRoots`. what: "The source", say."""
        try:
            resolved = (self.first / given).resolve()
        except (OSError, ValueError, RuntimeError) as error:  # a NUL, a loop of links, a name too long
            raise UserError(f"{what} {given!r} is not a path: {error}.") from None
        if not self._inside(resolved):
            raise self._outside(given, what)
        return resolved

    def tree(self, given: str, what: str) -> Path:
        """Like `path`, for what is read as a whole: of a folder, no link inside may lead out either."""
        top = self.path(given, what)
        for folder, names, files in os.walk(top):
            for name in (*names, *files):
                place = Path(folder, name)
                if place.is_symlink() and not self._inside(place.resolve()):
                    raise self._outside(str(Path(given) / place.relative_to(top)), f"{what} {given!r} holds a link:")
        return top

    def shown(self, path: str | Path) -> str:
        """As a client names it: relative to the first folder, where it is inside."""
        place = Path(path)
        return str(place.relative_to(self.first)) if place.is_relative_to(self.first) else str(place)

    def _inside(self, resolved: Path) -> bool:
        return any(resolved.is_relative_to(folder) for folder in self.folders)

    def _outside(self, given: str, what: str) -> OutsideRoots:
        allowed = ", ".join(map(str, self.folders))
        return OutsideRoots(
            f"{what} {given!r} leads outside the folders that this server may reach ({allowed}). Copy it there, or ask "
            "the user to start the server with another --root."
        )
