"""The command ``ovxai-explain``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from ovxai_convert.blackbox.streaming import Progress, silent
from ovxai_convert.cli.console import SETTINGS, interrupt_on_terminate, print_error, quiet_libraries
from ovxai_convert.cli.image_options import hints_of, image_options
from ovxai_convert.errors import OvxaiError
from ovxai_convert.explain.engines import ExplainMode
from ovxai_convert.explain.files import ExplainedImage, FileExplainer, check_distinct_names
from ovxai_convert.explain.report import ReportEntry
from ovxai_convert.explain.reporting import report_entries, report_text
from ovxai_convert.methods import Method
from ovxai_convert.photographs.image_files import write_file
from ovxai_convert.source.labels import read_labels


@click.command("ovxai-explain", context_settings=SETTINGS)
@click.argument("model", metavar="ARTIFACT_OR_MODEL", type=click.Path(path_type=Path))
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output-dir",
    default=".",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder for <image>_<class>.png; made if missing.",
)
@click.option(
    "--targets",
    metavar="A,B,...|topN|all",
    help="Classes to explain, by index or label; default: the best one.",
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
@image_options
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
@click.option("--report", metavar="FILE.html", type=click.Path(path_type=Path), help="Write one page of all.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but warnings and errors.")
@click.version_option(package_name="ovxai-convert")
@quiet_libraries
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
    num_masks: int | None,
    tolerance: float | None,
    seed: int | None,
    overlay_weight: float,
    raw: bool,
    report: Path | None,
    quiet: bool,
    **preprocessing: Any,
) -> None:
    """Show what a classifier saw in photographs.

    The model is one that ovxai-convert wrote, or any other that OpenVINO reads. Each IMAGE is laid under the
    map of each class in question: red is where the model saw it.

    How a photograph becomes the input is said by the options --size to --resize; what they leave open,
    by the artifact's JSON file, then by the model's own metadata; what nobody says is assumed, and printed.

    Exit codes: 0 done, 2 usage, 3 not a readable model or image, 4 no branch possible, 6 cannot write. With
    several images, the first failure's.
    """
    signal.signal(signal.SIGTERM, interrupt_on_terminate)
    given = {"num_masks": num_masks, "tolerance": tolerance, "seed": seed}
    try:
        check_distinct_names(images)
        explainer = FileExplainer(
            model,
            None if labels_file is None else read_labels(labels_file),
            hints_of(**preprocessing),
            ExplainMode(mode),
            None if method is None else Method(method),
            target_layer,
            device,
            {name: value for name, value in given.items() if value is not None},
        )
    except OvxaiError as error:
        print_error(error, model)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _leave(model)
    _print_facts(explainer, model, quiet=quiet)
    exit_codes = []
    entries: list[ReportEntry] = []
    for path in images:
        try:
            with _progress(path, shown=not quiet) as on_progress:
                found = explainer.explain(
                    path, output_dir, _targets(targets), overlay_weight, raw, on_progress, kept=images
                )
            if report is not None:
                entries += report_entries(found)
        except OvxaiError as error:
            print_error(error, path)
            exit_codes.append(error.exit_code)
        except KeyboardInterrupt:
            _leave(path)
        else:
            if not quiet:
                _print_image(found)
    if report is not None and entries:
        exit_codes += _write_report(report, report_text(explainer, model, entries))
    sys.exit(exit_codes[0] if exit_codes else 0)


def _leave(path: Path) -> NoReturn:
    click.echo(f"Error: {path}: interrupted", err=True)
    sys.exit(130)


def _write_report(path: Path, text: str) -> list[int]:
    """Write the page; the exit code of what went wrong, if anything did."""
    try:
        write_file(path, text.encode())
    except OvxaiError as error:
        print_error(error, path)
        return [error.exit_code]
    return []


def _targets(text: str | None) -> str | list[str] | None:
    if text is None or "," not in text:
        return text
    return [each.strip() for each in text.split(",")]


def _print_facts(explainer: FileExplainer, model: Path, *, quiet: bool) -> None:
    method = explainer.explainer.method
    how = "as a black box" if method.is_black_box else f"by {method.value}"
    for refusal in explainer.explainer.refusals:
        click.echo(f"Warning: {model}: explained {how}: {refusal}", err=True)
    if explainer.assumed and not quiet:
        click.echo(f"{model}: assumed, since nothing says it: {', '.join(explainer.assumed)}", err=True)


def _print_image(found: ExplainedImage) -> None:
    explanation = found.explanation
    for path, target in zip(found.files, explanation.targets, strict=False):
        score = explanation.predictions.get(target) if isinstance(target, int) else None
        said = f"{explanation.label_of(target)}" + ("" if score is None else f", score {score.score:.2f}")
        click.echo(f"{path}: {said}, {explanation.method.value}, {found.seconds:.2f} s")


@contextmanager
def _progress(path: Path, *, shown: bool) -> Iterator[Progress]:
    """A progress bar for black-box methods on a terminal; nothing elsewhere."""
    if not shown or not sys.stderr.isatty():
        yield silent
        return
    with click.progressbar(length=1, label=str(path), file=sys.stderr, show_eta=True) as bar:

        def show(done: int, total: int | None) -> None:
            bar.length = total or done
            bar.update(done - bar.pos)

        yield show
