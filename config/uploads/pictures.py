"""Pictures made anew: decoded, turned upright, scaled down and written again, with nothing but pixels.

What stood beside the pixels (where it was taken, with which device, a comment, a script, another file behind the end)
is gone. How large a picture would become is read off its header, before a single pixel is decoded.
"""

import io
import threading
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from config.uploads.refusals import FileRefused, Reason

# A JPEG is decoded at a fraction of its size; others are not, so they may not be as large.
LARGEST_JPEG_SIDE = 12_000
LARGEST_JPEG = 64_000_000
LARGEST_SIDE = 4096
JPEG_QUALITY = 85
# A file of some kilobytes can take hundreds of megabytes while it is decoded: never of several at once in a process.
_ONE_AT_A_TIME = threading.Lock()
# Pillow's own errors are many: whatever a hostile file makes a decoder raise means the same.
UNREADABLE = (
    UnidentifiedImageError, OSError, SyntaxError,
    ValueError, TypeError, IndexError, KeyError, EOFError, OverflowError, MemoryError, ZeroDivisionError,
    AttributeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """Bytes of ours, and how they are to be called."""

    content: bytes
    content_type: str
    ending: str
    width: int
    height: int


def remake(content: bytes, *, kind: str, longest: int) -> Picture:
    """The picture of these bytes, at most `longest` pixels on its longer side.

    `kind` is JPEG, PNG or WEBP: no other decoder is tried. A picture that lets something shine through becomes a PNG,
    others a JPEG. Refuses what cannot be read and what has too many pixels.
    """
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=[kind]) as picture:
                _refuse_too_large(picture, kind)
                if kind == "JPEG":
                    # Decoded at a half, a quarter or an eighth, as soon as at least half of what is kept remains.
                    picture.draft("RGB", (longest // 2 + 1, longest // 2 + 1))
                picture.load()
                return _written(_plain(picture, longest))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FileRefused(Reason.TOO_MANY_PIXELS) from error
    except UNREADABLE as error:
        raise FileRefused(Reason.UNREADABLE) from error


def _refuse_too_large(picture: Image.Image, kind: str) -> None:
    width, height = picture.size
    side, pixels = (LARGEST_JPEG_SIDE, LARGEST_JPEG) if kind == "JPEG" else (LARGEST_SIDE, LARGEST_SIDE**2)
    if max(width, height) > side or width * height > pixels:
        raise FileRefused(Reason.TOO_MANY_PIXELS, longest_side=side)


def _plain(picture: Image.Image, longest: int) -> Image.Image:
    """Upright, in size, in a plain mode, and free of everything that came along."""
    upright = ImageOps.exif_transpose(picture)
    has_alpha = upright.has_transparency_data
    plain = upright.convert("RGBA" if has_alpha else "RGB")
    plain.thumbnail((longest, longest))
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    return bare


def _written(picture: Image.Image) -> Picture:
    file = io.BytesIO()
    if picture.mode == "RGBA":
        picture.save(file, "PNG")
        return Picture(file.getvalue(), "image/png", "png", *picture.size)
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return Picture(file.getvalue(), "image/jpeg", "jpg", *picture.size)
