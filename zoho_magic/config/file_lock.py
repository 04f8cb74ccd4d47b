"""One process at a time: a lock file beside what it guards, gone again when nobody holds it."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

__all__ = ["exclusive"]

_LEAVES_ITS_FILE = (3, 30)
"""filelock removes the lock file itself before this version. Removed twice, it would be another holder's."""


@contextlib.contextmanager
def exclusive(path: Path, seconds: float) -> Iterator[None]:
    """Hold the lock file `path` against every other thread and process.

    Args:
        path: the lock file; its folder exists.
        seconds: how long to wait for another holder.

    Raises:
        TimeoutError: another one held it all the time.
        OSError: the file cannot be made or opened.
    """
    from filelock import FileLock, __version__  # it looks around the file system when it is imported

    if path.is_symlink():  # some versions of filelock would follow it and truncate what it leads to
        raise OSError(errno.ELOOP, "the lock file is a link")
    with FileLock(path, timeout=seconds):
        try:
            yield
        finally:
            if tuple(map(int, __version__.split(".")[:2])) >= _LEAVES_ITS_FILE:
                # Removed while still held: filelock notices an unlinked file and takes the new one. Windows does not
                # let anybody remove an open file.
                with contextlib.suppress(OSError):
                    path.unlink()
