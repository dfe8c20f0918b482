"""Files of labels in every form, and files that hold something else or number the classes otherwise."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path
from typing import Any, Final

import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.errors import ModelReadError, UsageError
from ovxai_convert.source.label_files import given_labels, read_label_file, read_labels
from ovxai_convert.source.metadata import labels_of

LABELS: Final = ("cat", "dog", "bird")
FISH: Final = ("tench, Tinca tinca", "goldfish, Carassius auratus", "great white shark")
SYNSETS: Final = ("n01440764", "n01443537", "n01484850")


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("cat\ndog\nbird", LABELS),
        ("cat\r\ndog\r\nbird\r\n\r\n", LABELS),
        ("cat\rdog\rbird\r", LABELS),
        ("\ufeffcat\ndog\nbird\n", LABELS),
        ("  cat\ndog\t\nbird", LABELS),
        ("cat\n\nbird\n", ("cat", "", "bird")),
        ("tench, Tinca tinca\nBär\n猫 \U0001f408\n", ("tench, Tinca tinca", "Bär", "猫 \U0001f408")),
        ("a\u2028b\x85c\nd", ("a\u2028b\x85c", "d")),
        ("", ()),
        ("\n\n", ()),
        ("???\nperson", ("???", "person")),
        ("[PAD]\n[cat]", ("[PAD]", "[cat]")),
        ("cat", ("cat",)),
        # numbers that belong to the labels
        ("7up\n3 of clubs\ncola", ("7up", "3 of clubs", "cola")),
        ("0\n1\n2", ("0", "1", "2")),
        ("3\n1\n2", ("3", "1", "2")),
        ("5 euro\n10 euro\n20 euro", ("5 euro", "10 euro", "20 euro")),
        ("1 euro\n2 euro", ("1 euro", "2 euro")),
        ("grade 0\ngrade 1\ngrade 2", ("grade 0", "grade 1", "grade 2")),
        ("grade 1\ngrade 0", ("grade 1", "grade 0")),
        ("0 people\n1 person\n2 people", ("0 people", "1 person", "2 people")),
        ("4:3\n16:9\n1:1", ("4:3", "16:9", "1:1")),
        ("0 cats", ("0 cats",)),
        ("cat 0\ndog", ("cat 0", "dog")),
        ("n01440764\nn01443537", ("n01440764", "n01443537")),
    ],
    ids=ascii,
)
def test_lines_that_are_labels(text: str, labels: tuple[str, ...], tmp_path: Path) -> None:
    found = read_label_file(written(tmp_path, "labels.txt", text.encode()))
    assert found.labels == labels
    assert found.form == ""


@pytest.mark.parametrize("labels", [(), LABELS, ("a\nb", "", " c ", "猫"), ("0 a", "1 b")], ids=str)
@pytest.mark.parametrize("name", ["labels.json", "LABELS.JSON", "labels.txt", "labels"])
def test_json_list(labels: tuple[str, ...], name: str, tmp_path: Path) -> None:
    for indent in (None, 2):
        content = json.dumps(labels, ensure_ascii=False, indent=indent)
        found = read_label_file(written(tmp_path, name, content.encode()))
        assert (found.labels, found.form) == (labels, "")


@pytest.mark.parametrize(
    "line",
    [
        "{i}: {name}",
        "{i} {name}",
        "{i},{name}",
        "{i}, {name}",
        "{i};{name}",
        "{i}\t{name}",
        "{i} = {name}",
        "{i}. {name}",
        "{i}) {name}",
        "{i} - {name}",
        "{i}|{name}",
        "{i}: '{name}',",
        '"{i}": "{name}",',
        "{name} {i}",
        "{name},{i}",
        "{name}\t{i}",
        "{name}: {i}",
        "{name} - {i}",
        '"{name}": {i},',
        "{i} {synset} {name}",
        "{i}: {synset} {name}",
        "{synset} {i} {name}",
        "{synset},{i},{name}",
        "00{i} {name}",
    ],
)
@pytest.mark.parametrize("names", [LABELS, FISH], ids=["plain", "with commas"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)], ids=["ordered", "shuffled"])
def test_lines_with_an_index(
    line: str, names: tuple[str, ...], order: tuple[int, ...], tmp_path: Path
) -> None:
    lines = [line.format(i=index, name=names[index], synset=SYNSETS[index]) for index in order]
    for text in ("\n".join(lines), "\r\n\r\n".join(lines) + "\r\n\r\n"):
        found = read_label_file(written(tmp_path, "labels.txt", text.encode()))
        assert found.labels == names
        assert "index" in found.form


def test_a_thousand_lines_with_two_alike(tmp_path: Path) -> None:
    names = [f"name{index}" for index in range(1000)]
    names[517] = names[134] = "crane"
    text = "\n".join(f"{index} {name}" for index, name in enumerate(names))
    assert read_labels(written(tmp_path, "labels.txt", text.encode())) == tuple(names)


def test_synsets_as_labels(tmp_path: Path) -> None:
    text = "\n".join(f"{synset} {index}" for index, synset in enumerate(SYNSETS))
    assert read_labels(written(tmp_path, "labels.txt", text.encode())) == SYNSETS


def test_digits_as_labels(tmp_path: Path) -> None:
    path = written(
        tmp_path, "labels.txt", b"0: 0\n1: 1\n10: 10\n" + b"".join(b"%d: %d\n" % (i, i) for i in range(2, 10))
    )
    assert read_labels(path) == tuple(map(str, range(11)))
    folders = {name: index for index, name in enumerate(sorted(map(str, range(11))))}
    path = written(tmp_path, "class_indices.json", json.dumps(folders).encode())
    assert read_labels(path) == ("0", "1", "10", "2", "3", "4", "5", "6", "7", "8", "9")


@pytest.mark.parametrize(
    "line",
    ["{synset} {name}", "{synset}: {name}", "{synset}\t{name}", "{synset},{name}", '{synset},"{name}"'],
)
def test_lines_behind_synsets(line: str, tmp_path: Path) -> None:
    text = "\n".join(map(lambda synset, name: line.format(synset=synset, name=name), SYNSETS, FISH))
    for name in ("synsets.txt", "synsets.csv"):
        found = read_label_file(written(tmp_path, name, text.encode()))
        assert found.labels == FISH
        assert "synset" in found.form


DATA: Final[dict[str, Any]] = {
    "by index": {"0": "cat", "1": "dog", "2": "bird"},
    "shuffled": {"2": "bird", "0": "cat", "1": "dog"},
    "to index": {"bird": 2, "cat": 0, "dog": 1},
    "to index as text": {"bird": "2", "cat": "0", "dog": "1"},
    "class index of Keras": {
        "0": ["n01440764", "cat"],
        "2": ["n01484850", "bird"],
        "1": ["n01443537", "dog"],
    },
    "class index of other synsets": {"0": ["n1", "cat"], "1": ["n2", "dog"], "2": ["n3", "bird"]},
    "objects by index": {
        "0": {"id": "x", "label": "cat"},
        "1": {"id": "y", "label": "dog"},
        "2": {"label": "bird"},
    },
    "synsets in names": {"0": "n01440764 cat", "1": "n01443537 dog", "2": "n01484850 bird"},
    "names of synsets": {"n01440764": "cat", "n01443537": "dog", "n01484850": "bird"},
    "objects": [{"name": "cat"}, {"name": "dog"}, {"name": "bird"}],
    "objects with indices": [{"id": 2, "name": "bird"}, {"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
    "objects of words": [{"class_id": str(i), "Display Name": name} for i, name in enumerate(LABELS)],
    "objects of Geti": [
        {"id": "6f3a", "name": "cat"},
        {"id": "0b1c", "name": "dog"},
        {"id": "9d", "name": "bird"},
    ],
    "pairs": [[1, "dog"], [0, "cat"], [2, "bird"]],
    "pairs turned": [["dog", 1], ["cat", 0], ["bird", 2]],
    "pairs of synsets": [["n01440764", "cat"], ["n01443537", "dog"], ["n01484850", "bird"]],
    "Hugging Face": {
        "architectures": ["ViTForImageClassification"],
        "hidden_size": 768,
        "id2label": {"0": "cat", "1": "dog", "2": "bird"},
        "label2id": {"cat": 0, "dog": 1, "bird": 2},
        "layer_norm_eps": 1e-12,
    },
    "only label2id": {"model_type": "vit", "label2id": {"cat": "0", "dog": "1", "bird": "2"}},
    "torchvision": {"classes": ["cat", "dog", "bird"], "class_to_idx": {"cat": 0, "dog": 1, "bird": 2}},
    "annotations beside": {"labels": [0, 2, 1, 1], "classes": ["cat", "dog", "bird"]},
    "inside": {"model": {"data": {"names": {"0": "cat", "1": "dog", "2": "bird"}}}},
    "COCO from 0": {
        "images": [{"id": 4}],
        "categories": [{"id": i, "name": n} for i, n in enumerate(LABELS)],
    },
}
"""Labels in JSON, in forms that programs write."""


@pytest.mark.parametrize("kind", DATA)
def test_data(kind: str, tmp_path: Path) -> None:
    texts = [
        json.dumps(DATA[kind]),
        json.dumps(DATA[kind], indent=4),
        repr(DATA[kind]),
        f"NAMES = {DATA[kind]!r}",
    ]
    for text in texts:
        for name in ("labels.json", "labels.txt", "labels.py")[text.startswith("N") :]:
            found = read_label_file(written(tmp_path, name, text.encode()))
            assert found.labels == LABELS
            assert found.form


def test_python(tmp_path: Path) -> None:
    text = "{0: 'tench, Tinca tinca',\n 1: \"carpenter's kit\",\n 2: 'hen'}"
    assert read_labels(written(tmp_path, "l.txt", text.encode())) == (
        "tench, Tinca tinca",
        "carpenter's kit",
        "hen",
    )
    assert read_labels(written(tmp_path, "l.py", b"CLASSES: list[str] = [\n 'a',\n 'b',\n]\n")) == ("a", "b")


def test_json_lines(tmp_path: Path) -> None:
    text = '{"id": 1, "name": "dog"}\n{"id": 0, "name": "cat"}\n{"id": 2, "name": "bird"}\n'
    assert read_labels(written(tmp_path, "labels.jsonl", text.encode())) == LABELS


@pytest.mark.parametrize(
    "text",
    [
        "path: ../data\ntrain: images  # here\n\n# Classes\nnames:\n  0: cat\n  1: dog # a dog\n  2: bird\n",
        "names:\n  2: bird\n  0: 'cat'\n  1: \"dog\"\ndownload: |\n  import os\n  x: y\n",
        "nc: 3\nnames: ['cat', \"dog\", bird]\n",
        "names: [cat,\n  dog,  # comment, too\n  bird]\nnc: 3",
        "names:\n  - cat\n  - dog\n  - bird",
        "---\nnames:\n- cat\n- dog\n- 'bird'\n",
        "names: {0: cat, 1: dog, 2: bird}",
        'names: {"0":"cat","1":"dog","2":"bird"}  # so',
        "cat: 0\ndog: 1\nbird: 2",
        "0: cat\n1: dog\n2: bird\n",
        "id2label:\n  '0': cat\n  '1': dog\n  '2': bird\n",
        "class_names: [cat, dog, bird]",
        "- cat\n- dog\n- bird\n",
    ],
)
@pytest.mark.parametrize("name", ["data.yaml", "DATA.YML", "labels.txt"])
def test_yaml(text: str, name: str, tmp_path: Path) -> None:
    assert read_labels(written(tmp_path, name, text.encode())) == LABELS


def test_scalars_of_yaml(tmp_path: Path) -> None:
    """Names are texts, also those that YAML takes for something else."""
    text = """names:
  0: no
  1: 3.5
  2: tench, Tinca tinca
  3: 'it''s'
  4: "tab\\tB\\u00e4r"
  5: a#b
  6: person: old
