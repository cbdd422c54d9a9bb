"""JSON that some versions of AFAS write wrongly: mended in time and memory that go with its length."""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_afas.profit.errors import ProfitError
from tap_afas.profit.json_repair import repair_json
from tap_afas.profit.rows import RowReader

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(content=JSON, ascii_only=st.booleans(), indent=st.sampled_from([None, 2]))
def test_what_is_right_stays(content: object, *, ascii_only: bool, indent: int | None) -> None:
    # Half an emoji is mended.
    written = json.dumps(content, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "replace")
    assert repair_json(written) == written


@pytest.mark.parametrize(
    ("written", "mended"),
    [
        (b'{"a":-.5,"b":.25,"c":[.1],"d":"-.5 .5"}', {"a": -0.5, "b": 0.25, "c": [0.1], "d": "-.5 .5"}),
        (b'{"a":"x\x00\ny\\n\\"\x1f"}', {"a": 'x\0\ny\n"\x1f'}),
        (b'{"a":"\\ud83d \\ud83d\\ude00 \\ude00 \\\\ud83d"}', {"a": "� 😀 � \\ud83d"}),
        (b'{"a":"\xff\xe2\x82"}', {"a": "��"}),
    ],
)
def test_what_is_wrong_is_mended(written: bytes, mended: object) -> None:
    assert json.loads(repair_json(written)) == mended


HOSTILE = {
    "quotes": lambda size: b'{"rows":[{"Code":"' + b'\\"' * (size // 2),
    "backslashes": lambda size: b'{"rows":[{"Code":"' + b"\\" * (size - 1),
    "dots": lambda size: b'{"rows":[' + b"." * size,
    "numbers": lambda size: b'{"rows":[' + b"-.5," * (size // 4),
    "controls": lambda size: b'{"rows":[{"Code":"' + b"\x01" * size + b'"}]}',
    "no UTF-8": lambda size: b'{"rows":[{"Code":"' + b"\xff" * size + b'"}]}',
    "empty texts": lambda size: b'{"rows":[' + b'"",' * (size // 3),
    "openings": lambda size: b'{"rows":[' + b"[" * size,
    "halves": lambda size: b'{"rows":[{"Code":"' + b"\\ud83d" * (size // 6) + b'"}]}',
    "blob": lambda size: b'{"rows":[{"Code":"' + b"x" * size + b'","Price":-.5}]}',
    "broken lines": lambda size: b'{"rows":[{"Code":"' + b"a line of text\n" * (size // 15) + b'","Price":-.5}]}',
}


def _read(name: str, size: int) -> None:
    reader = RowReader("Articles", {"Code": "string", "Price": "number"}, key=("Code",))
    with contextlib.suppress(ProfitError):
        reader.read(HOSTILE[name](size))


@pytest.mark.parametrize("name", HOSTILE)
def test_the_work_is_linear(name: str) -> None:
    began = time.monotonic()
    _read(name, 2_000_000)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "name", ["blob", "broken lines", "quotes", "backslashes", "controls", "halves", "no UTF-8", "dots"]
)
def test_memory_goes_with_the_length(name: str) -> None:
    size = 500_000
    tracemalloc.start()
    try:
        _read(name, size)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The body is among it, and twice where it is made.
    assert most < 5 * size + 3_000_000
