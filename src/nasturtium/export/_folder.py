"""A folder that appears whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nasturtium.errors import RunError


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """A temporary sibling to write into; it takes the place of `folder` if the block ends without an error.

    Raises `RunError` where the disk is full or read-only.
    """
    partial = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        yield partial
        partial.chmod(0o755)  # mkdtemp makes it private
        _replace(partial, folder)
    except OSError as error:
        raise RunError(f"Cannot write {str(folder)!r}: {error.strerror or error}.") from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)


def _replace(partial: Path, folder: Path) -> None:
    if not folder.exists():
        partial.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    folder.rename(old / "best")
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