"""
    expected = ("no", "3.5", "tench, Tinca tinca", "it's", "tab\tBär", "a#b", "person: old")
    assert read_labels(written(tmp_path, "data.yaml", text.encode())) == expected
    flow = b"names: [no, a b , 'x, y', \"[z]\", don't]"
    assert read_labels(written(tmp_path, "data.yaml", flow)) == ("no", "a b", "x, y", "[z]", "don't")


@pytest.mark.parametrize(
    ("heading", "rows"),
    [
        (["id", "name"], [[2, FISH[2]], [0, FISH[0]], [1, FISH[1]]]),
        (["Class ID", "Label"], [[0, FISH[0]], [1, FISH[1]], [2, FISH[2]]]),
        (["", "0"], [[0, FISH[0]], [1, FISH[1]], [2, FISH[2]]]),
        (["", "label"], [[0, FISH[0]], [2, FISH[2]], [1, FISH[1]]]),
        (["label", "name"], [[1, FISH[1]], [0, FISH[0]], [2, FISH[2]]]),
        (["class", "class_name", "count"], [[1, FISH[1], 9], [0, FISH[0], 9], [2, FISH[2], 9]]),
        (["name", "synset"], [[FISH[0], "x"], [FISH[1], "y"], [FISH[2], "z"]]),
        (["index", "species"], [[1, FISH[1]], [0, FISH[0]], [2, FISH[2]]]),
        (["name"], [[FISH[0]], [FISH[1]], [FISH[2]]]),
        (None, [[1, FISH[1]], [0, FISH[0]], [2, FISH[2]]]),
        (None, [[FISH[1], 1], [FISH[0], 0], [FISH[2], 2]]),
        (None, [["n01440764", FISH[0]], ["n01443537", FISH[1]], ["n01484850", FISH[2]]]),
        (None, [[FISH[0]], [FISH[1]], [FISH[2]]]),
        (None, [[name, ""] for name in FISH]),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("name", "delimiter"), [("labels.csv", ","), ("labels.tsv", "\t"), ("labels.csv", ";")]
)
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_table(
    heading: list[str] | None, rows: list[list[Any]], name: str, delimiter: str, quoting: Any, tmp_path: Path
) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting)
    writer.writerows(rows if heading is None else [heading, *rows])
    assert read_labels(written(tmp_path, name, file.getvalue().encode())) == FISH


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("names", "{0: 'cat', 1: 'dog', 2: 'bird'}"),
        ("labels", '["cat", "dog", "bird"]'),
        ("classes", '{"bird": 2, "cat": 0, "dog": 1}'),
        ("class_names", '{"0": ["n01440764", "cat"], "1": ["n01443537", "dog"], "2": ["n01484850", "bird"]}'),
    ],
)
def test_a_model_has_them_in_the_same_forms(key: str, value: str) -> None:
    model = cnn(CnnSpec(classes=3))
    assert labels_of(model, {key: value}, 3) == LABELS
    assert labels_of(model, {key: value}, 4) is None


def test_what_is_shown_is_short(tmp_path: Path) -> None:
    long = "x" * 10**6
    for content in (
        f'{{"cat{long}": 0, "dog{long}": 0}}',
        f'{{"{long}": 0, "{long}": 0}}',
        f'{{"{long}": {{"names": {{"1": "a", "2": "b"}}}}}}',
        f'{{"{long}": "a"}}',
        f'[{{"{long}": "a"}}]',
    ):
        with pytest.raises(ModelReadError) as caught:
            read_labels(written(tmp_path, "l.json", content.encode()))
        assert len(str(caught.value)) < 500 + len(str(tmp_path))


def test_a_single_line(tmp_path: Path) -> None:
    for text in ("cat,dog,bird", "cat, dog, bird\n", "cat;dog;bird", "cat\tdog\tbird", '"cat","dog","bird"'):
        found = read_label_file(written(tmp_path, "labels.txt", text.encode()))
        assert (found.labels, found.form) == (LABELS, "a single line")


FROM_ONE: Final = "its indices are 1 to 3, and classes are numbered from 0"


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        # no labels at all
        ("labels.json", b"cat\ndog", "no JSON"),
        ("labels.json", b"", "no JSON"),
        ("labels.json", b"[" * 100_000, "no JSON"),
        ("labels.json", b'{"a":' * 100_000, "no JSON"),
        ("labels.json", b'["cat", 1]', "a list that holds texts and numbers; labels are texts"),
        ("labels.json", b"[[1, 2], [3, 4]]", "a list of pairs, which are not of an index and a label"),
        ("labels.json", b"[0.1, 0.2]", "a list that holds numbers"),
        ("labels.json", b"[null, true]", "a list that holds null or true and false"),
        ("labels.json", b'"cat"', "neither a list nor a mapping"),
        ("labels.json", b"7", "neither a list nor a mapping"),
        ("labels.json", b"{}", "an object without entries"),
        (
            "labels.json",
            b'{"cat": "dog"}',
            "an object that has no labels under a key that is known (it has cat)",
        ),
        ("config.json", b'{"model_type": "vit", "layers": 3}', "no labels under a key that is known"),
        ("labels.json", b'{"0": 1.5, "1": 2.5}', "a mapping from index to numbers"),
        ("labels.json", b'{"0": ["a", "b"], "1": ["c", "d"]}', "a mapping from index to lists"),
        ("labels.json", b'{"names": [1, 2]}', "under 'names' is a list that holds numbers"),
        (
            "ann.json",
            b'[{"bbox": [1], "category_id": 3}]',
            "a list of objects that have no label each (the first has bbox, category_id)",
        ),
        ("labels.json", b"\xff\xfe", "no text in UTF-8"),
        ("labels.txt", b"\x89PNG\r\n\x1a\n\xff", "no text in UTF-8"),
        ("labels.txt", b"cat\0dog", "it holds bytes that no text does"),
        ("labels.txt", b"<!DOCTYPE html>\n<html>", "a page of HTML"),
        ("net.xml", b"<?xml version='1.0'?><net/>", "XML"),
        (
            "labels.pbtxt",
            b"item {\n  id: 1\n  name: 'cat'\n}",
            "a label map of TensorFlow's object detection",
        ),
        ("labels.txt", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3", "Git LFS"),
        ("labels.txt", b"0.1 0.2\n0.3 0.4", "a table of numbers"),
        ("yolo.txt", b"0 0.5 0.5 0.1 0.2\n1 0.5 0.5 0.1 0.2", "a table of numbers"),
        ("train.csv", b"file,label\na,cat\nb,cat\nc,dog", "names classes again and again"),
        ("labels.csv", b"foo,bar\ncat,x\ndog,y", "a table of 2 columns, none of which is called"),
        ("labels.txt", b"{0: 'cat',\n 1: 'dog',\n", "neither JSON nor a value of Python"),
        ("labels.txt", b'["cat",\n"dog",', "neither JSON nor a value of Python"),
        ("labels.py", b"NAMES = ['cat', open('x')]", "neither JSON nor a value of Python"),
        # other numbers
        ("labels.json", b'{"1": "cat", "2": "dog", "3": "bird"}', FROM_ONE),
        ("labels.json", b'{"cat": 1, "dog": 2, "bird": 3}', FROM_ONE),
        ("config.json", b'{"id2label": {"1": "a", "2": "b", "3": "c"}}', f"under 'id2label', {FROM_ONE}"),
        (
            "labels.json",
            b'[{"id": 1, "name": "a"}, {"id": 2, "name": "b"}, {"id": 3, "name": "c"}]',
            FROM_ONE,
        ),
        ("labels.txt", b"1: cat\n2: dog\n3: bird", FROM_ONE),
        ("labels.txt", b"1 cat\n2 dog\n3 bird", FROM_ONE),
        ("labels.txt", b"cat 1\ndog 2\nbird 3", FROM_ONE),
        ("labels.txt", b"cat,1\ndog,2\nbird,3", FROM_ONE),
        (
            "labels.txt",
            b"1 cat\n2 dog\n3 bird",
            "if the numbers belong to the labels, give these as a JSON list",
        ),
        ("map_clsloc.txt", b"n02119789 1 fox\nn02100735 2 setter\nn02110185 3 husky", FROM_ONE),
        ("labels.csv", b"id,name\n1,cat\n2,dog\n3,bird", FROM_ONE),
        ("data.yaml", b"names:\n  1: cat\n  2: dog\n  3: bird", FROM_ONE),
        ("labels.json", b'{"0": "cat", "2": "dog"}', "its indices go from 0 to 2 without 1"),
        ("labels.json", b'{"7": "a", "900000000000": "b"}', "from 7 to 900000000000 without 0, 1, 2, ..."),
        (
            "labels.txt",
            b"1: person\n3: car\n90: toothbrush",
            "its indices go from 1 to 90 without 0, 2, 4, ...",
        ),
        (
            "coco.json",
            b'{"categories": [{"id": 1, "name": "a"}, {"id": 3, "name": "b"}]}',
            "under 'categories', its",
        ),
        ("labels.json", b'{"cat": -1, "dog": 0}', "-1 is no index of a class"),
        ("labels.json", b'{"cat": 0, "dog": 0}', "index 0 has two labels, 'cat' and 'dog'"),
        ("labels.json", b'{"0": "cat", "00": "dog"}', "index 0 has two labels, 'cat' and 'dog'"),
        ("labels.json", b'{"0": "cat", "0": "dog"}', "an object that has '0' twice"),
        ("labels.txt", b"{0: 'cat', 0: 'dog'}", "an object that has '0' twice"),
        ("labels.txt", b"0: cat\n1: dog\n2: bird\n3: fox\n4:", "lines of index and label, except for '4:'"),
        ("labels.txt", b"# names\n0 cat\n1 dog\n2 bird\n3 fox", "index and label, except for '# names'"),
        ("labels.csv", b"id,name\n0,a\n1,b\n2,c\n3,d\n4", "lines of index and label, except for '4'"),
        ("labels.txt", b"0: cat\n1: dog\n1: bird", "index 1 has two labels, 'dog' and 'bird'"),
        ("labels.csv", b"id,name\n0,cat\n0,dog", "index 0 has two labels"),
        ("labels.csv", b"id,name\n0,a\n,b\n2,c", "'id' holds '' where others have an index"),
        ("labels.json", b'[{"id": 0, "name": "a"}, {"name": "b"}]', "'id' holds '' where others have an"),
        ("labels.jsonl", b'{"id": 0, "name": "a"}\n{"id": 1, "na', "lines of JSON, except for"),
        ("labels.jsonl", b'{a}\n{"name": "b"}', "lines of JSON, except for '{a}'"),
        ("data.yaml", b"names:\n  0: cat\n  0: dog", "YAML with the key '0' twice"),
        (
            "config.json",
            b'{"id2label": {"0": "a"}, "label2id": {"b": 0}}',
            "'id2label' and 'label2id' do not agree",
        ),
        ("syn.json", b'{"n01443537": "dog", "n01440764": "cat"}', "not in the order of the synsets"),
        # more of YAML than labels need
        ("data.yaml", b"nc: 3\nnames: [a, b]", "YAML with 2 names where it says nc: 3"),
        ("data.yaml", b"names: [a, b", "YAML with a bracket that is not closed"),
        ("data.yaml", b"names: [a, b] c", "YAML with more behind a bracket"),
        ("data.yaml", b"names: [a, *b]", "which is not read here"),
        ("data.yaml", b"names:\n  - &x a\n  - *x", "which is not read here"),
        ("data.yaml", b"names: [a, , b]", "brackets that hold something else than labels"),
        ("data.yaml", b"names: {0: a 1: b}", "YAML with"),
        ("data.yaml", b"names:\n  0: a\n  b", "is no entry of a list or mapping"),
        ("data.yaml", b"names:\n\t- a", "YAML is not indented by tabs"),
        ("data.yaml", b"names: [a]\nnames: [b]", "YAML with the key 'names' twice"),
        ("data.yaml", b"names: " + b"[" * 50_000, "YAML with"),
        ("data.yaml", b"names:\n  0:\n    - a\n  1: b", "no labels under a key that is known"),
        ("data.yaml", b"", "an object without entries"),
    ],
    ids=lambda value: value[:40].decode("utf-8", "replace") if isinstance(value, bytes) else "",
)
def test_file_that_holds_something_else(name: str, content: bytes, text: str, tmp_path: Path) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(ModelReadError) as caught:
        read_labels(path)
    assert str(caught.value).startswith(f"{path}: not a list of labels: ")
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500 + len(str(path))


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ModelReadError, match=r"no\.txt: cannot be read: No such file"):
        read_labels(tmp_path / "no.txt")
    with pytest.raises(ModelReadError, match="cannot be read: Is a directory"):
        read_labels(tmp_path)


def test_how_it_was_read_is_told(tmp_path: Path) -> None:
    forms = {
        ("config.json", '{"id2label": {"0": "a"}}'): "a mapping from index to label under 'id2label'",
        ("a.json", '{"m": {"names": ["a"]}}'): "a list under 'm.names'",
        ("a.json", '[{"id": 0, "name": "a"}]'): "'name' of objects, by 'id'",
        ("a.json", '[{"name": "a"}]'): "'name' of objects, in their order",
        ("a.json", '{"a": 0}'): "a mapping from label to index",
        ("a.txt", "0: a\n1: b"): "lines of index and label",
        ("a.txt", "n01440764 a\nn01443537 b"): "lines of synset and label",
        ("a.csv", "id,name\n0,a\n1,b"): "column 'name' of a table, by 'id'",
        ("a.csv", "name,x\na,1\nb,2"): "column 'name' of a table, row by row",
        ("a.txt", "'a'\n'b'"): "lines in quotation marks",
    }
    for (name, text), form in forms.items():
        assert read_label_file(written(tmp_path, name, text.encode())).form == form


def test_labels_as_they_are_given(tmp_path: Path) -> None:
    path = written(tmp_path, "labels.txt", b"0: cat\n1: dog\n2: bird")
    for given in (
        path,
        str(path),
        LABELS,
        list(LABELS),
        {0: "cat", 2: "bird", 1: "dog"},
        {"cat": 0, "dog": 1, "bird": 2},
    ):
        assert given_labels(given) == LABELS  # type: ignore[arg-type]
    assert given_labels(None) is None
    with pytest.raises(UsageError, match="labels are texts, and 1 is none"):
        given_labels(["cat", 1])  # type: ignore[list-item]
    with pytest.raises(UsageError, match="labels: its indices are 1 to 2"):
        given_labels({1: "cat", 2: "dog"})
    with pytest.raises(ModelReadError, match="cannot be read"):
        given_labels(str(tmp_path / "cat"))


def test_no_file_of_labels_is_read_wrongly_when_it_is_cut(tmp_path: Path) -> None:
    """A file that ends early has fewer labels or is refused; none of them stands at another class's place."""
    whole = [f"{name}, of kind {index}" for index, name in enumerate("abcdefghijklmno")]
    forms = {
        "l.txt": "\n".join(f"{index}: {name}" for index, name in enumerate(whole)),
        "l.json": json.dumps(dict(enumerate(whole))),
        "p.txt": repr(dict(enumerate(whole))).replace(", 1", ",\n 1"),
        "d.yaml": "names:\n" + "\n".join(f"  {index}: {name}" for index, name in enumerate(whole)),
        "t.csv": "id,name\n" + "\n".join(f'{index},"{name}"' for index, name in enumerate(whole)),
    }
    rng = random.Random(0)
    for name, text in forms.items():
        assert read_labels(written(tmp_path, name, text.encode())) == tuple(whole)
        for at in rng.sample(range(30, len(text)), 40):
            try:
                found = read_labels(written(tmp_path, name, text[:at].encode()))
            except ModelReadError:
                continue
            assert len(found) <= len(whole)
            assert len(found) < len(whole) or found[:-1] == tuple(whole[:-1]), (name, text[:at])
