"""Uploaded SVG files: what is written can draw, and do nothing else."""

import re
from xml.etree import ElementTree

import pytest

from daypass.domain.svg import MAX_ELEMENTS, NAMESPACE, rewrite

OPEN = f'<svg xmlns="{NAMESPACE}" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 20">'


def svg(content: str, before: str = "") -> bytes:
    return f"{before}{OPEN}{content}</svg>".encode()


def test_svg_shapes_are_kept_and_editor_metadata_is_removed() -> None:
    written, width, height = rewrite(
        b"""<?xml version="1.0"?>
<?xml-stylesheet href="https://evil.example/x.css"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<!-- made by an editor -->
<svg xmlns="http://www.w3.org/2000/svg" xmlns:sodipodi="http://sodipodi.example"
     width="40px" height="20" sodipodi:docname="/home/ada/logo.svg" class="a" data-x="1">
  <title>Logo</title><metadata><rdf xmlns="http://rdf.example"><script/></rdf></metadata>
  <sodipodi:namedview><path d="M0 0"/></sodipodi:namedview>
  <defs><linearGradient id="g"><stop offset="0" style="stop-color:#fff;-inkscape-x:1"/>
  </linearGradient></defs>
  <path d="M1 1h2v2z" fill="url(#g)" style="stroke: red !important"/>
  <text x="1" font-family="'Geist', sans-serif">A &amp; B &#60; C</text>
</svg>"""
    )
    assert (width, height) == (40, 20)
    assert written.decode() == (
        f'<svg xmlns="{NAMESPACE}" viewBox="0 0 40 20">'
        '<defs><linearGradient id="g"><stop offset="0" stop-color="#fff"></stop></linearGradient>'
        '</defs><path d="M1 1h2v2z" fill="url(#g)" stroke="red"></path>'
        '<text x="1" font-family="\'Geist\', sans-serif">A &amp; B &lt; C</text></svg>'
    )
    ElementTree.fromstring(written)
    assert rewrite(written)[0] == written


MALICIOUS = {
    "script": svg("<script>alert(1)</script>"),
    "script in another namespace's prefix": svg(f'<a:script xmlns:a="{NAMESPACE}">1</a:script>'),
    "event handler": svg('<path d="M0 0" onclick="alert(1)"/>'),
    "event handler, odd case": svg('<path OnLoad="alert(1)"/>'),
    "event handler of the root": svg("").replace(b"viewBox", b"onload='x()' viewBox"),
    "foreign object": svg('<foreignObject><body xmlns="urn:x"/></foreignObject>'),
    "link": svg('<a href="javascript:alert(1)"><path/></a>'),
    "image": svg('<image href="https://evil.example/pixel.png"/>'),
    "data image": svg('<image href="data:image/svg+xml;base64,PHN2Zz4="/>'),
    "use of another file": svg('<use xlink:href="https://evil.example/x.svg#a"/>'),
    "use of itself": svg('<g id="a"><use href="#a"/></g>'),
    "gradient from elsewhere": svg('<linearGradient xlink:href="https://evil.example/#g"/>'),
    "gradient from a scheme": svg('<linearGradient href="javascript:alert(1)"/>'),
    "animation": svg('<path><animate attributeName="href" to="javascript:alert(1)"/></path>'),
    "set": svg('<set attributeName="onmouseover" to="alert(1)"/>'),
    "style element": svg("<style>@import 'https://evil.example/x.css';</style>"),
    "style with a reference": svg('<path style="fill:url(https://evil.example/#x)"/>'),
    "style with another property": svg('<path style="background:url(https://evil.example/x)"/>'),
    "style with an escape": svg(r'<path style="fill:u\72l(https://evil.example/#x)"/>'),
    "paint from elsewhere": svg('<path fill="url(//evil.example/x#y)"/>'),
    "filter": svg('<filter id="f"><feImage href="https://evil.example"/></filter>'),
    "handler element": svg('<handler type="application/ecmascript">alert(1)</handler>'),
    "embedded page": svg('<iframe src="https://evil.example"/>'),
    "entity": svg("&x;", '<!DOCTYPE svg [<!ENTITY x "y">]>'),
    "external entity": svg("&x;", '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    "parameter entity": svg("", '<!DOCTYPE svg [<!ENTITY % x SYSTEM "http://127.0.0.1/"> %x;]>'),
    "skipped entity": svg("<text>&x;</text>", '<!DOCTYPE svg SYSTEM "http://127.0.0.1/x.dtd">'),
    "billion laughs": svg(
        "<text>&c;</text>",
        '<!DOCTYPE svg [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>',
    ),
    "default attribute": svg(
        "<path/>", '<!DOCTYPE svg [<!ATTLIST path onload CDATA "alert(1)">]>'
    ),
    "mask in a mask": svg('<mask id="a"><path mask="url(#b)"/></mask>'),
    "too many elements": svg("<g/>" * (MAX_ELEMENTS + 1)),
    "too deep": svg("<g>" * 40 + "</g>" * 40),
    "too deep where it is left out": svg("<metadata>" * 40 + "</metadata>" * 40),
    "no size": f'<svg xmlns="{NAMESPACE}" width="100%"/>'.encode(),
    "no area": f'<svg xmlns="{NAMESPACE}" viewBox="0 0 0 9"/>'.encode(),
    "page": b"<html><body><script>alert(1)</script></body></html>",
    "no namespace": b'<svg viewBox="0 0 1 1"/>',
    "not well-formed": svg("<g>"),
    "two roots": svg("") + svg("<script/>"),
    "text": b"hello",
    "nothing": b"",
    "png": b"\x89PNG\r\n\x1a\n\0\0",
    "bytes of another encoding": OPEN.encode("utf-7") + b"+ADw-script+AD4-",
}  # fmt: skip


@pytest.mark.parametrize("name", MALICIOUS)
def test_malicious_and_damaged_svg_files_get_a_clear_error(name: str) -> None:
    with pytest.raises(ValueError, match=r"^(The|This is not an) SVG file"):
        rewrite(MALICIOUS[name])


def test_svg_in_other_encodings_is_converted_to_utf_8() -> None:
    utf_16 = ('<?xml version="1.0" encoding="UTF-16"?>' + svg("<text>é</text>").decode()).encode(
        "utf-16"
    )
    assert "<text>é</text>" in rewrite(utf_16)[0].decode()
    with pytest.raises(ValueError, match="<script>"):
        rewrite(svg("<script/>").decode().encode("utf-16"))


def test_svg_text_outside_of_text_elements_is_removed() -> None:
    assert re.sub(r"<[^>]*>", "", rewrite(svg("x<g>y<![CDATA[<script>]]></g>"))[0].decode()) == ""
