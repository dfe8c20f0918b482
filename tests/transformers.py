"""Small image transformers in the forms that exporters write, and what ViT-ReciproCAM masks of them.

Nodes are named: ``tokens3`` is the input of block 3 (counted from the image, from 0), ``normed3`` what its
projections read, ``residual3`` the Add that carries the input past it, ``scores`` the class tensor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import Draw, Tensor, classifier, extent_of, named, reshaped, transposed
from tests.oracle import Port, TokenPlace

PATCH: Final = 2
CLASSES: Final = 3


@dataclass(frozen=True)
class VitSpec:
    """What a transformer is made of.

    Attributes:
        seed: of all random numbers.
        batch: N; None is dynamic.
        grid: rows and columns of patches.
        width: channels of a token.
        heads: attention heads.
        blocks: transformer blocks.
        before: auxiliary tokens before the patches; the first is the class token.
        after: auxiliary tokens behind them.
        embedding: patches are cut out by a convolution, or by a Reshape before a product.
        projection: three products, one product that is split, or one that is reshaped and picked from.
        scale: where attention is scaled.
        attention: two products and a softmax, the same with a guard against NaN or as sums of products by
            name, or one op.
        pooling: keys and values come from a coarser grid, which a depthwise convolution makes of the patches
            before they are projected (CvT) or behind (MViT); the class token stays.
        norm: before attention and MLP, behind their residual, or behind them and before the residual.
        fused_norm: layer norm as MVN, or written out.
        bias: a relative position bias is added to attention's scores.
        rotary: a rotary embedding of patches, with auxiliary tokens cut off and joined again.
        query_key_norm: queries and keys are normed.
        layer_scale: a gain behind attention and MLP.
        talking_heads: heads are mixed before and after the softmax.
        class_attention: from this block on only the class token asks, as in CaiT; None: never.
        samples_inside: attention works on ``[T, N, C]`` and on heads merged with samples, as torch's does.
        head: which tokens the scores read.
    """

    seed: int = 0
    batch: int | None = 1
    grid: tuple[int, int] = (3, 4)
    width: int = 8
    heads: int = 2
    blocks: int = 2
    before: int = 1
    after: int = 0
    embedding: Literal["convolution", "reshape"] = "convolution"
    projection: Literal["split", "chunked", "picked"] = "split"
    scale: Literal["query", "key", "both", "scores"] = "query"
    attention: Literal["products", "guarded", "einsum", "one_op"] = "products"
    pooling: Literal["none", "before", "behind"] = "none"
    norm: Literal["pre", "post", "inner_post"] = "pre"
    fused_norm: bool = True
    bias: bool = False
    rotary: bool = False
    query_key_norm: bool = False
    layer_scale: bool = False
    talking_heads: bool = False
    class_attention: int | None = None
    samples_inside: bool = False
    head: Literal["class", "distilled", "class_and_mean", "mean"] = "class"

    @property
    def tokens(self) -> int:
        """T."""
        return self.before + self.grid[0] * self.grid[1] + self.after


def transformer(spec: VitSpec) -> Model:
    """An image classifier."""
    return _Builder(spec).model()


def masked_places(spec: VitSpec, block: int = 1) -> list[TokenPlace]:
    """What ViT-ReciproCAM masks where ``block``, counted from the end, is its target."""
    number = spec.blocks - block
    first = spec.class_attention
    if spec.norm != "pre":
        return [TokenPlace(Port(f"tokens{number}"), spec.before, spec.after)]
    before = 0 if first is not None and number < first else spec.before
    normed = TokenPlace(Port(f"normed{number}"), before, spec.after)
    residual = (f"residual{number}",)
    if first is None or number < first:
        return [normed, TokenPlace(Port(f"tokens{number}"), before, spec.after, users=residual)]
    places = [normed]
    if number > first:
        places.append(TokenPlace(Port(f"class{number}"), 1, patches=False, users=residual))
    later = *(f"tokens{each}" for each in range(number + 1, spec.blocks)), "joined"
    return [*places, TokenPlace(Port(f"patches{first}"), 0, users=later)]


class _Builder:
    """Builds one transformer, layer by layer."""

    def __init__(self, spec: VitSpec) -> None:
        self.spec = spec
        self.draw = Draw(spec.seed)

    def model(self) -> Model:
        spec = self.spec
        rows, columns = spec.grid
        image = ops.parameter([spec.batch or -1, 3, PATCH * rows, PATCH * columns], np.float32, name="image")
        image.output(0).get_tensor().set_names({"image"})
        x: Node = self.embedded(image)
        x = ops.add(x, self.draw.numbers(1, rows * columns, spec.width))
        if spec.class_attention is None:
            x = self.with_auxiliary(x)
        for number in range(spec.blocks):
            if spec.class_attention == number:
                named(x, f"patches{number}")
                return self.classified(self.class_blocks(x, number), image)
            x = self.block(named(x, f"tokens{number}"), number)
        return self.classified(x if spec.norm == "post" else self.layer_norm(x), image)

    def embedded(self, image: Node) -> Node:
        """``[N, 3, H, W]`` to patches ``[N, T, C]``."""
        (rows, columns), width = self.spec.grid, self.spec.width
        if self.spec.embedding == "reshape":
            apart = reshaped(image, [0, 3, rows, PATCH, columns, PATCH])
            pixels = reshaped(transposed(apart, [0, 2, 4, 3, 5, 1]), [0, rows * columns, -1])
            return self.linear(pixels, width, 1.0)
        weights = self.draw.numbers(width, 3, PATCH, PATCH, scale=0.4)
        patches = ops.convolution(image, weights, [PATCH] * 2, [0, 0], [0, 0], [1, 1])
        return transposed(reshaped(patches, [0, width, rows * columns]), [0, 2, 1])

    def with_auxiliary(self, patches: Node) -> Node:
        """Class token, distillation token, registers before and behind."""
        spec = self.spec
        pieces: list[Tensor] = [self.per_sample(spec.before, patches)] if spec.before else []
        pieces.append(patches)
        pieces += [self.per_sample(spec.after, patches)] if spec.after else []
        joined = ops.concat(pieces, 1) if len(pieces) > 1 else patches
        return ops.add(joined, self.draw.numbers(1, spec.tokens, spec.width, scale=0.5))

    def per_sample(self, count: int, patches: Node) -> Node:
        """Constant tokens, repeated for every sample."""
        samples = ops.gather(ops.shape_of(patches), ops.constant([0], np.int64), ops.constant(0, np.int64))
        shape = ops.concat([samples, ops.constant([count, self.spec.width], np.int64)], 0)
        return ops.broadcast(self.draw.numbers(1, count, self.spec.width), shape)

    def block(self, x: Node, number: int) -> Node:
        spec = self.spec
        source = named(self.layer_norm(x), f"normed{number}") if spec.norm == "pre" else x
        x = self.residual(x, self.gain(self.attention(source, source)), number)
        source = self.layer_norm(x) if spec.norm == "pre" else x
        return self.residual(x, self.gain(self.mlp(source)), None)

    def residual(self, x: Node, branch: Node, number: int | None) -> Node:
        if self.spec.norm == "inner_post":
            branch = self.layer_norm(branch)
        total = ops.add(branch, x)
        if number is not None:
            named(total, f"residual{number}")
        return self.layer_norm(total) if self.spec.norm == "post" else total

    def class_blocks(self, patches: Node, first: int) -> Node:
        """CaiT's: the class token alone asks and is changed; the patches stay what they are."""
        own: Node = self.per_sample(1, patches)
        for number in range(first, self.spec.blocks):
            named(own, f"class{number}")
            tokens = named(ops.concat([own, patches], 1), f"tokens{number}")
            normed = named(self.layer_norm(tokens), f"normed{number}")
            asking = reshaped(self.pick(normed, 0), [0, 1, self.spec.width])
            own = named(ops.add(own, self.gain(self.attention(asking, normed))), f"residual{number}")
            own = ops.add(own, self.gain(self.mlp(self.layer_norm(own))))
        return self.layer_norm(named(ops.concat([own, patches], 1), "joined"))

    def attention(self, asking: Node, tokens: Node) -> Node:
        spec = self.spec
        if spec.samples_inside:
            asking = tokens = transposed(tokens, [1, 0, 2])
        query, key, value = self.projected(asking, tokens)
        if spec.query_key_norm:
            query, key = self.layer_norm(query), self.layer_norm(key)
        if spec.rotary:
            query, key = self.rotated(query), self.rotated(key)
        if spec.attention == "one_op":
            return self.merged(self.one_op(query, key, value))
        weights = self.weights(query, key)
        if spec.attention == "einsum":
            return self.merged(ops.einsum([weights, value], "bhlt,bhtv->bhlv"))
        return self.merged(ops.matmul(weights, value, False, False))

    def projected(self, asking: Node, tokens: Node) -> tuple[Node, Node, Node]:
        """Queries, keys and values ``[N, heads, T, d]``."""
        spec = self.spec
        width, channels = spec.width, spec.width // spec.heads
        if spec.pooling != "none":
            query = self.by_head(self.linear(asking, width, 1.0))
            key, value = (self.by_head(self.pooled_linear(tokens, spread)) for spread in (1.0, 2.5))
            return query, key, value
        if spec.projection == "split" or asking is not tokens:
            query, key = (self.linear(each, width, 1.0) for each in (asking, tokens))
            return self.by_head(query), self.by_head(key), self.by_head(self.linear(tokens, width, 2.5))
        joined = self.linear(tokens, 3 * width, 1.5)
        if spec.projection == "chunked":
            three = ops.split(joined, ops.constant(2, np.int64), 3)
            query, key, value = (self.by_head(three.output(index)) for index in range(3))
            return query, key, value
        apart = reshaped(joined, [0, spec.tokens, 3, spec.heads, channels])
        first = transposed(apart, [2, 0, 3, 1, 4])
        query, key, value = (self.pick(first, index, 0) for index in range(3))
        return query, key, value

    def pooled_linear(self, tokens: Node, spread: float) -> Node:
        """``[N, T, C]`` to as many channels of every other row and column, and of the class token."""
        width = self.spec.width
        if self.spec.pooling == "before":
            return self.linear(self.pooled(tokens), width, spread)
        return self.pooled(self.linear(tokens, width, spread))

    def pooled(self, tokens: Node) -> Node:
        """The class token, and the patches after a depthwise convolution of stride 2."""
        (rows, columns), width = self.spec.grid, self.spec.width
        axis, lengths = ops.constant(1, np.int64), ops.constant([1, rows * columns], np.int64)
        own, patches = ops.variadic_split(tokens, axis, lengths).outputs()
        grid = reshaped(transposed(patches, [0, 2, 1]), [0, width, rows, columns])
        kernels = self.draw.numbers(width, 1, 1, 3, 3, scale=0.4)
        coarse = ops.group_convolution(grid, kernels, [2, 2], [1, 1], [1, 1], [1, 1])
        return ops.concat([own, transposed(reshaped(coarse, [0, width, -1]), [0, 2, 1])], 1)

    def by_head(self, x: Tensor) -> Node:
        spec = self.spec
        channels = spec.width // spec.heads
        if not spec.samples_inside:
            return transposed(reshaped(x, [0, -1, spec.heads, channels]), [0, 2, 1, 3])
        merged = reshaped(x, [spec.tokens, -1, channels])
        return reshaped(transposed(merged, [1, 0, 2]), [-1, spec.heads, spec.tokens, channels])

    def merged(self, mixed: Node) -> Node:
        spec = self.spec
        if not spec.samples_inside:
            joined = reshaped(transposed(mixed, [0, 2, 1, 3]), [0, -1, spec.width])
            return self.linear(joined, spec.width, 2.5)
        rows = reshaped(transposed(mixed, [2, 0, 1, 3]), [-1, spec.width])
        return transposed(
            reshaped(self.linear(rows, spec.width, 2.5), [spec.tokens, -1, spec.width]), [1, 0, 2]
        )

    def weights(self, query: Node, key: Node) -> Node:
        spec = self.spec
        factor = (spec.width // spec.heads) ** -0.5
        if spec.scale in ("query", "both"):
            query = ops.multiply(query, np.float32(factor if spec.scale == "query" else factor**0.5))
        if spec.scale in ("key", "both"):
            key = ops.multiply(key, np.float32(factor if spec.scale == "key" else factor**0.5))
        if spec.attention == "einsum":
            scores = ops.einsum([query, key], "bhlk,bhtk->bhlt")
        else:
            scores = ops.matmul(query, transposed(key, [0, 1, 3, 2]), False, False)
        if spec.scale == "scores":
            scores = ops.multiply(scores, np.float32(factor))
        if spec.bias:
            scores = ops.add(scores, self.draw.numbers(1, spec.heads, spec.tokens, spec.tokens))
        if spec.talking_heads:
            scores = self.mixed_heads(scores)
        weights = ops.softmax(scores, 3)
        if spec.attention == "guarded":
            weights = ops.select(ops.is_nan(weights), np.float32(0), weights)
        return self.mixed_heads(weights) if spec.talking_heads else weights

    def one_op(self, query: Node, key: Node, value: Node) -> Node:
        if not self.spec.bias:
            return ops.scaled_dot_product_attention(query, key, value)
        mask = self.draw.numbers(1, self.spec.heads, self.spec.tokens, self.spec.tokens)
        return ops.scaled_dot_product_attention(query, key, value, mask, np.float32(0.6))

    def mixed_heads(self, x: Node) -> Node:
        heads_last = self.linear(transposed(x, [0, 2, 3, 1]), self.spec.heads, 1.0)
        return transposed(heads_last, [0, 3, 1, 2])

    def rotated(self, x: Node) -> Node:
        """``x cos + rot(x) sin`` of the patches."""
        spec = self.spec
        patches, channels = spec.grid[0] * spec.grid[1], spec.width // spec.heads
        lengths = ops.constant([spec.before, patches], np.int64)
        parts = ops.variadic_split(x, ops.constant(2, np.int64), lengths)
        angles = np.arange(patches)[:, None] * np.linspace(0.3, 1.1, channels)[None]
        cosine, sine = (ops.constant(each(angles).astype(np.float32)) for each in (np.cos, np.sin))
        halves = ops.split(parts.output(1), ops.constant(3, np.int64), 2)
        turned = ops.concat([ops.negative(halves.output(1)), halves.output(0)], 3)
        moved = ops.add(ops.multiply(parts.output(1), cosine), ops.multiply(turned, sine))
        return ops.concat([parts.output(0), moved], 2)

    def mlp(self, x: Node) -> Node:
        return self.linear(ops.gelu(self.linear(x, 2 * self.spec.width, 1.5), "erf"), self.spec.width, 1.5)

    def gain(self, x: Node) -> Node:
        if not self.spec.layer_scale:
            return x
        return ops.multiply(x, self.draw.numbers(self.spec.width, offset=0.7, scale=0.3))

    def layer_norm(self, x: Node) -> Node:
        width = extent_of(x, -1)
        gain, shift = self.draw.numbers(width, offset=1.0, scale=0.3), self.draw.numbers(width, scale=0.3)
        if self.spec.fused_norm:
            normed = ops.mvn(x, [-1], True, 1e-5, "inside_sqrt")
        else:
            centred = ops.subtract(x, ops.reduce_mean(x, [-1], True))
            variance = ops.reduce_mean(ops.multiply(centred, centred), [-1], True)
            normed = ops.divide(centred, ops.sqrt(ops.add(variance, np.float32(1e-5))))
        return ops.add(ops.multiply(normed, gain), shift)

    def linear(self, x: Tensor, width: int, spread: float) -> Node:
        fan_in = extent_of(x, -1)
        weights = self.draw.numbers(fan_in, width, scale=spread / fan_in**0.5)
        return ops.add(ops.matmul(x, weights, False, False), self.draw.numbers(width, scale=0.5))

    def pick(self, x: Node, index: int, axis: int = 1) -> Node:
        return ops.gather(x, ops.constant(index, np.int64), ops.constant(axis, np.int64))

    def classified(self, x: Node, image: Node) -> Model:
        if self.spec.head == "mean":
            scores = self.linear(ops.reduce_mean(x, [1], False), CLASSES, 1.5)
        elif self.spec.head == "distilled":
            both = [self.linear(self.pick(x, index), CLASSES, 1.5) for index in (0, 1)]
            scores = ops.divide(ops.add(*both), np.float32(2))
        else:
            read: Node = self.pick(x, 0)
            if self.spec.head == "class_and_mean":
                ends = ([self.spec.before], [2**31 - 1], [1], [1])
                patches = ops.slice(x, *(ops.constant(each, np.int64) for each in ends))
                read = ops.concat([read, ops.reduce_mean(patches, [1], False)], 1)
            scores = self.linear(read, CLASSES, 1.5)
        return classifier(named(scores, "scores"), [image])
