"""What tests do with the report of many photographs in a tab of a browser."""

from __future__ import annotations

import json

from tests.browser.devtools import Chromium

COUNT = "document.querySelector('.count').textContent"


NAMES = "[...document.querySelectorAll('.cards .name')].map((each) => each.textContent)"


def fill(browser: Chromium, name: str, value: str) -> None:
    """Give a control a value, as a user does; a list's by its words."""
    browser.value(
        f"""(() => {{
            const control = document.querySelector(".tools [name={name}]");
            const wanted = {json.dumps(value)};
            const word = (option) => option.text.replace(/ \\([\\d,]+\\)$/, "");
            const option = [...control.options ?? []].find((each) => word(each) === wanted);
            if (control.options && !option) throw new Error(wanted);
            control.value = option ? option.value : wanted;
            control.dispatchEvent(new Event("input", {{ bubbles: true }}));
        }})()"""
    )


def listed(browser: Chromium) -> list[int]:
    """Numbers of the photographs that the list shows."""
    return [int(name.removeprefix("photo").removesuffix(".png")) for name in browser.value(NAMES)]
