"""The rival's SOAP service: three operations of the contract."""

import os
from datetime import UTC
from typing import Any

import ochp_chs.soap.compat  # noqa: F401 - must be imported before Spyne

from spyne import (
    Application,
    ComplexModel,
    DateTime,
    Fault,
    ServiceBase,
    Unicode,
    XmlAttribute,
    rpc,
)
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication
from sqlalchemy import create_engine, delete, select
from sqlalchemy.orm import Session

from benchmarks.rival.models import Partner, Token
from ochp_chs.ochp.operations import NAMESPACE

_engine = create_engine(os.environ["RIVAL_DATABASE_URL"], pool_size=20)
_SECURITY = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"


class _Model(ComplexModel):
    __namespace__ = NAMESPACE


class DateTimeType(_Model):
    """A moment."""

    DateTime = DateTime


class EmtId(_Model):
    """A token's identifier."""

    instance = Unicode
    tokenType = Unicode  # noqa: N815 - the contract's name
    representation = XmlAttribute(Unicode)


class RoamingAuthorisationInfo(_Model):
    """One token."""

    EmtId = EmtId
    contractId = Unicode  # noqa: N815
    printedNumber = Unicode  # noqa: N815
    expiryDate = DateTimeType  # noqa: N815


class ResultCode(_Model):
    """ok, and the others."""

    resultCode = Unicode  # noqa: N815


class Result(_Model):
    """What became of a request."""

    resultCode = ResultCode  # noqa: N815
    resultDescription = Unicode  # noqa: N815


_Tokens = RoamingAuthorisationInfo.customize(max_occurs="unbounded")
_OK = Result(resultCode=ResultCode(resultCode="ok"), resultDescription="Done.")


class AuthorisationService(ServiceBase):
    """Tokens."""

    @rpc(
        _Tokens,
        _in_message_name="SetRoamingAuthorisationListRequest",
        _in_variable_names={"infos": "roamingAuthorisationInfoArray"},
        _returns=Result,
        _out_variable_name="result",
    )
    def SetRoamingAuthorisationList(ctx: Any, infos: Any) -> Result:  # noqa: N802, N805
        """Replace the caller's whole list."""
        with Session(_engine) as session, session.begin():
            partner = _caller(ctx, session)
            session.execute(delete(Token).where(Token.partner_id == partner.id))
            session.add_all(_token(partner, info) for info in infos)
        return _OK

    @rpc(
        _in_message_name="GetRoamingAuthorisationListRequest",
        _returns=[Result, _Tokens],
        _out_variable_names=["result", "roamingAuthorisationInfoArray"],
    )
    def GetRoamingAuthorisationList(ctx: Any) -> tuple[Result, list[Any]]:  # noqa: N802, N805
        """All tokens."""
        with Session(_engine) as session:
            _caller(ctx, session)
            tokens = session.scalars(select(Token))
            return _OK, [_info(token) for token in tokens]

    @rpc(
        EmtId,
        _in_message_name="GetSingleRoamingAuthorisationRequest",
        _in_variable_names={"emt_id": "emtId"},
        _returns=[Result, RoamingAuthorisationInfo],
        _out_variable_names=["result", "roamingAuthorisationInfo"],
    )
    def GetSingleRoamingAuthorisation(  # noqa: N802
        ctx: Any,  # noqa: N805
        emt_id: Any,
    ) -> tuple[Result, Any]:
        """The one token."""
        with Session(_engine) as session:
            _caller(ctx, session)
            token = session.scalar(
                select(Token).where(
                    Token.instance == emt_id.instance, Token.token_type == emt_id.tokenType
                )
            )
            if token is None:
                return Result(resultCode=ResultCode(resultCode="invalid-id")), None
            return _OK, _info(token)


def _caller(ctx: Any, session: Session) -> Partner:
    header = ctx.in_header_doc[0] if ctx.in_header_doc else None
    name = header.findtext(f".//{_SECURITY}Username") if header is not None else None
    partner = session.scalar(select(Partner).where(Partner.name == name))
    if partner is None or header.findtext(f".//{_SECURITY}Password") != partner.password:
        raise Fault("Client", "Wrong credentials.")
    return partner


def _token(partner: Partner, info: Any) -> Token:
    return Token(
        partner_id=partner.id,
        instance=info.EmtId.instance,
        representation=info.EmtId.representation,
        token_type=info.EmtId.tokenType,
        contract_id=info.contractId,
        printed_number=info.printedNumber,
        expiry_date=info.expiryDate.DateTime,
    )


def _info(token: Token) -> RoamingAuthorisationInfo:
    return RoamingAuthorisationInfo(
        EmtId=EmtId(
            instance=token.instance,
            tokenType=token.token_type,
            representation=token.representation,
        ),
        contractId=token.contract_id,
        printedNumber=token.printed_number,
        expiryDate=DateTimeType(DateTime=token.expiry_date.astimezone(UTC)),
    )


app = WsgiApplication(
    Application(
        [AuthorisationService],
        NAMESPACE,
        in_protocol=Soap11(validator="lxml"),
        out_protocol=Soap11(),
    ),
    max_content_length=1 << 30,
)
