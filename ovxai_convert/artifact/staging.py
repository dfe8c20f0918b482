"""Writing an artifact's files so that a folder holds all of them or none."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from ovxai_convert.errors import WriteError
from ovxai_convert.files import exists, is_folder


class Staging:
    """A temporary folder inside the output folder, whose files are renamed into place at the end.

    Names are relative and may lie in folders, as in ``net/1/model.xml``, which the temporary folder has from
    the beginning and the output folder gets with the files.

    Used as a context manager: whatever ends the block, also Ctrl-C, nothing but what :meth:`commit` renamed
    stays behind; without a finished commit the output folder is as it was, and gone if it was made for this.
    What cannot be written is a WriteError.
    """

    def __init__(self, out_dir: Path, names: Sequence[str], *, force: bool) -> None:
        self.folder = out_dir / f".ovxai-{secrets.token_hex(6)}.tmp"
        self._replaced = self.folder / ".replaced"
        self._out_dir = out_dir
        self._names = tuple(names)
        inner = {folder for name in names for folder in Path(name).parents if folder != Path()}
        self._folders = sorted(inner)  # outer ones first
        self._force = force
        self._made: list[Path] = []
        self._placed: list[str] = []
        self._committed = False

    def __enter__(self) -> Staging:
        """Make the folders; a WriteError also if files are there already and ``force`` is off."""
        existing = [name for name in self._names if exists(self._out_dir / name)]
        if existing and not self._force:
            raise WriteError(f"{self._out_dir / existing[0]} exists already; --force replaces it")
        for folder in (self._out_dir / each for each in self._folders):
            if exists(folder) and not is_folder(folder):
                raise WriteError(f"{folder} is no folder; move it away, or write elsewhere")
        try:
            with self._writing():
                for folder in reversed((self._out_dir, *self._out_dir.parents)):
                    self._make(folder)
                for root in (self.folder, self._replaced):
                    for folder in (Path(), *self._folders):
                        (root / folder).mkdir()
        except BaseException:
            self._clean()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        taken_away = isinstance(value, Exception) and not exists(self.folder)
        try:
            self._clean()
        except KeyboardInterrupt:  # a second Ctrl-C must not cost the files that are being put back
            self._clean()
            raise
        if taken_away:  # whatever it was that failed for it
            raise WriteError(f"{self._out_dir}: cannot write there: it was removed meanwhile") from value

    def write_text(self, name: str, text: str) -> None:
        """Write a text file in UTF-8 into the temporary folder."""
        with self._writing():
            (self.folder / name).write_text(text, encoding="utf-8")

    def commit(self) -> None:
        """Rename the staged files into place, in the order of their names given.

        Files that are replaced are kept until the last rename has succeeded, the last name's being the first
        to go: while it is missing, the artifact is not complete. Where a rename fails, leaving the block puts
        everything back.
        """
        with self._writing():
            for folder in self._folders:
                self._make(self._out_dir / folder)
            for name in reversed(self._names):
                if exists(self._out_dir / name):
                    (self._out_dir / name).rename(self._replaced / name)
            for name in self._names:
                self._placed.append(name)
                (self.folder / name).rename(self._out_dir / name)
        self._committed = True

    def _make(self, folder: Path) -> None:
        """Make a folder that is not there, and remember to remove it."""
        if not exists(folder):
            self._made.append(folder)
            folder.mkdir(exist_ok=True)

    def _clean(self) -> None:
        """Put back what was replaced, unless committed, and remove all that was made; may be called again."""
        if not self._committed:
            for name in self._placed:
                if not exists(self.folder / name):
                    (self._out_dir / name).unlink(missing_ok=True)
            for name in self._names:
                if exists(self._replaced / name):
                    self._placed = [placed for placed in self._placed if placed != name]
                    (self._replaced / name).rename(self._out_dir / name)
        shutil.rmtree(self.folder, ignore_errors=True)
        for made in reversed([] if self._committed else self._made):
            try:
                made.rmdir()
            except OSError:  # gone; or others have put something there meanwhile, and it is not ours any more
                continue

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Errors of the file system as the program's own."""
        try:
            yield
        except OSError as error:
            raise WriteError(f"{self._out_dir}: cannot write there: {error.strerror}") from error
