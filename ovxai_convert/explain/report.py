"""Explanations as one HTML page that stands alone: pictures, style and script are inside it.

The page asks for nothing from outside, and its Content-Security-Policy forbids that it does. Without
JavaScript it shows the same; only sorting, filtering and enlarging are missing then.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

import cv2
import numpy as np
import openvino as ov

from ovxai_convert.explain.files import ExplainedImage, FileExplainer
from ovxai_convert.explain.page import ReportFacts, as_text, page_head, page_part
from ovxai_convert.methods import method_name
from ovxai_convert.photographs.image_files import Pixels, encode_image
from ovxai_convert.pictures.colormaps import DEFAULT_COLORMAP

_ROOM: Final = "ovxai_convert.explain"

LONGEST_SIDE: Final = 640
"""Pictures are scaled down to so many pixels, so that a page of a hundred images has some 10 MB."""

_EXACT_UP_TO: Final = 128
"""Pictures of so many pixels a side are kept exactly, as PNG: enlarged, one sees what JPEG does to them."""
_JPEG: Final = (cv2.IMWRITE_JPEG_QUALITY, 88)

_TABLE: Final = Template("""\
<div class="tools">
<label class="filter" hidden>Filter <input type="search" placeholder="image, class or method"></label>
<span class="count" role="status">$count</span>
<p class="scale">least <i></i> most important</p>
</div>
<p class="reading">Each map is scaled by itself: its colours say where, the score says how sure the model \
is. A map of a class that scores 0.05 looks as strong as one of 0.97.</p>
<table>
<thead><tr>
<th scope="col" class="unsorted">Photograph</th>
<th scope="col" class="unsorted">Overlay</th>
<th scope="col" data-sort="text">Image</th>
<th scope="col" data-sort="text">Class</th>
<th scope="col" data-sort="number" data-before="ascending">Score</th>
<th scope="col" data-sort="text">Method</th>
<th scope="col" data-sort="number">Time per image</th>
</tr></thead>
<tbody>
$rows
</tbody>
</table>
<dialog aria-label="Photograph and overlay">
<div class="large-head"><p></p>\
<button type="button" aria-label="Previous map">←</button>\
<button type="button" aria-label="Next map">→</button>\
<button type="button">Close</button></div>
<div class="large"></div>
</dialog>""")

_ROW: Final = Template("""\
<tr>
<td class="picture"><svg class="view" viewBox="0 0 $width $height" role="img" \
aria-label="Photograph $image"><use href="#$photograph"/></svg></td>
<td class="picture"><img class="view" src="$overlay" alt="Overlay of $image: $label"></td>
<th scope="row" data-label="Image" data-value="$image"><bdi>$image</bdi></th>
<td class="class" data-label="Class" data-value="$label"><bdi>$label</bdi>\
<span class="aside">$map_of</span></td>
<td class="number" data-label="Score" data-value="$score"><span class="score">$score_text</span>$bar</td>
<td data-label="Method" data-value="$method">$method</td>
<td class="number" data-label="Time per image" data-value="$seconds">$time_text</td>
</tr>""")

_BAR: Final = Template("""\
<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">\
<rect width="$percent" height="1"/></svg>""")

# A photograph stands in the page once, however many maps it has, and is shown also without JavaScript.
_PHOTOGRAPH: Final = Template(
    '<symbol id="$name" viewBox="0 0 $width $height">'
    '<image width="$width" height="$height" href="$uri"/></symbol>'
)


@dataclass(frozen=True)
class ReportEntry:
    """One map of one image; images are counted by their files' names, ``image``.

    Photograph and overlay are ``(H, W, 3)`` blue, green, red or ``(H, W)`` grey. A map without a
    ``class_index`` stands for all classes. The ``score`` fills a bar by its ``share``, None for what is
    no probability; the image took ``seconds``.
    """

    image: str
    photograph: Pixels
    overlay: Pixels
    label: str
    class_index: int | None
    score: float
    share: float | None
    method: str
    seconds: float


class _Picture(NamedTuple):
    width: int
    height: int
    uri: str


def report_entries(image: ExplainedImage) -> Iterator[ReportEntry]:
    """The rows of one photograph, with pictures no larger than a page needs."""
    explanation, head = image.explanation, "" if image.head is None else f"{image.head}: "
    photograph = shrunk(image.photograph)
    best = next(iter(explanation.predictions.values()))
    for target, overlay in explanation.saliency_map.items():
        index = target if isinstance(target, int) else None
        score = best.score if index is None else explanation.predictions[index].score
        yield ReportEntry(
            image.path.name,
            photograph,
            shrunk(overlay),
            f"{head}{'all classes' if index is None else explanation.label_of(index)}",
            index,
            score,
            explanation.captions[target].share,
            explanation.method_name,
            image.seconds,
        )


