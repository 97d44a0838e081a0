"""Broken constraints by name, so that callers can tell them apart without knowing the driver."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError


class ConstraintBroken(Exception):
    """A statement broke the named constraint; its transaction can only be rolled back."""

    def __init__(self, constraint: str) -> None:
        super().__init__(f"constraint {constraint} is broken")
        self.constraint = constraint


@contextmanager
def constraints_named() -> Iterator[None]:
    """Raise ConstraintBroken in place of the driver's integrity error."""
    try:
        yield
    except IntegrityError as error:
        diagnostics = getattr(error.orig, "diag", None)
        name = getattr(diagnostics, "constraint_name", None)
        if name is None:
            raise
        raise ConstraintBroken(name) from error
