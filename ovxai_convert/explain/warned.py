"""What an explainer warns of: kinds of warnings, so that each can be listened to or silenced by itself."""

from __future__ import annotations


class ProofWarning(UserWarning):
    """An artifact is no more the file that was proved: it was renamed, saved again, reshaped, quantised."""


class AnswerWarning(UserWarning):
    """What a model's class output means was assumed, since nothing says it."""


class PictureWarning(UserWarning):
    """A picture was taken in a way that nobody has asked for, or that may not be what is meant."""


class PreprocessingWarning(UserWarning):
    """Nobody says how levels of pixels become a model's input, or what is said looks wrong."""


class SettingWarning(UserWarning):
    """A setting was given that has no part in what came of it."""
