"""Modules of ``examples/web`` that need no browser, run by node: from photograph to input, outputs to answer.

Required where OVXAI_REQUIRE_WEB=1, else these tests are skipped where node is missing.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest

from by_description.answer import choose, read_probabilities
from by_description.overlay import seen
from ovxai_convert.photographs.described import described
from ovxai_convert.photographs.hints import Interpolation
from ovxai_convert.photographs.preprocessing import Preprocessing
from tests.examples.web_page import WEB, missing

RANDOM: Final = np.random.default_rng(3)
USUAL: Final = Preprocessing((14, 10), 3, np.dtype(np.float32), (127.5,), (1.0,))
SIZES: Final = ((61, 43), (64, 48), (301, 451), (28, 20), (3, 9), (1, 1))
PREPARED: Final = """
import { seen } from "./boxes.js";
import { prepare } from "./photograph.js";
const picture = ({ width, height, levels }) => (
  { width, height, channels: 3, data: new Uint8Array(Buffer.from(levels, "base64")) }
);
const done = ({ how, ...photo }) => (
  { input: Array.from(prepare(picture(photo), how).data), box: seen(how, photo.height, photo.width) }
);
"""
ANSWERED: Final = """
import { answers } from "./answer.js";
const kinds = { u8: Uint8Array, f32: Float32Array, i64: BigInt64Array };
const outputs = (given) => given.map(({ kind, dims, data }) => (
  { dims, data: kinds[kind].from(data, kind === "i64" ? BigInt : Number) }
));
const done = ({ description, count, given }) => answers(description, { count, outputs: outputs(given) })
  .map(({ map, ...each }) => ({ ...each, map: Array.from(map.data) }));
"""


def in_node(modules: str, jobs: list[Any]) -> list[Any]:
    """What a program in JavaScript makes of each."""
    ending = 'import { readFileSync } from "node:fs"; const jobs = JSON.parse(readFileSync(0));'
    ending += "process.stdout.write(JSON.stringify(jobs.map(done)));"
    command = ["node", "--input-type=module", "--eval", modules + ending]
    try:
        ran = subprocess.run(
            command, cwd=WEB, input=json.dumps(jobs), capture_output=True, text=True, check=False, timeout=60
        )
    except FileNotFoundError:
        missing("no node is on the PATH")
    assert ran.returncode == 0, ran.stderr
    found: list[Any] = json.loads(ran.stdout)
    return found


def _ways() -> list[Preprocessing]:
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"resize_to": 40, "colour": "bgr", "mean": (1.0, 2.0, 3.0), "scale": (58.4, 57.1, 57.4)},
        {"resize": "stretch", "clip": (16.5, 200.0)},
        {"resize": "letterbox", "pad_value": 9, "pad_where": "right_and_below", "colour": "grey"},
        {"resize": "letterbox", "levels": (10.0, 200.0), "layout": "NHWC"},
        {"dtype": np.dtype(np.int8), "channels": 4},
        {"rounded": False},
        {"size": (30, 30)},
        {"resize": "none", "embedded": replace(USUAL, resize="letterbox")},
    )
    kinds: tuple[Interpolation, ...] = ("area", "linear", "nearest", "cubic")
    return [replace(USUAL, interpolation=each, **known) for each in kinds for known in changes]


def test_input_is_that_of_the_package_however_it_is_prepared() -> None:
    """To the last bit; to a level where OpenCV is not the same everywhere, or one side grows."""
    jobs: list[dict[str, Any]] = []
    expected = []
    for size in SIZES:
        photo = RANDOM.integers(0, 256, (*size, 3), np.uint8)
        levels = base64.b64encode(photo[..., ::-1].tobytes()).decode()
        for way in _ways():
            how = described(way, ())
            jobs.append({"height": size[0], "width": size[1], "levels": levels, "how": how})
            expected.append((way(photo).ravel(), seen(how, *size)))
    for job, found, (wanted, box) in zip(jobs, in_node(PREPARED, jobs), expected, strict=True):
        how = job["how"]
        grows = how["resize"] == "stretch" and how["interpolation"] == "area"
        level = 1.001 if how["interpolation"] == "cubic" or grows else 2e-5
        np.testing.assert_allclose(found["input"], wanted, rtol=0, atol=level, err_msg=str(how))
        assert found["box"] == pytest.approx(box._asdict(), abs=1e-9)


@pytest.mark.parametrize("changed", [{"interpolation": "nearest"}, {"colour": "bgr"}, {"resize_to": 20}])
def test_another_description_gives_another_input(changed: Mapping[str, Any]) -> None:
    """What the comparison rests on."""
    photo = RANDOM.integers(0, 256, (61, 43, 3), np.uint8)
    levels = base64.b64encode(photo[..., ::-1].tobytes()).decode()
    how = {**described(USUAL, ()), **changed}
    (found,) = in_node(PREPARED, [{"height": 61, "width": 43, "levels": levels, "how": how}])
    assert np.abs(np.array(found["input"]) - USUAL(photo).ravel()).max() > 5


def _description(probabilities: str, classes: Any, **scores: Any) -> dict[str, Any]:
    told = {"output": "scores", "probabilities": probabilities, "groups": [[0, 2]], "class_count": 4}
    axes = ["batch", "class", "height", "width"] if classes is not None else ["batch", "height", "width"]
    return {
        "outputs": [{"name": "scores", "index": 0}],
        "scores": {**told, **scores},
        "saliency_map": {"index": 1, "axes": axes, "classes": classes or "all"},
        "saliency_classes": {"index": 2},
        "labels": None,
    }


@pytest.mark.parametrize(
    "kind", ["as_is", "softmax", "sigmoid", "exp", "groups", "rank", "binary", "one map"]
)
@pytest.mark.parametrize("map_kind", ["u8", "f32"])
def test_answers_are_those_of_the_example_in_python(kind: str, map_kind: str) -> None:
    top_k = {"top_k": 2, "indices_output": "indices"}
    described_ = {
        "rank": _description("rank", top_k),
        "binary": _description("sigmoid", "all", meaning="binary", class_count=1),
        "one map": _description("softmax", None),
        "exp": _description("exp", {"indices": [3, 1]}),
    }
    description = described_.get(kind) or _description(kind, "all")
    scores = np.array([[-1.5, 2, 0.5, 1], [9, 9, 9, 9]], np.float32)
    scores = {"rank": np.array([[2, 0], [1, 3]]), "binary": scores[:, :1]}.get(kind, scores)
    many = {"rank": 2, "binary": 1, "exp": 2}.get(kind, 4)
    dtype = np.dtype(np.uint8 if map_kind == "u8" else np.float32)
    maps = RANDOM.integers(0, 256, (2, many, 3, 5)).astype(dtype)
    maps = maps[:, 0] if kind == "one map" else maps
    results = [scores, maps, np.array([[2, 0], [1, 3]])]
    given = [
        {"kind": each, "dims": array.shape, "data": array.ravel().tolist()}
        for each, array in zip(("i64" if kind == "rank" else "f32", map_kind, "i64"), results, strict=True)
    ]
    (found,) = in_node(ANSWERED, [{"description": description, "count": 2, "given": given}])
    probability = read_probabilities(description, results, 2)
    assert found[0]["index"] == choose(description, results, probability, None)[0]
    assert [each["order"] for each in found] == sorted((each["order"] for each in found), reverse=True)
    for each in found:
        index, grid = choose(description, results, probability, str(each["index"]))
        assert each["map"] == grid.ravel().tolist()
        assert each["order"] == pytest.approx(probability.get(index, 0), rel=1e-6)
        assert each["probability"] == (None if kind == "rank" else each["order"])
