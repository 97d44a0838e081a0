import io
import socket

import pytest
from rich.console import Console

from ochp_chs.cli.round_trip import play, print_steps
from ochp_chs.demo.round_trip import Played
from ochp_chs.demo.step import Step

GOOD = Step("demo-emp", "SetRoamingAuthorisationList", "ok", "A list goes up.", as_expected=True)
BAD = Step("demo-cpo", "GetRoamingAuthorisationList", "roaming", "No [way].", as_expected=False)


def printed(*steps: Step) -> tuple[bool, str]:
    output = io.StringIO()
    passed = print_steps(Console(file=output, width=80), [Played("Tokens", list(steps))])
    return passed, output.getvalue()


class TestTable:
    def test_all_as_expected(self) -> None:
        passed, text = printed(GOOD)
        assert passed
        assert "All 1 steps went as expected." in text

    def test_unexpected_step_is_marked_and_counted(self) -> None:
        passed, text = printed(GOOD, BAD)
        assert not passed
        assert "roaming (!)" in text
        assert "1 of 2 steps went otherwise than expected." in text

    def test_text_in_brackets_is_no_style(self) -> None:
        assert "No [way]." in printed(BAD)[1]

    def test_nothing_is_cut_off_on_80_columns(self) -> None:
        longest = Step(
            "demo-emp2",
            "GetRoamingAuthorisationListUpdates",
            "not-authorized",
            "a " * 80,
            as_expected=True,
        )
        text = printed(longest)[1]
        assert "GetRoamingAuthorisationListUpdates" in text
        assert "not-authorized" in text
        assert text.count("a ") >= 79


class TestPlay:
    def test_server_that_is_not_there_is_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            assert not play(f"http://127.0.0.1:{port}", with_round_trip=True)
        assert capsys.readouterr().err.count("\n") == 1

    @pytest.mark.parametrize(
        ("bound", "shown"), [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80")]
    )
    def test_address_that_means_everywhere_is_shown_as_one_to_reach(
        self, capsys: pytest.CaptureFixture[str], bound: str, shown: str
    ) -> None:
        assert play(f"http://{bound}", with_round_trip=False)
        output = capsys.readouterr().out
        assert f"http://{shown}/service/ochp/v1.4" in output
        assert "demo-emp2-secret" in output
