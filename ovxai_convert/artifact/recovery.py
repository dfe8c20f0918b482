"""Undoing what a process that was killed has left of writing an artifact."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from ovxai_convert.artifact.repository import output_folders
from ovxai_convert.durable import lock, own_temporaries, replace_file, sync
from ovxai_convert.errors import WriteError

REPLACED: Final = ".replaced"
"""Inside a temporary folder: the files that new ones take the place of."""
_RECORD: Final = ".record"
_DONE: Final = ".done"
_PATIENCE: Final = 2.0
"""Seconds that a reader waits for writers; they keep a folder for milliseconds."""


@dataclass(frozen=True)
class Record:
    """What a temporary folder's files are about to do to the folder around it.

    While the record is in the temporary folder, the older artifact is to be put back; :meth:`finish` is the
    one step that makes the new artifact the one that counts. All names are relative to the outer folder.

    Attributes:
        replaced: files that move into ``REPLACED`` before the new ones of their names are placed.
        new: files of whose names there are none yet.
        folders: those that are made for them, outer ones first.
    """

    replaced: tuple[str, ...]
    new: tuple[str, ...]
    folders: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Put it into a temporary folder, on the disk."""
        replace_file(folder / _RECORD, json.dumps(asdict(self)).encode())

    @staticmethod
    def finish(folder: Path) -> None:
        """Take the record out of force, on the disk: the new artifact stays."""
        os.rename(folder / _RECORD, folder / _DONE)
        sync(folder)


def roll_back(out_dir: Path, folder: Path) -> None:
    """Undo what a record says, if one is in force in a temporary folder; may be broken off and called again.

    A step that was not taken, or undone already, is passed over.
    """
    try:
        record = Record(**json.loads((folder / _RECORD).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return
    except (ValueError, TypeError) as error:
        raise OSError(0, "what it says of itself cannot be read") from error
    for name in record.replaced:
        if os.path.lexists(folder / REPLACED / name):
            (out_dir / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder / REPLACED / name, out_dir / name)
    for name in record.new:
        if not os.path.lexists(folder / name):
            with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                (out_dir / name).unlink()
    for made in reversed(record.folders):
        with suppress(OSError):  # gone; or others have put something there, and it is not ours any more
            (out_dir / made).rmdir()
    changed = {out_dir, *((out_dir / name).parent for name in (*record.replaced, *record.new))}
    for each in changed:
        if each.is_dir():
            sync(each)
    (folder / _RECORD).unlink()
    sync(folder)


def revoke(folder: Path) -> None:
    """Bring a record into force again that :meth:`Record.finish` took out, if it did."""
    with suppress(FileNotFoundError):
        os.rename(folder / _DONE, folder / _RECORD)


def recover(folder: Path) -> None:
    """Put back the artifacts that a process was replacing when it was killed, and remove all that it left.

    What another process is still at is left alone, as is what another user has made. Where nothing can be
    done about it, as in a folder that is read only, nothing is done.
    """
    with suppress(OSError, WriteError):
        if not own_temporaries(folder):
            return
        descriptor = lock(folder, _PATIENCE)
        if descriptor is not None:
            try:
                recover_locked(folder)
            finally:
                os.close(descriptor)


def recover_around(path: Path) -> None:
    """The same for every folder that a model of this path can have been written to as an artifact."""
    for folder in output_folders(path):
        recover(folder)


def recover_locked(folder: Path) -> None:
    """The same for one who has locked the folder.

    Raises:
        WriteError: an older artifact cannot be put back.
    """
    for left in own_temporaries(folder):
        try:
            descriptor = lock(left)
        except (BlockingIOError, FileNotFoundError):  # in use, or not there any more
            continue
        if descriptor is None:  # nothing tells whether it is in use
            continue
        try:
            if left.is_dir():
                roll_back(folder, left)
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        except OSError as error:
            reason = f"the files that it was replacing cannot be put back: {error.strerror}"
            raise WriteError(f"{left}: left by a conversion that was killed; {reason}") from error
        finally:
            os.close(descriptor)