def report_text(
    explainers: Sequence[FileExplainer],
    model: Path,
    entries: Sequence[ReportEntry],
    colormap: str = DEFAULT_COLORMAP,
) -> str:
    """The page, HTML."""
    return report_page(report_facts(explainers, model, colormap), entries)


def report_facts(
    explainers: Sequence[FileExplainer], model: Path, colormap: str = DEFAULT_COLORMAP
) -> ReportFacts:
    """What a report says of a model and how it is explained."""
    explainer, method = explainers[0], explainers[0].method
    notes = (note for each in explainers for note in _notes_on(each))
    return ReportFacts(
        model=model.name,
        mode="blackbox" if method is not None and method.is_black_box else "whitebox",
        method=method_name(method),
        device=explainer.device,
        preprocessing=str(explainer.preprocessing),
        version=version("ovxai-convert"),
        openvino_version=ov.get_version(),
        notes=tuple(dict.fromkeys(notes)),
        colormap=colormap,
    )


def _notes_on(explainer: FileExplainer) -> tuple[str, ...]:
    """What one should know of how a model is read and explained."""
    proof, inputs = explainer.explainer.doubts, explainer.doubts
    return *proof, *explainer.remarks, *inputs, *map(str, explainer.refusals)


def report_page(facts: ReportFacts, entries: Sequence[ReportEntry]) -> str:
    """The whole page as text, to be written as UTF-8; the same for the same arguments.

    Photographs and overlays are embedded :func:`shrunk`, as JPEG, small ones as PNG; equal photographs once.
    Entries are shown in their order at first; where there are none, the page says so.
    """
    style = facts.colours + page_part(_ROOM, "page.css", "report.css")
    script = page_part(_ROOM, "report.js")
    photographs: dict[_Picture, str] = {}
    body = '<p class="empty">No image was explained.</p>'
    if entries:
        rows = "\n".join(_row(entry, photographs) for entry in entries)
        body = _TABLE.substitute(rows=rows, count=_count(entries))
    return Template(page_part(_ROOM, "report.html")).substitute(
        head=page_head(f"{facts.model}: saliency report", style, script),
        model=as_text(facts.model),
        facts=facts.as_html,
        notes=facts.notes_as_html,
        body=body,
        footer=facts.written_by,
        photographs=_symbols(photographs),
        script=script,
    )


def shrunk(picture: Pixels) -> Pixels:
    """A picture as a page holds it: no side longer than ``LONGEST_SIDE``."""
    rows, columns = picture.shape[:2]
    shrink = LONGEST_SIDE / max(rows, columns)
    if shrink >= 1:
        return picture
    size = max(1, round(columns * shrink)), max(1, round(rows * shrink))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _row(entry: ReportEntry, photographs: dict[_Picture, str]) -> str:
    """One row of the table; its photograph is added to those of the page, which have a name each."""
    photograph = _embedded(entry.photograph)
    name = photographs.setdefault(photograph, f"photograph-{len(photographs) + 1}")
    return _ROW.substitute(
        image=as_text(entry.image),
        photograph=name,
        width=photograph.width,
        height=photograph.height,
        overlay=_embedded(entry.overlay).uri,
        label=as_text(entry.label),
        map_of="one map for all classes" if entry.class_index is None else f"class {entry.class_index}",
        score=repr(float(entry.score)),
        score_text=_score_text(entry),
        bar="" if entry.share is None else _BAR.substitute(percent=f"{100 * entry.share:.1f}"),
        method=as_text(entry.method),
        seconds=repr(float(entry.seconds)),
        time_text=f"{1000 * entry.seconds:.1f} ms" if entry.seconds < 1 else f"{entry.seconds:.2f} s",
    )


def _score_text(entry: ReportEntry) -> str:
    if entry.share is None:
        return f"{entry.score:.4g}"
    return "< 0.001" if 0 < entry.share < 0.0005 else f"{entry.share:.3f}"


def _embedded(picture: Pixels) -> _Picture:
    """A picture as a data URI, scaled down if it is large."""
    picture = shrunk(picture)
    exact = max(picture.shape[:2]) <= _EXACT_UP_TO
    content = encode_image(picture) if exact else encode_image(picture, ".jpg", _JPEG)
    uri = f"data:image/{'png' if exact else 'jpeg'};base64,{base64.b64encode(content).decode('ascii')}"
    return _Picture(picture.shape[1], picture.shape[0], uri)


def _symbols(photographs: dict[_Picture, str]) -> str:
    symbols = [_PHOTOGRAPH.substitute(picture._asdict(), name=name) for picture, name in photographs.items()]
    return "\n".join(('<svg class="photographs" aria-hidden="true">', *symbols, "</svg>")) if symbols else ""


def _count(entries: Sequence[ReportEntry]) -> str:
    maps, images = len(entries), len({entry.image for entry in entries})
    return f"{maps} {'map' if maps == 1 else 'maps'} of {images} {'image' if images == 1 else 'images'}"
