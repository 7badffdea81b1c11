"""Logos come from elsewhere: each is rebuilt from parts that are known to be harmless, or left out with a reason."""


class Unusable(Exception):
    """The logo cannot be embedded. The message is the reason, to follow "left out:"; it repeats a tag at most."""
