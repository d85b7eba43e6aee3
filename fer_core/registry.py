"""A small registry: names to things, with errors that list the choices."""

import importlib
import pkgutil
from collections.abc import Callable
from difflib import get_close_matches
from typing import Generic, TypeVar

from fer_core.errors import FerError

T = TypeVar("T")


class UnknownNameError(FerError):
    """A name that is not registered; the message lists what is."""


class Registry(Generic[T]):
    """Named things of one kind.

    >>> steps = Registry("preprocessing step")
    >>> steps.register("raw")(lambda faces: faces)  # doctest: +ELLIPSIS
    <function ...>
    >>> steps.names()
    ['raw']
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> T:
        """Register `entry` as `name`; raises ValueError if the name is taken."""
        if name in self._entries:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._entries[name] = entry
        return entry

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator form of `add`."""

        def decorate(entry: T) -> T:
            """Register the entry and return it."""
            return self.add(name, entry)

        return decorate

    def get(self, name: str) -> T:
        """The entry called `name`; raises UnknownNameError with the choices."""
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownNameError(self._unknown(name)) from None

    def names(self) -> list[str]:
        """All registered names, sorted."""
        return sorted(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def _unknown(self, name: str) -> str:
        close = get_close_matches(name, self._entries, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        return f"unknown {self.kind} {name!r}{hint}; choose from {', '.join(self.names())}"


def import_submodules(package: str, path: list[str]) -> None:
    """Import every module of a package, so that one new file registers itself."""
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")
