"""Pages as a browser takes them apart: elements, attributes, words, files they need."""

import html.parser
import pathlib
import re
import urllib.parse


class Parsed(html.parser.HTMLParser):
    """The elements of a page, their attributes, and its words."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.pre: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "pre":
            self.pre.append("")
            self._inside = True

    def handle_endtag(self, tag):
        self._inside = self._inside and tag != "pre"

    def handle_data(self, data):
        self.words.append(data)
        if self._inside:
            self.pre[-1] += data

    def all(self, tag: str) -> list[dict]:
        return [attrs for name, attrs in self.tags if name == tag]

    def addresses(self) -> list[str]:
        """Returns what elements refer to: other pages, pictures, places of this one."""
        found = [attrs.get(word) for _, attrs in self.tags for word in ("src", "href")]
        return [address for address in found if address]


def whole(path: pathlib.Path) -> Parsed:
    """Returns a page, once it is seen that all that it refers to is beside it, or in it."""
    found = Parsed(path.read_text("utf-8"))
    ids = {attrs["id"] for _, attrs in found.tags if "id" in attrs}
    for address in found.addresses():
        if address.startswith("#"):
            assert address[1:] in ids, address
        elif not address.startswith("data:"):
            assert not re.match(r"[a-z]+:|//", address), address
            assert (path.parent / urllib.parse.unquote(address)).is_file(), address
    return found
