"""Service endpoints as XML, in the default namespace of the request around them."""

from collections.abc import Sequence

#: What the server under test encrypts access tokens with.
SECRET_KEY = "s" * 32


def provider_xml(token: str = "provider-token-1", **fields: object) -> str:
    """One ProviderEndpoint of DE-EMP."""
    return _endpoint_xml("provider", token, **{"whitelist": ["DEEMPC%"], **fields})


def operator_xml(token: str = "operator-token-1", **fields: object) -> str:
    """One OperatorEndpoint of DE*CPO."""
    return _endpoint_xml("operator", token, **{"whitelist": ["DECPOE%"], **fields})


def _endpoint_xml(
    kind: str,
    token: str,
    *,
    whitelist: Sequence[str],
    blacklist: Sequence[str] = (),
    day: object = "2099-12-31",
    url: str | None = None,
    namespace: str = "http://ochp.eu/1.4",
) -> str:
    patterns = "".join(f"<whitelist>{pattern}</whitelist>" for pattern in whitelist)
    patterns += "".join(f"<blacklist>{pattern}</blacklist>" for pattern in blacklist)
    return (
        f"<{kind}EndpointArray><url>{url or f'https://{kind}.example/direct'}</url>"
        f"<namespaceUrl>{namespace}</namespaceUrl><accessToken>{token}</accessToken>"
        f"<validDate>{day}</validDate>{patterns}</{kind}EndpointArray>"
    )
