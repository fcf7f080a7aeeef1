"""The one kind of error that a user is meant to read."""


class WsssError(Exception):
    """Something the user can put right: what happened (naming the file or key), then what to do.

    The app prints it as one message without a traceback and exits with code 2.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what}\n  {remedy}" if remedy else what)
        self.what = what
        self.remedy = remedy
