"""Writing that lasts: temporary files, locks that tell whether they are in use, what is on the disk."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_TEMPORARY: Final = re.compile(r"\.ovxai-[0-9a-f]{12}\.tmp")
"""Short and of one length, so that a file may have the longest name that its folder takes."""
_POLL: Final = 0.01
_NO_LOCKS_HERE: Final = frozenset({errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
"""What file systems answer, some of the network's, that lock no folders."""
_NO_SYNC_HERE: Final = frozenset({errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})


def _exclusive_lock() -> Callable[[int], None] | None:
    """A function that locks an open file or raises a BlockingIOError; None where the platform has none."""
    try:
        import fcntl
    except ImportError:
        return None
    return lambda descriptor: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_try_lock: Final = _exclusive_lock()


def temporary_path(folder: Path) -> Path:
    """A name in a folder that nobody has."""
    return folder / f".ovxai-{secrets.token_hex(6)}.tmp"


def own_temporaries(folder: Path) -> list[Path]:
    """Files and folders of such names that this user has made in a folder, in use or not."""
    with os.scandir(folder) as entries:
        found = [Path(entry) for entry in entries if _TEMPORARY.fullmatch(entry.name)]
    return [path for path in sorted(found) if _is_own(path)]


def _is_own(path: Path) -> bool:
    """A file or folder of this user; what others have made, they may have made to be trusted."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    usual = stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)
    return usual and (os.name != "posix" or status.st_uid == os.geteuid())


def lock(path: Path, patience: float = 0.0) -> int | None:
    """Lock a file or folder until the descriptor that is returned is closed, or the process has ended.

    Returns:
        None where platform or file system have no such locks.

    Raises:
        BlockingIOError: others have kept it locked for ``patience`` seconds.
        FileNotFoundError: it is not there, or not any more.
    """
    if _try_lock is None:
        return None
    descriptor = os.open(path, os.O_RDONLY)
    keep = False
    try:
        keep = _locked_in_time(descriptor, patience) and _is_still(path, descriptor)
    finally:
        if not keep:
            os.close(descriptor)
    return descriptor if keep else None


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether an open file or folder is the one of a name; a FileNotFoundError else, as if opened now."""
    if not os.path.samestat(os.fstat(descriptor), os.stat(path)):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return True


def _locked_in_time(descriptor: int, patience: float) -> bool:
    """Lock, and wait for it; False where that is not possible at all."""
    deadline = time.monotonic() + patience
    while _try_lock is not None:
        try:
            _try_lock(descriptor)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_POLL)
        except OSError as error:
            if error.errno in _NO_LOCKS_HERE:
                return False
            raise
        else:
            return True
    return False


def sync(path: Path) -> None:
    """Return when a file's content, or the names in a folder, are on the disk; not all systems do folders."""
    folder = path.is_dir()
    if folder and os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not folder or error.errno not in _NO_SYNC_HERE:
            raise
    finally:
        os.close(descriptor)


def obstacle(path: Path) -> str | None:
    """What stands where a file is to be written and must not be replaced by one; None: nothing, or a file.

    A link to a file is one, and it is the link that is replaced: what it leads to may be others'.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(mode):
        try:
            mode = path.stat().st_mode
        except OSError:
            return "a link that leads nowhere"
    if stat.S_ISREG(mode):
        return None
    return "a folder" if stat.S_ISDIR(mode) else "no regular file"


def replace_file(path: Path, content: bytes, *, lasting: bool = True) -> None:
    """Write a file whole, or leave what is there as it is; an OSError says why.

    A process that is killed leaves the older file or the new one, and perhaps one of :func:`own_temporaries`.
    Where it need not be ``lasting``, it may be lost or empty when the power fails.
    """
    descriptor, sibling = locked_file(path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
            if os.name == "posix":  # else locked no longer
                os.replace(sibling, path)
        if os.name != "posix":  # Windows renames no open file
            os.replace(sibling, path)
        if lasting:
            sync(path.parent)
    finally:
        with suppress(OSError):
            sibling.unlink(missing_ok=True)


def locked_file(folder: Path) -> tuple[int, Path]:
    """A new temporary file, open and its path, locked so that nobody takes it for an abandoned one."""
    while True:
        path = temporary_path(folder)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        keep = False
        try:
            _locked_in_time(descriptor, 0.0)
            keep = _is_still(path, descriptor)
        except (BlockingIOError, FileNotFoundError):  # it is being removed, or was
            continue
        finally:
            if not keep:
                os.close(descriptor)
                path.unlink(missing_ok=True)
        return descriptor, path
