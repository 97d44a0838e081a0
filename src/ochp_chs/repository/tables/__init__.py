"""The tables of the clearing house. Every constraint has a name; ids never leave the database."""

from ochp_chs.repository.tables.base import metadata
from ochp_chs.repository.tables.cdrs import (
    cdr,
    cdr_step,
    cdr_version,
    cdr_warning,
    rule_override,
)
from ochp_chs.repository.tables.changes import change, change_id
from ochp_chs.repository.tables.charge_points import charge_point
from ochp_chs.repository.tables.endpoints import endpoint_token, service_endpoint
from ochp_chs.repository.tables.live_status import live_status
from ochp_chs.repository.tables.messages import message, message_note
from ochp_chs.repository.tables.partners import (
    partner,
    partner_party,
    partner_role,
    roaming_connection,
)
from ochp_chs.repository.tables.polls import poll
from ochp_chs.repository.tables.retention import (
    archive_file,
    cdr_digest,
    erasure_cdr,
    erasure_token,
    privacy_action,
    retention_run,
)
from ochp_chs.repository.tables.tariffs import tariff
from ochp_chs.repository.tables.tokens import token

__all__ = [
    "archive_file",
    "cdr",
    "cdr_digest",
    "cdr_step",
    "cdr_version",
    "cdr_warning",
    "change",
    "change_id",
    "charge_point",
    "endpoint_token",
    "erasure_cdr",
    "erasure_token",
    "live_status",
    "message",
    "message_note",
    "metadata",
    "partner",
    "partner_party",
    "partner_role",
    "poll",
    "privacy_action",
    "retention_run",
    "roaming_connection",
    "rule_override",
    "service_endpoint",
    "tariff",
    "token",
]
