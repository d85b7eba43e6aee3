"""What can go wrong with a dataset; every message is one sentence for the user."""

from fer_core.errors import FerError


class DatasetError(FerError):
    """A dataset, or a source of one, that cannot be used as it is."""


class DatasetMissingError(DatasetError):
    """A dataset that has not been prepared on this computer."""


class SourceError(DatasetError):
    """A file or folder that `prepare` cannot read; the message names the file and the row."""


def not_utf8(name: str) -> SourceError:
    """The error for a table whose bytes are in another encoding, or no text at all."""
    return SourceError(f"{name} is not a text file in UTF-8; save it as CSV with the encoding UTF-8, and prepare that")


class ProtocolError(DatasetError):
    """A protocol that the dataset cannot serve."""
