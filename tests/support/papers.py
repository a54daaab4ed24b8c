"""Files as people hand them in, and as attackers do: all of them made here, byte by byte."""

import io
import struct
import zlib

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, TextStringObject


def picture(kind="JPEG", size=(60, 40), colour=(200, 30, 30), mode="RGB", **save) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, kind, **save)
    return file.getvalue()


def photo_with_a_place() -> bytes:
    """Turned by a quarter, with where it was taken, by which device, and a comment."""
    image = Image.new("RGB", (60, 40), (200, 30, 30))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x9286] = 6, "SecretPhone 9", "a secret comment"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 23.0)
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, comment=b"another secret")
    return file.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes that say they are a picture of this size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def _written(writer: PdfWriter) -> bytes:
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def paper(pages: int = 1) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    return _written(writer)


def encrypted_paper() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.encrypt("word")
    return _written(writer)


def paper_with_script() -> bytes:
    """Run by its name, when it is opened."""
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    script = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1);")}
    )
    names = DictionaryObject({NameObject("/Names"): ArrayObject([TextStringObject("a"), writer._add_object(script)])})
    writer.root_object[NameObject("/Names")] = DictionaryObject({NameObject("/JavaScript"): names})
    return _written(writer)


def paper_with_file() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.add_attachment("evil.exe", b"MZ")
    return _written(writer)


def paper_with_action(kind: str, *, of_page: bool = False) -> bytes:
    """`/Launch` and the like: when it is opened, or hidden in a note of a page."""
    writer = PdfWriter()
    page = writer.add_blank_page(200, 200)
    action = DictionaryObject({NameObject("/S"): NameObject(kind), NameObject("/F"): TextStringObject("calc.exe")})
    if of_page:
        note = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Annot"),
                NameObject("/Subtype"): NameObject("/Link"),
                NameObject("/Rect"): ArrayObject([NumberObject(n) for n in (0, 0, 9, 9)]),
                NameObject("/A"): action,
            }
        )
        page[NameObject("/Annots")] = ArrayObject([writer._add_object(note)])
    else:
        writer.root_object[NameObject("/OpenAction")] = writer._add_object(action)
    return _written(writer)
