"""Plays the demo's round trip against a running server and prints how it went."""

import http.client
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from lxml import etree
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ochp_chs.demo.client import http_post
from ochp_chs.demo.partners import PARTNERS, password_of
from ochp_chs.demo.round_trip import Played, play_round_trip
from ochp_chs.demo.step import Step
from ochp_chs.ochp.operations import Endpoint

_WIDTH = 100

#: What listens everywhere is reached here.
_REACHABLE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 (not bound, replaced)


def play(address: str, *, with_round_trip: bool) -> bool:
    """Play the round trip (if wanted) and print it, the partners and the endpoints.

    False if a step went otherwise than expected or the server did not answer.
    """
    address = _reachable(address)
    console = Console(highlight=False)
    console.width = _WIDTH if not console.is_terminal else min(console.width, _WIDTH)
    passed = True
    if with_round_trip:
        try:
            passed = print_steps(console, play_round_trip(http_post(address)))
        except (OSError, http.client.HTTPException, etree.XMLSyntaxError, ValueError) as error:
            print(f"ochp-chs: the round trip ended early: {error}", file=sys.stderr)
            return False
    _print_partners(console)
    _print_endpoints(console, address)
    return passed


def print_steps(console: Console, chapters: Sequence[Played]) -> bool:
    """Print the steps under their numbers; True if all went as expected."""
    # Two lines to a step, so that it fits a terminal of 80 columns.
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("step", justify="right")
    table.add_column("who", no_wrap=True)
    table.add_column("operation, and what it shows", ratio=1)
    table.add_column("result", no_wrap=True)
    number, failed = 0, 0
    for chapter in chapters:
        table.add_row("", "", Text(chapter.title, style="bold"), "")
        for step in chapter.steps:
            number += 1
            failed += not step.as_expected
            table.add_row(str(number), step.who, _told(step), _result(step))
        table.add_section()
    console.print("\nThe round trip, over SOAP\n", style="bold")
    console.print(table)
    if failed:
        console.print(f"\n{failed} of {number} steps went otherwise than expected.", style="red")
    else:
        console.print(f"\nAll {number} steps went as expected.")
    return not failed


def _told(step: Step) -> Text:
    return Text.assemble((step.operation, "cyan"), "\n", step.shows, overflow="fold")


def _result(step: Step) -> Text:
    return Text(
        step.result if step.as_expected else f"{step.result} (!)",
        style="" if step.as_expected else "red",
    )


def _print_partners(console: Console) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in ("user name", "password", "roles", "party IDs", "connected to"):
        table.add_column(column)
    for partner in PARTNERS:
        others = {
            *partner.connected_to,
            *(each.name for each in PARTNERS if partner.name in each.connected_to),
        }
        table.add_row(
            partner.name,
            password_of(partner.name),
            ", ".join(partner.roles),
            ", ".join(text.rpartition("=")[2] for text in partner.party_ids),
            ", ".join(each.name for each in PARTNERS if each.name in others) or "nobody",
        )
    console.print("\nThe demo partners\n", style="bold")
    console.print(table)


def _print_endpoints(console: Console, address: str) -> None:
    console.print("\nThe endpoints (the contract is at ?wsdl of each)\n", style="bold")
    for endpoint in Endpoint:
        console.print(f"  {escape(address)}{endpoint}", soft_wrap=True)
    console.print("\nServing until Ctrl-C.")


def _reachable(address: str) -> str:
    host, colon, port = urlsplit(address).netloc.rpartition(":")
    return f"http://{_REACHABLE.get(host, host)}{colon}{port}"
