"""What pages for a browser have in common: facts at their head, text that stays text, a strict policy."""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass
from importlib import resources
from string import Template
from typing import Final

from ovxai_convert.pictures.colormaps import DEFAULT_COLORMAP, css_gradient

_HEAD: Final = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src $images; \
style-src '$style_hash'$scripts; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
$generator<link rel="icon" href="data:,">
<title>$title</title>
<style>$style</style>
</head>""")


@dataclass(frozen=True)
class ReportFacts:
    """What holds for the whole page.

    ``notes`` are what one should know besides, such as refusals; ``colormap`` is that of the overlays.
    """

    model: str
    mode: str
    method: str
    device: str
    preprocessing: str
    version: str
    openvino_version: str
    notes: tuple[str, ...] = ()
    colormap: str = DEFAULT_COLORMAP

    @property
    def as_html(self) -> str:
        """Items of a list of terms."""
        names = ("mode", "method", "device", "preprocessing")
        return "\n".join(fact_item(name.title(), getattr(self, name)) for name in names)

    @property
    def notes_as_html(self) -> str:
        """A list, or nothing where there are none."""
        items = "".join(f"<li>{as_text(note)}</li>" for note in self.notes)
        return f'<ul class="notes" aria-label="Notes">{items}</ul>' if self.notes else ""

    @property
    def written_by(self) -> str:
        """A sentence for the foot of the page, HTML."""
        return as_text(f"Written by ovxai-convert {self.version} with OpenVINO {self.openvino_version}.")

    @property
    def colours(self) -> str:
        """The colours of the maps, from the least to the most important, as a style calls them: --map."""
        return f":root {{ --map: {css_gradient(self.colormap)}; }}\n"


def page_head(
    title: str, style: str, script: str | None = None, *, images: str = "data:", generator: str | None = None
) -> str:
    """All of a page in front of its body, with the policy that allows what is named, and no more.

    Args:
        title: of the page, text.
        style: the only one.
        script: the only one, which stands in the body; None: there is none.
        images: where images may come from.
        generator: by what a page is known to be this program's.
    """
    return _HEAD.substitute(
        images=images,
        style_hash=_policy_hash(style),
        scripts="" if script is None else f"; script-src '{_policy_hash(script)}'",
        generator="" if generator is None else f"{generator}\n",
        title=as_text(title),
        style=style,
    )


def fact_item(name: str, value: str) -> str:
    """One fact, HTML."""
    return f"<div><dt>{as_text(name)}</dt><dd>{as_text(value)}</dd></div>"


def as_text(text: str) -> str:
    """Any text as HTML, between tags or in a quoted attribute.

    File names may hold bytes that are no UTF-8, which Python keeps as lone surrogates; they become "?".
    """
    return html.escape(text.encode("utf-8", "replace").decode("utf-8"))


def page_part(room: str, *names: str) -> str:
    """Files that stand beside the modules of a room of the package, one after the other."""
    folder = resources.files(room)
    return "".join(folder.joinpath(name).read_text("utf-8") for name in names)


def _policy_hash(text: str) -> str:
    """What a Content-Security-Policy calls an inline style or script that it allows."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
