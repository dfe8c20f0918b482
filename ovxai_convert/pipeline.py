"""The whole conversion: read, insert, write aside, prove, describe, put in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final, TypeVar

from ovxai_convert.artifact.description import UserNotes, describe, describe_black_box
from ovxai_convert.artifact.sidecar import Sidecar
from ovxai_convert.artifact.staging import Staging
from ovxai_convert.errors import LOCATE, Refusal, RefusedError, UsageError
from ovxai_convert.insertion.class_names import select_classes
from ovxai_convert.insertion.insert import (
    DEFAULT_MAX_BRANCH_BYTES,
    Insertion,
    Request,
    class_scores,
    insert_branch,
)
from ovxai_convert.methods import BRANCHES
from ovxai_convert.photographs.model_input import image_input, preprocessing_for, takes_image
from ovxai_convert.photographs.preprocessing import NO_HINTS, PreprocessingHints
from ovxai_convert.proof.comparison import Comparison
from ovxai_convert.proof.device import IN_FLOATS, ONE_THREAD
from ovxai_convert.proof.prover import Proof, Prover
from ovxai_convert.proof.trial_inputs import image_feed
from ovxai_convert.source.labels import checked_labels
from ovxai_convert.source.reading import SourceModel, read_source, write_ir
from ovxai_convert.tensors.ports import address
from ovxai_convert.vocabulary import DEFAULT_MASKING, ClassToken, Kernel, Method, TokenMasking

_Choice = TypeVar("_Choice", bound=Enum)
_TAP_DEPTHS: Final = (0, 1, 2, 3)
_DEAR_MACS: Final = 100_000_000
"""From so many on, some milliseconds, a branch that costs more than its model is worth a word."""


@dataclass(frozen=True)
class ConversionReport:
    """What a conversion wrote and measured.

    Attributes:
        xml: the converted model; its weights lie beside it as ``.bin``.
        sidecar_path: its description.
        sidecar: the same as an object.
        warnings: what the user should know, one line each.
    """

    xml: Path
    sidecar_path: Path
    sidecar: Sidecar
    warnings: tuple[str, ...]


def convert(
    path: str | Path,
    out_dir: str | Path,
    *,
    method: Method | str | None = None,
    target_layer: str | None = None,
    scores_output: str | None = None,
    embed_scaling: bool = True,
    classes: Sequence[int | str] | None = None,
    top_k: int | None = None,
    kernel: Kernel | str | None = None,
    class_token: ClassToken | str | None = None,
    block: int | None = None,
    max_branch_memory: int = DEFAULT_MAX_BRANCH_BYTES,
    exact: bool = False,
    force: bool = False,
    verify_with: Sequence[str | Path] = (),
    require_whitebox: bool = False,
    labels: Sequence[str] | None = None,
    preprocessing: PreprocessingHints = NO_HINTS,
) -> ConversionReport:
    """Write ``<stem>_xai.xml``, ``.bin`` and ``.json``: the same model with the output ``saliency_map``.

    Where no branch is possible and nothing asks for one in particular (a method, a layer, classes), the model
    is written as it is, with a sidecar that tells to explain it as a black box, and why.

    Args:
        path: a model in any format that OpenVINO reads.
        out_dir: folder for the three files; made if missing.
        method: ``"reciprocam"``, ``"vitreciprocam"``, ``"activationmap"``; None or ``"auto"`` takes the first
            that is possible.
        target_layer: friendly name, tensor name or ``NAME:PORT`` of the feature map; None finds it.
        scores_output: tensor name or index of the class output; None takes the only one.
        embed_scaling: maps as u8 grey levels; else raw scores in the model's float type.
        classes: indices or labels of the classes that get a map; None gives one to each.
        top_k: maps of this many best classes of each input, which ``saliency_classes`` then names.
        kernel: ``"gaussian"`` (None) or ``"single"``: what a copy keeps of the patches; vitreciprocam only.
        class_token: ``"keep"`` (None) or ``"drop"``: whether copies keep it; vitreciprocam only.
        block: the transformer block that is masked, from the end; None or 1: the last; vitreciprocam only.
        max_branch_memory: bytes that the branch may need at once; more is refused.
        exact: refuse instead of accepting an output that moved by up to a millionth of its range.
        force: replace files of these names that exist.
        verify_with: photographs to prove it on, beside the random inputs.
        require_whitebox: refuse a model in which no branch is possible.
        labels: one per class, for the sidecar; None takes those of the model.
        preprocessing: of the model's input, for the sidecar; else the model's own entries.

    Raises:
        OvxaiError: of the kind that tells what went wrong; ``out_dir`` is then as it was.
    """
    path, out_dir = Path(path), Path(out_dir)
    request = Request(
        _method(method),
        target_layer,
        scores_output,
        embed_scaling,
        max_branch_bytes=max_branch_memory,
        masking=_masking(_method(method), kernel, class_token, block),
    )
    asked_for = target_layer is not None or classes is not None or top_k is not None
    may_stay = request.method is None and not asked_for and not require_whitebox
    stem = f"{path.stem}_xai"
    names = [f"{stem}.xml", f"{stem}.bin", f"{stem}.json"]
    with Staging(out_dir, names, force=force) as staging:
        source = read_source(path)
        notes = _notes(source, request, labels, preprocessing)
        request = replace(request, selection=select_classes(source, request, classes, top_k, notes.labels))
        images = [image_feed(source.model, Path(image)) for image in verify_with]
        staged = staging.folder / names[0]
        prover = Prover(source.model, request, images)
        try:
            insertion = insert_branch(source.model, request)
        except RefusedError as error:
            scores = class_scores(source.model, request)
            if not may_stay or scores is None or not takes_image(source.model):
                raise
            write_ir(source.model, staged)
            verification = prover.prove_unchanged(staged)
            sidecar = describe_black_box(source, scores, verification, staged, error.refusals, notes)
            dear = None
        else:
            insertion, proof = _prove(prover, source, request, insertion, staged, exact=exact)
            sidecar = describe(source, insertion, proof.verification, proof.reshapes, staged, request, notes)
            dear = _dear(insertion, path)
        staging.write_text(names[2], sidecar.to_json())
        staging.commit()
    warnings = _warnings(sidecar, path) + ((dear,) if dear else ())
    return ConversionReport(out_dir / names[0], out_dir / names[2], sidecar, warnings)


def _notes(
    source: SourceModel, request: Request, labels: Sequence[str] | None, preprocessing: PreprocessingHints
) -> UserNotes:
    """What the user tells of the model, if it fits the model."""
    if preprocessing != NO_HINTS:
        preprocessing_for(image_input(source.model, preprocessing.layout), preprocessing)
    scores = None if labels is None else class_scores(source.model, request)
    if labels is None or scores is None:
        return UserNotes(None, preprocessing)
    return UserNotes(checked_labels(labels, scores.class_count), preprocessing)


def _prove(
    prover: Prover,
    source: SourceModel,
    request: Request,
    insertion: Insertion,
    staged: Path,
    *,
    exact: bool,
) -> tuple[Insertion, Proof]:
    """Place the branch where the original stays bit-exact; failing that, where it moves least and hardly."""
    best: tuple[float, int] | None = None
    for depth in _TAP_DEPTHS:
        comparison = _write_and_compare(prover, insertion, staged)
        if comparison.movement == 0:
            return insertion, prover.prove(comparison, insertion)
        best = min(best or (comparison.movement, depth), (comparison.movement, depth))
        deeper = _insert_deeper(source, request, depth + 1)
        if deeper is None:
            break
        insertion = deeper
    assert best is not None, "the loop has run at least once"
    if exact:
        reason = f"no place keeps the outputs bit-exact; they move by at least {best[0]:.3g} of their range"
        raise RefusedError([Refusal(insertion.branch.method.value, reason, address(insertion.target.port))])
    insertion = insert_branch(source.model, replace(request, tap_depth=best[1]))
    return insertion, prover.prove(_write_and_compare(prover, insertion, staged), insertion)


def _write_and_compare(prover: Prover, insertion: Insertion, staged: Path) -> Comparison:
    write_ir(insertion.model, staged)
    return prover.compare(staged, insertion)


def _insert_deeper(source: SourceModel, request: Request, depth: int) -> Insertion | None:
    """The same branch, reading the model further back; None where the ops in between are too costly."""
    try:
        return insert_branch(source.model, replace(request, tap_depth=depth, name_alternatives=False))
    except RefusedError:
        return None


def _method(method: Method | str | None) -> Method | None:
    if method in (None, "auto"):
        return None
    methods = [branch.method for branch in BRANCHES]
    for each in methods:
        if method in (each, each.value):
            return each
    known = ", ".join(["auto", *(each.value for each in methods)])
    raise UsageError(f"no method '{_name(method)}' inserts a branch; those that do are {known}")


def _name(method: Method | str | None) -> str:
    return str(method.value if isinstance(method, Method) else method)


def _masking(
    method: Method | None,
    kernel: Kernel | str | None,
    class_token: ClassToken | str | None,
    block: int | None,
) -> TokenMasking:
    if kernel is None and class_token is None and block is None:
        return DEFAULT_MASKING
    if method is not Method.VITRECIPROCAM:
        raise UsageError(f"kernel, class token and block are options of {Method.VITRECIPROCAM.value} alone")
    if block is not None and block < 1:
        raise UsageError(f"there is no block {block}: blocks are counted from 1, the last")
    return TokenMasking(
        _value(Kernel, kernel or DEFAULT_MASKING.kernel),
        _value(ClassToken, class_token or DEFAULT_MASKING.class_token),
        block or DEFAULT_MASKING.block,
    )


def _value(kind: type[_Choice], given: _Choice | str) -> _Choice:
    try:
        return kind(given)
    except ValueError:
        known = ", ".join(str(each.value) for each in kind)
        raise UsageError(f"'{given}' is none of {known}") from None


def _warnings(sidecar: Sidecar, path: Path) -> tuple[str, ...]:
    return (*_warnings_on_the_proof(sidecar), *_warnings_on_the_branch(sidecar, path))


def _warnings_on_the_proof(sidecar: Sidecar) -> tuple[str, ...]:
    said = {
        ONE_THREAD: "the runtime gives other numbers for equal inputs when the model runs on several "
        "threads; it was proved on one thread",
        IN_FLOATS: "the head is quantised: its map is as defined where quantisation is computed in "
        "float32; in integers the runtime rounds maps, as it does scores, by steps of the quantisation",
    }
    device = sidecar.verification.device
    return (said[device],) if device in said else ()


def _warnings_on_the_branch(sidecar: Sidecar, path: Path) -> tuple[str, ...]:
    if sidecar.mode == "blackbox":
        reasons = "; ".join(map(str, sidecar.refusals))
        how = f"it is to be explained as a black box ({sidecar.method}): {reasons}"
        return (f"no branch is possible, so {how}; 'ovxai-inspect {path}' shows what was found",)
    return (
        tuple(
            f"output '{check.name}' is not bit-exact: it moved by up to {check.max_abs_diff:.3g}"
            for check in sidecar.verification.outputs
            if not check.bit_exact
        )
        + tuple(
            f"at {' '.join(str(list(shape)) for shape in check.shapes)} the original runs and the converted "
            "model does not: its head is explained at one size of the map only"
            for check in sidecar.reshapes
            if check.result == "converted_does_not"
        )
        + tuple(
            f"{refusal.method} was not possible: {refusal.reason}"
            for refusal in sidecar.refusals
            if refusal.method != LOCATE
        )
    )


def _dear(insertion: Insertion, path: Path) -> str | None:
    """A word on a branch that costs more than the model, and on what makes it dear, unless both are small."""
    cost, ops = insertion.cost, insertion.written_out
    why = f", as all copies are written out at {ops[0]}" if ops else ""
    if cost.macs < max(_DEAR_MACS, cost.model_macs):
        return None
    price = f"{cost.macs / 1e9:.2f} G multiply-accumulates, {cost.share:.1f} times the model's"
    return (
        f"the branch is dear: {price}{why}; "
        f"'ovxai-inspect {path}' shows what it costs at other layers (--target-layer), "
        f"and --method {Method.ACTIVATIONMAP.value} costs next to nothing"
    )
