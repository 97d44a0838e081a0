"""The rival's tables, mapped."""

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """What the mapped classes share."""


class Partner(Base):
    """Who may call."""

    __tablename__ = "partner"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str]


class Token(Base):
    """One token of a partner."""

    __tablename__ = "token"

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey(Partner.id), index=True)
    instance: Mapped[str] = mapped_column(index=True)
    representation: Mapped[str | None]
    token_type: Mapped[str]
    contract_id: Mapped[str]
    printed_number: Mapped[str | None]
    expiry_date: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def create_tables(url: str) -> None:
    """Create the tables, and the two partners whose password is the name with `-secret`."""
    from sqlalchemy.orm import Session

    engine = create_engine(url)
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all(Partner(name=name, password=f"{name}-secret") for name in ("emp", "cpo"))
    engine.dispose()
