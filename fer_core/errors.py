"""Errors that a user can act on."""

import errno


class FerError(ValueError):
    """Something the user gave or lacks; the message is one sentence with what is possible.

    The command line prints the message without a traceback, the dashboard shows it in a box.
    """


def is_full_disk(error: BaseException) -> bool:
    """Whether writing failed for want of room."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
