"""What the clearing house refuses to do, as one tree; each error's text is for a person."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from ochp_chs.ochp.roles import Role
from ochp_chs.repository.constraints import ConstraintBroken


class DomainError(Exception):
    """Something that was asked for cannot be done, and the asker can act on it."""


class AuthenticationFailed(DomainError):
    """The caller is not who it says; never says why (PROTOCOL, "Who is calling")."""

    def __init__(self, reason: str = "wrong password") -> None:
        super().__init__("The user name or the password is wrong.")
        #: For the operator, never for the caller: "unknown user", "disabled user", ...
        self.reason = reason


class PartnerUnknown(DomainError):
    """No partner has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no partner named {name!r}.")


class PartnerNameTaken(DomainError):
    """Another partner has this name already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"A partner named {name!r} exists already.")


class PartnerNameInvalid(DomainError):
    """The name cannot be a user name."""


class PasswordInvalid(DomainError):
    """The password cannot be used; the text says why and never holds the password."""


class SettingInvalid(DomainError):
    """A partner's setting was given a value that it cannot have."""


class RoleMissing(DomainError):
    """A partner would be left without any role, or lacks the role that was named."""


class PartyIdInvalid(DomainError):
    """The text has not the form of a party ID."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is not a party ID: a country of two letters and three letters or digits"
            " are wanted, such as DE*ABC."
        )


class PartyIdTaken(DomainError):
    """In this role, the party ID speaks for another partner."""

    def __init__(self, party_id: str, role: Role, owner: str) -> None:
        super().__init__(
            f"The party ID {party_id} belongs to the partner {owner!r} in the role {role} already."
        )


class PartyIdUnknown(DomainError):
    """The partner does not have this party ID."""

    def __init__(self, party_id: str, name: str) -> None:
        super().__init__(f"The partner {name!r} does not have the party ID {party_id}.")


class NothingFlows(DomainError):
    """Between these two partners, what the connection should carry can never flow."""


class ConnectionUnknown(DomainError):
    """The two partners are not connected."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"The partners {first!r} and {second!r} are not connected.")


class TariffUnknown(DomainError):
    """Nobody is given a tariff of this ID, or it is no Tariff-ID at all."""

    def __init__(self, tariff_id: str) -> None:
        super().__init__(f"There is no tariff {tariff_id!r} that anybody is given.")


class RetentionBusy(DomainError):
    """Another process archives, prunes or erases."""

    def __init__(self) -> None:
        super().__init__(
            "Another process is archiving, pruning or erasing at this moment: try again when it"
            " has finished."
        )


#: What a broken constraint means to the person who broke it; what is not listed is a bug.
_BY_CONSTRAINT: Mapping[str, Callable[[str], DomainError]] = {
    "uq_partner_name": PartnerNameTaken,
    "ck_partner_reading": lambda _: SettingInvalid("A partner is read strict or tolerant."),
    "ck_partner_cdrs_per_answer_max": lambda _: SettingInvalid(
        "The largest number of CDRs per answer must be 1 or more."
    ),
    "ck_partner_party_party_id": PartyIdInvalid,
    "ck_roaming_connection_order": lambda name: NothingFlows(
        f"The partner {name!r} cannot be connected to itself."
    ),
}


@contextmanager
def constraints_explained(subject: str) -> Iterator[None]:
    """Turn a broken named constraint into its domain error about `subject` (a name or an ID)."""
    try:
        yield
    except ConstraintBroken as broken:
        error = _BY_CONSTRAINT.get(broken.constraint)
        if error is None:
            raise
        raise error(subject) from broken


class FrameRefused(DomainError):
    """The request is wrong, not one of its records: result `format` (PROTOCOL, "Results")."""
