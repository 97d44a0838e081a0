"""Why the server or its PostgreSQL cannot run; the text is one line for the operator."""


class ServingError(Exception):
    """The server cannot run."""


class AddressError(ServingError):
    """The server cannot listen where it was told to."""


class EmbeddedPostgresError(ServingError):
    """The embedded PostgreSQL cannot be had."""
