"""The command ``ovxai-explain``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ovxai_convert.artifact.recovery import recover
from ovxai_convert.blackbox.streaming import Progress, silent
from ovxai_convert.cli import console, options
from ovxai_convert.errors import OvxaiError
from ovxai_convert.explain.engines import ExplainMode
from ovxai_convert.explain.files import ExplainedImage, FileExplainer, check_distinct_names
from ovxai_convert.explain.report import ReportEntry, report_entries, report_text
from ovxai_convert.methods import Method, method_name
from ovxai_convert.photographs.image_files import write_file
from ovxai_convert.source.answers import AnswerHints
from ovxai_convert.source.labels import read_labels


@click.command("ovxai-explain", context_settings=console.SETTINGS)
@click.argument("model", metavar="ARTIFACT_OR_MODEL", type=options.PATH)
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=options.PATH)
@options.output_option("<image>_<class>.png")
@click.option(
    "--targets",
    metavar="A,B,...|topN|all",
    help="Classes to explain, by index or label; default: the model's answer.",
)
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in ExplainMode]),
    default=ExplainMode.AUTO.value,
    show_default=True,
    help="By a branch in the model, as a black box, or what is possible.",
)
@click.option("--method", type=click.Choice([method.value for method in Method]), help="XAI method.")
@click.option("--target-layer", metavar="NAME[:PORT]", help="Layer to mask, in a model without a branch.")
@click.option("--device", default="CPU", show_default=True, help="OpenVINO device.")
@options.image_options
@click.option("--num-masks", type=click.IntRange(min=1), help="RISE: exactly so many masks.")
@click.option(
    "--tolerance", type=click.FloatRange(min=0), help="RISE: stop when the map moves no more than this."
)
@click.option("--seed", type=click.IntRange(min=0), help="RISE: of the random masks.")
@click.option(
    "--overlay-weight",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="How strongly the map covers the photograph.",
)
@click.option("--raw", is_flag=True, help="Write each map as it is too, as .npy.")
@click.option("--report", metavar="FILE.html", type=options.PATH, help="Write one page of all.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but warnings and errors.")
@click.version_option(package_name="ovxai-convert")
@console.quiet_libraries
def explain_command(
    model: Path,
    images: Sequence[Path],
    output_dir: Path,
    targets: str | None,
    mode: str,
    method: str | None,
    target_layer: str | None,
    device: str,
    labels_file: Path | None,
    overlay_weight: float,
    raw: bool,
    report: Path | None,
    quiet: bool,
    **others: Any,
) -> None:
    """Show what a classifier saw in photographs.

    The model is one that ovxai-convert wrote, or any other that OpenVINO reads. Each IMAGE is laid under the
    map of each class in question: red is where the model saw it.

    How a photograph becomes the input is said by the options --size to --resize; what they leave open,
    by the artifact's JSON file, then by the model's own metadata; what nobody says is assumed, and printed.

    Exit codes: 0 done, 2 usage, 3 not a readable model or image, 4 no branch possible, 6 cannot write. With
    several images, the first failure's.
    """
    signal.signal(signal.SIGTERM, console.interrupt_on_terminate)
    hints = options.taken_hints(others)
    answer = AnswerHints(others.pop("multilabel"), threshold=others.pop("confidence_threshold"))
    settings = {name: value for name, value in others.items() if value is not None}
    names = [name.strip() for name in targets.split(",")] if targets and "," in targets else targets
    exit_codes: list[int] = []
    explainer = None
    with console.Reported(model, exit_codes):
        check_distinct_names(images)
        explainer = FileExplainer(
            model,
            None if labels_file is None else read_labels(labels_file),
            options.hints_of(**hints),
            answer,
            device_name=device,
            explain_mode=ExplainMode(mode),
            explain_method=None if method is None else Method(method),
            target_layer=target_layer,
            **settings,
        )
    if explainer is None:
        sys.exit(exit_codes[0])
    _print_facts(explainer, model, quiet=quiet)
    entries: list[ReportEntry] = []
    for path in images:
        image = None
        with console.Reported(path, exit_codes):
            with _progress(path, hidden=quiet) as on_progress:
                image = explainer.explain(path, output_dir, names, overlay_weight, raw, on_progress, images)
            if report is not None:
                entries += report_entries(image)
        if image is None:
            continue
        for target in image.explanation.constant:
            label = image.explanation.label_of(target)
            click.echo(
                f"Warning: {path}: the map of {label} is the same everywhere and shows nothing", err=True
            )
        if not quiet:
            _print_image(image)
    if report is not None and entries:
        text = report_text(explainer, model, entries)
        recover(report.parent)
        try:
            write_file(report, text.encode())
        except OvxaiError as error:
            console.print_error(error, report)
            exit_codes.append(error.exit_code)
    sys.exit(exit_codes[0] if exit_codes else 0)


def _print_facts(explainer: FileExplainer, model: Path, *, quiet: bool) -> None:
    method = explainer.explainer.method
    black_box = method is not None and method.is_black_box
    how = "as a black box" if black_box else f"by {method_name(method)}"
    for doubt in explainer.explainer.doubts:
        click.echo(f"Warning: {model}: {doubt}", err=True)
    for refusal in explainer.explainer.refusals:
        click.echo(f"Warning: {model}: explained {how}: {refusal}", err=True)
    if explainer.assumed and not quiet:
        click.echo(f"{model}: assumed, since nothing says it: {', '.join(explainer.assumed)}", err=True)


def _print_image(image: ExplainedImage) -> None:
    explanation = image.explanation
    for path, target in zip(image.files, explanation.targets, strict=False):
        prediction = explanation.predictions.get(target) if isinstance(target, int) else None
        score = "" if prediction is None else f", score {prediction.score:.2f}"
        facts = f"{explanation.label_of(target)}{score}, {explanation.method_name}, {image.seconds:.2f} s"
        click.echo(f"{path}: {facts}")


@contextmanager
def _progress(path: Path, *, hidden: bool) -> Iterator[Progress]:
    """A progress bar for black-box methods on a terminal; nothing elsewhere."""
    if hidden or not sys.stderr.isatty():
        yield silent
        return
    with click.progressbar(length=1, label=str(path), file=sys.stderr, show_eta=True) as bar:

        def show(done: int, total: int | None) -> None:
            bar.length = total or done
            bar.update(done - bar.pos)

        yield show
