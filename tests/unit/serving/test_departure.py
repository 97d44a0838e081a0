import os

from ochp_chs.serving.departure import Departure


def test_what_the_master_says_its_workers_know() -> None:
    departure = Departure()
    assert not departure.is_announced()
    worker = os.fork()
    if worker == 0:
        departure.announce()
        os._exit(0)
    os.waitpid(worker, 0)

    assert departure.is_announced()
