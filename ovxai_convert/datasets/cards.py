"""A photograph as a card of the report, HTML: what its script makes of the packed ones, without a script."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Template
from typing import Final

from ovxai_convert.datasets.packing import Places
from ovxai_convert.datasets.shown import ShownMap, ShownPhotograph
from ovxai_convert.datasets.tally import ShownClass, Tally
from ovxai_convert.explain.page import as_text

_CARD: Final = Template("""\
<li class="card">$view
<p class="answer">$verdict<bdi>$label</bdi> <span class="score">$score</span></p>$bar$truth$others
$name</li>""")

_FAILED: Final = Template("""\
<li class="card failed"><p class="view none">not explained</p>
<p class="reason"><bdi>$reason</bdi></p>$truth
$name</li>""")

_NAME: Final = Template(
    '<p class="name"><bdi>$breakable</bdi></p><p class="folder" title="$folder"><bdi>$folder</bdi></p>'
)
_VIEW: Final = Template(
    '<a class="view" href="$url"><img src="$url" alt="$alt" loading="lazy" decoding="async"></a>'
)
_BAR: Final = Template(
    '<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
    '<rect width="$percent" height="1"></rect></svg>'
)


@dataclass(frozen=True)
class Cards:
    """Makes cards of photographs.

    Attributes:
        places: where their pictures are.
        names: of classes, which tell them apart.
        shares: whether all scores lie in 0 to 1.
    """

    places: Places
    names: Mapping[ShownClass, str]
    shares: bool

    @classmethod
    def of(cls, tally: Tally, places: Places) -> Cards:
        """Cards of photographs that were counted."""
        return cls(places, dict(zip(tally.classes, tally.class_names(), strict=True)), tally.are_shares)

    def html(self, photographs: Iterable[ShownPhotograph]) -> str:
        """Items of a list."""
        return "\n".join(map(self._card, photographs))

    def _card(self, photograph: ShownPhotograph) -> str:
        folder, name = os.path.split(photograph.path)
        named = _NAME.substitute(breakable=_breakable(as_text(name)), folder=as_text(folder))
        told = photograph.truth is not None and not photograph.correct
        truth = f'<p class="truth">is <bdi>{as_text(photograph.truth or "")}</bdi></p>' if told else ""
        if photograph.reason is not None:
            return _FAILED.substitute(reason=as_text(photograph.reason), truth=truth, name=named)
        first = photograph.maps[0]
        return _CARD.substitute(
            view=self._view(first, name),
            verdict=_verdict(photograph.correct, first.rank),
            label=as_text(self._name_of(first)),
            score=self._score(first),
            bar=self._bar(first.score),
            truth=truth,
            others=self._others(photograph.maps[1:]),
            name=named,
        )

    def _view(self, shown: ShownMap, name: str) -> str:
        if shown.picture is None:
            return '<p class="view none">no picture</p>'
        url, alt = self.places.picture_url(shown.picture), f"Overlay of {name}: {self._name_of(shown)}"
        return _VIEW.substitute(url=as_text(url), alt=as_text(alt))

    def _others(self, maps: tuple[ShownMap, ...]) -> str:
        if not maps:
            return ""
        words = (f"<bdi>{as_text(self._name_of(each))}</bdi> {self._score(each)}" for each in maps)
        return f'<p class="others">also {", ".join(words)}</p>'

    def _name_of(self, shown: ShownMap) -> str:
        return self.names[ShownClass(shown.class_index, shown.label)]

    def _score(self, shown: ShownMap) -> str:
        return as_text(score_text(shown.score, shares=self.shares))

    def _bar(self, score: float) -> str:
        shown = self.shares and math.isfinite(score)
        return _BAR.substitute(percent=f"{100 * score:.1f}") if shown else ""


def _breakable(name: str) -> str:
    """A name, HTML, that may go on in another line where its parts end."""
    return re.sub("([-_])", r"\1<wbr>", name)


def _verdict(correct: bool | None, rank: int) -> str:
    """How the answer is, which is another class than the one that is shown if that has not the first rank."""
    words = [] if rank == 1 else [f'<span class="rank">rank {rank}</span> ']
    if correct is not None:
        word = "right" if correct else "wrong"
        words.append(f'<span class="verdict {word}">{word if rank == 1 else f"answer {word}"}</span> ')
    return "".join(words)


def score_text(score: float, *, shares: bool) -> str:
    """A score as it is shown: a share of 1 in three digits, any other number in four that count."""
    if not math.isfinite(score):
        return str(score)
    if shares:
        return "< 0.001" if 0 < score < 0.0005 else f"{score:.3f}"
    return repr(float(f"{score:.4g}")).removesuffix(".0")
