from ochp_chs.clearing.cdrs.content import changed_fields

BEFORE = (
    '<emtId representation="plain"><instance>04AB</instance></emtId><meterId>M1</meterId>'
    "<chargingPeriods><itemPrice>1</itemPrice></chargingPeriods>"
    "<chargingPeriods><itemPrice>2</itemPrice></chargingPeriods>"
)


def test_nothing_changed() -> None:
    assert changed_fields(BEFORE, BEFORE) == ()


def test_changed_added_and_removed_fields_by_their_paths() -> None:
    after = (
        '<emtId representation="sha-160"><instance>04AB</instance></emtId>'
        "<chargingPeriods><itemPrice>1</itemPrice></chargingPeriods>"
        "<chargingPeriods><itemPrice>2.00</itemPrice><taxrate>19</taxrate></chargingPeriods>"
    )
    assert changed_fields(BEFORE, after) == (
        ("emtId/@representation", "plain", "sha-160"),
        ("chargingPeriods[2]/itemPrice", "2", "2.00"),
        ("chargingPeriods[2]/taxrate", None, "19"),
        ("meterId", "M1", None),
    )
