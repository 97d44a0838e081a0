"""Settings from OCHP_CHS_* environment variables, validated once and printed without secrets."""

import ipaddress
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

ENV_PREFIX = "OCHP_CHS_"

_GIB = 1024**3
_MIB = 1024**2
_KIB = 1024


class SettingsError(Exception):
    """A setting has a value that it cannot have; the text names it in one line."""


class AuthFailure(StrEnum):
    """How a caller without valid credentials is answered (PROTOCOL, "Who is calling")."""

    FAULT = "fault"
    RESULT = "result"


class LogFormat(StrEnum):
    """``auto`` is for people on a terminal and JSON elsewhere."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The least severe messages that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _postgresql_url(text: str) -> str:
    if not re.match(r"postgres(ql)?(\+psycopg2)?://", text):
        raise ValueError("must begin with postgresql://")
    return text


def _networks(text: str) -> str:
    for part in text.split(","):
        if part.strip():
            ipaddress.ip_network(part.strip())
    return text


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://chs.example.org")
    return text.rstrip("/")


PostgresqlUrl = Annotated[str, AfterValidator(_postgresql_url)]
Networks = Annotated[str, AfterValidator(_networks)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]


class Settings(BaseSettings):
    """All settings; what is passed by name wins over the environment."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid"
    )

    database_url: PostgresqlUrl | None = Field(
        None, description="PostgreSQL to use; unset: an embedded one kept in the data directory"
    )
    read_database_url: PostgresqlUrl | None = Field(
        None, description="a replica that downloads are read from; unset: the same database"
    )
    data_dir: Path = Field(
        Path(".ochp-chs"), description="where the embedded PostgreSQL keeps its data"
    )
    host: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on; 0: any free one")
    public_url: PublicUrl | None = Field(
        None, description="this server's address in the WSDL; unset: as the client addressed it"
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="addresses of proxies whose X-Forwarded-* headers are believed; *: all",
    )
    workers: int = Field(2, ge=1, le=256, description="server processes")
    threads: int = Field(16, ge=1, le=256, description="requests at once in each process")
    graceful_timeout_s: int = Field(
        30, ge=1, le=3600, description="how long requests may still take after SIGTERM"
    )
    drain_s: int = Field(
        0,
        ge=0,
        le=600,
        description="how long after SIGTERM all is served as before while /readyz says no: until"
        " proxies have noticed",
    )
    read_timeout_s: int = Field(
        30, ge=1, le=3600, description="longest silence of a client in the middle of a message"
    )
    transfer_timeout_s: int = Field(
        900,
        ge=1,
        le=86400,
        description="longest that a client is waited for in sum, sending a message or reading its"
        " answer",
    )
    min_bytes_per_s: int = Field(
        256, ge=1, description="slowest that a client may send or read, after one such silence"
    )
    max_request_bytes: int = Field(
        _GIB, ge=_KIB, description="largest message that is read, after unzipping"
    )
    max_http_headers: int = Field(100, ge=10, le=1000, description="most HTTP headers of a request")
    max_http_header_bytes: int = Field(
        8190, ge=512, le=64 * _KIB, description="longest HTTP header of a request"
    )
    max_header_bytes: int = Field(64 * _KIB, ge=_KIB, description="largest SOAP header")
    max_record_bytes: int = Field(_MIB, ge=_KIB, description="largest single record")
    max_record_elements: int = Field(
        20_000, ge=1000, description="most elements of a single record, on all levels together"
    )
    max_depth: int = Field(
        32, ge=16, le=200, description="deepest that elements of a record or header are nested"
    )
    max_attributes: int = Field(32, ge=8, le=1000, description="most attributes of one element")
    max_text_characters: int = Field(
        64 * _KIB, ge=2000, description="longest text of one element or attribute"
    )
    partner_requests_max: int | None = Field(
        None,
        ge=1,
        description="requests of one partner that are served at once; unset: half of all threads",
    )
    worker_memory_max_bytes: int = Field(
        _GIB,
        ge=256 * _MIB,
        description="memory of a server process above which it is replaced by a new one",
    )
    statement_timeout_s: int = Field(
        3600, ge=1, le=86400, description="longest that one statement may keep the database busy"
    )
    clock_tolerance_s: int = Field(
        120, ge=0, le=86400, description="by how much the clocks of partners may differ"
    )
    auth_failure: AuthFailure = Field(
        AuthFailure.FAULT,
        description="answer to missing or wrong credentials: fault, or the operation's own result",
    )
    credentials_cache_s: int = Field(
        300, ge=0, le=86400, description="how long a verified password is remembered; 0: not"
    )
    secret_key: SecretStr | None = Field(
        None,
        min_length=32,
        description="what access tokens are encrypted with, 32 characters or more, the same on all"
        " nodes; unset: one kept in the data directory",
    )
    archive_dir: Path | None = Field(
        None,
        description="where old CDRs, tariffs and messages are archived, one for all nodes; unset:"
        " they stay in the database",
    )
    cdr_retention_days: int = Field(
        3653,
        ge=0,
        le=36_525,
        description="days after which final CDRs, and tariffs of their time, are archived;"
        " 0: never",
    )
    message_retention_days: int = Field(
        90,
        ge=0,
        le=36_525,
        description="days after which the message log is archived; 0: never",
    )
    live_status_retention_days: int = Field(
        30,
        ge=0,
        le=36_525,
        description="days after which the ended live status of a closed EVSE is erased; 0: never",
    )
    retention_interval_s: int = Field(
        3600,
        ge=1,
        le=86_400,
        description="how often some node archives what is old and prunes what nobody needs",
    )
    erasure_delivery_days: int = Field(
        30,
        ge=1,
        le=31,
        description="how long a token of an erased contract stays in deltas as withdrawn",
    )
    metrics_allow: Networks = Field(
        "127.0.0.0/8,::1",
        description="networks from which /metrics may be read, not through a proxy; none: nobody",
    )
    log_level: LogLevel = Field(
        LogLevel.INFO, description="least severe messages logged: debug, info, warning, error"
    )
    log_format: LogFormat = Field(
        LogFormat.AUTO, description="json, console, or auto: console on a terminal"
    )

    @property
    def partner_slots(self) -> int:
        """How many requests of one partner are served at once, by all processes together."""
        return self.partner_requests_max or max(1, self.workers * self.threads // 2)

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Read the environment; what is given and not None wins. Raises SettingsError."""
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            raise SettingsError(_one_line(error)) from None

    def describe(self) -> dict[str, str]:
        """Each environment variable with its value, as it may be shown: without passwords."""
        return {
            variable_name(name): _without_password(str(value)) if value is not None else ""
            for name, value in self
        }


def variable_name(field: str) -> str:
    """The environment variable of a settings field."""
    return ENV_PREFIX + field.upper()


def variables() -> list[tuple[str, str, str]]:
    """Every environment variable: name, default as text, description."""
    return [
        (variable_name(name), _shown(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def _shown(default: object) -> str:
    return "" if default is None else str(default)


def _without_password(text: str) -> str:
    # The password may be in the URL's authority, with any character in it if it was not escaped,
    # or among its parameters. Rather too much is masked than too little.
    text = re.sub(r"(://[^/@:]*):.*@", r"\1:***@", text)
    return re.sub(r"(?i)([?&][^=&]*password=)[^&]*", r"\1***", text)


def _one_line(error: ValidationError) -> str:
    # The value is not repeated: it may hold a password.
    return "; ".join(
        f"{variable_name('_'.join(str(part) for part in problem['loc'][:1]))}:"
        f" {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_url=False, include_input=False)
    )
