"""The reader of `yaml_text`.

The text is cut into lines once: for each, where its content starts and how deep it is indented. A
collection is read line by line at one depth; what may run over several lines (quoted text, flow
collections) is read character by character and hands back where it ended. A compact collection
(`- pip:`) is read by taking the dash off its line, which makes the rest a line of its own, indented
deeper.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Collections inside each other, at most: far beyond any file, far below Python's own limit.
MAX_DEPTH = 100

_INT = re.compile(r"[-+]?[0-9]+\Z")
_OTHER_INT = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_SPECIAL: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_BLANK = re.compile(r"[ \t]*(#.*)?\Z")
#: A plain key and its colon; a '#' after a blank begins a comment, so no key goes over it.
_KEY = re.compile(
    r"((?:[^\s#:]|:(?=\S)|(?<=\S)#)(?:[^\s#:]|:(?=\S)|(?<=\S)#|[ \t]+(?=[^\s#]))*)"
    r"[ \t]*:(?=[ \t]|\Z)"
)
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0",
    "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_HEX = {"x": 2, "u": 4, "U": 8}
_UNSUPPORTED = {"&": "an anchor", "*": "an alias", "!": "a tag", "@": "'@'", "`": "'`'", "%": "'%'"}


class YamlError(ValueError):
    """Text that is no YAML, or a kind of YAML that is not read here; names the line."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(f"line {line}: {problem}")
        self.problem = problem
        self.line = line


