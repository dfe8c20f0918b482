"""The methods, in the order in which ``auto`` tries them: all that is known of one stands in its file.

To add a method, write its file and add a member here.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from ovxai_convert.blackbox import aise, drise, rise
from ovxai_convert.blackbox.method import BlackBoxMethod
from ovxai_convert.methods import activationmap, classprobabilitymap, reciprocam, vitreciprocam
from ovxai_convert.methods.method import WhiteBoxMethod
from ovxai_convert.old_names import fetched
from ovxai_convert.vocabulary import Task, member_of


class Method(Enum):
    """Explanation methods: white-box ones, whose map a branch of the model gives, and black-box ones.

    A member's value is its name: ``Method("reciprocam")`` is ``Method.RECIPROCAM``.

    RECIPROCAM: one map per class, Recipro-CAM (arXiv 2209.14074).
    VITRECIPROCAM: one map per class, ViT-ReciproCAM (arXiv 2310.02588), for transformers with a class token.
    ACTIVATIONMAP: one map for all classes, the channel mean of the feature map.
    DETCLASSPROBABILITYMAP: one map per class of a detector, the class scores at every place.
    RISE: black-box, randomly masked images (arXiv 1806.07421).
    AISE: black-box, gaussian windows placed by optimisation.
    DRISE: black-box, one map per box that a detector finds, randomly masked images (arXiv 2006.03204).
    """

    RECIPROCAM = reciprocam.METHOD
    VITRECIPROCAM = vitreciprocam.METHOD
    ACTIVATIONMAP = activationmap.METHOD
    DETCLASSPROBABILITYMAP = classprobabilitymap.METHOD
    RISE = rise.METHOD
    AISE = aise.METHOD
    DRISE = drise.METHOD

    white_box: WhiteBoxMethod | None
    """Its definition, if a branch gives its map."""
    black_box: BlackBoxMethod | None
    """Its definition, if it treats the model as a black box."""

    def __new__(cls, definition: WhiteBoxMethod | BlackBoxMethod | str) -> Method:
        """A member whose value is the method's name."""
        assert not isinstance(definition, str), "a name finds a member and makes none"
        member = object.__new__(cls)
        member._value_ = definition.name
        member.white_box = definition if isinstance(definition, WhiteBoxMethod) else None
        member.black_box = definition if isinstance(definition, BlackBoxMethod) else None
        return member

    @property
    def task(self) -> Task | None:
        """The task that it is for; None: any."""
        definition = self.white_box or self.black_box
        return None if definition is None else definition.task

    @property
    def is_black_box(self) -> bool:
        """Whether it treats the model as a black box."""
        return self.black_box is not None


WHITE_BOX_METHODS: Final = tuple(method.white_box for method in Method if method.white_box is not None)


def methods_for(task: Task) -> tuple[WhiteBoxMethod, ...]:
    """Those that explain models of a task by a branch, in the order in which ``auto`` tries them."""
    return tuple(method for method in WHITE_BOX_METHODS if method.task is task)


def all_methods_for(task: Task) -> tuple[Method, ...]:
    """Every method for models of a task, black-box ones among them."""
    return tuple(method for method in Method if method.task in (None, task))


def default_black_box(task: Task) -> Method:
    """The black-box method where none is named."""
    return Method.DRISE if task is Task.DETECTION else Method.RISE


def method_of(given: object, what: str = "explain_method") -> Method | None:
    """The method that a user means by a member or by text; None where None or ``"auto"`` leaves it open.

    A UsageError, which calls the argument ``what``, for all else.
    """
    if given is None or (isinstance(given, str) and given.lower() == "auto"):
        return None
    return member_of(Method, given, what)


def method_name(method: Method | None) -> str:
    """A method as text; without one, a map that the model gives by itself."""
    return "the model's own map" if method is None else str(method.value)


__all__ = [
    "WHITE_BOX_METHODS",
    "BlackBoxMethod",
    "Method",
    "WhiteBoxMethod",
    "all_methods_for",
    "default_black_box",
    "method_name",
    "method_of",
    "methods_for",
]

if not TYPE_CHECKING:  # what is misspelt is to be seen by type checkers

    def __getattr__(name: str) -> Any:
        """The objects that openvino-xai 1.1.0 has at this path."""
        return fetched("methods", name)
