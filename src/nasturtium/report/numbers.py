"""Numbers as people read them."""

from math import isfinite, log10

SHARES = frozenset({"accuracy", "balanced-accuracy", "label-accuracy", "macro-f1", "micro-f1", "top-5-accuracy"})
"""Metrics that are shares of one: shown in per cent."""
UNKNOWN = "–"


def score(value: float | None, metric: str = "") -> str:
    """A score in the metric's unit: `99.03 %`, or four significant digits."""
    if value is None or not isfinite(value):
        return UNKNOWN
    if metric.replace("_", "-") in SHARES:
        return f"{100 * value:.2f} %"
    return significant(value)


def difference(value: float | None, metric: str = "") -> str:
    """A difference of scores, with its sign; shares in percentage points."""
    if value is None or not isfinite(value):
        return UNKNOWN
    if metric.replace("_", "-") in SHARES:
        return f"{100 * value:+.2f} points".replace("-", "−")
    return f"+{significant(value)}" if value >= 0 else significant(value)


def difference_interval(low: float | None, high: float | None, metric: str = "") -> str:
    """`+0.02 to +1.10 points`, or nothing where an end is unknown."""
    if low is None or high is None:
        return ""
    return f"{difference(low, metric).removesuffix(' points')} to {difference(high, metric)}"


def significant(value: float, digits: int = 4) -> str:
    """Rounded to some significant digits, never as 1e+05."""
    if value == 0 or not isfinite(value):
        return "0" if value == 0 else UNKNOWN
    places = digits - 1 - int(log10(abs(value)) // 1)
    text = f"{round(value, places):,.{max(places, 0)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text and places > digits else text
    return text.replace("-", "−")


def count(value: float | None) -> str:
    """Parameters or multiply-accumulates: `4,210`, `91 k`, `1.25 M`."""
    if value is None or not isfinite(value):
        return UNKNOWN
    if value < 100_000:
        return f"{round(value):,}"
    for limit, unit, scale in ((1e6, "k", 1e3), (1e9, "M", 1e6), (1e12, "G", 1e9)):
        if value < limit:
            return f"{value / scale:.3g} {unit}"
    power = int(log10(value) // 1)
    return f"{value / 10**power:.1f} × 10^{power}"


def amount(name: str, value: float | None) -> str:
    """A cost by its name: `latency_ms` in ms, `memory` and `size` in bytes, the rest as counts."""
    if value is None or not isfinite(value):
        return "unknown"
    if name.startswith("latency"):
        return f"{value:.3g} ms"
    if name in ("memory", "size"):
        return octets(value)
    return count(value)


def octets(value: float) -> str:
    """Bytes: `512 B`, `17.5 KB`, `1.2 MB` (1 KB = 1,000 B)."""
    for limit, unit, scale in ((1e3, "B", 1.0), (1e6, "KB", 1e3), (1e9, "MB", 1e6)):
        if value < limit:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e9:.3g} GB"


def duration(seconds: float | None) -> str:
    """`0.8 s`, `42 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds is None or not isfinite(seconds):
        return UNKNOWN
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def probability(value: float | None) -> str:
    """A p-value: `0.21`, `0.003`, `below 0.001`."""
    if value is None or not isfinite(value):
        return UNKNOWN
    return "below 0.001" if value < 0.001 else f"{value:.2g}"


def correlation(value: float | None) -> str:
    """A correlation: `0.62`, `−0.08`."""
    return UNKNOWN if value is None or not isfinite(value) else f"{value:.2f}".replace("-", "−")


def plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
