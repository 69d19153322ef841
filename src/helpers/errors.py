"""What all errors share that a user can mend."""


class UserError(ValueError):
    """What was wrong, where, and what is allowed, in a line or two: the command's whole answer."""
