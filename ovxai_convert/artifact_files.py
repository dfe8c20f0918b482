"""Writing an artifact's three files so that a folder holds all of them or none."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from ovxai_convert.errors import WriteError


class Staging:
    """A temporary folder inside the output folder, whose files are renamed into place at the end.

    Used as a context manager: whatever ends the block, also Ctrl-C, nothing but what :meth:`commit` renamed
    stays behind, and output folders that were made for it are removed again if nothing was committed.

    Attributes:
        folder: the temporary folder.
    """

    def __init__(self, out_dir: Path, names: Sequence[str], *, force: bool) -> None:
        self._out_dir = out_dir
        self._names = tuple(names)
        self._force = force
        self._made: list[Path] = []
        self._committed = False
        self.folder = out_dir

    def __enter__(self) -> Staging:
        """Make the folders.

        Raises:
            WriteError: the folder cannot be written, or holds the files already and ``force`` is off.
        """
        existing = [name for name in self._names if (self._out_dir / name).exists()]
        if existing and not self._force:
            raise WriteError(f"{self._out_dir / existing[0]} exists already; --force replaces it")
        try:
            self._make_out_dir()
            self.folder = Path(tempfile.mkdtemp(prefix=".ovxai-", suffix=".tmp", dir=self._out_dir))
        except OSError as error:
            self._remove_made()
            raise WriteError(f"{self._out_dir}: cannot write there: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if not self._committed:
            self._remove_made()

    def commit(self) -> None:
        """Rename the staged files into place, in the order of their names given; undo all if one fails.

        Files that are replaced are kept until the last rename has succeeded.

        Raises:
            WriteError: a rename failed; the folder is as it was.
        """
        replaced = self.folder / "replaced"
        undo: list[tuple[Path, Path]] = []
        try:
            replaced.mkdir()
            for name in reversed(self._names):
                if (self._out_dir / name).exists():
                    undo.append((replaced / name, self._out_dir / name))
                    (self._out_dir / name).rename(replaced / name)
            for name in self._names:
                undo.append((self._out_dir / name, self.folder / name))
                (self.folder / name).rename(self._out_dir / name)
        except BaseException as error:
            for now, before in reversed(undo):
                if now.exists():
                    now.rename(before)
            if isinstance(error, OSError):
                raise WriteError(f"{self._out_dir}: cannot write there: {error.strerror}") from error
            raise
        self._committed = True

    def _make_out_dir(self) -> None:
        missing = [each for each in (self._out_dir, *self._out_dir.parents) if not each.exists()]
        for each in reversed(missing):
            each.mkdir()
            self._made.append(each)

    def _remove_made(self) -> None:
        for each in reversed(self._made):
            try:
                each.rmdir()
            except OSError:  # another program has put something there meanwhile: it is not ours any more
                return
