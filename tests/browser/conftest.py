"""The browser of these tests: required where OVXAI_REQUIRE_BROWSER=1, else they are skipped without one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovxai_convert.datasets.gallery import write_gallery
from tests.browser.devtools import Chromium
from tests.datasets.gallery_cases import WHEN, animals
from tests.explain.report_cases import FACTS

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def chromium_program() -> Path:
    """``$OVXAI_BROWSER``, or the first of the usual names that is on the PATH."""
    named = os.environ.get("OVXAI_BROWSER")
    names = (named,) if named else NAMES
    for name in names:
        found = shutil.which(name)
        if found:
            return Path(found)
    reason = f"no browser: none of {', '.join(names)} is a program (OVXAI_BROWSER can name one)"
    if named or os.environ.get("OVXAI_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium(chromium_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A running browser."""
    with Chromium(chromium_program, tmp_path_factory.mktemp("chromium") / "profile") as browser:
        browser.open_tab()
        yield browser


@pytest.fixture(scope="session")
def gallery_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a hundred photographs, in a folder whose name is no plain one."""
    folder = tmp_path_factory.mktemp("gallery of é 100%")
    return write_gallery(folder / "report #1.html", animals(folder), FACTS, when=WHEN)[0]


@pytest.fixture
def gallery_tab(chromium: Chromium, gallery_file: Path) -> Iterator[Chromium]:
    """That report, opened on a wide window; JavaScript is allowed again afterwards."""
    chromium.show(1440, 900)
    chromium.open(gallery_file)
    yield chromium
    chromium.call("Emulation.setScriptExecutionDisabled", value=False)
