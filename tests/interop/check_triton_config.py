"""Read Triton's model configurations with the message that Triton itself defines, and show what they say.

Run by a Python that has ``tritonclient[grpc]`` and need not have this project:
``python check_triton_config.py CONFIG.pbtxt...`` prints a JSON object per file, and fails where one is no
configuration.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from google.protobuf import json_format, text_format
from tritonclient.grpc import model_config_pb2  # type: ignore[import-not-found]


def main(paths: list[str]) -> None:
    """Parse and print."""
    for path in paths:
        text = Path(path).read_text(encoding="utf-8")
        config = text_format.Parse(text, model_config_pb2.ModelConfig())
        said = json_format.MessageToDict(config, preserving_proto_field_name=True)
        print(json.dumps(said, ensure_ascii=False, sort_keys=True))


if __name__ == "__main__":
    main(sys.argv[1:])
