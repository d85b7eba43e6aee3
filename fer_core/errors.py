"""Errors that a user can act on."""


class FerError(ValueError):
    """Something the user gave or lacks; the message is one sentence with what is possible.

    The command line prints the message without a traceback, the dashboard shows it in a box.
    """
