"""Makes a finding smaller while it ends as it did: ``python -m tests.fuzz.minimise CASE``."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import click
from google.protobuf.message import DecodeError, Message
from onnx import ModelProto

from tests.fuzz.case import Case, load_case
from tests.fuzz.onnx_mutations import messages
from tests.fuzz.supervising import Limits, Worker
from tests.fuzz.verdict import signature

Smaller = Callable[[bytes], Iterator[bytes]]


def minimised(content: bytes, is_same: Callable[[bytes], bool], ways: list[Smaller]) -> bytes:
    """The smallest content found that is still the same, by trying ways until none helps."""
    improved = True
    while improved:
        improved = False
        for way in ways:
            for smaller in way(content):
                if len(smaller) < len(content) and is_same(smaller):
                    content, improved = smaller, True
                    break
    return content


def fewer_bytes(content: bytes) -> Iterator[bytes]:
    """Without a half, a quarter, ... of the bytes."""
    size = len(content) // 2
    while size >= 1:
        for start in range(0, len(content), size):
            yield content[:start] + content[start + size :]
        size //= 2 if size > 16 or len(content) < 2000 else size


def fewer_fields(content: bytes) -> Iterator[bytes]:
    """An ONNX file without one of its fields, or without one of several."""
    try:
        model = ModelProto.FromString(content)
    except DecodeError:
        return
    for number, message in enumerate(messages(model)):
        for field, value in message.ListFields():
            is_list = not isinstance(value, Message | str | bytes | int | float)
            for index in range(len(value)) if is_list else [None]:
                copy = ModelProto.FromString(content)
                twin: Any = list(messages(copy))[number]
                if index is None:
                    twin.ClearField(field.name)
                else:
                    del getattr(twin, field.name)[index]
                yield copy.SerializeToString()


def fewer_elements(content: bytes) -> Iterator[bytes]:
    """XML without one of its elements."""
    try:
        count = len(list(Xml.fromstring(content).iter()))
    except Xml.ParseError:
        return
    for number in range(count):
        root = Xml.fromstring(content)
        parent = list(root.iter())[number]
        for child in list(parent):
            parent.remove(child)
            yield Xml.tostring(root)
            parent.append(child)


def fewer_entries(content: bytes) -> Iterator[bytes]:
    """JSON without one of its entries."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return
    entries = list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for entry in entries:
        copy = json.loads(content)
        del copy[entry]
        yield json.dumps(copy).encode()


WAYS: dict[str, list[Smaller]] = {
    ".onnx": [fewer_fields],
    ".xml": [fewer_elements, fewer_bytes],
    ".json": [fewer_entries, fewer_bytes],
}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--timeout", type=float, default=Limits.seconds, show_default=True)
def main(folder: Path, timeout: float) -> None:
    """Write CASE beside itself, ``.min`` behind its name, with the spoiled file as small as it gets."""
    case = load_case(folder)
    with Worker(Limits(timeout)) as worker, tempfile.TemporaryDirectory() as name:

        def ends(tried: Case) -> str:
            where = Path(name) / "case"
            shutil.rmtree(where, ignore_errors=True)
            return signature(worker.run(tried, where, stop=lambda outcome: bool(outcome.broken_off))[-1])

        expected = ends(case)
        ways = WAYS.get(Path(case.spoiled).suffix, [fewer_bytes])
        before = case.files[case.spoiled]
        smallest = minimised(
            before, lambda content: ends(case.with_file(case.spoiled, content)) == expected, ways
        )
    target = folder.with_name(f"{folder.name}.min")
    shutil.rmtree(target, ignore_errors=True)
    case.with_file(case.spoiled, smallest).save(target)
    click.echo(f"{target}: {expected}: {len(before)} bytes became {len(smallest)}")


if __name__ == "__main__":
    main()
