"""What a model is for: as the user says, as the method that is named says, or as it looks."""

from __future__ import annotations

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_assembly import Told
from ovxai_convert.anatomy.likeness import looks_like_detector
from ovxai_convert.anatomy.scores import find_scores
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.methods import Method
from ovxai_convert.vocabulary import Task, layer_name, member_of


def task_of(given: object, method: Method | None) -> Task | None:
    """The task that a user names, also by a method of it; None where that is left open.

    Raises:
        UsageError: no such task, or the method is not for it.
    """
    is_open = given is None or (isinstance(given, str) and given.lower() == "auto")
    task = None if is_open else member_of(Task, given, "task")
    own = None if method is None else method.task
    if task is not None and own is not None and task is not own:
        raise UsageError(f"{method.value if method else ''} is for {own.value}, and not for {task.value}")
    return task or own


def layers_named(given: object) -> tuple[str, ...]:
    """The layers that a user names, one or a list of them; a UsageError for what is no name."""
    names = [layer_name(each) for each in (given if isinstance(given, list | tuple) else [given])]
    return tuple(name for name in names if name is not None)


def taken_for(anatomy: Anatomy, task: Task | None, told: Told) -> Told | None:
    """What is told of a model that is taken for a detector; None: it is taken for a classifier.

    Where nobody says it: a detector has no class output, and looks like one; or several layers are named.

    Raises:
        UsageError: an output that does not exist, or several layers of a classifier.
    """
    several = len(told.layers) > 1
    if several and task is Task.CLASSIFICATION:
        raise UsageError("several layers are named; of a classifier one is masked")
    if task is None and not several:
        no_classifier = isinstance(find_scores(anatomy, _only(told.output)), Refusal)
        task = Task.DETECTION if no_classifier and looks_like_detector(anatomy) else Task.CLASSIFICATION
    return None if task is Task.CLASSIFICATION else told


def _only(output: str | None) -> str | None:
    return None if output is None or "," in output else output
