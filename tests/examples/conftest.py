"""The browser, for the example that is a page."""

from tests.browser.conftest import chromium, chromium_program

__all__ = ["chromium", "chromium_program"]
