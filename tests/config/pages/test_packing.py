"""gzip with an end of its own."""

import gzip
import zlib

import pytest

from config.pages.packing import finish, head_of, pack


@pytest.mark.parametrize("data", [b"{}", b'{"a":"' + b"x" * 100_000 + b'"}', '{"name":"Jürgen"}'.encode()])
@pytest.mark.parametrize("end", [b"}", b'{"timestamp":"2026-09-10T00:20:00Z"}}'])
def test_it_unpacks_to_the_beginning_and_the_end(data, end):
    head = head_of(data)
    packed, checked = pack(head)
    assert gzip.decompress(finish(packed, checked, len(head), end)) == head + end


def test_it_is_one_member_that_any_reader_takes_whole():
    head = head_of(b"[1,2,3]")
    reader = zlib.decompressobj(wbits=31)
    read = reader.decompress(finish(*pack(head), len(head), b"{}}"))
    assert (read, reader.eof, reader.unused_data) == (head + b"{}}", True, b"")
