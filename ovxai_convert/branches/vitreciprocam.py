"""ViT-ReciproCAM: the score of every class when a transformer block sees a few of its tokens only."""

from __future__ import annotations

from openvino import Model, Output
from openvino import opset15 as ops

from ovxai_convert.branches.branch import Branch, RawMaps, Site
from ovxai_convert.branches.class_maps import class_maps
from ovxai_convert.errors import Refusal
from ovxai_convert.graph.cones import DataFlow
from ovxai_convert.graph.open_batch import Extents, settled_extents
from ovxai_convert.graph.tokens import Tokens
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kernels import KernelMask
from ovxai_convert.mosaic.kinds import Carried, Dense, TokenMask
from ovxai_convert.mosaic.masked import masked_tokens
from ovxai_convert.mosaic.narrowing import narrowed
from ovxai_convert.mosaic.rewrite import rewrite_head
from ovxai_convert.mosaic.shapes import extent, settled
from ovxai_convert.vocabulary import Method


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
    samples = extent(site.target.port, site.target.sample_axis)
    copies = Copies(samples, rows * columns)
    kernel = KernelMask(site.masking, (rows, columns))
    extents = settled_extents(site.flow.model)
    sources = _masked_sources(site, kernel, extents)

    def rewritten(sink: Output) -> Dense | Refusal:
        head = narrowed(site.flow, site.target.masked, sink, extents)
        if isinstance(head, Refusal):
            return head
        flow = DataFlow(Model([ops.result(head)], site.flow.model.get_parameters()))
        read = {port: tokens for port, tokens in sources.items() if port.get_node() in flow.position}
        return rewrite_head(flow, read, head, copies, site.max_bytes)

    return class_maps(site, Method.VITRECIPROCAM, copies, (rows, columns), rewritten)


def _masked_sources(site: Site, kernel: KernelMask, extents: Extents) -> dict[Output, Carried]:
    """Every tensor that is masked, and its copies; equal tokens have one and the same mask."""
    masks: dict[Tokens, TokenMask] = {}
    sources: dict[Output, Carried] = {}
    for each in site.target.sequences:
        if each.tokens not in masks:
            masks[each.tokens] = kernel.weights(each.tokens, each.port.get_element_type())
        tap, sample_axis = settled(site.taps[each.port], extents[each.port]), 1 - each.tokens.axis
        sources[each.port] = masked_tokens(tap, each.tokens, sample_axis, masks[each.tokens])
    return sources


BRANCH = Branch(Method.VITRECIPROCAM, ("batch", "class", "height", "width"), build, on_tokens=True)
