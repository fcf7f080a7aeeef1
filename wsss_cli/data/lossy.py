"""Which pictures do not keep their values: a mask saved so has smeared ids, though it looks right."""

from __future__ import annotations

from PIL import Image

from wsss_cli.errors import WsssError

COMPRESSION = 259  # tag of TIFF
JPEG_IN_TIFF = (6, 7, 33007, 34892)  # its values: old and new JPEG, ALT-JPEG, lossy DNG
CODING = b"\xff\x52"  # marker of JPEG 2000 before the style of its coding; eleven bytes on, 0 is the lossy transform


def lossy_form(image: Image.Image, data: bytes) -> str:
    """ "a JPEG", "a lossy WebP", ... of an opened picture whose encoded bytes are `data`; "" if it keeps its values."""
    match image.format:
        case "JPEG" | "MPO":
            return "a JPEG"
        case "WEBP":
            return "a lossy WebP" if _is_lossy_webp(data) else ""
        case "AVIF" | "HEIF" | "JXL":
            return f"a picture in {image.format}"
        case "JPEG2000":
            style = data.partition(CODING)[2]
            return "a lossy JPEG 2000" if style[11:12] == b"\0" else ""
        case "TIFF":
            compressed = getattr(image, "tag_v2", {}).get(COMPRESSION)
            return "a TIFF compressed as JPEG" if compressed in JPEG_IN_TIFF else ""
        case _:
            return ""


def require_lossless(image: Image.Image, data: bytes, name: object) -> None:
    """Raises WsssError for a picture whose format smears values."""
    form = lossy_form(image, data)
    if form:
        raise smeared(form, name)


def smeared(form: str, name: object) -> WsssError:
    """What to say of a mask of such a form."""
    return WsssError(
        f"{name} is {form}, which does not keep class ids: they are smeared",
        "export the masks anew as PNG; saving this file as PNG does not bring them back",
    )


def _is_lossy_webp(data: bytes) -> bool:
    """By its first chunk of pixels: "VP8 " is lossy, "VP8L" is not; that of an animation's frame lies within it."""
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name in (b"VP8 ", b"VP8L"):
            return name == b"VP8 "
        at += 8 + (16 if name == b"ANMF" else size + size % 2)
    return False
