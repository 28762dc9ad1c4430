"""Reading the YAML pages that people write: contracts and policies.

Here: bytes -> plain values and a node tree with line numbers, within bounds, refusing what YAML would silently guess.
Not here: what a page may say (contracts/model, policies/model).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 1_000_000
MAX_VALUES = 100_000
"""Values of a page with its aliases written out: a few lines of nested aliases can stand for billions."""
MAX_DEPTH = 40
"""Levels of a page; the YAML library builds its tree by recursion and kills the process at some ten thousand."""


class PageError(Exception):
    """A page cannot be read; the message names page, line, and what to write instead."""


MAX_DIGITS = 300


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML without base-60 numbers: 16:00 is a time of day, not 960."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """As the library does it; a value that is not what its shape or tag says is told with its line."""
        try:
            return super().construct_object(node, deep)
        except yaml.YAMLError:
            raise
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            kind, text = node.tag.rpartition(":")[2], str(node.value)[:40]
            raise yaml.constructor.ConstructorError(
                None, None, f"'{text}' is no {kind}; quote it if it is a text", node.start_mark
            ) from error


_CONFLICT = re.compile(r"(<{7}|>{7}) ")
_CLOCK = ("tag:yaml.org,2002:str", re.compile(r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$"))
_Loader.yaml_implicit_resolvers = {
    first: [_CLOCK, *shapes] for first, shapes in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_page(path: Path) -> dict[str, Any]:
    """The page's mapping. Raises PageError when it is too large, not YAML, no mapping, or states a key twice."""
    text = _text(path)
    try:
        _check_depth(path, text)
        loader = _Loader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise PageError(f"{path.name}: holds no keys; start from a neighbouring page")
        _check(path, node)
        page: dict[str, Any] = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PageError(f"{path.name}{line}: not readable as YAML: {error.problem or error}") from error
    except yaml.reader.ReaderError as error:
        at = text.encode()[: error.position].count(b"\n") + 1
        raise PageError(f"{path.name}, line {at}: holds a control character, or half of one; delete it") from error
    except (yaml.YAMLError, ValueError) as error:
        raise PageError(f"{path.name}: not readable as YAML: {error}") from error
    return page


def line_of(path: Path, place: Iterable[str | int]) -> tuple[int, int]:
    """The line of the deepest part of `place` that the page states, and how many steps of it that is."""
    node = yaml.compose(_text(path), Loader=_Loader)
    line, depth = 1, 0
    for step in place:
        found: tuple[Any, int] | None = None
        if isinstance(node, yaml.MappingNode):
            found = next(((v, k.start_mark.line) for k, v in node.value if k.value == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = (node.value[step], node.value[step].start_mark.line)
        if found is None:
            break
        node, line, depth = found[0], found[1] + 1, depth + 1
    return line, depth


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise PageError(f"{path.name}: is no file that can be read; put the page itself there")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PageError(f"{path.name}: cannot be read ({error.strerror}); allow reading it") from error
    if len(data) > MAX_BYTES:
        raise PageError(f"{path.name}: larger than {MAX_BYTES:,} bytes; a page is something people read")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise PageError(f"{path.name}: not readable as UTF-8 text: {error}; save it as UTF-8") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if _CONFLICT.match(line):
            raise PageError(
                f"{path.name}, line {number}: two versions were merged and nobody chose; keep one and delete the marks"
            )
    return text


def _check_depth(path: Path, text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise PageError(f"{path.name}: nested more than {MAX_DEPTH} levels deep; a page is something people read")


def _check(path: Path, top: yaml.Node) -> None:
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in sizes:
            return sizes[id(node)]
        if id(node) in open_nodes:
            raise PageError(f"{path.name}, line {node.start_mark.line + 1}: an alias contains itself; write it out")
        open_nodes.add(id(node))
        inside: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            _check_keys(path, node)
            inside = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            inside = node.value
        elif node.tag == "tag:yaml.org,2002:int" and len(node.value) > MAX_DIGITS:
            raise PageError(f"{path.name}, line {node.start_mark.line + 1}: a number of {len(node.value):,} digits")
        total = 1 + sum(size(part) for part in inside)
        if total > MAX_VALUES:
            line = node.start_mark.line + 1
            raise PageError(
                f"{path.name}, line {line}: stands for more than {MAX_VALUES:,} values; write fewer aliases"
            )
        open_nodes.discard(id(node))
        sizes[id(node)] = total
        return total

    size(top)


def _check_keys(path: Path, node: yaml.MappingNode) -> None:
    first: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if key.tag == "tag:yaml.org,2002:merge":
            continue
        if not isinstance(key, yaml.ScalarNode):
            raise PageError(f"{path.name}, line {line}: a key must be a word")
        if key.value in first:
            earlier = first[key.value]
            raise PageError(f"{path.name}, line {line}: '{key.value}' stands here and in line {earlier}; keep one")
        first[key.value] = line
