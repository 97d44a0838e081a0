"""What a benchmark gives back: measurements, each judged by a ratio or by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: several runs, and as many of what they are compared with."""

    name: str
    what: str
    unit: str
    runs: Sequence[float]
    #: What it is compared with, in the same unit; empty: it is judged by itself.
    against: str = ""
    against_runs: Sequence[float] = ()
    at_least: float | None = None
    aim: float | None = None
    #: Time and memory: the less the better, and at_least is at most.
    less_is_better: bool = False
    note: str = ""

    @property
    def value(self) -> float:
        """The median of the runs."""
        return median(self.runs)

    @property
    def judged(self) -> float | None:
        """The ratio of the medians, or the value itself; None without anything to compare with."""
        if not self.against:
            return self.value
        return self.value / median(self.against_runs) if self.against_runs else None

    @property
    def verdict(self) -> str:
        """`aim`, `at least` or `below`, and nothing where nothing is asked for."""
        if self.judged is None or self.aim is None or self.at_least is None:
            return ""
        sign = -1 if self.less_is_better else 1
        if sign * self.judged >= sign * self.aim:
            return "aim"
        return "at least" if sign * self.judged >= sign * self.at_least else "below"


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a growth curve."""

    curve: str
    size: int
    value: float
    unit: str


@dataclass(slots=True)
class Results:
    """All that one run of the benchmarks found."""

    figures: list[Figure] = field(default_factory=list)
    growth: list[Point] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything; `runs` is how often a bulk measurement is repeated."""

    tokens: int
    tokens_downloaded: int
    rival_tokens: int
    growth: Sequence[int]
    stock_small: int
    stock_large: int
    states_stored: int
    states_sent: int
    cdrs: int
    seconds_of_load: float
    runs: int


SHORT = Sizes(
    tokens=100_000,
    tokens_downloaded=200_000,
    rival_tokens=20_000,
    growth=(10_000, 100_000),
    stock_small=50_000,
    stock_large=1_000_000,
    states_stored=100_000,
    states_sent=10_000,
    cdrs=5_000,
    seconds_of_load=3,
    runs=3,
)

FULL = Sizes(
    tokens=500_000,
    tokens_downloaded=1_000_000,
    rival_tokens=50_000,
    growth=(10_000, 100_000, 1_000_000),
    stock_small=50_000,
    stock_large=5_000_000,
    states_stored=300_000,
    states_sent=10_000,
    cdrs=20_000,
    seconds_of_load=10,
    runs=3,
)


def seconds(action: Callable[..., object], *arguments: object) -> float:
    """How long something takes, called with these arguments."""
    began = perf_counter()
    action(*arguments)
    return perf_counter() - began
