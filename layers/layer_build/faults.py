"""What stops a build.

NotBuilt
├── WrongInput      the machine or the request lacks something: exit code 2
└── NotSound        what was downloaded or built is not what it should be: exit code 1
"""


class NotBuilt(Exception):
    """No layer was built. The text says what was wrong and how to mend it."""

    exit_code = 1


class WrongInput(NotBuilt):
    """A variable or a tool is missing, or has a value that makes no sense."""

    exit_code = 2


class NotSound(NotBuilt):
    """A file cannot be had, or is not the file that the lock names, or does not fit Lambda."""
