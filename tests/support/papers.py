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


def paper_of_packed_objects(streams: int, *, inflated: int) -> bytes:
    """Small, with so many streams of packed objects, one object in each, and so many spaces behind it."""
    file, places = io.BytesIO(b"%PDF-1.5\n"), {}
    file.seek(0, io.SEEK_END)

    def add(number: int, body: bytes) -> None:
        places[number] = file.tell()
        file.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    add(1, b"<</Type/Catalog/Pages 2 0 R>>")
    add(2, b"<</Type/Pages/Kids[3 0 R]/Count 1>>")
    add(3, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>")
    first = 5 + streams
    for place in range(streams):
        head = b"%d 0 " % (first + place)
        packed = zlib.compress(head + b"<</A 1>>" + b" " * inflated)
        names = b"<</Type/ObjStm/N 1/First %d/Filter/FlateDecode/Length %d>>" % (len(head), len(packed))
        add(5 + place, names + b"stream\n" + packed + b"\nendstream")
    places[4] = file.tell()
    rows = [struct.pack(">BIH", 0, 0, 65535)]
    rows += [struct.pack(">BIH", 1, places[number], 0) for number in range(1, first)]
    rows += [struct.pack(">BIH", 2, 5 + place, 0) for place in range(streams)]
    table = zlib.compress(b"".join(rows))
    size = first + streams
    add(4, b"<</Type/XRef/Size %d/W[1 4 2]/Root 1 0 R/Filter/FlateDecode/Length %d>>stream\n%b\nendstream"
        % (size, len(table), table))  # fmt: skip
    file.write(b"startxref\n%d\n%%%%EOF" % places[4])
    return file.getvalue()
