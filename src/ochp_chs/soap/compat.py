"""Spyne 2.14 on today's Python; this module comes before every import of Spyne in this room.

The last release of Spyne carries an old `six` whose importer Python 3.12 no longer accepts, and
imports `cgi`, which Python 3.13 no longer has (the distribution `legacy-cgi` brings it back).
"""

import importlib
import logging
import math
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_VENDORED, _REAL = "spyne.util.six.moves", "six.moves"


class _SixLoader(Loader):
    """Loads `spyne.util.six.moves.X` as the `six.moves.X` that is installed."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(_REAL + spec.name.removeprefix(_VENDORED))
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # It has been executed under its own name, and keeps it.
        module.__spec__ = self._own_spec


class _SixFinder(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == _VENDORED or name.startswith(f"{_VENDORED}."):
            return ModuleSpec(name, _SixLoader(), is_package=True)
        return None


def _import_spyne() -> None:
    if "spyne" in sys.modules:
        return
    sys.meta_path.insert(0, _SixFinder())
    with warnings.catch_warnings():
        # cgi's deprecation, and invalid escapes in Spyne's own source: nothing we could mend.
        warnings.simplefilter("ignore")
        importlib.import_module("spyne.server.wsgi")
        importlib.import_module("spyne.protocol.soap")
    # The vendored importer is of the old kind: whoever asks every importer would fail on it, and
    # _SixFinder does its work.
    sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]
    # Spyne logs every fault with its traceback; soap/exchange_log.py writes one line instead.
    logging.getLogger("spyne").setLevel(logging.CRITICAL + 1)
    # Spyne collects garbage by hand about every second, which held up every request of the process
    # for a fifth of the time under load. Python does it by itself, and no file waits for it here.
    sys.modules["spyne.const"].MIN_GC_INTERVAL = math.inf  # type: ignore[attr-defined]


_import_spyne()
