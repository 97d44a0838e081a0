"""Live status: a burst of states into many stored ones."""

import random
from collections.abc import Iterable

from benchmarks import client
from benchmarks.figure import Figure, seconds
from benchmarks.rig import Rig
from tests.acceptance.harness import message
from tests.support.charge_points import charge_point_xml
from tests.support.live_status import evse_xml


def measure_live(rig: Rig) -> None:
    """As many states as the sizes say, all of them others than before, in one message."""
    stored, sent = rig.sizes.states_stored, rig.sizes.states_sent
    dice = random.Random(1)  # noqa: S311 - the same choice in every run
    chosen = dice.sample(range(stored), sent)
    address = rig.server.address
    points = "".join(charge_point_xml(_evse(number)) for number in chosen)
    client.upload(address, message("cpo", "SetChargepointList", points))
    client.upload(address, _states(range(stored), "available"))
    rig.execute("VACUUM ANALYZE live_status", "CHECKPOINT")
    rates = []
    # An odd number of measurements more than of bulk ones: each takes a fraction of a second.
    for run in range(2 * rig.sizes.runs + 1):
        content = _states(chosen, "unknown" if run % 2 == 0 else "available")
        with rig.memory():
            rates.append(sent / seconds(client.upload, address, content))
    rig.results.figures.append(
        Figure(
            "live",
            f"{sent:,} live states into {stored:,} stored",
            "states/s",
            rates,
            at_least=50_000,
            aim=100_000,
        )
    )


def _states(numbers: Iterable[int], major: str) -> bytes:
    states = "".join(evse_xml(_evse(number), major) for number in numbers)
    return message("cpo", "UpdateStatus", states)


def _evse(number: int) -> str:
    return f"DE*CPO*E{number:07d}"
