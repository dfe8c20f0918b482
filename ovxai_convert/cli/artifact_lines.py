"""A converted model's description in words, as ``ovxai-inspect`` prints it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ovxai_convert.tensors.ports import shape_text

_SHOWN_LABELS: Final = 5
_STEPS: Final = ("size", "resize", "resize_to", "interpolation", "colour", "clip", "mean", "scale")


def artifact_lines(told: Mapping[str, Any], doubts: Sequence[str]) -> Iterator[str]:
    """What a converted model is, given its description as plain data, and what is not as it was proved."""
    generator, scores, labels = told["generator"], told["scores"], told["labels"]
    yield f"converted by {generator['name']} {generator['version']} on OpenVINO {generator['openvino']}"
    yield from _maps(told)
    for key in ("saliency_classes", "feature_vector"):
        if told.get(key) is not None:
            yield f"beside:   {_output(told[key], told[key]['name'])}"
    answer = "several classes may be the answer" if scores["multilabel"] else "one class is the answer"
    if scores.get("meaning", "classes") != "classes":
        answer = scores["meaning"]
    yield f"scores:   output '{scores['output']}', {scores['class_count']} classes; {answer}"
    yield f"          probabilities: {scores['probabilities']}"
    if labels is not None:
        more = ", ..." if len(labels) > _SHOWN_LABELS else ""
        yield f"labels:   {', '.join(labels[:_SHOWN_LABELS])}{more}"
    for head in told.get("more_heads") or ():
        yield f"head:     output '{head['scores']['output']}', {head['scores']['class_count']} classes"
        yield f"          {_output(head['saliency_map'], head['saliency_map']['output'])} by {head['method']}"
    yield from _photographs(told["preprocessing"])
    proof = told.get("verification")
    if proof is not None:
        exact = all(check["bit_exact"] for check in proof["outputs"])
        outputs = "bit-exact" if exact else "within tolerance"
        yield f"proof:    outputs {outputs} on {proof['inputs']} inputs, {proof['device']}"
    yield from (f"not as proved: {doubt}" for doubt in doubts)


def _maps(told: Mapping[str, Any]) -> Iterator[str]:
    saliency, target = told["saliency_map"], told["target_layer"]
    if saliency is None:
        yield f"maps:     none; to be explained as a black box ({told['method']})"
        return
    chosen = saliency["classes"]
    classes = "all classes" if chosen == "all" else " ".join(f"{key} {chosen[key]}" for key in chosen)
    levels = "grey levels" if saliency["value_range"] else "raw scores"
    yield f"maps:     {_output(saliency, saliency['output'])}"
    yield f"          {', '.join(saliency['axes'])}; {levels}; {classes}"
    where = f"'{target['name']}' {shape_text(target['shape'])} {target['layout']}"
    yield f"method:   {told['method']} at {where}"


def _photographs(told: Mapping[str, Any] | None) -> Iterator[str]:
    if told is None:
        yield "photographs: nobody has said how they become the input"
        return
    steps = [f"{key} {_text(told[key])}" for key in _STEPS if told.get(key) is not None]
    yield f"photographs: {', '.join(steps)}"
    if told.get("assumed"):
        yield f"          assumed, since nobody says it: {', '.join(told['assumed'])}"


def _output(told: Mapping[str, Any], name: str) -> str:
    return f"output {told['index']} '{name}' {told['element_type']} {shape_text(told['shape'])}"


def _text(value: object) -> str:
    return " ".join(f"{number:g}" for number in value) if isinstance(value, list) else str(value)