def resolve(text: str) -> Any:
    """Return what a plain scalar means: None, bool, int, float or the text itself."""
    if text in _SPECIAL:
        return _SPECIAL[text]
    if _INT.match(text):
        # Newer Pythons convert no more than 4,300 digits; what is this long is no number here.
        return int(text) if len(text) <= 1000 else text
    if _OTHER_INT.match(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.match(text):
        return float(text)
    return text


class Parser:
    """One reading of one text."""

    def __init__(self, text: str) -> None:
        self.text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.indents: list[int] = []
        position = 0
        for line in self.text.split("\n"):
            content = line.lstrip(" ")
            self.indents.append(len(line) - len(content))
            self.starts.append(position + len(line) - len(content))
            position += len(line)
            self.ends.append(position)
            position += 1
        self.at = 0
        self.depth = 0

    def document(self) -> Any:
        """Return the value of the whole text."""
        if self._next() and self._line().startswith("%"):
            raise self._error("a directive ('%...') is not read here")
        if self._next() and self.indents[self.at] == 0 and self._marks("---"):
            # What follows the marker on its line is a line of its own.
            self._take(3)
        value = self._block(0) if self._next() else None
        if self._next() and self._marks("..."):
            self.at += 1
        if self._next():
            if self._marks("---"):
                raise self._error("a second document ('---') is not read here")
            raise self._error(f"{self._line()[:40]!r} does not belong to what stands above it")
        return value

    # Lines.

    def _line(self) -> str:
        return self.text[self.starts[self.at] : self.ends[self.at]]

    def _next(self) -> bool:
        """Go to the next line that says something; False at the end."""
        while self.at < len(self.starts):
            line = self._line()
            if line[:1] == "\t" and line.strip():
                raise self._error("a tab cannot indent")
            if line.strip() and not line.startswith("#"):
                return True
            self.at += 1
        return False

    def _marks(self, marker: str) -> bool:
        line = self._line()
        return (
            self.indents[self.at] == 0
            and line.startswith(marker)
            and line[len(marker) : len(marker) + 1] in ("", " ", "\t")
        )

    def _take(self, count: int) -> None:
        """Take `count` characters and the blanks behind them off the present line."""
        line = self._line()
        rest = line[count:].lstrip(" \t")
        self.indents[self.at] += len(line) - len(rest)
        self.starts[self.at] = self.ends[self.at] - len(rest)

    def _error(self, problem: str, line: int | None = None) -> YamlError:
        return YamlError(problem, (self.at if line is None else line) + 1)

    def _enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} collections inside each other")

    # Blocks.

    def _block(self, least: int) -> Any:
        """Return the value that starts at the present line, None if that is left of `least`."""
        indent = self.indents[self.at]
        if indent < least:
            return None
        self._enter()
        line = self._line()
        if line == "-" or line.startswith(("- ", "-\t")):
            value = self._sequence(indent)
        elif self._key() is not None:
            value = self._mapping(indent)
        else:
            value = self._value(least - 1)
        self.depth -= 1
        return value

    def _sequence(self, indent: int) -> list[Any]:
        values: list[Any] = []
        while self._next() and self.indents[self.at] == indent and not self._ends():
            line = self._line()
            if not (line == "-" or line.startswith(("- ", "-\t"))):
                break
            self._take(1)
            if _BLANK.match(self._line()):
                self.at += 1
                more = self._next() and self.indents[self.at] > indent
                values.append(self._block(indent + 1) if more else None)
            elif self._line()[0] in "|>":
                values.append(self._literal(indent))
            else:
                values.append(self._block(indent + 1))
        return values

    def _mapping(self, indent: int) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        while self._next() and self.indents[self.at] == indent and not self._ends():
            found = self._key()
            if found is None:
                line = self._line()
                if line == "-" or line.startswith("- "):
                    break
                raise self._error(f"{line[:40]!r} is no 'key: value'")
            key, length = found
            if key in values:
                raise self._error(f"the key {key!r} is there twice")
            self._take(length)
            values[key] = self._of_key(indent)
        return values

    def _ends(self) -> bool:
        return self._marks("---") or self._marks("...")

    def _of_key(self, indent: int) -> Any:
        line = self._line()
        if _BLANK.match(line):
            self.at += 1
            if not self._next() or self._ends():
                return None
            below = self.indents[self.at]
            if below > indent:
                return self._block(indent + 1)
            if below == indent and (self._line() == "-" or self._line().startswith("- ")):
                self._enter()
                value = self._sequence(indent)
                self.depth -= 1
                return value
            return None
        if line[0] in "|>":
            return self._literal(indent)
        if line == "-" or line.startswith("- "):
            raise self._error("a sequence cannot start on its key's line")
        return self._value(indent)

    def _key(self) -> tuple[Any, int] | None:
        """Return the key at the start of the present line and where its value starts."""
        line = self._line()
        if line[:1] in ("'", '"'):
            start = self.starts[self.at]
            try:
                text, end = self._quoted(start)
            except YamlError:
                return None
            rest = self.text[end : self.ends[self.at]] if end <= self.ends[self.at] else ""
            colon = len(rest) - len(rest.lstrip(" \t"))
            if rest[colon : colon + 1] != ":" or rest[colon + 1 : colon + 2] not in ("", " ", "\t"):
                return None
            return text, end - start + colon + 1
        if line[:1] in "?" and line[1:2] in ("", " "):
            raise self._error("a key of its own ('? ...') is not read here")
        if line[:1] in "[{#|>@`%,]}&*!":
            return None
        found = _KEY.match(line)
        if found is None:
            return None
        name = found.group(1).rstrip()
        key = resolve(name)
        return (name if isinstance(key, float) and key != key else key), found.end()

    # Values.

    def _value(self, indent: int) -> Any:
        """Return the scalar or flow collection at the present line, within what `indent` holds."""
        line = self._line()
        if line[0] in _UNSUPPORTED:
            raise self._error(f"{_UNSUPPORTED[line[0]]} is not read here")
        if line[0] in "'\"":
            value, end = self._quoted(self.starts[self.at])
        elif line[0] in "[{":
            value, end = self._flow(self.starts[self.at])
        elif line[0] in "|>":
            return self._literal(indent)
        else:
            return self._plain(indent)
        while self.at < len(self.ends) - 1 and self.ends[self.at] < end:
            self.at += 1
        rest = self.text[end : self.ends[self.at]]
        if not _BLANK.match(rest) or rest[:1] == "#":
            raise self._error(f"{rest.strip()[:40]!r} follows the value")
        self.at += 1
        return value

    def _plain(self, indent: int) -> Any:
        first = self._uncommented(self._line())
        if first[:1] in ("]", "}", ",") or first.startswith("? ") or first == "?":
            raise self._error(f"a value cannot start with {first[0]!r}")
        if re.search(r":(?=[ \t]|\Z)", first):
            raise self._error("a second ': ' on one line; text with ': ' in it must be quoted")
        pieces = [first]
        commented = first != self._line().rstrip()
        self.at += 1
        while not commented and self._more(indent):
            whole = self._line().rstrip()
            line = self._uncommented(whole)
            if whole and self._key() is not None:
                raise self._error(f"{whole[:40]!r} is indented under a value")
            commented = line != whole
            pieces.append(line)
            self.at += 1
        text = _folded(pieces)
        return resolve(text) if len(pieces) == 1 or text == first else text

    def _more(self, indent: int) -> bool:
        """Say whether the present line goes on with a plain scalar that `indent` holds."""
        at = self.at
        while at < len(self.starts) and self.starts[at] == self.ends[at]:
            at += 1
        if at == len(self.starts) or self.indents[at] <= indent:
            return False
        marked = self.text[self.starts[at] : self.ends[at]]
        return not marked.startswith("#") and not (
            self.indents[at] == 0 and re.match(r"(---|\.\.\.)(\s|\Z)", marked)
        )

    @staticmethod
    def _uncommented(line: str) -> str:
        found = re.search(r"[ \t]#", line)
        return (line[: found.start()] if found else line).rstrip()

    def _literal(self, indent: int) -> str:
        """Return a block scalar, whose header is the present line."""
        header = re.match(r"([|>])([-+]?)([1-9]?)([-+]?)[ \t]*(?:[ \t]#.*)?\Z", self._line())
        if header is None:
            raise self._error(f"{self._line()[:40]!r} is no header of a block of text")
        folded, chomp = header.group(1) == ">", header.group(2) or header.group(4)
        self.at += 1
        margin = indent + int(header.group(3)) if header.group(3) else -1
        if margin >= 0 and indent < 0:
            margin = int(header.group(3))
        lines: list[str] = []
        while self.at < len(self.starts):
            start = self.starts[self.at] - self.indents[self.at]
            line = self.text[start : self.ends[self.at]]
            if line.strip(" "):
                depth = self.indents[self.at]
                if margin < 0:
                    if depth <= indent:
                        break
                    margin = depth
                if depth < margin or (depth == 0 and self._ends()):
                    break
            lines.append(line[max(margin, 0) :] if line.strip(" ") or margin >= 0 else "")
            self.at += 1
        kept = len(lines)
        while kept and not lines[kept - 1].strip(" "):
            kept -= 1
        tail = len(lines) - kept
        body = _folded_block(lines[:kept]) if folded else "\n".join(lines[:kept])
        if chomp == "-" or not (kept or chomp == "+"):
            return body
        if self.at == len(self.starts):
            # The last line of the text has no newline of its own (after one, the split shows an
            # empty line).
            tail -= 1
        if tail < 0:
            return body
        return body + "\n" * (1 if kept else 0) + "\n" * (tail if chomp == "+" else 0)

    # Characters.

    def _where(self, position: int) -> int:
        return self.text.count("\n", 0, position)

    def _quoted(self, position: int) -> tuple[str, int]:
        """Return the quoted text at `position` and where it ends."""
        quote = self.text[position]
        start = position + 1
        position = start
        while True:
            position = self.text.find(quote, position)
            if position < 0:
                raise self._error("the quoted text does not end", self._where(start))
            if quote == "'":
                if self.text[position + 1 : position + 2] != "'":
                    break
                position += 2
                continue
            slashes = position
            while slashes > start and self.text[slashes - 1] == "\\":
                slashes -= 1
            if (position - slashes) % 2 == 0:
                break
            position += 1
        inside = self.text[start:position]
        if quote == "'":
            return _folded(inside.split("\n"), quoted=True).replace("''", "'"), position + 1
        return self._unescaped(inside, start), position + 1

    def _unescaped(self, inside: str, start: int) -> str:
        # A line that ends in an odd backslash goes on without a blank.
        joined = re.sub(r"(?<!\\)((?:\\\\)*)\\\n[ \t]*", r"\1\0", inside)
        if "\0" in inside:
            raise self._error("a NUL character", self._where(start))
        pieces = _folded(joined.split("\n"), quoted=True).replace("\0", "")
        result: list[str] = []
        position = 0
        while position < len(pieces):
            slash = pieces.find("\\", position)
            if slash < 0:
                break
            result.append(pieces[position:slash])
            kind = pieces[slash + 1 : slash + 2]
            position = slash + 2
            if kind in _ESCAPES:
                result.append(_ESCAPES[kind])
                continue
            digits = pieces[position : position + _HEX.get(kind, 0)]
            if kind not in _HEX or not re.match(rf"[0-9a-fA-F]{{{_HEX[kind]}}}\Z", digits):
                raise self._error(f"'\\{kind}' is no escape", self._where(start))
            if int(digits, 16) > 0x10FFFF:
                raise self._error(f"'\\{kind}{digits}' is no character", self._where(start))
            result.append(chr(int(digits, 16)))
            position += len(digits)
        return "".join(result) + pieces[position:]

    def _flow(self, position: int) -> tuple[Any, int]:
        """Return the flow collection at `position` and where it ends."""
        self._enter()
        close = "]" if self.text[position] == "[" else "}"
        items: list[Any] = []
        pairs: dict[Any, Any] = {}
        position = self._skip(position + 1)
        while self.text[position] != close:
            value, position = self._flow_value(position)
            position = self._skip(position)
            if self.text[position] == ":":
                position = self._skip(position + 1)
                inner: Any = None
                if self.text[position] not in ",]}":
                    inner, position = self._flow_value(position)
                    position = self._skip(position)
                if close == "]":
                    items.append({self._hashable(value, position): inner})
                else:
                    if value in pairs:
                        raise self._error(
                            f"the key {value!r} is there twice", self._where(position)
                        )
                    pairs[self._hashable(value, position)] = inner
            elif close == "}":
                pairs[self._hashable(value, position)] = None
            else:
                items.append(value)
            if self.text[position] == ",":
                position = self._skip(position + 1)
            elif self.text[position] != close:
                raise self._error(f"',' or '{close}' is missing", self._where(position))
        self.depth -= 1
        return (items if close == "]" else pairs), position + 1

    def _hashable(self, key: Any, position: int) -> Any:
        if isinstance(key, (list, dict)):
            raise self._error("a collection as a key is not read here", self._where(position))
        return key

    def _skip(self, position: int) -> int:
        """Return the next position that is no blank, no newline and no comment."""
        while position < len(self.text):
            char = self.text[position]
            if char == "#" and self.text[position - 1] in " \t\n":
                position = self.text.find("\n", position)
                if position < 0:
                    break
            elif char not in " \t\n":
                return position
            position += 1
        raise self._error("a '[' or '{' is not closed", len(self.starts) - 1)

    def _flow_value(self, position: int) -> tuple[Any, int]:
        char = self.text[position]
        if char in "[{":
            return self._flow(position)
        if char in "'\"":
            return self._quoted(position)
        if char in _UNSUPPORTED:
            raise self._error(f"{_UNSUPPORTED[char]} is not read here", self._where(position))
        if char in "|>":
            raise self._error(f"{char!r} inside brackets must be quoted", self._where(position))
        if char in "?-" and self.text[position + 1 : position + 2] in ("", " ", "\t", "\n"):
            raise self._error(f"'{char} ' inside brackets is not read here", self._where(position))
        end = position
        while end < len(self.text):
            char = self.text[end]
            if char in ",[]{}" or (char == "#" and self.text[end - 1] in " \t\n"):
                break
            if char == ":" and self.text[end + 1 : end + 2] in ("", " ", "\t", "\n", *",[]{}"):
                break
            end += 1
        text = _folded(self.text[position:end].strip().split("\n"))
        if not text:
            raise self._error(f"a value is missing before {char!r}", self._where(position))
        return resolve(text), end


