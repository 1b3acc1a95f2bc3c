"""The one exception for what a user or a file got wrong."""


class InputError(ValueError):
    """A user's input cannot be used.

    The text is one clear sentence that names what came and what was expected. Where it comes from reading a user's
    files (`cvae.inputs` and what builds on it), it names a file without its folder, so that a public page may show it.
    What a command line was given, such as a checkpoint's folder, is named in full.
    """
