"""When a run ends before its result: what is said, and how it goes on."""

import contextlib
import errno
from collections.abc import Iterator

from nasturtium.errors import RunError
from nasturtium.workflows.folder import RunFolder
from nasturtium.workflows.progress import Progress

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOENT)


@contextlib.contextmanager
def explained(folder: RunFolder, resumable: bool, progress: Progress) -> Iterator[None]:
    """A disk that is full or gone becomes a `RunError`; Ctrl-C is passed on, with a note on how to continue.

    resumable: can the run's data be found again?
    """
    onwards = f"continue with: nasturtium resume {folder.path}" if resumable else "start a new run"
    try:
        yield
    except KeyboardInterrupt:
        progress.note(f"Stopped before the result; {onwards}")
        raise
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        raise RunError(
            f"The run directory {str(folder.path)!r} cannot be written: {error.strerror}. Make room, then {onwards}"
        ) from error
