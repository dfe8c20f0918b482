"""A client of a model server gets the map and the class that OpenVINO gives, as JSON and as bytes."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import convert, read_sidecar
from tests.kserve_server import LENGTH, serve
from tests.program.invocation import Convert, assert_one_error
from tests.running import CORE, random_inputs, run

CLIENT: Final = Path(__file__).resolve().parents[2] / "examples" / "kserve_client.py"
NAME: Final = "small net"
LABELS: Final = ("cat", "Hündin", "猫")


@dataclass(frozen=True)
class Served:
    """A converted model behind a server."""

    url: str
    xml: Path
    folder: Path

    @property
    def sidecar(self) -> Path:
        return self.xml.with_suffix(".json")

    @property
    def endpoint(self) -> str:
        return f"{self.url}/v2/models/small%20net"


def put_in_repository(folder: Path, spec: CnnSpec, **settings: Any) -> Path:
    """Convert a network to where servers look for it; the model's own path."""
    ov.save_model(cnn(spec), folder / "net.xml", compress_to_fp16=False)
    options = {"labels": LABELS, "name": NAME, "repository": "ovms", **settings}
    return convert(folder / "net.xml", folder / "repository", **options).xml


def ask(served: Served, values: np.ndarray, *options: object) -> subprocess.CompletedProcess[str]:
    """Run the client as a program that does not find this package."""
    np.save(served.folder / "input.npy", values)
    where = [served.url, NAME, served.folder / "input.npy", "--sidecar", served.sidecar]
    command = [sys.executable, "-I", str(CLIENT), *map(str, (*where, *options))]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def assert_same_as_openvino(served: Served, options: tuple[str, ...]) -> None:
    """The client's maps and classes are those of the written model, run by OpenVINO."""
    model = CORE.read_model(served.xml)
    inputs = random_inputs(model)
    scores, maps, *indices = run(model, inputs)
    outcome = ask(served, inputs["image"], "--map", served.folder / "map.npy", *options)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    expected, lines = [], []
    for sample, best in enumerate(scores.argmax(axis=1)):
        place = list(indices[0][sample]).index(best) if indices else best
        grid = maps[sample] if maps.ndim == 3 else maps[sample, place]
        row, column = np.unravel_index(grid.argmax(), grid.shape)
        lines.append(
            f"{LABELS[best]}: highest at row {row} of {len(grid)}, column {column} of {len(grid[0])}"
        )
        expected.append(grid)
    assert outcome.stdout.splitlines() == lines
    found = np.load(served.folder / "map.npy")
    assert found.dtype == maps.dtype
    np.testing.assert_array_equal(found, np.stack(expected))
    assert np.ptp(found) > 0


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["bytes", "json"])
@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        (CnnSpec(seed=1), {}),
        (CnnSpec(seed=2, batch=None, layout="NHWC"), {}),
        (CnnSpec(seed=3, batch=3), {"embed_scaling": False}),
        (CnnSpec(seed=4, batch=None), {"top_k": 2}),
        (CnnSpec(seed=5, batch=2), {"method": "activationmap"}),
    ],
    ids=["one", "open-batch", "raw", "top-k", "one-map"],
)
def test_map_and_class(
    spec: CnnSpec, settings: Mapping[str, Any], options: tuple[str, ...], tmp_path: Path
) -> None:
    xml = put_in_repository(tmp_path, spec, **settings)
    with serve(tmp_path / "repository") as url:
        assert_same_as_openvino(Served(url, xml, tmp_path), options)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One image at a time, and maps of two of the three classes."""
    folder = tmp_path_factory.mktemp("served")
    xml = put_in_repository(folder, CnnSpec(), classes=["猫", "cat"])
    with serve(folder / "repository") as url:
        yield Served(url, xml, folder)


def test_maps_of_some_classes(served: Served) -> None:
    model = CORE.read_model(served.xml)
    for seed in range(6):
        inputs = random_inputs(model, seed)
        scores, maps = run(model, inputs)
        best = int(scores.argmax())
        assert ask(served, inputs["image"], "--map", served.folder / "map.npy").stdout.startswith(
            LABELS[best if best != 1 else 2]
        )
        np.testing.assert_array_equal(np.load(served.folder / "map.npy")[0], maps[0, 1 if best == 0 else 0])


def test_interface_is_told(served: Served) -> None:
    with urllib.request.urlopen(f"{served.url}/v2/health/ready") as answer:
        assert (answer.status, answer.read()) == (200, b"")
    told = []
    for tail in ("", "/versions/1"):
        with urllib.request.urlopen(served.endpoint + tail) as answer:
            told.append(json.load(answer))
    assert told[0] == told[1]
    assert told[0]["name"] == NAME
    assert told[0]["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [1, 3, 10, 14]}]
    assert [output["name"] for output in told[0]["outputs"]] == ["output", "saliency_map"]


def test_errors_are_shown_in_one_line(served: Served) -> None:
    wrong_shape = ask(served, np.zeros((1, 3, 10, 15), np.float32))
    assert (wrong_shape.returncode, wrong_shape.stdout) == (1, "")
    assert wrong_shape.stderr == (
        f"{served.endpoint}: 400: "
        '{"error": "input \'image\' has shape [1, 3, 10, 15], expected [1, 3, 10, 14]"}\n'
    )
    wrong_type = ask(served, np.zeros((1, 3, 10, 14)))
    assert wrong_type.stderr.endswith("input.npy holds float64, the model takes FP32\n")
    nobody = ask(
        Served("http://127.0.0.1:1", served.xml, served.folder), np.zeros((1, 3, 10, 14), np.float32)
    )
    assert "refused" in nobody.stderr
    assert len(nobody.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("tail", "body", "status", "expected"),
    [
        ("/versions/2", None, 404, "unknown model"),
        ("/explain", b"{}", 404, "no such endpoint"),
        ("/infer", b"{", 400, "failed to parse"),
        ("/infer", b"{}", 400, "failed to parse"),
        ("/infer", b'{"inputs": []}', 400, "no input ['image']"),
        ("/infer", b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32"}]}', 400, "unexpected"),
        ("/infer", b'{"inputs": [{"name": "image", "shape": [1], "datatype": "FP16"}]}', 400, "is FP16"),
    ],
)
def test_server_refuses_as_the_protocol_says(
    tail: str, body: bytes | None, status: int, expected: str, served: Served
) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(served.endpoint + tail, body)
    with caught.value as error:
        assert error.status == status
        assert expected in json.load(error)["error"]


def test_server_counts_bytes(served: Served) -> None:
    image = {"name": "image", "shape": [1, 3, 10, 14], "datatype": "FP32"}
    head = json.dumps({"inputs": [image | {"parameters": {"binary_data_size": 1680}}]}).encode()
    for data, expected in ((bytes(1684), "belong to no input"), (bytes(1676), "419 elements")):
        headers = {"Content-Type": "application/octet-stream", LENGTH: str(len(head))}
        request = urllib.request.Request(f"{served.endpoint}/infer", head + data, headers)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as error:
            assert expected in json.load(error)["error"]


def test_folder_for_triton(onnx_model: Path, out: Path, run_convert: Convert) -> None:
    options = ["-q", "--repository", "triton", "--name", "zoo", "--feature-vector"]
    assert run_convert(onnx_model, "-o", out, *options).exit_code == 0
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()) == [
        "zoo/1/model.bin",
        "zoo/1/model.json",
        "zoo/1/model.xml",
        "zoo/config.pbtxt",
    ]
    config = (out / "zoo" / "config.pbtxt").read_text(encoding="utf-8")
    named = [line.strip() for line in config.splitlines() if line.startswith("  name:")]
    assert named == [f'name: "{each}"' for each in ("image", "output", "saliency_map", "feature_vector")]
    assert read_sidecar(out / "zoo" / "1" / "model.xml") == read_sidecar(out / "zoo" / "1" / "model.json")


def test_model_that_no_server_can_address(tmp_path: Path, out: Path, run_convert: Convert) -> None:
    model = cnn(CnnSpec())
    model.outputs[0].get_tensor().set_names(set())
    model.outputs[0].get_node().input_value(0).get_tensor().set_names(set())
    ov.serialize(model, tmp_path / "net.xml")
    outcome = run_convert(tmp_path / "net.xml", "-o", out, "-q", "--repository", "ovms")
    assert_one_error(outcome, 4, "output 0 has none")
    assert not out.exists()
