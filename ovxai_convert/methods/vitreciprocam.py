"""ViT-ReciproCAM: the score of every class when a transformer block sees a few of its tokens only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from openvino import Model, Output
from openvino import opset15 as ops

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.blocks import blocks, find_block
from ovxai_convert.anatomy.feature_maps import Candidate, Standing
from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.anatomy.target import Target
from ovxai_convert.anatomy.tokens import Tokens
from ovxai_convert.errors import Refusal, TooBig
from ovxai_convert.methods.class_maps import class_maps
from ovxai_convert.methods.method import PER_CLASS, Head, Option, RawMaps, Settings, Site, WhiteBoxMethod
from ovxai_convert.mosaic.masks import GAUSSIAN, KERNELS, KernelMask
from ovxai_convert.mosaic.narrowing import narrowed
from ovxai_convert.mosaic.rewriting import Rewriting, Rewritten, rewrite_head
from ovxai_convert.ops.kinds import Carried, Mask, Masked
from ovxai_convert.ops.levels import masked
from ovxai_convert.tensors.extents import ints, pinned
from ovxai_convert.tensors.settled import Extents

_NAME: Final = "vitreciprocam"
_KEEP, _DROP = "keep", "drop"
_OPTIONS: Final = (
    Option("kernel", GAUSSIAN, "patches that a copy keeps", tuple(KERNELS)),
    Option("class_token", _KEEP, "whether copies keep the class token and its like", (_KEEP, _DROP)),
    Option("block", 1, "block to mask, counted from the end"),
)
_MOST_TURNS: Final = 64
_READ_AND_WRITTEN: Final = 4
"""Tensors of one size that an op may hold at once."""


def candidates(anatomy: Anatomy, scores: Scores) -> list[Candidate]:
    """Transformer blocks whose tokens can be masked, the last first."""
    note = "transformer block {0} from the end (--block {0})"
    return [
        Candidate(block.port, Standing.MAP, block, note.format(block.block))
        for block in blocks(anatomy, scores)
        if isinstance(block, Target)
    ]


def locate(anatomy: Anatomy, scores: Scores, wanted: str | None, settings: Settings) -> Target | Refusal:
    """The block of the number that is set, or the one whose tokens are named."""
    block = find_block(anatomy, scores, wanted, int(settings["block"]))
    return replace(block, method=_NAME) if isinstance(block, Refusal) else block


def build(site: Site) -> RawMaps | Refusal:
    """Maps ``[N, K, H, W]`` of raw scores, in the model's float type; ``[N, K', H, W]`` of chosen classes.

    ``map[n, k, p] = score_k(rest(z[n] * M[p], x[n] * M[p]))`` (arXiv 2310.02588), where z are the tokens that
    the block projects to queries, keys and values (behind its first norm, if it has one there), x those that
    its residual carries past them, and M[p] the kernel around patch p; the class token and its like are
    multiplied by 1 or 0. Departure from the paper: the scores are taken before the final activation.
    """
    rows, columns = site.target.grid
    assert rows is not None, "a transformer block has a static grid"
    assert columns is not None, "the same for columns"
    extents, settings = site.copy.extents(), site.settings
    kernel = KernelMask(str(settings["kernel"]), settings["class_token"] == _KEEP, (rows, columns))
    sources = _masked_sources(site, kernel, extents)

    def rewrite(sink: Output) -> Rewritten | Refusal:
        end = narrowed(site.flow, site.target.masked, sink, extents)
        if isinstance(end, Refusal):
            return end
        flow = DataFlow(Model([ops.result(end)], site.copy.model.get_parameters()))
        read = {port: tokens for port, tokens in sources.items() if port.get_node() in flow.position}
        return _Head(flow, read, end, rows * columns).for_all_copies(site.max_bytes)

    return class_maps(site, (rows, columns), rewrite)


def _masked_sources(site: Site, kernel: KernelMask, extents: Extents) -> dict[Output, Carried]:
    """Every tensor that is masked, and its copies; equal tokens have one and the same mask.

    Which of the tokens are patches is known for their number today: at another the branch cannot be built.
    """
    masks: dict[Tokens, Mask] = {}
    sources: dict[Output, Carried] = {}
    for sequence in site.target.sequences:
        port, tokens, axis = sequence.port, sequence.tokens, sequence.tokens.axis
        if tokens not in masks:
            masks[tokens] = kernel.weights(tokens, port.get_element_type())
        known = {place: size or 0 for place, size in enumerate(extents[port]) if place in (axis, 2)}
        sources[port] = masked(pinned(site.taps[port], known), (axis,), masks[tokens], 1 - axis)
    return sources


@dataclass(frozen=True)
class _Head:
    """What lies between the masked ``sources`` and scores, or what the last layer reads; ``count`` is P."""

    flow: DataFlow
    sources: Mapping[Output, Carried]
    end: Output
    count: int

    def for_all_copies(self, max_bytes: int) -> Rewritten | Refusal:
        """All copies at once, or, where that takes too much memory, some after others."""
        limit = max_bytes // _READ_AND_WRITTEN
        result = self._for_copies(0, self.count, limit)
        turns = 2
        while isinstance(result, TooBig) and turns <= min(_MOST_TURNS, self.count):
            result = self._in_turns(turns, limit)
            turns *= 2
        return self._for_copies(0, self.count, max_bytes) if isinstance(result, TooBig) else result

    def _in_turns(self, turns: int, max_bytes: int) -> Rewritten | Refusal:
        pieces: list[Rewritten] = []
        for first, last in pairwise(self.count * turn // turns for turn in range(turns + 1)):
            piece = self._for_copies(first, last, max_bytes)
            if isinstance(piece, Refusal):
                return piece
            pieces.append(piece)
        return Rewritten(ops.concat([piece.port for piece in pieces], 0).output(0), pieces[0].written_out)

    def _for_copies(self, first: int, last: int, max_bytes: int) -> Rewritten | Refusal:
        masks = {tokens.mask: tokens.mask for tokens in self.sources.values() if isinstance(tokens, Masked)}
        if (first, last) != (0, self.count):
            masks = {mask: mask.of_copies(first, last) for mask in masks}
        some = {
            port: replace(tokens, mask=masks[tokens.mask]) if isinstance(tokens, Masked) else tokens
            for port, tokens in self.sources.items()
        }
        return rewrite_head(self.flow, some, self.end, Rewriting(ints([last - first]), max_bytes))


def define(
    head: Head, values: Sequence[NDArray[Any]], cells: Sequence[int], settings: Settings
) -> NDArray[Any]:
    """The head's scores on sequences of which the tokens around one patch are kept."""
    tokens = {sequence.port: sequence.tokens for sequence in head.target.sequences}
    entering = list(zip(values, map(tokens.get, head.entering), strict=True))
    kept = (
        [held if kind is None else masked_tokens(held, kind, cell, settings) for held, kind in entering]
        for cell in cells
    )
    return np.stack([head.scores(copy) for copy in kept], axis=-1)


