"""The process that `ochp-chs demo` starts beside its server, to be its partners.

``python -m ochp_chs.cli.player ADDRESS [--no-round-trip]``
"""

import signal
import sys


def main() -> None:
    """Play and print; ends with status 1 if anything went otherwise than expected."""
    # Ctrl-C goes to the server too, which has the last word. From here on it ends this process
    # without a traceback, also in the middle of the imports below.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from ochp_chs.cli.round_trip import play

    address, *flags = sys.argv[1:]
    sys.exit(0 if play(address, with_round_trip="--no-round-trip" not in flags) else 1)


if __name__ == "__main__":
    main()
