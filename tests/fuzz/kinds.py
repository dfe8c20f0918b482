"""The kinds of inputs: how a case of each is drawn from a seed."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from onnx import ModelProto

from tests.fuzz import byte_mutations, corpus, json_mutations, onnx_mutations, xml_mutations
from tests.fuzz.case import OUT, Case, Command
from tests.fuzz.corpus import ARTIFACT, Files
from tests.fuzz.words import word

_PHOTO: Final = "photo.png"
_SEEN: Final = ("-o", OUT, "-q", "--overlay-weight", "0.4")


def draw(kind: str, seed: int) -> Case:
    """The case of a kind and a seed; the same in every process."""
    files, commands = KINDS[kind](random.Random(f"{kind} {seed}"))
    return Case(f"{kind}-{seed}", files, tuple(commands))


_Drawn = tuple[Files, Sequence[Command]]


def _tried(rng: random.Random, files: Files, name: str) -> _Drawn:
    """A model is looked at and converted, sometimes explained."""
    commands = [Command("inspect", (name,)), Command("convert", (name, "-o", OUT, "-q"))]
    if rng.random() < 0.25:
        commands = [Command("explain", (name, _PHOTO, *_SEEN))]
        files = {**files, _PHOTO: corpus.photographs()[_PHOTO]}
    elif rng.random() < 0.2:
        commands[0] = Command("inspect", (name, "--json", "--all"))
    return files, commands


def _onnx(rng: random.Random) -> _Drawn:
    seeds = corpus.onnx_files()
    files, everything = rng.choice(seeds), list(corpus.contents(seeds))
    content = files["net.onnx"]
    mutate = onnx_mutations.mutated if rng.random() < 0.8 else byte_mutations.mutated
    return _tried(rng, {"net.onnx": mutate(rng, content, everything), **_rest(files)}, "net.onnx")


def _rest(files: Files) -> Files:
    return dict(list(files.items())[1:])


def _ir(rng: random.Random) -> _Drawn:
    seeds = corpus.ir_files()
    chosen = dict(rng.choice(seeds))
    sidecar = {name: chosen.pop(name) for name in list(chosen) if name.endswith(".json")}
    everything = [files["net.xml"] for files in seeds]
    way = rng.random()
    if way < 0.75:
        chosen["net.xml"] = xml_mutations.mutated(rng, chosen["net.xml"], everything)
    elif way < 0.88:
        chosen["net.xml"] = byte_mutations.mutated(rng, chosen["net.xml"], everything)
    else:
        chosen["net.bin"] = byte_mutations.mutated(rng, chosen["net.bin"])
    first = {"net.xml": chosen["net.xml"], "net.bin": chosen["net.bin"]}
    return _tried(rng, first | (sidecar if rng.random() < 0.5 else {}), "net.xml")


def _of_bytes(kind: str) -> Callable[[random.Random], _Drawn]:
    def make(rng: random.Random) -> _Drawn:
        seeds = corpus.other_files()[kind]
        files = dict(rng.choice(seeds))
        first = next(iter(files))
        name = first if rng.random() < 0.85 else rng.choice(list(files))
        files[name] = byte_mutations.mutated(rng, files[name], list(corpus.contents(seeds)))
        return _tried(rng, files, first)

    return make


def _metadata(rng: random.Random) -> _Drawn:
    """Whole models with strange entries, all of which are read where a photograph is explained."""
    keys = rng.sample(_ENTRIES, rng.choice((1, 2, 3, 5)))
    entries = {key: rng.choice((*_VALUES, word(rng))) for key in keys}
    photo = {_PHOTO: corpus.photographs()[_PHOTO]}
    command = Command("explain", ("net.onnx", _PHOTO, *_SEEN, "--targets", "all"))
    model = ModelProto.FromString(corpus.onnx_files()[1]["net.onnx"])
    for key, value in entries.items():
        known = key in ("labels", "names", "classes", "task", "author", "imgsz")
        model.metadata_props.add(key=key if known else f"model_info {key}", value=value)
    return {"net.onnx": model.SerializeToString()} | photo, [command, *_converted(rng, "net.onnx")]


def _converted(rng: random.Random, name: str) -> list[Command]:
    return [Command("convert", (name, "-o", OUT, "-q", "--force"))] if rng.random() < 0.3 else []


_KEYS: Final = (
    "mean_values scale_values resize_type interpolation_mode orig_height orig_width reverse_input_channels "
    "layout pad_value input_dtype intensity_mode intensity_max_value intensity_min_value "
    "intensity_window_center intensity_window_width intensity_scale_factor intensity_repeat_channels "
    "embedded_processing model_type labels label_info hierarchical hierarchical_config multilabel "
    "confidence_threshold names classes task author imgsz"
)
_ENTRIES: Final = _KEYS.split()
_PLAIN: Final = (
    "0 1 -1 0.5 1e38 1e-45 nan inf -inf True False None crop standard fit_to_window LINEAR CUBIC u8 u16 "
    "scale_to_unit window range_scale percentile Classification YOLO yolo NCHW NHWC [N,C,H,W] classify"
)
_VALUES: Final = (
    *_PLAIN.split(),
    "1 2 3",
    "[1, 2, 3]",
    "0 0 0",
    "1 2",
    "1e400 1 1",
    "nan nan nan",
    "a b c",
    "[224, 224]",
    "[1e20, 3]",
    "Ultralytics",
    '{"label_names": ["a", "b", "c"]}',
    '{"label_names": [1, null, {}]}',
    '{"cls_heads_info": {"num_multiclass_heads": 1, "head_idx_to_logits_range": {"0": [0, 3]}}}',
    '{"cls_heads_info": {"num_multiclass_heads": 2, "head_idx_to_logits_range": {"0": [2, 1]}}}',
    '{"cls_heads_info": {"all_groups": [["a", "b"], ["c"]], "num_multiclass_heads": 1e9}}',
    '{"cls_heads_info": {"num_multiclass_heads": 1, "head_idx_to_logits_range": {"0": ["0", 99999999999]}}}',
    '{"cls_heads_info": {"num_multiclass_heads": 1, "head_idx_to_logits_range": {"0": [0, Infinity]}}}',
    "[" * 100_000,
    "{0: 'a', 1: 'b', 2: 'c'}",
    "(" * 1000 + ")" * 1000,
    "-" * 5000 + "1",
    "{**{}}",
    "['a','b',\"\\ud800\"]",
)


def _sidecar(rng: random.Random) -> _Drawn:
    files = dict(corpus.artifact() if rng.random() < 0.5 else corpus.undescribed_artifact())
    sidecar = f"{ARTIFACT}.json"
    content = _fitting(files, sidecar)
    spoiled = (
        json_mutations.mutated(rng, content) if rng.random() < 0.8 else byte_mutations.mutated(rng, content)
    )
    files = {sidecar: spoiled} | {name: files[name] for name in files if name != sidecar}
    files[_PHOTO] = corpus.photographs()[_PHOTO]
    xml = f"{ARTIFACT}.xml"
    return files, [
        Command("inspect", (xml,)),
        Command("explain", (xml, _PHOTO, *_SEEN, "--targets", "all")),
    ]


def _fitting(files: Files, sidecar: str) -> bytes:
    """A sidecar whose hashes are those of the files."""
    data = json.loads(files[sidecar])
    for kind in ("xml", "bin"):
        data["model"][f"{kind}_sha256"] = hashlib.sha256(files[f"{ARTIFACT}.{kind}"]).hexdigest()
    return json.dumps(data).encode()


def _description(rng: random.Random) -> _Drawn:
    """What stands in a converted model, spoiled there."""
    files = dict(corpus.artifact())
    xml, pattern = f"{ARTIFACT}.xml", re.compile(rb'(<ovxai value=")(.*?)(" ?/>)')
    text = files[xml]
    found = pattern.search(text)
    assert found is not None, "a converted model holds its description"
    told = found.group(2).replace(b"&quot;", b'"').replace(b"&amp;", b"&").replace(b"&lt;", b"<")
    spoiled = json_mutations.mutated(rng, told).replace(b"&", b"&amp;").replace(b'"', b"&quot;")
    spoiled = spoiled.replace(b"<", b"&lt;")
    changed = {xml: text[: found.start(2)] + spoiled + text[found.end(2) :]}
    files = changed | {f"{ARTIFACT}.bin": files[f"{ARTIFACT}.bin"], _PHOTO: corpus.photographs()[_PHOTO]}
    return files, [Command("inspect", (xml,)), Command("explain", (xml, _PHOTO, *_SEEN))]


def _image(rng: random.Random) -> _Drawn:
    pictures = corpus.photographs()
    name = rng.choice(sorted(pictures))
    spoiled = byte_mutations.mutated(rng, pictures[name], list(pictures.values()))
    xml = f"{ARTIFACT}.xml"
    return {name: spoiled, **corpus.artifact()}, [Command("explain", (xml, name, *_SEEN))]


def _labels(rng: random.Random) -> _Drawn:
    name = rng.choice(sorted(corpus.LABELS))
    content = corpus.LABELS[name]
    if name.endswith(".json") and rng.random() < 0.5:
        spoiled = json_mutations.mutated(rng, content)
    else:
        spoiled = byte_mutations.mutated(rng, content, list(corpus.LABELS.values()))
    xml = f"{ARTIFACT}.xml"
    photo = {_PHOTO: corpus.photographs()[_PHOTO]}
    command = Command("explain", (xml, _PHOTO, *_SEEN, "--targets", "all", "--labels", name))
    return {name: spoiled, **corpus.artifact(), **photo}, [command]


def _options(rng: random.Random) -> _Drawn:
    """A whole model with strange values of options."""
    pools = {name: [*_OPTION_VALUES, *values] for name, values in _OPTIONS.items()}
    chosen = rng.sample(sorted(pools), rng.choice((1, 1, 2, 3)))
    given: list[str] = []
    for name in chosen:
        value = rng.choice(pools[name]) if rng.random() < 0.8 else word(rng)
        given.append(f"{name}={value.replace(chr(0), '')}")  # which no argument of a program can hold
    seeds = corpus.onnx_files()
    files = {**rng.choice(seeds), _PHOTO: corpus.photographs()[_PHOTO]}
    of_convert = [each for each in given if each.partition("=")[0] not in _EXPLAIN_ALONE]
    of_explain = [each for each in given if each.partition("=")[0] not in _CONVERT_ALONE]
    return files, [
        Command("convert", ("net.onnx", "-o", OUT, "-q", *of_convert)),
        Command("explain", ("net.onnx", _PHOTO, *_SEEN, *of_explain)),
    ]


_OPTION_VALUES: Final = (
    "0",
    "1",
    "-1",
    "3",
    "1e9",
    "nan",
    "inf",
    "-inf",
    "1,2",
    "0,0,0",
    "a,b",
    "",
    "2147483648",
)
_CONVERT_ALONE: Final = ("--scores-output", "--classes", "--top-k", "--name", "--output-name")
_EXPLAIN_ALONE: Final = ("--targets", "--seed", "--num-masks", "--tolerance", "--mode")
_OPTIONS: Final[Mapping[str, Sequence[str]]] = {
    "--target-layer": (
        "target",
        "target:0",
        "target:9",
        "conv",
        "image",
        "scores",
        "map",
        "tokens",
        "Relu_1",
    ),
    "--method": ("reciprocam", "vitreciprocam", "activationmap", "auto", "rise", "aise"),
    "--size": ("10x14", "14x10", "8", "8x8", "1x1", "999999x999999", "-3x2"),
    "--mean": ("1,2,3", "1e39", "127"),
    "--scale": ("1,2,3", "1e-46", "255", "1,0,1"),
    "--layout": ("NCHW", "NHWC"),
    "--resize": ("crop", "stretch", "letterbox"),
    "--resize-to": ("7", "100", "1000000000"),
    "--levels": ("4095", "-1024..3071", "5..5", "1e39", "nan", "1..", "..", "0"),
    "--confidence-threshold": ("0.5", "0.1"),
    "--scores-output": ("output", "0", "99"),
    "--classes": ("0", "0,1", "2,2", "cat", "0,cat", ",", "99"),
    "--top-k": ("2", "99", "1000000"),
    "--name": ("{stem}", "{stem!r}", "{stem:>9999}", "a/b", "..", ".", "x" * 260, "CON", "{0}"),
    "--output-name": ("map", "image", "output"),
    "--targets": ("all", "top2", "top99", "top" + "9" * 5000, "0,1", "cat", "-1"),
    "--seed": ("7", "99999999999999999999"),
    "--num-masks": ("2", "9"),
    "--tolerance": ("0.5", "1e-9"),
    "--mode": ("whitebox", "blackbox", "auto"),
}


KINDS: Final[Mapping[str, Callable[[random.Random], _Drawn]]] = {
    "onnx": _onnx,
    "ir": _ir,
    "tflite": _of_bytes("tflite"),
    "paddle": _of_bytes("paddle"),
    "tensorflow": _of_bytes("tensorflow"),
    "metadata": _metadata,
    "sidecar": _sidecar,
    "description": _description,
    "image": _image,
    "labels": _labels,
    "options": _options,
}
"""Every kind by its name."""