def _folded(lines: list[str], *, quoted: bool = False) -> str:
    """Join the lines of one scalar: a line break is a blank, an empty line is a line break.

    quoted: blanks at the very start and end belong to the text.
    """
    if len(lines) == 1:
        return lines[0]
    pieces = [lines[0].rstrip(" \t") if quoted else lines[0].strip(" \t")]
    breaks = 0
    last = len(lines) - 1
    for position, line in enumerate(lines[1:], 1):
        ends = quoted and position == last
        text = line.lstrip(" \t") if ends else line.strip(" \t")
        if not text and not ends:
            breaks += 1
            continue
        pieces.append("\n" * breaks or " ")
        pieces.append(text)
        breaks = 0
    return "".join(pieces)


def _folded_block(lines: list[str]) -> str:
    """Join the lines of a '>' block: lines that are indented further keep their breaks."""
    result: list[str] = []
    previous: str | None = None
    breaks = 0
    for line in lines:
        if not line.strip(" "):
            breaks += 1
            continue
        if previous is None:
            result.append("\n" * breaks)
        elif line[0] in " \t" or previous[0] in " \t":
            result.append("\n" * (breaks + 1))
        else:
            result.append("\n" * breaks or " ")
        result.append(line)
        previous, breaks = line, 0
    return "".join(result)
