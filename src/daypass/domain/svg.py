"""Rewriting of SVG images, so that what is served can only draw.

The file is parsed and rewritten from lists of known elements, attributes and values (Scalable
Vector Graphics 2, W3C). What an editor adds for itself is left out. What could run, load, link or
refer to anything outside the file is refused, rather than removed, because the image might look
different without it.
"""

import re
from typing import NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

NAMESPACE = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"
MAX_ELEMENTS = 5_000
MAX_DEPTH = 32

_DRAWN = {
    "circle", "clipPath", "defs", "ellipse", "g", "line", "linearGradient", "mask", "path",
    "polygon", "polyline", "radialGradient", "rect", "stop", "svg", "text", "tspan",
}  # fmt: skip
_LEFT_OUT = {"desc", "metadata", "title"}
_PRESENTATION = {
    "clip-path", "clip-rule", "color", "display", "dominant-baseline", "fill", "fill-opacity",
    "fill-rule", "font-family", "font-size", "font-style", "font-weight", "letter-spacing", "mask",
    "mask-type", "opacity", "overflow", "paint-order", "stop-color", "stop-opacity", "stroke",
    "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin",
    "stroke-miterlimit", "stroke-opacity", "stroke-width", "text-anchor", "vector-effect",
    "visibility",
}  # fmt: skip
"""Attributes that may also stand in `style`."""
_ATTRIBUTES = _PRESENTATION | {
    "clipPathUnits", "cx", "cy", "d", "dx", "dy", "fr", "fx", "fy", "gradientTransform",
    "gradientUnits", "height", "id", "maskContentUnits", "maskUnits", "offset", "pathLength",
    "points", "preserveAspectRatio", "r", "rx", "ry", "spreadMethod", "transform", "viewBox",
    "width", "x", "x1", "x2", "y", "y1", "y2",
}  # fmt: skip
_CLIPS = {"clipPath", "mask"}
_VALUE = re.compile(r"[\w\s#%.,()+'\"-]*")
_URL = re.compile(r"url\(\s*['\"]?#[\w.-]+['\"]?\s*\)")
"""A reference within the file."""
_NUMBER = re.compile(r"\s*([0-9]*\.?[0-9]+)(?:px)?\s*")

_ADVICE = (
    "A logo may have shapes, paths, text, gradients, clips and masks, with their styles as "
    "attributes."
)


class Size(NamedTuple):
    """Width and height, in the units of the image."""

    width: float
    height: float


def rewrite(file: bytes) -> tuple[bytes, float, float]:
    """Return the image as a new file, its width and its height. Raises ValueError."""
    writer = _Writer()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.text
    parser.EntityDeclHandler = writer.refuse_entities
    parser.SkippedEntityHandler = writer.refuse_entities
    parser.ExternalEntityRefHandler = writer.refuse_entities
    try:
        parser.Parse(file, True)
    except expat.ExpatError as error:
        raise ValueError(f"The SVG file is damaged: {error}.") from None
    width, height = writer.size
    return "".join(writer.parts).encode(), width, height


class _Writer:
    """Writes the elements of a file that `expat` reads."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.size = Size(0, 0)
        self._open: list[str] = []
        self._left_out = 0
        """Depth within an element that is left out."""
        self._elements = 0

    def refuse_entities(self, *_declaration: object) -> int:
        raise ValueError("The SVG file declares or uses entities, which are not allowed.")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS or len(self._open) + self._left_out > MAX_DEPTH:
            raise ValueError("The SVG file has too many elements for a logo. Simplify it.")
        namespace, _, local = name.rpartition(" ")
        if self._left_out or (self._open and (namespace != NAMESPACE or local in _LEFT_OUT)):
            self._left_out += 1
            return
        if (namespace, local) != (NAMESPACE, "svg") and not self._open:
            raise ValueError("This is not an SVG file: it does not begin with an <svg> element.")
        if local not in _DRAWN:
            raise ValueError(f"The SVG file contains <{local}>, which is not allowed. {_ADVICE}")
        kept = _kept(attributes)
        if _CLIPS & {local, *self._open} and kept.keys() & {"clip-path", "mask"}:
            # Each level could double the work of drawing the one above it.
            raise ValueError("The SVG file has a clip or mask within another. Simplify it.")
        if not self._open:
            self.size = _size(kept)
            kept = _of_root(kept, self.size)
        self._open.append(local)
        self.parts.append(
            f"<{local}" + "".join(f" {x}={quoteattr(value)}" for x, value in kept.items()) + ">"
        )

    def end(self, _name: str) -> None:
        if self._left_out:
            self._left_out -= 1
        else:
            self.parts.append(f"</{self._open.pop()}>")

    def text(self, text: str) -> None:
        if not self._left_out and self._open and self._open[-1] in ("text", "tspan"):
            self.parts.append(escape(text))


def _kept(attributes: dict[str, str]) -> dict[str, str]:
    """Return the attributes of an element that are written. Raises ValueError."""
    kept = {}
    for full_name, value in attributes.items():
        namespace, _, name = full_name.rpartition(" ")
        if name == "href" and namespace in ("", XLINK):
            _check_href(value)
            kept["href"] = value.strip()
        elif namespace:
            continue
        elif name.lower().startswith("on"):
            raise ValueError(
                f"The SVG file contains the event handler {name}, which could run code."
            )
        elif name == "style":
            kept.update(_declarations(value))
        elif name in _ATTRIBUTES:
            _check_value(name, value)
            kept.setdefault(name, value)
    return kept


def _check_href(value: str) -> None:
    if not re.fullmatch(r"\s*#[\w.-]+\s*", value):
        raise ValueError("The SVG file refers to something outside of it, which is not allowed.")


def _declarations(style: str) -> dict[str, str]:
    """Return the presentation properties of a `style` attribute. Raises ValueError."""
    found = {}
    for declaration in style.split(";"):
        name, _, value = (x.strip() for x in declaration.partition(":"))
        if name in _PRESENTATION:
            found[name] = value.removesuffix("!important").strip()
            _check_value(name, found[name])
        elif "url" in value.lower():
            raise ValueError(f"The SVG file has a style with a reference: {name[:40]}.")
    return found


def _check_value(name: str, value: str) -> None:
    rest = _URL.sub("", value)
    if not _VALUE.fullmatch(rest) or "url" in rest.lower():
        raise ValueError(f"The SVG file has a value that is not allowed: {name}={value[:60]!r}.")


def _size(root: dict[str, str]) -> Size:
    """Return the size of the image, by its `viewBox` or its width and height."""
    box = re.split(r"[\s,]+", root["viewBox"].strip()) if "viewBox" in root else []
    sides = box[2:4] if len(box) == 4 else [root.get("width", ""), root.get("height", "")]
    numbers = [_NUMBER.fullmatch(x) for x in sides]
    found = [float(x[1]) for x in numbers if x]
    if len(found) < 2 or min(found) <= 0:
        raise ValueError("The SVG file does not say how large it is: its <svg> needs a viewBox.")
    return Size(*found)


def _of_root(kept: dict[str, str], size: Size) -> dict[str, str]:
    """Return the attributes of the root. Its size is left to the page that shows it."""
    rest = {x: kept[x] for x in kept if x not in ("width", "height", "x", "y", "viewBox")}
    box = kept.get("viewBox", f"0 0 {size.width:g} {size.height:g}")
    return {"xmlns": NAMESPACE, "viewBox": box, **rest}
