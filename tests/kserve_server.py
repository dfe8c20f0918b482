"""A small model server for tests: the Open Inference Protocol (KServe v2) over HTTP, JSON and binary tensors.

Written from the published protocol, and strict: what a client must not send is refused with its error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import unquote

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from tests.running import CORE, compile_f32

Array = NDArray[Any]
DATATYPES: Final = {
    "boolean": ("BOOL", np.bool_),
    "u8": ("UINT8", np.uint8),
    "i32": ("INT32", np.int32),
    "i64": ("INT64", np.int64),
    "f16": ("FP16", np.float16),
    "f32": ("FP32", np.float32),
}
"""The protocol's name and NumPy's type for an element type of OpenVINO."""
DTYPES: Final = dict(DATATYPES.values())
VERSION: Final = "1"
LENGTH: Final = "Inference-Header-Content-Length"


class RequestError(Exception):
    """What is wrong with a request, and the status that says so."""

    def __init__(self, text: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class ServedModel:
    """A model under its folder's name."""

    name: str
    compiled: ov.CompiledModel

    def metadata(self) -> dict[str, Any]:
        """The answer to a question for the model's interface."""
        ports = {"inputs": self.compiled.inputs, "outputs": self.compiled.outputs}
        tensors = {key: [_described(port) for port in value] for key, value in ports.items()}
        return {"name": self.name, "versions": [VERSION], "platform": "OpenVINO", **tensors}

    def infer(self, request: Mapping[str, Any], binary: bytes) -> tuple[dict[str, Any], bytes]:
        """The answer's JSON, and the bytes that follow it."""
        values = {}
        for tensor in request["inputs"]:
            values[tensor["name"]], binary = self._input(tensor, binary)
        if binary:
            raise RequestError(f"{len(binary)} bytes belong to no input")
        if missing := {port.get_any_name() for port in self.compiled.inputs} - values.keys():
            raise RequestError(f"no input {sorted(missing)}")
        results = self.compiled.create_infer_request().infer(values)
        ports = {port.get_any_name(): port for port in self.compiled.outputs}
        everything = request.get("parameters", {}).get("binary_data_output", False)
        outputs, data = [], b""
        for asked in request.get("outputs", [{"name": name} for name in ports]):
            if asked["name"] not in ports:
                raise RequestError(f"unexpected inference output '{asked['name']}' for model '{self.name}'")
            result = np.ascontiguousarray(results[ports[asked["name"]]])
            output = _described(ports[asked["name"]]) | {"shape": list(result.shape)}
            if asked.get("parameters", {}).get("binary_data", everything):
                output["parameters"] = {"binary_data_size": result.nbytes}
                data += result.tobytes()
            elif result.dtype == np.float16:
                raise RequestError(f"FP16 output '{asked['name']}' can only be sent as binary data")
            else:
                output["data"] = result.ravel().tolist()
            outputs.append(output)
        return {"model_name": self.name, "model_version": VERSION, "outputs": outputs}, data

    def _input(self, tensor: Mapping[str, Any], binary: bytes) -> tuple[Array, bytes]:
        """A tensor of the request, and the bytes behind its own."""
        name, shape = tensor["name"], tuple(tensor["shape"])
        port = next((port for port in self.compiled.inputs if name in port.get_names()), None)
        if port is None:
            raise RequestError(f"unexpected inference input '{name}' for model '{self.name}'")
        expected = _described(port)
        if tensor["datatype"] != expected["datatype"]:
            raise RequestError(f"input '{name}' is {tensor['datatype']}, expected {expected['datatype']}")
        if not port.get_partial_shape().compatible(ov.PartialShape(list(shape))):
            raise RequestError(f"input '{name}' has shape {list(shape)}, expected {expected['shape']}")
        dtype = np.dtype(DTYPES[tensor["datatype"]])
        size = tensor.get("parameters", {}).get("binary_data_size")
        if size is None:
            values = np.array(tensor["data"], dtype).ravel()
        else:
            values, binary = np.frombuffer(binary[:size], dtype), binary[size:]
        if values.size != np.prod(shape):
            raise RequestError(f"input '{name}' has {values.size} elements, expected {np.prod(shape)}")
        return values.reshape(shape), binary


def _described(port: ov.Output) -> dict[str, Any]:
    shape = [-1 if extent.is_dynamic else extent.get_length() for extent in port.get_partial_shape()]
    datatype, _ = DATATYPES[port.get_element_type().get_type_name()]
    return {"name": port.get_any_name(), "datatype": datatype, "shape": shape}


class _Handler(BaseHTTPRequestHandler):
    models: Mapping[str, ServedModel]

    def do_GET(self) -> None:
        self._answer(b"", 0)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(body, int(self.headers.get(LENGTH, len(body))))

    def _answer(self, body: bytes, length: int) -> None:
        try:
            answer, data = self._handled([unquote(part) for part in self.path.split("/")[1:]], body, length)
        except RequestError as error:
            self._send(error.status, {"error": str(error)}, b"")
        except (KeyError, TypeError, ValueError) as error:
            self._send(HTTPStatus.BAD_REQUEST, {"error": f"failed to parse the request: {error!r}"}, b"")
        else:
            self._send(HTTPStatus.OK, answer, data)

    def _handled(self, parts: list[str], body: bytes, length: int) -> tuple[dict[str, Any] | None, bytes]:
        if self.command == "GET" and parts in (["v2", "health", "live"], ["v2", "health", "ready"]):
            return None, b""
        if parts[:2] != ["v2", "models"] or len(parts) < 3:
            raise RequestError("no such endpoint", HTTPStatus.NOT_FOUND)
        model = self.models.get(parts[2])
        version, rest = (parts[4], parts[5:]) if parts[3:4] == ["versions"] else (VERSION, parts[3:])
        if model is None or version != VERSION:
            text = f"Request for unknown model: '{parts[2]}' version {version} is not found"
            raise RequestError(text, HTTPStatus.NOT_FOUND)
        if self.command == "GET" and rest == []:
            return model.metadata(), b""
        if self.command == "GET" and rest == ["ready"]:
            return None, b""
        if self.command == "POST" and rest == ["infer"]:
            return model.infer(json.loads(body[:length]), body[length:])
        raise RequestError("no such endpoint", HTTPStatus.NOT_FOUND)

    def _send(self, status: HTTPStatus, answer: dict[str, Any] | None, data: bytes) -> None:
        head = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream" if data else "application/json")
        if data:
            self.send_header(LENGTH, str(len(head)))
        self.send_header("Content-Length", str(len(head + data)))
        self.end_headers()
        self.wfile.write(head + data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives
        """Say nothing."""


@contextmanager
def serve(repository: Path) -> Iterator[str]:
    """Serve the first version of every model in a repository; the address of the server."""
    models = {
        folder.name: ServedModel(folder.name, compile_f32(CORE.read_model(folder / VERSION / "model.xml")))
        for folder in repository.iterdir()
    }
    handler = type("Handler", (_Handler,), {"models": models})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
