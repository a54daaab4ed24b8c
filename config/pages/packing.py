"""A page in gzip whose end is made anew for each answer: its `meta` has the time and the caller's request id.

Nearly all of a page is compressed once. The compressor ends at a whole byte, so `meta` can follow as a block that is
not compressed, and a check sum goes on where it stood.
"""

import zlib

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


def head_of(data: bytes) -> bytes:
    """An envelope up to its `meta`."""
    return b'{"success":true,"data":%b,"meta":' % data


def pack(head: bytes) -> tuple[bytes, int]:
    """The beginning compressed, and its check sum."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH), zlib.crc32(head)


def finish(packed: bytes, checked: int, length: int, end: bytes) -> bytes:
    """The whole, as gzip: a beginning of this `length` that was packed before, and its end, of less than 64 kB."""
    last = b"\x01" + len(end).to_bytes(2, "little") + (len(end) ^ 0xFFFF).to_bytes(2, "little") + end
    checked = zlib.crc32(end, checked)
    size = (length + len(end)) & 0xFFFFFFFF
    return b"".join((HEADER, packed, last, checked.to_bytes(4, "little"), size.to_bytes(4, "little")))
