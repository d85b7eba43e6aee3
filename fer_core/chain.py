"""Chains of named operations with arguments, such as `gcn(lam=5)+hist_eq`: one grammar, read and written.

    chain    = step { "+" step }
    step     = name [ "(" value { "," value } ")" ]
    value    = [ argument "=" ] number

An operation is a frozen dataclass whose fields, made with `argument`, are its arguments.
"""

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, cast

from fer_core.errors import FerError
from fer_core.registry import Registry

Number = int | float
OperationType = TypeVar("OperationType", bound="Operation")
Kind = TypeVar("Kind", bound="type[Operation]")

_PLUS_OUTSIDE_PARENTHESES = re.compile(r"\+(?![^()]*\))")
_STEP = re.compile(r"([A-Za-z_]\w*)\s*(?:\(([^()]*)\))?")
_INT = re.compile(r"[+-]?\d+")
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


class ChainError(FerError):
    """A chain that cannot be read, or an argument out of its range; the message says what is possible."""


@dataclass(frozen=True)
class Argument:
    """One argument of an operation: a whole or decimal number in `low..high`, or one of `choices`."""

    name: str
    kind: type[Number]
    default: Number
    low: Number
    high: Number
    choices: tuple[Number, ...]
    help: str

    def check(self, owner: str, value: Number) -> None:
        """Raise ChainError unless `value` is allowed; `owner` is the operation named in the message."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or (self.kind is int and not isinstance(value, int)):
            raise ChainError(f"{owner}: {self.name} must be {KINDS[self.kind]}, got {value!r}")
        if self.choices and value not in self.choices:
            choices = ", ".join(format_number(choice) for choice in self.choices)
            raise ChainError(f"{owner}: {self.name} must be one of {choices}, got {format_number(value)}")
        if not self.low <= value <= self.high:
            span = f"between {format_number(self.low)} and {format_number(self.high)}"
            raise ChainError(f"{owner}: {self.name} must be {span}, got {format_number(value)}")


KINDS: dict[type[Number], str] = {int: "a whole number", float: "a number"}


def argument(default: Number, help: str, *, low: Number = 0, high: Number = 0, choices: Sequence[Number] = ()) -> Any:
    """Field of an operation: give either the range `low..high` or the `choices`."""
    if choices:
        low, high = min(choices), max(choices)
    limits = {"low": low, "high": high, "choices": tuple(choices), "help": help}
    return dataclasses.field(default=default, metadata=limits)


@dataclass(frozen=True)
class Operation:
    """A named operation; `name` is given by the registry, `str` is its canonical text."""

    name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for each in self.arguments():
            each.check(self.name, getattr(self, each.name))

    @classmethod
    def arguments(cls) -> tuple[Argument, ...]:
        """The arguments, in the order in which they may be given without a name."""
        return tuple(
            Argument(name=f.name, kind=_kind(f), default=cast(Number, f.default), **f.metadata)
            for f in dataclasses.fields(cls)
        )

    @classmethod
    def summary(cls) -> str:
        """First line of the docstring."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    def __str__(self) -> str:
        values = [(each.name, getattr(self, each.name), each.default) for each in self.arguments()]
        changed = [f"{name}={format_number(value)}" for name, value, default in values if value != default]
        return f"{self.name}({','.join(changed)})" if changed else self.name


def _kind(field: "dataclasses.Field[Any]") -> type[Number]:
    if field.type is int:
        return int
    if field.type is float:
        return float
    raise TypeError(f"argument {field.name!r} must be annotated int or float, not {field.type!r}")


def registering(name: str, registry: Registry[Any]) -> Callable[[Kind], Kind]:
    """Decorator that registers an operation as `name`, the word that stands for it in a chain.

    Which kind of operation the registry takes is said by the type of the caller's own decorator.
    """

    def decorate(kind: Kind) -> Kind:
        """Give the class its name, register it and return it."""
        kind.name = name
        registry.add(name, kind)
        return kind

    return decorate


def parse_chain(text: str, registry: Registry[type[OperationType]]) -> tuple[OperationType, ...]:
    """The operations of `text` in their order; ChainError or UnknownNameError say what is possible."""
    return tuple(_parse_step(part.strip(), registry) for part in _PLUS_OUTSIDE_PARENTHESES.split(text))


def _parse_step(text: str, registry: Registry[type[OperationType]]) -> OperationType:
    if not text:
        raise ChainError(f"there is an empty {registry.kind}; choose from {', '.join(registry.names())}")
    match = _STEP.fullmatch(text)
    if match is None:
        raise ChainError(
            f"cannot read {registry.kind} {text!r}; write name, name(number) or name(argument=number), "
            f"with a name from {', '.join(registry.names())}"
        )
    kind = registry.get(match[1])
    values = [part.strip() for part in (match[2] or "").split(",")] if (match[2] or "").strip() else []
    return kind(**_parse_values(kind, values))


def _parse_values(kind: type[Operation], values: list[str]) -> dict[str, Number]:
    arguments = kind.arguments()
    given: dict[str, Number] = {}
    if values and not arguments:
        raise ChainError(f"{kind.name} takes no arguments, got {', '.join(values)!r}")
    if len(values) > len(arguments):
        raise ChainError(f"{kind.name} takes at most {len(arguments)} arguments ({_names(kind)}), got {len(values)}")
    for position, text in enumerate(values):
        key, equals, value = (part.strip() for part in text.rpartition("="))
        chosen = _find(kind, key) if equals else arguments[position]
        if not equals and any("=" in earlier for earlier in values[:position]):
            raise ChainError(f"{kind.name}: write {text!r} with its name, as it follows a named argument")
        if chosen.name in given:
            raise ChainError(f"{kind.name}: {chosen.name} is given twice")
        given[chosen.name] = _parse_number(kind.name, chosen, value)
    return given


def _find(kind: type[Operation], name: str) -> Argument:
    for each in kind.arguments():
        if each.name == name:
            return each
    raise ChainError(f"{kind.name} has no argument {name!r}; choose from {_names(kind)}")


def _names(kind: type[Operation]) -> str:
    return ", ".join(each.name for each in kind.arguments())


def _parse_number(owner: str, argument: Argument, text: str) -> Number:
    pattern = _INT if argument.kind is int else _FLOAT
    if not pattern.fullmatch(text):
        raise ChainError(f"{owner}: {argument.name} must be {KINDS[argument.kind]}, got {text!r}")
    return argument.kind(text)


def format_number(value: Number) -> str:
    """Shortest text that reads back as the same number: `10.0` is `10`."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)
