"""Who is at the keyboard, for the record of what a person accepted."""

from __future__ import annotations

import getpass
import os


def this_person() -> str:
    """The user name; "user 1001" where the machine knows none, as in a container under a number of its own."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"
