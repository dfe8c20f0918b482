"""Letters in pictures: what can be drawn is, what cannot is not passed off as something else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from ovxai_convert.photographs.image_files import Pixels
from ovxai_convert.pictures import lettering
from ovxai_convert.pictures.lettering import capital_height, legible, shortened, width, write

OUTLINES = hasattr(cv2, "FontFace")
"""Whether the OpenCV that is installed has letters other than ASCII's."""


@pytest.fixture(params=["as installed", "of OpenCV 4"])
def letters(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "of OpenCV 4":
        monkeypatch.setattr(lettering, "_has_outlines", lambda: False)
    return str(request.param)


def drawn(text: str, size: int, *, bold: bool = False) -> Pixels:
    """A text from column 40 and row 100 on, as a picture of its letters ``(160, 2000)``."""
    canvas = np.zeros((160, 2000, 3), np.uint8)
    write(canvas, text, (40, 100), size, (255, 255, 255), bold=bold)
    return np.asarray(canvas.max(axis=2), np.uint8)


@pytest.mark.parametrize(
    ("text", "otherwise", "expected"),
    [
        ("tabby cat", "class 3", "tabby cat"),
        ("really? yes", "class 3", "really? yes"),
        (" a\tb \n c\x00", "class 3", "a b c? (class 3)"),
        ("cat \U0001f408", "class 3", "cat ? (class 3)"),
        ("cat \U0001f408", "", "cat ?"),
        ("\u0e41\u0e21\u0e27", "class 3", "class 3"),  # Thai
        ("\u0939\u093f\u0928\u094d\u0926\u0940", "class 3", "class 3"),  # Devanagari
        ("\u0642\u0637\u0629", "class 3", "class 3"),  # Arabic: its letters are there, their joining is not
        ("\u05d7\u05ea\u05d5\u05dc", "class 3", "class 3"),  # Hebrew: would stand from left to right
        ("\udcff", "class 3", "class 3"),
        ("a\u200bb", "class 3", "a?b (class 3)"),
        ("", "class 3", ""),
        ("?", "class 3", "?"),
    ],
    ids=ascii,
)
@pytest.mark.usefixtures("letters")
def test_what_cannot_be_drawn_is_said_in_another_way(text: str, otherwise: str, expected: str) -> None:
    assert legible(text, otherwise) == expected


@pytest.mark.parametrize(
    "text",
    [
        "B\xe4r",
        "\u732b",
        "\u3053\u306d\u3053",
        "\uace0\uc591\uc774",
        "\u043a\u043e\u0448\u043a\u0430",
        "\u03b3\u03ac\u03c4\u03b1",
    ],
)
def test_other_alphabets(text: str, letters: str) -> None:
    if OUTLINES and letters == "as installed":
        assert legible(text, "class 3") == text
        lacking = "?" * len(text)
        assert not np.array_equal(drawn(text, 40), drawn(lacking, 40))
    else:
        assert "class 3" in legible(text, "class 3")


def test_composed_letters_are_one() -> None:
    assert legible("Ba\u0308r", "class 3") == legible("B\xe4r", "class 3")


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("size", [9, 15, 31, 77])
def test_letters_are_as_large_as_they_are_said_to_be(size: int, bold: bool) -> None:
    rows, _ = np.nonzero(drawn("HEH", size, bold=bold) > 100)
    assert rows.max() <= 100 + max(1, size // 10)
    assert abs(100 - rows.min() - capital_height(size)) <= max(2, size // 8)
    for text in ("tabby cat", "0.97", "< 0.01", "class 285", "jW"):
        ink = np.flatnonzero((drawn(text, size, bold=bold) > 100).any(axis=0))
        assert ink.min() >= 40 - max(1, size // 10)
        assert ink.max() <= 40 + width(text, size, bold=bold) + 1
        assert ink.max() >= 40 + 0.8 * width(text, size, bold=bold) - 2


@pytest.mark.usefixtures("letters")
def test_no_text_takes_no_room() -> None:
    assert width("", 20) == 0
    assert not drawn("", 20).any()


@pytest.mark.usefixtures("letters")
@pytest.mark.parametrize("text", ["tench, Tinca tinca", "W" * 300, "i" * 300, "a b c d e f g"])
@pytest.mark.parametrize("room", [0, 10, 40, 100, 150, 10_000])
def test_long_texts_are_cut(text: str, room: int) -> None:
    found = shortened(text, 20, room)
    if width(text, 20) <= room:
        assert found == text
        return
    kept = found.rstrip(".\u2026")
    assert found == "" or (kept and text.startswith(kept) and found != kept)
    assert width(found, 20) <= room
    ellipsis = found[len(kept) :] or "..."
    assert width(text[: len(kept) + 2] + ellipsis, 20) > room, "as much as fits"


def test_threads_do_not_disturb_each_other() -> None:
    jobs = [(f"text {number}", 9 + number % 40, number % 2 == 0) for number in range(60)]
    alone = [drawn(text, size, bold=bold) for text, size, bold in jobs]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda job: drawn(job[0], job[1], bold=job[2]), jobs))
    for expected, found in zip(alone, together, strict=True):
        np.testing.assert_array_equal(found, expected)
