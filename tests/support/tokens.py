"""Tokens as XML, in the default namespace of the request around them."""


def token_xml(
    instance: str = "04A1B2C3D4E5F6",
    *,
    contract_id: str = "DE-EMP-C00000001",
    token_type: str = "rfid",
    representation: str | None = None,
    printed_number: str | None = None,
    expiry: str = "2099-12-31T23:59:59Z",
    element: str = "roamingAuthorisationInfoArray",
) -> str:
    """One RoamingAuthorisationInfo."""
    attribute = f' representation="{representation}"' if representation else ""
    printed = f"<printedNumber>{printed_number}</printedNumber>" if printed_number else ""
    return (
        f"<{element}><EmtId{attribute}><instance>{instance}</instance>"
        f"<tokenType>{token_type}</tokenType></EmtId><contractId>{contract_id}</contractId>"
        f"{printed}<expiryDate><DateTime>{expiry}</DateTime></expiryDate></{element}>"
    )
