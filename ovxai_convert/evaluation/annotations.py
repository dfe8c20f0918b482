"""Boxes around the objects of photographs, as people have drawn them, and which photograph they are of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ovxai_convert.errors import UsageError, quoted


@dataclass(frozen=True)
class ObjectBox:
    """Edges of a box in pixels of its photograph, whose left upper corner is (0, 0), and what is in it.

    The pixel in column c and row r has its middle at (c + 0.5, r + 0.5).
    """

    label: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class AnnotatedPicture:
    """The boxes of one picture: its file, as the annotations call it, and its width and height, if told."""

    file: str
    boxes: tuple[ObjectBox, ...]
    size: tuple[int, int] | None = None

    def checked(self, size: tuple[int, int]) -> tuple[ObjectBox, ...]:
        """The boxes, for a photograph of this width and height; a UsageError if they were drawn in another.

        Boxes of a picture that was scaled, or turned by its EXIF entry, would lie elsewhere.
        """
        if self.size is not None and self.size != size:
            told, found = (f"{width}x{height}" for width, height in (self.size, size))
            raise UsageError(f"its boxes are of a picture of {told} pixels; the photograph has {found}")
        return self.boxes


class Annotations:
    """Annotated pictures, found by the photograph's path.

    A photograph is the picture of the same name without folders and suffix; of several, the one whose folders
    (and suffix) are the same the farthest up.
    """

    def __init__(self, pictures: Iterable[AnnotatedPicture]) -> None:
        self._by_stem: dict[str, list[AnnotatedPicture]] = {}
        for picture in pictures:
            self._by_stem.setdefault(_parts(picture.file)[0], []).append(picture)

    def __len__(self) -> int:
        return sum(map(len, self._by_stem.values()))

    @property
    def labels(self) -> list[str]:
        """All labels that boxes have, each once, in order."""
        pictures = (picture for several in self._by_stem.values() for picture in several)
        return sorted({box.label for picture in pictures for box in picture.boxes})

    def of(self, path: Path) -> AnnotatedPicture | None:
        """The annotated picture that a photograph is; None: none; a UsageError: it may be several."""
        parts = _parts(path.as_posix())
        found = self._by_stem.get(parts[0], [])
        if len(found) < 2:
            return found[0] if found else None
        alike = [_agreement(parts, _parts(picture.file)) for picture in found]
        best = [picture for picture, count in zip(found, alike, strict=True) if count == max(alike)]
        if len(best) > 1:
            names = ", ".join(quoted(picture.file) for picture in best[:3])
            raise UsageError(f"it may be any of the annotated pictures {names}")
        return best[0]


def _parts(name: str) -> tuple[str, str, tuple[str, ...]]:
    """Stem, suffix and folders of a file's name, the innermost folder first."""
    path = PurePosixPath(name.replace("\\", "/"))
    folders = tuple(part for part in reversed(path.parts[:-1]) if part not in ("/", "."))
    return path.stem, path.suffix.lower(), folders


def _agreement(
    one: tuple[str, str, tuple[str, ...]], other: tuple[str, str, tuple[str, ...]]
) -> tuple[int, int]:
    """How many folders, from the innermost on, are the same, and whether the suffix is."""
    same = 0
    for mine, theirs in zip(one[2], other[2], strict=False):
        if mine != theirs:
            break
        same += 1
    return same, int(one[1] == other[1])
