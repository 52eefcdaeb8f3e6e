"""Names of blocks in JSON: a registered frozen dataclass is written as {"$block": name, field: value, …}."""

from types import MappingProxyType
from typing import TypeVar

from nasturtium.errors import SpaceError, hint
from nasturtium.space.decisions import is_frozen

USER_FILE = "file:"
"""How the module names of users' files begin (see `loading`)."""

C = TypeVar("C", bound=type)

_blocks: dict[str, type] = {}


def register(block: C) -> C:
    """Decorator, above `@dataclass(frozen=True)`: lets JSON name the class by its own name.

    Raises `SpaceError` for what is not a frozen dataclass, and where another class has the name already.
    """
    name = block.__name__
    if not (isinstance(block, type) and is_frozen(block)):
        raise SpaceError(f"{name} must be a frozen dataclass: put @register above @dataclass(frozen=True)")
    owner = _blocks.get(name)
    if owner is not None and not _replaces(block, owner):
        both = " and ".join(f"{cls.__module__}.{cls.__qualname__}" for cls in (owner, block))
        raise SpaceError(f"the block name {name!r} is used by both {both}; rename one of them")
    _blocks[name] = block
    return block


def _replaces(block: type, owner: type) -> bool:
    """A module that is run again replaces its own class, and the user's newest file those of older ones."""
    if block.__module__.startswith(USER_FILE) and owner.__module__.startswith(USER_FILE):
        return True
    return (owner.__module__, owner.__qualname__) == (block.__module__, block.__qualname__)


def registered() -> MappingProxyType[str, type]:
    """All registered blocks by name (a live, read-only view)."""
    return MappingProxyType(_blocks)


def block_name(block: type) -> str:
    """The name a class has in JSON; `module:Class` if it is not registered, which can be written but not read."""
    if _blocks.get(block.__name__) is block:
        return block.__name__
    return f"{block.__module__}:{block.__qualname__}"


def block_named(name: object, where: str) -> type:
    """The registered class. Raises `SpaceError` with the nearest names."""
    if isinstance(name, str) and name in _blocks:
        return _blocks[name]
    if isinstance(name, str) and ":" in name:
        raise SpaceError(
            f"{where}: the block {name!r} is not registered; put @register above its class and import it first"
        )
    raise SpaceError(f"{where}: unknown block {name!r}. {hint(name, sorted(_blocks))}")
