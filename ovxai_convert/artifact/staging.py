"""Writing an artifact's files so that a folder holds all of them or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from ovxai_convert.artifact.recovery import REPLACED, Record, recover_locked, revoke, roll_back
from ovxai_convert.durable import lock, obstacle, sync, temporary_path
from ovxai_convert.errors import WriteError
from ovxai_convert.files import exists

_ELSEWHERE: Final = "move it away, or write elsewhere"
_PATIENCE: Final = 60.0
"""Seconds to wait for a folder that others have locked; they need milliseconds."""
_ATTEMPTS: Final = 10


class Staging:
    """A temporary folder inside the output folder, whose files are renamed into place at the end.

    Names are relative and may lie in folders, as in ``net/1/model.xml``, which the temporary folder has from
    the beginning and the output folder gets with the files.

    Used as a context manager: whatever ends the block, also Ctrl-C, nothing but what :meth:`commit` renamed
    stays behind; without a finished commit the output folder is as it was, and gone if it was made for this.
    What cannot be written is a WriteError.

    A process that is killed, or a machine that loses power, leaves what :mod:`.recovery` turns into the older
    artifact or the new one, whole, as soon as the next one reads or writes there. The temporary folder is
    locked as long as it is in use, by which the two are told apart. The output folder is locked at the
    beginning and from the commit on, so that simultaneous writers come one after another; what they write
    meanwhile, they write side by side. Where there are no such locks, as on Windows, nobody is kept from
    writing at the same time, and what a killed process left is left.
    """

    def __init__(self, out_dir: Path, names: Sequence[str], *, force: bool) -> None:
        self.folder = temporary_path(out_dir)
        self.target = self._out_dir = out_dir
        self._names = tuple(names)
        self._folders = _folders_of(names)
        self._force = force
        self._made: list[Path] = []
        self._committed = False
        self._in_use: int | None = None
        self._alone: int | None = None

    def __enter__(self) -> Staging:
        """Make the folders; a WriteError also if files are there already and ``force`` is off."""
        try:
            with self._writing():
                self._begin()
                (self.folder / REPLACED).mkdir()
                self._make_inside(self._folders)
            self._let_others()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        taken_away = isinstance(value, Exception) and not exists(self.folder)
        self._leave()
        if taken_away:  # whatever it was that failed for it
            raise WriteError(f"{self._out_dir}: cannot write there: it was removed meanwhile") from value

    def add(self, names: Sequence[str]) -> None:
        """More names, whose files come before the others; a WriteError as at the beginning."""
        there, self._names = self._folders, (*names, *self._names)
        self._folders = _folders_of(self._names)
        with self._writing():
            self._make_inside([folder for folder in self._folders if folder not in there])
            self._check()

    def write_text(self, name: str, text: str) -> None:
        """Write a text file in UTF-8 into the temporary folder."""
        with self._writing():
            (self.folder / name).write_text(text, encoding="utf-8")

    def commit(self) -> None:
        """Rename the staged files into place, in the order of their names given.

        Files that are replaced are kept until the last rename has succeeded, the last name's being the first
        to go: while it is missing, the artifact is not complete. Where a rename fails, leaving the block puts
        everything back. Every step is on the disk before one is taken that relies on it.
        """
        with self._writing():
            for name in self._names:
                sync(self.folder / name)
            self._sync_all(self.folder)
            self._alone = self._lock()
            recover_locked(self._out_dir)
            self._check()
            there = [name for name in self._names if os.path.lexists(self._out_dir / name)]
            new = [name for name in self._names if name not in there]
            to_make = [each for each in self._folders if not (self._out_dir / each).exists()]
            sync(self._out_dir)
            Record(tuple(there), tuple(new), tuple(map(str, to_make))).write(self.folder)
            for folder in to_make:
                self._make(self._out_dir / folder)
            for name in reversed(there):
                os.rename(self._out_dir / name, self.folder / REPLACED / name)
            if there:
                self._sync_all(self.folder / REPLACED)
                self._sync_all(self._out_dir)
            for name in self._names:
                os.rename(self.folder / name, self._out_dir / name)
            self._sync_all(self._out_dir)
            for made in self._made:
                sync(made.parent)
            Record.finish(self.folder)
        self._committed = True

    def _begin(self) -> None:
        """Make the outer folders, keep others from them, and make the temporary one, in use."""
        for left in reversed(range(_ATTEMPTS)):
            try:
                for folder in reversed((self._out_dir, *self._out_dir.parents)):
                    self._make(folder)
                self._alone = self._lock()
                recover_locked(self._out_dir)
                self._check()
                self.folder.mkdir()
                self._in_use = lock(self.folder)
            except FileNotFoundError:  # one who had made the outer folders has failed, and removed them
                self._let_others()
                if not left:
                    raise
            else:
                return

    def _make_inside(self, folders: Sequence[Path]) -> None:
        """Make folders in the temporary one, for new files and for those that they replace."""
        for root in (self.folder, self.folder / REPLACED):
            for folder in folders:
                (root / folder).mkdir()

    def _check(self) -> None:
        """Raise a WriteError where a file must not be written."""
        for folder in (self._out_dir / each for each in self._folders):
            if os.path.lexists(folder) and not folder.is_dir():
                raise WriteError(f"{folder} is no folder; {_ELSEWHERE}")
        for path in (self._out_dir / name for name in self._names):
            if (what := obstacle(path)) is not None:
                raise WriteError(f"{path} is {what}; {_ELSEWHERE}")
            if not self._force and os.path.lexists(path):
                raise WriteError(f"{path} exists already; --force replaces it")

    def _sync_all(self, root: Path) -> None:
        """Have all names that are below a folder on the disk."""
        for folder in (root, *(root / each for each in self._folders)):
            sync(folder)

    def _lock(self) -> int | None:
        try:
            return lock(self._out_dir, _PATIENCE)
        except BlockingIOError as error:
            raise WriteError(f"{self._out_dir}: another program keeps it locked") from error

    def _let_others(self) -> None:
        descriptor, self._alone = self._alone, None
        if descriptor is not None:
            os.close(descriptor)

    def _make(self, folder: Path) -> None:
        """Make a folder that is not there, and remember to remove it."""
        if not exists(folder):
            self._made.append(folder)
            folder.mkdir(exist_ok=True)

    def _leave(self) -> None:
        try:
            self._clean()
        except KeyboardInterrupt:  # a second Ctrl-C must not cost the files that are being put back
            self._clean()
            raise
        finally:
            self._let_others()
            descriptor, self._in_use = self._in_use, None
            if descriptor is not None:
                os.close(descriptor)

    def _clean(self) -> None:
        """Put back what was replaced, unless committed, and remove all that was made; may be called again."""
        with suppress(OSError):  # what cannot be put back stays in the temporary folder, for the next one
            if not self._committed:
                revoke(self.folder)
                roll_back(self._out_dir, self.folder)
            shutil.rmtree(self.folder, ignore_errors=True)
        if not self._committed:
            for made in reversed(self._made):
                with suppress(
                    OSError
                ):  # gone; or others have put something there, and it is not ours any more
                    made.rmdir()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Errors of the file system as the program's own."""
        try:
            yield
        except OSError as error:
            raise WriteError(f"{self._out_dir}: cannot write there: {error.strerror}") from error


def _folders_of(names: Sequence[str]) -> list[Path]:
    """The folders that names lie in, outer ones first."""
    return sorted({folder for name in names for folder in Path(name).parents if folder != Path()})
