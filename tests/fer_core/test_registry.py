import pytest

from fer_core.registry import Registry, UnknownNameError


@pytest.fixture
def fruits() -> Registry[int]:
    registry: Registry[int] = Registry("fruit")
    registry.add("pear", 2)
    registry.add("apple", 1)
    return registry


def test_names_are_sorted(fruits):
    assert fruits.names() == ["apple", "pear"]


def test_get_returns_what_was_registered(fruits):
    assert fruits.get("pear") == 2


def test_an_unknown_name_says_what_there_is_and_what_was_meant(fruits):
    with pytest.raises(
        UnknownNameError, match=r"unknown fruit 'peer' \(did you mean 'pear'\?\); choose from apple, pear"
    ):
        fruits.get("peer")


def test_a_duplicate_name_is_refused(fruits):
    with pytest.raises(ValueError, match="registered twice"):
        fruits.register("apple")(3)
