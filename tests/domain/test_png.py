"""Uploaded PNG files: only pixels survive, and nothing unpacks beyond its bounds."""

import struct
import zlib
from collections.abc import Callable

import pytest

from daypass.domain.png import MAX_SIDE, SIGNATURE, re_encode


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def header(width: int = 2, height: int = 2, depth: int = 8, kind: int = 6, *rest: int) -> bytes:
    compression, filters, interlace = rest or (0, 0, 0)
    return chunk(
        b"IHDR",
        struct.pack(">IIBBBBB", width, height, depth, kind, compression, filters, interlace),
    )


ROWS = (b"\0" + b"\x01\x02\x03\xff" * 2) * 2
END = chunk(b"IEND", b"")


def image(
    head: bytes | None = None, rows: bytes = ROWS, before: bytes = b"", after: bytes = b""
) -> bytes:
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return SIGNATURE + (head or header()) + before + pixels + END + after


def test_png_pixels_are_kept_and_metadata_is_removed() -> None:
    secret = chunk(b"tEXt", b"Comment\0GPS: 48.1, 11.5")
    active = chunk(b"zTXt", b"x\0\0" + zlib.compress(b"<script>alert(1)</script>"))
    file = image(before=secret + active, after=b"<?php system('id') ?>")
    written, width, height = re_encode(file)
    assert (width, height) == (2, 2)
    assert re_encode(written) == (written, 2, 2)
    assert written == re_encode(image())[0]
    names = [written[i + 4 : i + 8] for i in chunk_starts(written)]
    assert names == [b"IHDR", b"IDAT", b"IEND"]
    packed = written[written.index(b"IDAT") + 4 : written.index(b"IEND") - 8]
    assert zlib.decompress(packed) == ROWS


def chunk_starts(file: bytes) -> list[int]:
    found, at = [], len(SIGNATURE)
    while at < len(file):
        found.append(at)
        at += 12 + struct.unpack(">I", file[at : at + 4])[0]
    return found


def test_png_palette_and_transparency_are_kept() -> None:
    palette = chunk(b"PLTE", b"\0\0\0\xff\xff\xff") + chunk(b"tRNS", b"\0")
    file = image(header(2, 2, 1, 3), b"\0\x40" * 2, before=palette)
    assert palette in re_encode(file)[0]


def test_interlaced_rows_are_counted_by_pass() -> None:
    # Three by three pixels have the passes 1, 4 (1 of 2 columns), 5, 6 and 7 of Adam7.
    rows = b"".join(b"\0" + b"g" * columns for columns in (1, 1, 2, 1, 1, 3))
    assert re_encode(image(header(3, 3, 8, 0, 0, 0, 1), rows))[1:] == (3, 3)
    with pytest.raises(ValueError, match="do not fit"):
        re_encode(image(header(3, 3, 8, 0, 0, 0, 1), rows + b"\0"))


def broken_checksum() -> bytes:
    file = bytearray(image())
    file[-1] ^= 1
    return bytes(file)


MALICIOUS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not a PNG"),
    "gif": (lambda: b"GIF89a" + bytes(50), "not a PNG"),
    "svg": (lambda: b"<svg onload='alert(1)'/>", "not a PNG"),
    "signature only": (lambda: SIGNATURE, "cut off"),
    "cut off": (lambda: image()[:-6], "cut off"),
    "huge length": (lambda: SIGNATURE + b"\xff\xff\xff\xffIDAT", "cut off"),
    "checksum": (broken_checksum, "checksum"),
    "no header": (lambda: SIGNATURE + END, "begin and end"),
    "bomb by side": (lambda: image(header(MAX_SIDE + 1, 1)), "pixels"),
    "bomb by pixels": (lambda: image(header(MAX_SIDE, MAX_SIDE, 16)), "too many pixels"),
    "bomb by ratio": (lambda: image(rows=bytes(50_000_000)), "do not fit"),
    "no pixels": (lambda: image(header(0, 2)), "pixels"),
    "too few pixels": (lambda: image(rows=ROWS[:-1]), "do not fit"),
    "stream not ended": (
        lambda: SIGNATURE + header() + chunk(b"IDAT", zlib.compress(ROWS)[:-4]) + END,
        "do not fit",
    ),
    "not zlib": (lambda: SIGNATURE + header() + chunk(b"IDAT", b"x" * 20) + END, "unpacked"),
    "filter": (lambda: image(rows=b"\5" + ROWS[1:]), "filter"),
    "depth": (lambda: image(header(2, 2, 3)), "no known kind"),
    "colour type": (lambda: image(header(2, 2, 8, 5)), "no known kind"),
    "compression": (lambda: image(header(2, 2, 8, 6, 1, 0, 0)), "no known kind"),
    "interlace": (lambda: image(header(2, 2, 8, 6, 0, 0, 2)), "no known kind"),
    "short header": (
        lambda: SIGNATURE + chunk(b"IHDR", b"\0" * 12) + chunk(b"IDAT", b"") + END,
        "wrong size",
    ),
    "no palette": (lambda: image(header(2, 2, 8, 3), b"\0\0\0" * 2), "palette"),
    "long palette": (
        lambda: image(header(2, 2, 1, 3), b"\0\0" * 2, before=chunk(b"PLTE", bytes(9))),
        "palette",
    ),
    "transparency": (lambda: image(before=chunk(b"tRNS", b"\0")), "transparency"),
}


@pytest.mark.parametrize("name", MALICIOUS)
def test_damaged_and_malicious_files_are_refused(name: str) -> None:
    make, words = MALICIOUS[name]
    with pytest.raises(ValueError, match=words):
        re_encode(make())
