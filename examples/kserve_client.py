"""What a client of a model server does: it needs NumPy, and neither OpenVINO nor this package.

python examples/kserve_client.py http://localhost:8000 net input.npy --sidecar repository/net/1/model.json

Sends an input, prepared as the model wants it, to OVMS, Triton or any other server of the Open Inference
Protocol (KServe v2) over REST, and prints the best class of each sample and where its map is highest.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
DTYPES = {"BOOL": "?", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8"} | {
    f"{name}{bits}": f"<{letter}{bits // 8}"
    for name, letter in (("INT", "i"), ("UINT", "u"))
    for bits in (8, 16, 32, 64)
}
"""NumPy's types by the protocol's names; binary data are little-endian."""
LENGTH = "Inference-Header-Content-Length"
"""Header that says how many bytes of a body are JSON, where binary data follow."""


def main() -> None:
    """Ask for the model's interface, send the input, show what came back."""
    parser = argparse.ArgumentParser(description="Ask a model server what is in an image, and where.")
    parser.add_argument("server", help="address of the server's REST API, as http://localhost:8000")
    parser.add_argument("model", help="name under which it offers the model")
    parser.add_argument(
        "input", type=Path, help="the model's input as .npy, prepared and with its batch axis"
    )
    parser.add_argument(
        "--sidecar", type=Path, required=True, help="the JSON file beside the converted model"
    )
    parser.add_argument("--map", type=Path, help="save the maps of the best classes as .npy")
    parser.add_argument("--json", action="store_true", help="send and receive numbers as JSON, not as bytes")
    arguments = parser.parse_args()
    sidecar = json.loads(arguments.sidecar.read_text(encoding="utf-8"))
    if sidecar["saliency_map"] is None:
        sys.exit(f"{arguments.model} has no map: it is to be explained as a black box ({sidecar['method']})")
    url = f"{arguments.server.rstrip('/')}/v2/models/{urllib.parse.quote(arguments.model, safe='')}"
    try:
        wanted = json.loads(_fetch(url)[0])["inputs"][0]
        image = np.load(arguments.input)
        if image.dtype != DTYPES[wanted["datatype"]]:
            sys.exit(f"{arguments.input} holds {image.dtype}, the model takes {wanted['datatype']}")
        results = infer(url, {wanted["name"]: image}, outputs_to_read(sidecar), binary=not arguments.json)
    except urllib.error.HTTPError as error:  # the server's own words are in the body
        sys.exit(f"{url}: {error.code}: {error.read().decode(errors='replace')}")
    except urllib.error.URLError as error:
        sys.exit(f"{url}: {error.reason}")
    found = [best_and_map(sidecar, results, sample) for sample in range(len(image))]
    for best, grid in found:
        row, column = np.unravel_index(int(grid.argmax()), grid.shape)
        name = sidecar["labels"][best] if sidecar["labels"] else f"class {best}"
        print(f"{name}: highest at row {row} of {grid.shape[0]}, column {column} of {grid.shape[1]}")
    if arguments.map is not None:
        np.save(arguments.map, np.stack([grid for _, grid in found]))


def outputs_to_read(sidecar: Mapping[str, Any]) -> list[str]:
    """Names of the outputs that say the class and show the map."""
    classes = sidecar["saliency_map"]["classes"]
    more = [classes["indices_output"]] if "top_k" in classes else []
    return [sidecar["scores"]["output"], sidecar["saliency_map"]["output"], *more]


def best_and_map(sidecar: Mapping[str, Any], results: Mapping[str, Array], sample: int) -> tuple[int, Array]:
    """The best class of a sample and its map, [height, width]; else the first class that has one."""
    saliency, scores = sidecar["saliency_map"], sidecar["scores"]
    found = results[scores["output"]][sample].ravel()  # a score per class, or indices of the best classes
    best = int(found[0]) if scores["activation"] == "argmax" else int(found.argmax())
    maps = results[saliency["output"]][sample]
    if maps.ndim == 2:
        return best, maps  # one map for all classes
    classes = saliency["classes"]
    if classes == "all":
        return best, maps[best]
    if "top_k" in classes:
        return best, maps[list(results[classes["indices_output"]][sample]).index(best)]
    if best not in classes["indices"]:
        best = classes["indices"][0]
    return best, maps[classes["indices"].index(best)]


def infer(
    url: str, inputs: Mapping[str, Array], outputs: Sequence[str], *, binary: bool = True
) -> dict[str, Array]:
    """Outputs by name; ``binary`` sends and asks for bytes behind the JSON, which is shorter and exact."""
    types = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
    described: list[dict[str, Any]] = []
    for name, values in inputs.items():
        tensor = {"name": name, "shape": list(values.shape), "datatype": types[values.dtype]}
        size = {"parameters": {"binary_data_size": values.nbytes}}
        described.append(tensor | (size if binary else {"data": values.ravel().tolist()}))
    asked = [{"name": name, "parameters": {"binary_data": binary}} for name in outputs]
    head = json.dumps({"inputs": described, "outputs": asked}).encode()
    if not binary:
        return _read(*_fetch(url + "/infer", head, {"Content-Type": "application/json"}))
    body = head + b"".join(values.tobytes() for values in inputs.values())
    headers = {"Content-Type": "application/octet-stream", LENGTH: str(len(head))}
    return _read(*_fetch(url + "/infer", body, headers))


def _read(body: bytes, length: int) -> dict[str, Array]:
    """Outputs of an answer: numbers in its JSON, or bytes behind it in the same order."""
    results, place = {}, length
    for output in json.loads(body[:length])["outputs"]:
        dtype = np.dtype(DTYPES[output["datatype"]])
        size = output.get("parameters", {}).get("binary_data_size", 0)
        values = (
            np.array(output["data"], dtype) if "data" in output else np.frombuffer(body[place:][:size], dtype)
        )
        place += size
        results[output["name"]] = values.reshape(output["shape"])
    return results


def _fetch(
    url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[bytes, int]:
    """The answer's body, and how many of its bytes are JSON."""
    request = urllib.request.Request(url, body, dict(headers or {}))
    with urllib.request.urlopen(request, timeout=60) as answer:
        content = answer.read()
        return content, int(answer.headers.get(LENGTH, len(content)))


if __name__ == "__main__":
    main()
