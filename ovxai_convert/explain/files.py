"""Explaining photographs on disk: a model and image files in, pictures in a folder out."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ovxai_convert.artifact.notes import UserNotes
from ovxai_convert.artifact.recovery import recover
from ovxai_convert.blackbox.streaming import Progress, silent
from ovxai_convert.errors import Refusal, RefusedError, UsageError
from ovxai_convert.explain.explainer import Explainer
from ovxai_convert.explain.explanation import Explanation
from ovxai_convert.explain.level_doubts import LevelDoubts
from ovxai_convert.explain.loading import LoadedModel, load_heads, load_model
from ovxai_convert.explain.observation import BoxesWanted
from ovxai_convert.photographs.believed import believed
from ovxai_convert.photographs.given import Photograph
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.image_files import Pixels, read_image, write_file
from ovxai_convert.photographs.levels import shown_picture
from ovxai_convert.photographs.model_input import in_words, preprocessing_for
from ovxai_convert.pictures.file_names import plain_name
from ovxai_convert.pictures.picture_files import DEFAULT_PICTURES, PictureOptions, picture_suffix
from ovxai_convert.source.answers import NO_ANSWER_HINTS, AnswerHints
from ovxai_convert.source.label_files import Labels, given_labels
from ovxai_convert.source.labels import Targets, checked_labels, resolve_targets
from ovxai_convert.vocabulary import Task


@dataclass(frozen=True)
class ExplainedImage:
    """Maps laid over one photograph, in files; ``seconds`` is what it took without reading and writing."""

    path: Path
    photograph: Pixels  # as it is shown
    explanation: Explanation
    seconds: float
    files: tuple[Path, ...]
    head: str | None = None  # which class output, where there are several


class FileExplainer:
    """Explains image files and writes a picture for each image and class.

    What the user says of labels, preprocessing and answer goes before the sidecar, that before the model's
    own entries; what nobody says of the preprocessing is what is commonest, and told in words by ``assumed``.
    What looks wrong of what is said stands in ``doubts``. ``bands`` are those that are shown. ``made_of``
    are arguments that make the same in another process, to which they can be sent. The other
    options are those of :class:`~ovxai_convert.explain.explainer.Explainer`.

    Raises:
        OvxaiError: the model cannot be read or is no classifier; or something asked for does not exist or
            fit.
    """

    def __init__(
        self,
        model: Path | LoadedModel,
        labels: Labels = None,
        preprocessing: PreprocessingHints = NO_HINTS,
        answer: AnswerHints = NO_ANSWER_HINTS,
        device_name: str = "CPU",
        scores_output: str | None = None,
        bands: Sequence[int] | None = None,
        head: str | None = None,
        **options: Any,
    ) -> None:
        told = UserNotes(given_labels(labels), preprocessing, answer)
        loaded = model if isinstance(model, LoadedModel) else load_model(model, told, scores_output)
        if isinstance(loaded.scores, Refusal):
            raise RefusedError([loaded.scores])
        facts = loaded.detector
        if facts is not None and facts.scores_output is None and isinstance(facts.form, Refusal):
            raise RefusedError([facts.form])
        self.made_of: dict[str, Any] = {
            "model": loaded,
            "preprocessing": preprocessing,
            "device_name": device_name,
            "bands": bands,
            "head": head,
            **options,
        }
        scores = loaded.scores
        self.class_count = scores.answer.class_count(scores.class_count)
        self.read_as = repr((loaded.head, scores.answer, loaded.sha256))
        own = loaded.hints
        if isinstance(own, UsageError):
            raise own
        image, _, hints, self.doubts = believed(loaded.model, preprocessing, own)
        self._level_doubts = LevelDoubts.of(loaded.model, image, hints)
        self.preprocessing, assumed = preprocessing_for(image, hints)
        self.assumed = in_words(self.preprocessing, assumed)
        self.device, self._bands, self.channels = device_name, bands, image.channels
        loaded = replace(loaded, hints=self.preprocessing.as_hints())
        self.explainer = Explainer(loaded, device_name=device_name, **options)
        self.method, self.refusals = self.explainer.method, self.explainer.refusals
        self.remarks, self.head = loaded.remarks, head

    @classmethod
    def for_heads(
        cls,
        model: Path,
        scores_output: str | None = None,
        labels: Labels = None,
        preprocessing: PreprocessingHints = NO_HINTS,
        answer: AnswerHints = NO_ANSWER_HINTS,
        task: Task | None = None,
        target_layers: tuple[str, ...] = (),
        **options: Any,
    ) -> list[FileExplainer]:
        """One for each class output that is named (with commas between), or that an artifact has maps of."""
        told = UserNotes(given_labels(labels), preprocessing, answer)
        loaded = load_heads(model, told, scores_output, task, target_layers)
        return [
            cls(
                each,
                preprocessing=preprocessing,
                head=each.head if len(loaded) > 1 else None,
                target_layer=target_layers or None,
                **options,
            )
            for each in loaded
        ]

    def unsaid(self, image: ExplainedImage) -> list[str]:
        """What nobody says of levels, with what each recipe would answer for the first image; lines to show.

        None at another image, or where nothing is missing.
        """
        return self.unsaid_of(image.photograph, image.path.name)

    def unsaid_of(self, photograph: Pixels, name: str) -> list[str]:
        """The same for a photograph as it is shown, which is called so."""
        names = self.explainer.label_names
        return self._level_doubts.for_a_terminal(photograph, name, self.explainer.scores_of, names)

    def explain(
        self,
        path: Path,
        out_dir: Path,
        targets: Targets = None,
        pictures: PictureOptions = DEFAULT_PICTURES,
        raw: bool = False,
        on_progress: Progress = silent,
    ) -> ExplainedImage:
        """Write ``<image>_<label>.png`` per class, and with ``raw`` the map as it is, ``.npy``.

        Files of these names are replaced; a folder that cannot be written is a WriteError. No image is a
        ModelReadError, a class that does not exist a UsageError.
        """
        photograph = Photograph(read_image(path, self.channels))
        started = time.perf_counter()
        explanation = self.explanation_of(photograph, targets, pictures, on_progress)
        seconds = time.perf_counter() - started
        made = self.files_of(explanation, path.stem, pictures, raw=raw)
        files = {out_dir / name: content for name, content in made.items()}
        recover(out_dir)
        for file, content in files.items():
            write_file(file, content)
        return ExplainedImage(path, self.shown(photograph), explanation, seconds, tuple(files), self.head)

    def files_of(
        self, explanation: Explanation, name: str, pictures: PictureOptions | None, *, raw: bool = False
    ) -> dict[str, bytes]:
        """The files of a photograph that is called so, by name: pictures, and with ``raw`` maps as they are.

        A UsageError for a picture that is too large for its format.
        """
        stem = name if self.head is None else f"{name}_{plain_name(self.head)}"
        files: dict[str, bytes] = {}
        if pictures is not None:
            names = explanation.file_names(stem, picture_suffix(pictures.image_format))
            contents = explanation.encoded(pictures.image_format, strip=pictures.caption)
            files.update(zip(names, contents, strict=True))
        if raw:
            files.update(zip(explanation.file_names(stem, ".npy"), _map_files(explanation), strict=True))
        return files

    def explanation_of(
        self,
        photograph: Photograph,
        targets: Targets = None,
        pictures: PictureOptions | None = DEFAULT_PICTURES,
        on_progress: Progress = silent,
        boxes: BoxesWanted = None,
    ) -> Explanation:
        """The maps of a photograph laid over it; without ``pictures`` as the method gives them."""
        shown: dict[str, Any] = {"resize": False, "colormap": False}
        if pictures is not None:
            shown = {
                "overlay": True,
                "colormap": pictures.colormap,
                "overlay_weight": pictures.overlay_weight,
                "overlay_prediction": False,
                "output_size": pictures.size_of(photograph.pixels),
                "bands": self._bands,
            }
        explanation = self.explainer(photograph, targets, boxes=boxes, on_progress=on_progress, **shown)
        assert isinstance(explanation, Explanation), "one photograph has one explanation"
        return explanation

    def shown(self, photograph: Photograph) -> Pixels:
        """A photograph as it is shown."""
        return shown_picture(photograph.pixels, self._bands)

    def check_targets(self, targets: Targets) -> None:
        """Raise a UsageError for labels or classes that do not fit the model, whatever the photograph."""
        names = checked_labels(self.explainer.label_names, self.class_count)
        resolve_targets(targets, names, np.zeros(self.class_count, np.float32))


def _map_files(explanation: Explanation) -> Iterator[bytes]:
    """Each map as it is, as the bytes of an ``.npy`` file."""
    for saliency in explanation.raw.values():
        content = io.BytesIO()
        np.save(content, saliency)
        yield content.getvalue()
