"""The partners of the campaign, and who is connected to whom."""

from tests.acceptance.harness import Server

#: Name, roles and party IDs.
PARTNERS = (
    ("emp1", "emp", "DE-EM1"),
    ("emp2", "emp", "DE-EM2"),
    ("cpo1", "cpo", "DE*CP1"),
    ("cpo2", "cpo", "DE*CP2"),
    ("pso", "pso", "DE*PSO"),
    ("nsp", "nsp"),
    ("stranger", "cpo", "DE*STR"),
)
#: A CPO that is connected to nobody, and has nothing.
STRANGER = "stranger"
CONNECTIONS = (
    *(("emp1", "cpo1"), ("emp1", "cpo2"), ("emp2", "cpo1"), ("emp2", "cpo2")),
    *(("nsp", "cpo1"), ("nsp", "cpo2"), ("nsp", "pso"), ("pso", "cpo1")),
)


def add_market(server: Server) -> None:
    """Add them to a running server."""
    for name, roles, *party_ids in PARTNERS:
        server.partner(name, roles, *party_ids)
    for one, other in CONNECTIONS:
        server.connect(one, other)
