"""The one exception for what a user or a file got wrong."""


class InputError(ValueError):
    """A user's input cannot be used.

    The text is one clear sentence that names what came and what was expected. It carries no path of the
    machine beyond a file's own name, so it may be shown on a public page as it is.
    """
