"""The tables of the clearing house. Every constraint has a name; ids never leave the database."""

from ochp_chs.repository.tables.base import metadata
from ochp_chs.repository.tables.changes import change, change_id
from ochp_chs.repository.tables.messages import message, message_note
from ochp_chs.repository.tables.partners import (
    partner,
    partner_party,
    partner_role,
    roaming_connection,
)
from ochp_chs.repository.tables.tokens import token

__all__ = [
    "change",
    "change_id",
    "message",
    "message_note",
    "metadata",
    "partner",
    "partner_party",
    "partner_role",
    "roaming_connection",
    "token",
]
