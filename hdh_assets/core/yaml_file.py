"""A YAML file as a model: every error at once, as `file:line: field: problem`.

What the files say is in the models; this knows none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from hdh_assets.core.errors import HubError
from hdh_assets.core.problems import Location, ProblemsError

Model = TypeVar("Model", bound=BaseModel)

_MAPPING, _LIST = "a mapping is expected", "a list is expected"
_EXPECTED = {
    "model_type": _MAPPING,
    "dict_type": _MAPPING,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "string_type": "a text is expected",
}
"""What pydantic says with names of our classes, or of Python's."""
_OF_A_KEY = "[key]"
"""What pydantic adds to the way to a key of a mapping."""
_DEEPEST, _SHOWN = 100, 60
_LARGEST = 4 << 20
_MOST_REPEATED = 100_000
_BRACKETS = re.compile(rb"[\[\]{}]")
_DASHES = re.compile(rb"(?:[-?:][ \t]+){%d}" % _DEEPEST)
_NOT_OF_JSON = {f"tag:yaml.org,2002:{kind}" for kind in ("binary", "set", "omap", "pairs")}
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc]
    """A safe loader that refuses what YAML forbids and PyYAML lets through, and tells where a value makes no sense.

    The same key twice in one mapping; a day that no calendar has. Numbers and truth values are those of YAML 1.2: codes
    as `0126`, `1:30` and `no` are texts.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag in _NOT_OF_JSON:
            problem = f"!!{node.tag.rpartition(':')[2]} is nothing that these files say"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError):
            kind = "day" if node.tag.endswith(":timestamp") else node.tag.rpartition(":")[2]
            problem = f"{str(node.value)[:_SHOWN]} is no {kind}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    problem = f"the key {key.value!r} is there twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add(key.value)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


_DIGITS = r"(0|[1-9][0-9]*)"
_PLAIN = {
    "bool": ("true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (f"[-+]?{_DIGITS}", "-+0123456789"),
    "float": (
        rf"[-+]?({_DIGITS}\.[0-9]*|\.[0-9]+|{_DIGITS}(?=[eE]))([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "null": ("~|null|Null|NULL|", ("~", "n", "N", "")),
    "timestamp": ("[0-9]{4}-[0-9]{2}-[0-9]{2}", "0123456789"),
    "merge": ("<<", "<"),
}
"""What a text without quotes is: its form, and what it may begin with."""
for _kind, (_form, _starts) in _PLAIN.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"({_form})\Z"), list(_starts))


def _is_too_deep(content: bytes) -> bool:
    """Whether brackets within brackets, or dash after dash, would end the parser and the process with it."""
    depth = 0
    for mark in _BRACKETS.findall(content):
        depth += 1 if mark in b"[{" else -1
        if depth > _DEEPEST:
            return True
    return _DASHES.search(content) is not None


def _check_aliases(text: str) -> None:
    """Raise where aliases, merged (<<) or not, stand for more than anybody writes: those of aliases multiply.

    Ten lines are thousands of millions of values to whoever walks through them.
    """
    sizes: dict[str | None, int] = {}
    opened: list[tuple[str | None, int]] = []
    met = repeated = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, met))
            met += 1
            sizes[event.anchor] = _MOST_REPEATED + 1  # within itself it would have no end
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            sizes[anchor] = met - before
        elif isinstance(event, yaml.ScalarEvent):
            met += 1
            sizes[event.anchor] = 1
        elif isinstance(event, yaml.AliasEvent):
            met += sizes.get(event.anchor, 0)
            repeated += sizes.get(event.anchor, 0)
            if repeated > _MOST_REPEATED:
                mark: Any = event.start_mark
                problem = f"aliases (*) of more than {_MOST_REPEATED} values"
                raise yaml.composer.ComposerError(None, None, problem, mark)


@dataclass(frozen=True)
class YamlFile:
    """A file by its name and what it held when it was read: once, since it may be a pipe.

    What is wrong with it is raised as `error`, with `remedy`.
    """

    path: Path
    content: bytes
    error: type[HubError]
    remedy: str | None = None

    @classmethod
    def read(cls, path: Path, error: type[HubError], *, remedy: str | None = None) -> Self:
        """The file as it is now. Raises `error` when it cannot be read or is too large to have been written by hand."""
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST + 1)
        except OSError as found:
            why = "is a folder" if path.is_dir() else f"cannot be read ({found.strerror})"
            raise error(f"{path}:1: file: {why}", remedy="name a file that can be read") from None
        if len(content) > _LARGEST:
            raise error(f"{path}:1: file: larger than {_LARGEST >> 20} MiB", remedy=remedy)
        return cls(path, content, error, remedy)

    def mapping(self) -> dict[str, Any]:
        """What the file says, not yet validated. Raises `error` when it is not YAML in UTF-8, or no mapping."""
        if _is_too_deep(self.content):
            raise self._wrong(f"{self.path}:1: yaml: lists or mappings more than {_DEEPEST} deep")
        try:
            text = self.content.decode("utf-8")
            if "*" in text:
                _check_aliases(text)
            said = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
        except UnicodeDecodeError:
            raise self._wrong(f"{self.path}:1: file: not in UTF-8") from None
        except yaml.YAMLError as found:
            mark = getattr(found, "problem_mark", None)
            problem = getattr(found, "problem", None) or "not valid YAML"
            raise self._wrong(f"{self.path}:{mark.line + 1 if mark else 1}: yaml: {problem}") from None
        if not isinstance(said, dict):
            raise self._wrong(f"{self.path}:1: file: {_MAPPING}")
        return said

    def validated(self, said: dict[str, Any], model: type[Model]) -> Model:
        """What the file says as `model`. Raises `error` listing every problem with its line."""
        try:
            return model.model_validate(said)
        except ValidationError as found:
            told = found.errors()
            within = {e["loc"][:length] for e in told for length in range(len(e["loc"]))}
            # a list none of whose members is right is called too short, too
            errors = [e for e in told if e["type"] != "too_short" or e["loc"] not in within]
            problems = [problem for error in errors for problem in _problems(error, model)]
            raise self._wrong(self.located(problems)) from None

    def located(self, problems: Iterable[tuple[Location, str]]) -> str:
        """Each (field, problem) as a line `file:line: field: problem`."""
        root = yaml.compose(self.content.decode("utf-8"), Loader=_Loader)
        fields = [(".".join(map(str, location)) or "file", location, message) for location, message in problems]
        return "\n".join(f"{self.path}:{line_of(root, place)}: {field}: {message}" for field, place, message in fields)

    def _wrong(self, message: str) -> HubError:
        return self.error(message, remedy=self.remedy)


def read_model(path: Path, model: type[Model], error: type[HubError], *, remedy: str | None = None) -> Model:
    """The file as `model`. Raises `error` listing every problem of the file with its line."""
    file = YamlFile.read(path, error, remedy=remedy)
    return file.validated(file.mapping(), model)


def _problems(error: Any, model: type[BaseModel]) -> Iterator[tuple[Location, str]]:
    """What pydantic says of one value of a `model`, in words of who wrote it; a rule across fields may say several."""
    place = tuple(part for part in error["loc"] if part != _OF_A_KEY)
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, ProblemsError):
        yield from ((place + within, message) for within, message in cause.told)
    elif error["type"] == "extra_forbidden":
        near = sorted(_keys_at(model, place[:-1]), key=lambda key: -_likeness(key, str(place[-1])))
        yield place, f"unknown key; those known here, nearest first: {', '.join(near)}"
    elif error["type"] == "string_type" and isinstance(error["input"], bool | int | float | date):
        yield place, "a text is expected: put it in quotes"
    else:
        yield place, _EXPECTED.get(error["type"]) or error["msg"].removeprefix("Value error, ")


def _keys_at(model: type[BaseModel], location: Location) -> list[str]:
    """Every key that the part of a `model` at the location takes."""
    for part in location:
        if part in model.model_fields:
            model = _model_in(model.model_fields[str(part)].annotation) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, alone or in a collection."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_in(each))), None)


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.lower(), other.lower()).ratio()


def line_of(node: yaml.Node | None, location: Location) -> int:
    """Line of the deepest node on the way to `location`."""
    line = 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            # a name may have been read in lower case
            like = [(k, v) for k, v in node.value if str(k.value).lower() == str(part).lower()]
            pair = next((each for each in like if each[0].value == str(part)), like[0] if like else None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line
