"""Re-encoding of PNG images (W3C Portable Network Graphics, third edition).

Only the pixels survive: every chunk that drawing them does not need is left out, with metadata,
animations and whatever a file hides in or behind its chunks. The compressed pixels are unpacked
against their exact size and packed again, so a small file cannot become a large image.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_SIDE = 2048
MAX_UNPACKED = 8 * 1024 * 1024
"""Bytes of pixels: about 1,400 × 1,400 of them with transparency."""

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples per pixel, by colour type."""
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_INDEXED = 3
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
          (0, 1, 1, 2))  # fmt: skip
"""The passes of an interlaced image: first column and row, and the steps between them."""


class Header(NamedTuple):
    """The IHDR chunk."""

    width: int
    height: int
    depth: int
    colour_type: int
    compression: int
    filters: int
    interlace: int

    def row_sizes(self) -> Iterator[int]:
        """Return the number of bytes of each row, including its filter type."""
        passes = _ADAM7 if self.interlace else ((0, 0, 1, 1),)
        bits = self.depth * _CHANNELS[self.colour_type]
        for x, y, x_step, y_step in passes:
            columns = max(0, -((x - self.width) // x_step))
            rows = max(0, -((y - self.height) // y_step))
            if columns:
                yield from (1 + (columns * bits + 7) // 8 for _ in range(rows))


def re_encode(file: bytes) -> tuple[bytes, int, int]:
    """Return the image as a new file, its width and its height in pixels.

    Raises ValueError if the file is damaged, is no PNG, or is larger than MAX_SIDE on a side.
    """
    chunks = list(_chunks(file))
    if not chunks or chunks[0][0] != b"IHDR" or chunks[-1][0] != b"IEND":
        raise ValueError("The PNG file is damaged: it does not begin and end as it should.")
    header = _header(chunks[0][1])
    pixels = _unpack(b"".join(x for name, x in chunks if name == b"IDAT"), header)
    kept = [(b"IHDR", chunks[0][1]), *_palette(dict(chunks), header)]
    kept += [(b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b"")]
    return SIGNATURE + b"".join(_chunk(*x) for x in kept), header.width, header.height


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Return the name and content of each chunk up to IEND. Raises ValueError."""
    if not file.startswith(SIGNATURE):
        raise ValueError("This is not a PNG file.")
    at, name = len(SIGNATURE), b""
    while name != b"IEND":
        length, name = struct.unpack(">I4s", _bytes(file, at, 8))
        content = _bytes(file, at + 8, length)
        (checksum,) = struct.unpack(">I", _bytes(file, at + 8 + length, 4))
        if checksum != zlib.crc32(name + content):
            raise ValueError("The PNG file is damaged: a checksum is wrong.")
        yield name, content
        at += 12 + length


def _bytes(file: bytes, at: int, length: int) -> bytes:
    found = file[at : at + length]
    if len(found) < length:
        raise ValueError("The PNG file is cut off.")
    return found


def _header(content: bytes) -> Header:
    if len(content) != 13:
        raise ValueError("The PNG file is damaged: its header has the wrong size.")
    header = Header(*struct.unpack(">IIBBBBB", content))
    if not (0 < header.width <= MAX_SIDE and 0 < header.height <= MAX_SIDE):
        raise ValueError(f"A PNG logo may have at most {MAX_SIDE} × {MAX_SIDE} pixels.")
    known = header.depth in _DEPTHS.get(header.colour_type, ())
    if not known or header.compression or header.filters or header.interlace > 1:
        raise ValueError("The PNG file is damaged: its header describes no known kind of image.")
    return header


def _unpack(packed: bytes, header: Header) -> bytes:
    """Return the rows, each with its filter type. Raises ValueError unless they fit the header."""
    sizes = list(header.row_sizes())
    expected = sum(sizes)
    if expected > MAX_UNPACKED:
        raise ValueError("The PNG file has too many pixels for a logo. Make it smaller.")
    unpacker = zlib.decompressobj()
    try:
        # One byte more shows that there is too much, without unpacking it.
        rows = unpacker.decompress(packed, expected + 1)
    except zlib.error:
        raise ValueError("The PNG file is damaged: its pixels cannot be unpacked.") from None
    if len(rows) != expected or not unpacker.eof:
        raise ValueError("The PNG file is damaged: its pixels do not fit its size.")
    at = 0
    for size in sizes:
        if rows[at] > 4:
            raise ValueError("The PNG file is damaged: a row has an unknown filter.")
        at += size
    return rows


def _palette(chunks: dict[bytes, bytes], header: Header) -> list[tuple[bytes, bytes]]:
    """Return the palette of an indexed image, and the transparency of any. Raises ValueError."""
    kept = []
    colours = chunks.get(b"PLTE", b"")
    if header.colour_type == _INDEXED:
        if not colours or len(colours) % 3 or len(colours) > 3 << header.depth:
            raise ValueError("The PNG file is damaged: its palette has the wrong size.")
        kept.append((b"PLTE", colours))
    sizes = {0: (2,), 2: (6,), _INDEXED: range(1, len(colours) // 3 + 1)}
    transparency = chunks.get(b"tRNS")
    if transparency is not None:
        if len(transparency) not in sizes.get(header.colour_type, ()):
            raise ValueError("The PNG file is damaged: its transparency has the wrong size.")
        kept.append((b"tRNS", transparency))
    return kept


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
