"""The comparison a user would make: qga beside what is used today, in one run."""


class BenchError(Exception):
    """A command under measurement failed, so its time means nothing."""
