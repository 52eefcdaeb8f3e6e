"""A user's space from a file: `file.py:NAME` or `file.json`.

The module of a user's file is called `file:` and its path, so its classes travel through pickles: a finder turns that
name back into the path in any process that has imported this module.
"""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from nasturtium.errors import SpaceError, hint
from nasturtium.space.decisions import is_node
from nasturtium.space.registry import USER_FILE
from nasturtium.space.space import Space
from nasturtium.space.space_json import space_from_json
from nasturtium.task import Task

R = TypeVar("R")


def load_space(reference: str, task: Task | None = None) -> Space:
    """The space of "file.py:NAME" (a function of the task, a tree, or a `Space`) or of "file.json".

    Raises `SpaceError` for a missing file or name (nearest names given), for a file that raises (its line shown), and
    for what is not a space.
    """
    if reference.endswith(".json"):
        path = existing(reference)
        try:
            return space_from_json(path.read_text(encoding="utf-8"), task, path.stem)
        except (SpaceError, UnicodeDecodeError) as error:
            raise SpaceError(f"{path}: {error}") from error
    file, separator, name = reference.rpartition(":")
    if not separator or not file.endswith(".py"):
        raise SpaceError(f"the space {reference!r} needs the form file.py:NAME or file.json")
    module = import_file(file)
    public = [key for key in vars(module) if not key.startswith("_")]
    if name not in vars(module):
        raise SpaceError(f"{file} has no {name!r}. {hint(name, public)}")
    found = vars(module)[name]
    if isinstance(found, Space):
        return found
    if isinstance(found, type) or not (callable(found) or is_node(found)):
        raise SpaceError(f"{name!r} in {file} is {found!r}, not a space: a function of the task, a tree or a Space")
    return shown_line(Path(file).resolve(), lambda: Space(found, task, name))


def import_file(file: str | Path) -> ModuleType:
    """The module of a Python file, run once until its text changes. Its folder joins the end of `sys.path`, so that it
    can import its neighbours. Raises `SpaceError` for a missing file, and for one that raises, with the line."""
    path = existing(file).resolve()
    name = module_name(path)
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__source__", None) == path.read_bytes():
        return known
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SpaceError(f"{path} is not a Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    loader = spec.loader
    sys.modules[name] = module
    try:
        shown_line(path, lambda: loader.exec_module(module))
    except SpaceError:
        sys.modules.pop(name, None) if known is None else sys.modules.update({name: known})
        raise
    vars(module)["__source__"] = path.read_bytes()
    return module


def module_name(path: Path) -> str:
    """The module name of an absolute path: readable, and without the dots that would make it a package's."""
    return USER_FILE + quote(str(path), safe="/ ").replace(".", "%2E")


class FileFinder:
    """Finds modules that `import_file` named, so that a worker can unpickle what is made of them."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith(USER_FILE):
            return None
        file = Path(unquote(name.removeprefix(USER_FILE)))
        if not file.is_file():
            return None
        if str(file.parent) not in sys.path:
            sys.path.append(str(file.parent))
        return importlib.util.spec_from_file_location(name, file)


def existing(file: str | Path) -> Path:
    """The path, if it is a file; else a `SpaceError` that names what lies beside it."""
    path = Path(file)
    if path.is_file():
        return path
    if not path.parent.is_dir():
        raise SpaceError(f"the space file {str(file)!r} does not exist, nor does its folder")
    beside = [str(path.parent / other.name) for other in path.parent.iterdir() if other.suffix in (".py", ".json")]
    raise SpaceError(f"the space file {str(file)!r} does not exist. {hint(str(path), sorted(beside))}".strip())


def shown_line(path: Path, run: Callable[[], R]) -> R:
    """Runs the user's code; what it raises becomes a `SpaceError` with its last line in the file."""
    try:
        return run()
    except SyntaxError as error:
        text = (error.text or "").strip()
        raise SpaceError(f"{error.filename}, line {error.lineno}: `{text}`: {error.msg}") from error
    except (Exception, SystemExit) as error:  # a user's file may raise anything
        what = str(error) if isinstance(error, SpaceError) else f"{type(error).__name__}: {error}"
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
        if not frames:
            raise SpaceError(f"{path}: {what}") from error
        raise SpaceError(f"{path}, line {frames[-1].lineno}: `{frames[-1].line}`: {what}") from error


def _install() -> None:
    if FileFinder not in sys.meta_path:
        finder: Any = FileFinder
        sys.meta_path.append(finder)


_install()
