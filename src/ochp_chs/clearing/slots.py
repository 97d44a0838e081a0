"""How many requests of one partner a node serves at once, over all of its processes.

A slot is a lock on one byte of a file that only these processes know, an "open file description"
lock of Linux: the kernel gives it back however its holder ends, so that no crash can lock a partner
out.
"""

import fcntl
import os
import struct
import threading
from types import TracebackType
from typing import Self

from ochp_chs.clearing.errors import DomainError

#: Bytes of one partner in the file: more than any setting allows.
_PARTNER_BYTES = 1 << 20

#: struct flock: type, whence, start, length, process (which must be 0 for these locks).
_FLOCK = "hhqqi"


class TooManyRequests(DomainError):
    """The partner has as many requests under way as it may have; the text says how many."""

    #: After which a client had better try again, in seconds.
    retry_after_s = 1


class Slot:
    """One request's slot; to be released once, whatever happened to the request."""

    def __init__(self, slots: "PartnerSlots", descriptor: int, position: int) -> None:
        self._slots = slots
        self._descriptor = descriptor
        self._position = position
        self._released = False

    def release(self) -> None:
        """Give it back; more than once does no harm."""
        if not self._released:
            self._released = True
            self._slots.give_back(self._descriptor, self._position)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.release()


class PartnerSlots:
    """Counts the requests under way; one for each process, shared by its threads.

    `file` is the descriptor of an empty file, the same for all processes that count together and
    open before they were forked; without one, this process counts alone.
    """

    def __init__(self, most: int, file: int | None = None) -> None:
        self._most = most
        self._file = os.memfd_create("ochp-chs-slots") if file is None else file
        self._lock = threading.Lock()
        #: Descriptors that hold no lock: each can hold one, apart from all others'.
        self._idle: list[int] = []

    def take(self, partner_id: int) -> Slot:
        """A slot of this partner; raises `TooManyRequests` if all are taken."""
        descriptor = self._descriptor()
        first = partner_id * _PARTNER_BYTES
        for position in range(first, first + self._most):
            if _locked(descriptor, position):
                return Slot(self, descriptor, position)
        with self._lock:
            self._idle.append(descriptor)
        raise TooManyRequests(
            f"There are {self._most} requests of yours under way already, as many as are served at"
            f" once here; nothing was changed. Send it again in {TooManyRequests.retry_after_s} s."
        )

    def give_back(self, descriptor: int, position: int) -> None:
        """Let go of a slot; see `Slot.release`."""
        _lock(descriptor, position, fcntl.F_UNLCK)
        with self._lock:
            self._idle.append(descriptor)

    def _descriptor(self) -> int:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        # Opened anew and not duplicated: locks of one open file do not exclude each other.
        return os.open(f"/proc/self/fd/{self._file}", os.O_RDWR | os.O_CLOEXEC)


def _locked(descriptor: int, position: int) -> bool:
    try:
        _lock(descriptor, position, fcntl.F_WRLCK)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _lock(descriptor: int, position: int, kind: int) -> None:
    flock = struct.pack(_FLOCK, kind, os.SEEK_SET, position, 1, 0)
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, flock)
