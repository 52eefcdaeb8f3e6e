"""The source text that classes need to stand alone, found by walking the syntax tree of the files that define them."""

import ast
import builtins
import inspect
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from torch import nn

ALLOWED = frozenset(sys.stdlib_module_names) | {"torch"}
"""What a stand-alone file may import, by first name."""


@dataclass(frozen=True)
class Import:
    """One imported name. `member` is empty for `import module`."""

    module: str
    member: str
    name: str

    @property
    def path(self) -> str:
        return f"{self.module}.{self.member}".strip(".")


@dataclass
class Definitions:
    """What was found. texts: definitions in an order in which they can be executed.

    missing: why these definitions cannot stand alone, a sentence each; empty if they can.
    lazy_annotations: some annotation names what is absent, so annotations must not be evaluated.
    """

    imports: dict[str, Import] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    lazy_annotations: bool = False

    def add_import(self, found: Import) -> None:
        """Adds an import; the same name for another thing is a clash."""
        known = self.imports.get(found.name)
        if known is not None and known.path != found.path:
            self.missing.append(f"{found.name!r} means both {known.path} and {found.path}")
        self.imports.setdefault(found.name, found)


def definitions(targets: Iterable[object], reserved: Iterable[str] = ()) -> Definitions:
    """Source of `targets` (classes or functions) and of all that they use from their own files.

    Targets of `torch.nn` need none. reserved: names that the surrounding file uses itself.
    """
    wanted: dict[str, list[str]] = {}
    found = Definitions()
    for target in targets:
        name, home = getattr(target, "__qualname__", repr(target)), getattr(target, "__module__", "")
        if getattr(nn, name, None) is target:
            continue
        if "." in name:
            found.missing.append(f"{name} is not at the top level of its file")
            continue
        wanted.setdefault(home, []).append(name)
    for home in sorted(wanted, key=lambda module: (not module.startswith("nasturtium."), module)):
        _collect(home, wanted[home], found)
    clashing = sorted({*reserved} & {*found.names, *(found.imports.keys() - _harmless(found))})
    found.missing += [f"{name!r} is a name that model.py itself uses" for name in clashing]
    return found


def _harmless(found: Definitions) -> set[str]:
    """Imports that agree with the ones of every model.py."""
    return {name for name, item in found.imports.items() if STANDARD.get(name) == item.path}


STANDARD = {
    "Path": "pathlib.Path",
    "Tensor": "torch.Tensor",
    "json": "json",
    "nn": "torch.nn",
    "torch": "torch",
}
"""What every model.py imports: name to dotted path."""


def _collect(home: str, names: list[str], found: Definitions) -> None:
    """Adds the definitions of `names` in module `home`."""
    try:
        text = inspect.getsource(sys.modules[home])
    except (KeyError, OSError, TypeError):
        found.missing.append(f"the source of {', '.join(names)} (module {home!r}) cannot be read")
        return
    file = _File(text)
    kept: set[int] = set()
    queue, seen = list(names), set(names)
    while queue:
        name = queue.pop()
        for index in file.statements.get(name, ()):
            if index in kept:
                continue
            kept.add(index)
            used = Names.of(file.tree.body[index])
            known = file.known()
            found.lazy_annotations |= bool(used.annotated - known - set(dir(builtins)))
            fresh = sorted((used.evaluated | (used.annotated & known)) - seen)
            seen.update(fresh)
            queue += fresh
        if name in file.imports:
            _import(file.imports[name], home, found)
        elif name not in file.statements and not hasattr(builtins, name) and name not in file.local:
            found.missing.append(f"{name!r} is not defined in {home}")
    for index in sorted(kept):
        found.texts.append(file.text(index))
        for name in file.bound[index]:
            other = found.names.setdefault(name, home)
            if other != home:
                found.missing.append(f"{name!r} is defined in both {other} and {home}")


def _allowed(item: Import) -> bool:
    return item.module.split(".")[0] in ALLOWED


def _import(item: Import, home: str, found: Definitions) -> None:
    if _allowed(item):
        found.add_import(item)
    else:
        source = item.module or "its own package"
        found.missing.append(f"{item.name!r} comes from {source}, which is neither torch nor the standard library")


class _File:
    """The top level of a Python file: which statement binds which name."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.tree = ast.parse(text)
        self.imports: dict[str, Import] = {}
        self.statements: dict[str, list[int]] = {}
        self.bound: list[list[str]] = []
        self.local = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name) and _stored(node)}
        self.local |= {node.arg for node in ast.walk(self.tree) if isinstance(node, ast.arg)}
        self.local |= {node.name for node in ast.walk(self.tree) if isinstance(node, ast.ExceptHandler) and node.name}
        self.local |= {"__file__", "__name__", "__class__"}
        for index, node in enumerate(self.tree.body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.imports |= {item.name: item for item in _imports(node)}
                self.bound.append([])
                continue
            self.bound.append(_bindings(node))
            for name in self.bound[-1]:
                self.statements.setdefault(name, []).append(index)

    def known(self) -> set[str]:
        """Names that a stand-alone file can have: definitions, and imports that are allowed."""
        return set(self.statements) | {name for name, item in self.imports.items() if _allowed(item)}

    def text(self, index: int) -> str:
        """Lines of a statement, with its decorators and the comment right above it."""
        node = self.tree.body[index]
        decorators = [item.lineno for item in getattr(node, "decorator_list", [])]
        first = min([node.lineno, *decorators]) - 1
        while first > 0 and self.lines[first - 1].startswith("#"):
            first -= 1
        return "\n".join(self.lines[first : node.end_lineno])


def _stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _imports(node: ast.Import | ast.ImportFrom) -> list[Import]:
    if isinstance(node, ast.Import):
        return [
            Import(alias.name, "", alias.asname)
            if alias.asname
            else Import(alias.name.split(".")[0], "", alias.name.split(".")[0])
            for alias in node.names
        ]
    module = "." * node.level + (node.module or "")
    return [Import(module, alias.name, alias.asname or alias.name) for alias in node.names]


def _bindings(node: ast.stmt) -> list[str]:
    """Names that a top-level statement binds or changes."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Expr(value=ast.Call(func=ast.Attribute() as called)):
            return [_root(called)]  # TABLE.update(...): part of what TABLE is
        case ast.Expr():
            return []
    stored = [_root(part) for part in ast.walk(node) if isinstance(getattr(part, "ctx", None), ast.Store)]
    inner = [part.name for part in ast.walk(node) if isinstance(part, ast.FunctionDef | ast.ClassDef)]
    nested = [
        item.name for part in ast.walk(node) if isinstance(part, ast.Import | ast.ImportFrom) for item in _imports(part)
    ]
    return [name for name in dict.fromkeys([*stored, *inner, *nested]) if name]


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


class Names(ast.NodeVisitor):
    """Names that a statement reads: evaluated ones, and those in annotations only."""

    def __init__(self) -> None:
        self.evaluated: set[str] = set()
        self.annotated: set[str] = set()
        self._current = self.evaluated

    @classmethod
    def of(cls, node: ast.AST) -> "Names":
        visitor = cls()
        visitor.visit(node)
        return visitor

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._current.add(node.id)

    def visit_arg(self, node: ast.arg) -> None:
        self._annotation(node.annotation)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        for part in (node.target, node.value):
            if part is not None:
                self.visit(part)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._annotation(node.returns)
        for part in (*node.decorator_list, node.args, *node.body):
            self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 (the name that ast.NodeVisitor looks for)

    def _annotation(self, node: ast.expr | None) -> None:
        if node is not None:
            before, self._current = self._current, self.annotated
            self.visit(node)
            self._current = before
