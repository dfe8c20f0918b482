"""A case: files in a folder and the commands that are given them, all of it data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

COMMANDS: Final = "case.json"
OUT: Final = "out"
"""The folder of a case's folder into which the commands write."""


@dataclass(frozen=True)
class Command:
    """A program without its ``ovxai-``, and its arguments; paths are relative to the case's folder."""

    program: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """Files by their path in a folder, the first of which is the one that was spoiled."""

    name: str
    files: Mapping[str, bytes]
    commands: tuple[Command, ...]

    @property
    def spoiled(self) -> str:
        """The file that was spoiled."""
        return next(iter(self.files))

    def with_file(self, name: str, content: bytes) -> Case:
        """The same with another content of a file."""
        return replace(self, files={**self.files, name: content})

    def save(self, folder: Path) -> Path:
        """Write the files and the commands into a folder that is made for them."""
        folder.mkdir(parents=True)
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        told = {
            "name": self.name,
            "files": list(self.files),
            "commands": [[each.program, *each.arguments] for each in self.commands],
        }
        (folder / COMMANDS).write_text(json.dumps(told, indent=2), encoding="utf-8")
        return folder


def load_case(folder: Path) -> Case:
    """The case that lies in a folder."""
    told = json.loads((folder / COMMANDS).read_text(encoding="utf-8"))
    commands = tuple(Command(program, tuple(arguments)) for program, *arguments in told["commands"])
    return Case(told["name"], {name: (folder / name).read_bytes() for name in told["files"]}, commands)
