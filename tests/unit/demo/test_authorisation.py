from ochp_chs.demo.authorisation import CARDS, UNCONNECTED_CARD
from ochp_chs.ochp.identifiers import check_contract_id


def test_contracts_end_in_their_right_check_character() -> None:
    assert [check_contract_id(card.contract_id) for card in (*CARDS, UNCONNECTED_CARD)] == [
        None
    ] * 4


def test_hashed_card_does_not_give_its_instance_away() -> None:
    hashed = [card for card in CARDS if card.representation == "sha-256"]
    assert hashed
    assert all(card.instance not in card.xml() for card in hashed)
