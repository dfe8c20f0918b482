"""Entries and facts of small reports, and a reader that lists what a page refers to."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np

from ovxai_convert.explain.page import ReportFacts
from ovxai_convert.explain.report import ReportEntry
from ovxai_convert.photographs.image_files import Pixels

GREEN = (40, 200, 20)
VIOLET = (210, 30, 140)
"""Blue, green, red: colours that the page itself has nowhere."""

HOSTILE = '"><script>fetch("x")</script>\' & é 猫 \udcff.png'
"""What a file name can be: markup, both quotes, other alphabets, a byte that is no UTF-8."""

FACTS = ReportFacts(
    model="classifier_xai.xml",
    mode="whitebox",
    method="reciprocam",
    device="CPU",
    preprocessing="middle cut out to 224x224, RGB, mean 127, scale 128",
    version="1.2.3",
    openvino_version="2026.0",
)


def plain(colour: tuple[int, int, int], rows: int = 60, columns: int = 90) -> Pixels:
    """A picture of one colour."""
    return np.full((rows, columns, 3), colour, np.uint8)


def entry(
    image: str = "cat.png",
    label: str = "cat",
    class_index: int | None = 3,
    score: float = 0.9,
    *,
    is_share: bool = True,
    method: str = "reciprocam",
    seconds: float = 0.0123,
    photograph: Pixels | None = None,
    overlay: Pixels | None = None,
) -> ReportEntry:
    """An entry, green under violet where nothing else is said."""
    return ReportEntry(
        image,
        plain(GREEN) if photograph is None else photograph,
        plain(VIOLET) if overlay is None else overlay,
        label,
        class_index,
        score,
        score if is_share else None,
        method,
        seconds,
    )


class Page(HTMLParser):
    """A page's elements, each with its attributes, and its text without style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._in = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.elements.append((tag, dict(attrs)))
        self._in = tag

    def handle_data(self, data: str) -> None:
        """Text between tags."""
        if self._in not in ("style", "script"):
            self.text += data

    def values(self, *names: str) -> list[str]:
        """All values of attributes of these names."""
        return [
            attributes[name] or "" for _, attributes in self.elements for name in names if name in attributes
        ]

    def count(self, tag: str) -> int:
        """How many elements of a name there are."""
        return sum(name == tag for name, _ in self.elements)
