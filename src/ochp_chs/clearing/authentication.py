"""Who is calling: user name and password to partner (PROTOCOL, "Who is calling")."""

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import structlog

from ochp_chs.clearing.errors import AuthenticationFailed
from ochp_chs.clearing.failures import FailureDelays
from ochp_chs.clearing.partners import is_partner_name
from ochp_chs.clearing.passwords import PASSWORD_CHARACTERS_MAX, Passwords, generated_password
from ochp_chs.repository.engine import Database
from ochp_chs.repository.partners import Partner, find_partner, set_password_hash

_log = structlog.get_logger(__name__)

_LOGGED_CHARACTERS_MAX = 64

#: Locks that those share who verify at the same time.
_CHECKS = 64

FindPartner = Callable[[str], Partner | None]


class Authenticator:
    """Authenticates every request of a process; to be shared by its threads.

    The partner is read from the database each time, so that what an operator changes counts at
    once. Only the verification of a password, which is slow on purpose, is remembered for
    `cache_seconds`: as a keyed digest, never as the password.
    """

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        delays: FailureDelays,
        *,
        cache_seconds: float = 300.0,
        cache_entries_max: int = 1024,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._delays = delays
        # Somebody has to be verified when nobody is there, or the time would tell.
        self._nobodys_hash = passwords.hashed(generated_password())
        self._verified = _VerifiedCredentials(cache_seconds, cache_entries_max, monotonic)

    def authenticate(
        self, username: str, password: str, address: str, find: FindPartner | None = None
    ) -> Partner:
        """Give the partner who calls; AuthenticationFailed, after a while, if it is none.

        `address` is the caller's, as far as the server can trust it; it is counted and logged.
        `find` reads the partner of a name, as it is now, where somebody asks more than that.
        """
        partner = self._find(username, find)
        if partner is None:
            reason = "unknown user"
        elif partner.disabled:
            reason = "disabled user"
        elif self._is_verified(partner, password):
            return partner
        else:
            reason = "wrong password"
        if partner is None or partner.disabled:
            # The same work as for a wrong password.
            self._passwords.verified(self._nobodys_hash, _bounded(password))
        self._refuse(username, address, reason, partner)
        raise AuthenticationFailed(reason)

    def _find(self, username: str, find: FindPartner | None) -> Partner | None:
        # A name that no partner can have is not asked for: the driver would refuse some of them.
        if not is_partner_name(username):
            return None
        # The connection is given back before anything slow is done.
        return find(username) if find is not None else find_partner(self._database, username)

    def _is_verified(self, partner: Partner, password: str) -> bool:
        if self._verified.holds(partner, password):
            return True
        # A partner's first requests often come together: one of them does the work for all.
        with self._verified.one_at_a_time(partner, password):
            return self._verified.holds(partner, password) or self._verify(partner, password)

    def _verify(self, partner: Partner, password: str) -> bool:
        if not self._passwords.verified(partner.password_hash, _bounded(password)):
            return False
        if self._passwords.is_outdated(partner.password_hash):
            self._renew_hash(partner, password)
        else:
            self._verified.remember(partner, password)
        return True

    def _renew_hash(self, partner: Partner, password: str) -> None:
        # Not remembered: the digest is made with the stored hash, which the next request reads.
        new = self._passwords.hashed(password)
        with self._database.begin() as connection:
            set_password_hash(connection, partner.id, new, instead_of=partner.password_hash)

    def _refuse(self, username: str, address: str, reason: str, partner: Partner | None) -> None:
        delay = self._delays.count(username, address)
        _log.warning(
            "log-in refused",
            # Of nobody whom we know it may be anything: people mistake the fields of a form.
            user=partner.name if partner is not None else None,
            address=loggable(address),
            reason=reason,
            user_failures=delay.user_failures,
            address_failures=delay.address_failures,
            delay_s=delay.seconds,
        )
        if not self._delays.hold_up(delay):
            _log.warning("log-in refused without delay: too many wait", address=loggable(address))


class _VerifiedCredentials:
    """Digests of credentials that were verified a short while ago, the oldest forgotten first."""

    def __init__(self, seconds: float, entries_max: int, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._entries_max = entries_max
        self._monotonic = monotonic
        # Known to this process alone: a digest that leaked could not be searched for a password.
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        #: Credentials share one only by chance.
        self._checks = [threading.Lock() for _ in range(_CHECKS)]
        #: digest -> when it ends, on the monotonic clock.
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def holds(self, partner: Partner, password: str) -> bool:
        digest = self._digest(partner, password)
        with self._lock:
            until = self._until.get(digest)
        return until is not None and self._monotonic() < until

    def one_at_a_time(self, partner: Partner, password: str) -> threading.Lock:
        """To be held while these credentials are verified."""
        return self._checks[self._digest(partner, password)[0] % len(self._checks)]

    def remember(self, partner: Partner, password: str) -> None:
        digest = self._digest(partner, password)
        with self._lock:
            self._until[digest] = self._monotonic() + self._seconds
            self._until.move_to_end(digest)
            if len(self._until) > self._entries_max:
                self._until.popitem(last=False)

    def _digest(self, partner: Partner, password: str) -> bytes:
        # The stored hash is part of it, so that a changed password ends what was remembered. The
        # lengths are, so that no part can pass for the start of the next.
        name, stored = partner.name, partner.password_hash
        parts = f"{len(name)},{len(stored)},{name}{stored}{password}"
        return hmac.digest(self._key, parts.encode("utf-8", "surrogatepass"), "sha256")


def _bounded(password: str) -> str:
    # No stored password is longer than the limit, so what is cut off is wrong all the same, and
    # the work that a stranger can cause stays bounded. One character more keeps it wrong.
    return password[: PASSWORD_CHARACTERS_MAX + 1]


def loggable(text: str) -> str:
    """Cut a stranger's text to 64 characters and put `?` for what would garble a log."""
    return "".join(c if c.isprintable() else "?" for c in text[:_LOGGED_CHARACTERS_MAX])
