"""The open clearing house for EV roaming: OCHP 1.4, role CHS, on PostgreSQL."""

__version__ = "0.1.0"