def masked_tokens(values: NDArray[Any], tokens: Tokens, cell: int, settings: Settings) -> NDArray[Any]:
    """Tokens times the mask of one patch: its kernel on the grid, 1 or 0 for tokens that are no patches."""
    kept = np.full(tokens.count, float(settings["class_token"] == _KEEP))
    if tokens.grid is not None:
        window = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
        if settings["kernel"] != GAUSSIAN:
            window = np.pad([[1.0]], 1)
        around = np.zeros((tokens.grid[0] + 2, tokens.grid[1] + 2))
        row, column = np.unravel_index(cell, tokens.grid)
        around[row : row + 3, column : column + 3] = window
        kept[tokens.before : tokens.before + tokens.patches] = around[1:-1, 1:-1].ravel()
    by_axis = [-1 if axis == tokens.axis else 1 for axis in range(values.ndim)]
    product: NDArray[Any] = values * kept.reshape(by_axis).astype(values.dtype)
    return product


def parameters(target: Target, settings: Settings) -> dict[str, Any]:
    """As the sidecar records them; the block is the one that was found, by number or by name."""
    class_token = {_KEEP: "kept", _DROP: "dropped"}[str(settings["class_token"])]
    return {"kernel": settings["kernel"], "class_token": class_token, "block": target.block}


METHOD = WhiteBoxMethod(
    _NAME,
    PER_CLASS,
    candidates,
    locate,
    build,
    define,
    _OPTIONS,
    parameters,
    candidates_priced=2,  # further back, pricing a block means building all that follows it
)
