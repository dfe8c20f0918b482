"""One page of the report of many photographs, HTML: the panels, the first cards, and all of it as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Final

from ovxai_convert.datasets.cards import Cards
from ovxai_convert.datasets.packing import Places, how_many, json_in_page, listed_things, tables_of_all
from ovxai_convert.datasets.panels import figures, panels
from ovxai_convert.datasets.shown import ShownPhotograph
from ovxai_convert.datasets.tally import MOST_FIRST, Tally
from ovxai_convert.explain.page import ReportFacts, as_text, fact_item, page_head, page_part

FIRST_PHOTOGRAPHS: Final = 48
"""So many are listed at a time, and without JavaScript; they fill rows of 2, 3, 4 and 6."""
GENERATOR: Final = '<meta name="generator" content="ovxai-convert gallery">'
"""By this a page is known to be one."""

_ROOM: Final = "ovxai_convert.datasets"
_SCRIPTS: Final = ("gallery_data.js", "gallery_cards.js", "gallery_large.js", "gallery.js")
_NEARBY: Final = 3


@dataclass
class GalleryPart:
    """The photographs of one page: how many stand before it, how many on it, and the first of these."""

    before: int
    photographs: int = 0
    first: list[ShownPhotograph] = field(default_factory=list)

    def add(self, photograph: ShownPhotograph) -> None:
        """One more."""
        self.photographs += 1
        if len(self.first) < FIRST_PHOTOGRAPHS:
            self.first.append(photograph)


@dataclass(frozen=True)
class GalleryPages:
    """All pages, once every photograph has been counted."""

    places: Places
    facts: ReportFacts
    when: datetime
    tally: Tally
    parts: Sequence[GalleryPart]

    def file(self, number: int) -> Path:
        """Where a page is; the first one is number 0."""
        page = self.places.page
        return page if number == 0 else page.with_name(f"{page.stem}-{number + 1}{page.suffix}")

    def text(self, number: int, data: str) -> str:
        """A page, given its photographs and tables as members of a JSON object."""
        style = page_part("ovxai_convert.explain", "page.css") + page_part(_ROOM, "gallery.css")
        style = self.facts.colours + style
        script = page_part(_ROOM, *_SCRIPTS) if self.tally.listed else ""
        tally, place = self.tally, f", page {number + 1} of {len(self.parts)}" if self.parts[1:] else ""
        of_all = json_in_page(tables_of_all(tally) | {"listed": FIRST_PHOTOGRAPHS})
        layers = [fact_item("Target layer", ", ".join(tally.layers))] if tally.layers else []
        empty = '<p class="empty">No photograph was explained.</p>'
        title = f"{self.facts.model}: saliency report of {how_many(tally.photographs)}{place}"
        when = self.when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return Template(page_part(_ROOM, "gallery.html")).substitute(
            head=page_head(title, style, script, images="'self' file: data:", generator=GENERATOR),
            part=place,
            model=as_text(self.facts.model),
            facts="\n".join((self.facts.as_html, *layers, fact_item("Written", when))),
            notes=self.facts.notes_as_html,
            figures=figures(tally),
            body=self._listing(number) if tally.listed else empty,
            footer=self.facts.written_by,
            data=f"{{{data},\n{of_all.decode()[1:]}",
            script=script,
        )

    def _listing(self, number: int) -> str:
        """The panels and the list."""
        part, links, (beside, wide) = self.parts[number], self._links(number), panels(self.tally)
        return Template(page_part(_ROOM, "gallery_body.html")).substitute(
            panels=beside,
            wide_panel=wide,
            parts=links,
            parts_again=links,
            count=self._count(part),
            cards=Cards.of(self.tally, self.places).html(part.first),
            without_script=self._without_script(part),
        )

    def _count(self, part: GalleryPart) -> str:
        things = listed_things(self.tally)
        if len(self.parts) == 1:
            return how_many(part.photographs, things)
        first, last = part.before + 1, part.before + part.photographs
        return f"{first:,} to {last:,} of {how_many(self.tally.listed, things)}"

    def _links(self, number: int) -> str:
        """Links to the other pages: the first, the last and those nearby."""
        if len(self.parts) == 1:
            return ""
        last = len(self.parts) - 1
        shown = sorted({0, last, *range(max(0, number - _NEARBY), min(last, number + _NEARBY) + 1)})
        items = [self._link(shown[0], number)]
        for before, each in pairwise(shown):
            items += ["<li>…</li>"] if each > before + 1 else []
            items.append(self._link(each, number))
        return f'<nav class="parts" aria-label="Pages of the report"><ul>{"".join(items)}</ul></nav>'

    def _link(self, number: int, here: int) -> str:
        part = self.parts[number]
        words = f"{part.before + 1:,} to {part.before + part.photographs:,}"
        if number == here:
            return f'<li><span aria-current="page">{words}</span></li>'
        return f'<li><a href="{as_text(self.places.page_url(self.file(number)))}">{words}</a></li>'

    def _without_script(self, part: GalleryPart) -> str:
        """What those are told whose browser runs no script."""
        told = ""
        if part.photographs > len(part.first):
            told = f"<p>These are the first {len(part.first)}; with JavaScript one can leaf through all.</p>"
        failed = self.tally.first_failures
        if not failed:
            return told
        items = "\n".join(
            f"<li><bdi>{as_text(each.path)}</bdi>: <bdi>{as_text(each.reason or '')}</bdi></li>"
            for each in failed
        )
        first = f"the first {MOST_FIRST} of {self.tally.failed:,}" if self.tally.failed > MOST_FIRST else ""
        return f"{told}<h3>Not explained{first and f', {first}'}</h3><ul>\n{items}\n</ul>"
