"""What a user should know of how a class output is taken, where the graph leaves it open, one line each."""

from __future__ import annotations

from collections.abc import Iterator

from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.source.answers import Answer, AnswerHints


def remarks_on(scores: Scores, name: str, answer: Answer, told: AnswerHints) -> Iterator[str]:
    """What was taken for what in the output ``name``; nothing of what the user has ``told``."""
    if scores.dense is not None:
        for assumed in scores.dense.assumed:
            yield f"nothing says it, so it was assumed: {assumed}"
        return
    if scores.passed_over:
        others = " and ".join(f"'{other}'" for other in scores.passed_over)
        yield (
            f"output '{name}', which alone ends in a softmax, is taken for the classes, and not {others}; "
            "--scores-output names another"
        )
    if told.activation is not None:
        return
    if answer.meaning == "binary" and scores.activation == "none":
        yield (
            f"output '{name}' is one number, taken for the logit of yes or no; "
            "--activation sigmoid says that it is, --activation none that it is a quantity"
        )
    if answer.meaning == "quantity":
        yield (
            f"output '{name}' is one number that is measured and not decided (a regression): its map tells "
            "what raises it; if it is a yes or no, say --activation sigmoid"
        )
    if answer.meaning == "ordinal":
        yield (
            f"the {scores.class_count} numbers of '{name}' are steps of one ordinal scale: "
            "one score and a threshold for each, so that their maps are alike"
        )
    if len(scores.parts) > 1 and answer.probabilities == "softmax":
        sizes = " + ".join(map(str, scores.parts)) if len(set(scores.parts)) > 1 else _equal(scores.parts)
        yield (
            f"output '{name}' is joined of heads ({sizes} numbers) and read by one softmax over all; "
            "--activation sigmoid or none reads them one by one"
        )


def _equal(parts: tuple[int, ...]) -> str:
    return f"{len(parts)} x {parts[0]}"
