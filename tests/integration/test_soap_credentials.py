"""Who is calling, as it shows on the wire (PROTOCOL, "Who is calling")."""

import pytest

from ochp_chs.config import AuthFailure, Settings
from ochp_chs.ochp.operations import NAMESPACE, OPERATIONS, Operation
from ochp_chs.repository.engine import Database
from ochp_chs.soap.faults import WSSE_NAMESPACE
from tests.support.edge import SOAP, Clock, Edge, Reply

LIST = "GetRoamingAuthorisationList"
PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
WRONG = "The user name or the password is wrong."


@pytest.fixture(params=["short", "long"])
def padding(request: pytest.FixtureRequest) -> str:
    """Behind the header: makes a message one that streams."""
    return "<!-- -->" if request.param == "short" else f"<!--{'x' * 70_000}-->"


@pytest.fixture
def cpo(edge: Edge) -> Edge:
    edge.partner("cpo", "cpo", "DE*CPO")
    return edge


@pytest.fixture
def answering_by_result(database: Database, clock: Clock) -> Edge:
    edge = Edge(database, clock, Settings(auth_failure=AuthFailure.RESULT))
    edge.partner("cpo", "cpo", "DE*CPO")
    return edge


def token(username: str | None, password: str | None, kind: str | None = None) -> str:
    user = "" if username is None else f"<w:Username>{username}</w:Username>"
    attribute = "" if kind is None else f' Type="{kind}"'
    word = "" if password is None else f"<w:Password{attribute}>{password}</w:Password>"
    return security(f"<w:UsernameToken>{user}{word}</w:UsernameToken>")


def security(content: str) -> str:
    return f'<s:Header><w:Security xmlns:w="{WSSE_NAMESPACE}">{content}</w:Security></s:Header>'


def send(edge: Edge, header: str, operation: str = LIST, padding: str = "") -> Reply:
    content = f'<{operation}Request xmlns="{NAMESPACE}">{padding}</{operation}Request>'
    return edge.post(
        f'<s:Envelope xmlns:s="{SOAP}">{header}<s:Body>{content}</s:Body></s:Envelope>'.encode()
    )


NOBODY = {
    "no header": "",
    "empty header": "<s:Header/>",
    "no security": "<s:Header><x/></s:Header>",
    "no token": security(""),
    "no user name": token(None, "cpo-secret"),
    "no password": token("cpo", None),
    "empty": token("", ""),
    "wrong password": token("cpo", "wrong"),
    "password in other case": token("cpo", "CPO-SECRET"),
    "password with a space": token("cpo", "cpo-secret "),
    "unknown user": token("nobody", "cpo-secret"),
    "user in other case": token("CPO", "cpo-secret"),
    "disabled user": token("disabled", "disabled-secret"),
    "a very long name": token("x" * 10_000, "x"),
    "a very long password": token("cpo", "x" * 60_000),
    "characters no name has": token("cpo&#10;x%00\\'; --", "\U0001f600"),
    "token of another namespace": token("cpo", "cpo-secret").replace(WSSE_NAMESPACE, "urn:x"),
    "token outside of Security": (
        f'<s:Header xmlns:w="{WSSE_NAMESPACE}"><w:UsernameToken><w:Username>cpo</w:Username>'
        "<w:Password>cpo-secret</w:Password></w:UsernameToken></s:Header>"
    ),
}


def disable(edge: Edge) -> None:
    edge.partner("disabled", "cpo", "NL*CPO")
    with edge.database.begin() as connection:
        connection.exec_driver_sql("UPDATE partner SET disabled_at = now() WHERE name = 'disabled'")


@pytest.mark.parametrize("header", NOBODY.values(), ids=NOBODY)
def test_who_is_not_let_in_is_told_nothing(cpo: Edge, padding: str, header: str) -> None:
    disable(cpo)
    reply = send(cpo, header, padding=padding)
    assert reply.status == 500
    assert reply.fault == WRONG
    code = reply.body.find("faultcode")
    prefix, _, name = (code.text or "").partition(":")
    assert (code.nsmap[prefix], name) == (WSSE_NAMESPACE, "FailedAuthentication")
    assert reply.body.findtext(f"detail/{{{NAMESPACE}}}resultCode") == "not-authorized"
    assert reply.content == send(cpo, "").content


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_answer_by_result_where_the_operator_wants_it(
    answering_by_result: Edge, operation: Operation
) -> None:
    disable(answering_by_result)
    for header in (token("cpo", "wrong"), token("disabled", "disabled-secret"), ""):
        reply = send(answering_by_result, header, operation.request.removesuffix("Request"))
        if operation.has_result:
            assert (reply.status, reply.result, reply.description) == (200, "not-authorized", WRONG)
        else:
            assert (reply.status, reply.fault) == (500, WRONG)


@pytest.mark.parametrize(
    "header",
    [
        token("cpo", "cpo-secret"),
        token("cpo", "cpo-secret", f"{PROFILE}#PasswordText"),
        token("cpo", "cpo-secret", ""),
        token(" cpo\n", "cpo-secret"),
        token("cpo", "<![CDATA[cpo-secret]]>"),
        token("cpo", "cpo-<!-- x -->secret"),
    ],
)
def test_who_is_let_in(cpo: Edge, padding: str, header: str) -> None:
    assert send(cpo, header, padding=padding).result == "roaming"


@pytest.mark.parametrize("word", ["cpo-secret", "AAAA"])
@pytest.mark.parametrize("user", ["cpo", "nobody"])
def test_password_digest_is_refused_with_a_text(cpo: Edge, user: str, word: str) -> None:
    reply = send(cpo, token(user, word, f"{PROFILE}#PasswordDigest"))
    assert (reply.status, reply.body.findtext("faultcode")) == (500, "wsse:FailedAuthentication")
    assert "PasswordDigest" in (reply.fault or "")
    assert "PasswordText" in (reply.fault or "")


def test_disabled_partner_is_out_at_once(cpo: Edge) -> None:
    assert send(cpo, token("cpo", "cpo-secret")).result == "roaming"
    with cpo.database.begin() as connection:
        connection.exec_driver_sql("UPDATE partner SET disabled_at = now()")
    assert send(cpo, token("cpo", "cpo-secret")).fault == WRONG


def test_nobody_needs_to_be_known_to_see_an_unknown_operation(cpo: Edge) -> None:
    assert "no operation" in (send(cpo, "", "Nonsense").fault or "")


def test_no_password_is_logged(cpo: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    send(cpo, token("cpo", "cpo-secret"))
    send(cpo, token("cpo", "wrong-secret"))
    logged = capsys.readouterr()
    assert "GetRoamingAuthorisationList" in logged.out + logged.err
    assert "-secret" not in logged.out + logged.err
