"""Limits: what people write, and what is refused."""

import pytest

from nasturtium.errors import LimitError
from nasturtium.hardware import Limits, shown


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("params", "20k", 20_000),
        ("params", "5M", 5_000_000),
        ("params", "2.5K", 2_500),
        ("params", "1_000", 1_000),
        ("params", "1,500", 1_500),
        ("params", 7, 7),
        ("macs", "1e6", 1_000_000),
        ("macs", "1.2G", 1_200_000_000),
        ("latency", "2ms", 2.0),
        ("latency", "1500us", 1.5),
        ("latency", "1500 µs", 1.5),
        ("latency", "0.1s", 100.0),
        ("latency_ms", 3, 3.0),
        ("memory", "256KB", 256_000),
        ("memory", "64KiB", 65_536),
        ("memory", "64 kib", 65_536),
        ("size", "1MB", 1_000_000),
        ("size", "1MiB", 1_048_576),
        ("size", "4096", 4096),
    ],
)
def test_amounts_are_read_with_their_units(name: str, text: str | int, value: float) -> None:
    limits = Limits.parse(**{name: text})
    ((_, found),) = limits.items()
    assert found == pytest.approx(value)


@pytest.mark.parametrize("text", ["-5k", "0", "0ms", "-1", "1e999"])
def test_zero_negative_and_endless_amounts_are_refused(text: str) -> None:
    with pytest.raises(LimitError, match=r"limit max-\w+='.*' (must be above zero|is not understood); write a"):
        Limits.parse(latency=text)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("params", "20q", "The limit max-params='20q' is not understood; write a count such as 20k or 5M"),
        ("params", "many", "The limit max-params='many' is not understood"),
        ("params", "", "The limit max-params='' is not understood"),
        ("params", True, "The limit max-params=True is not understood"),
        ("latency", "2m", "The limit max-latency='2m' is not understood; write a time such as 2ms or 1500us"),
        ("memory", "3ms", "The limit max-memory='3ms' is not understood; write a size such as 256KB or 64KiB"),
        ("parms", "3k", "Unknown limit 'parms'. Did you mean 'params'"),
    ],
)
def test_text_that_is_no_amount_is_refused_with_an_example(name: str, text: str, message: str) -> None:
    with pytest.raises(LimitError, match=message.replace("(", r"\(")):
        Limits.parse(**{name: text})


def test_violations_name_cost_value_and_limit() -> None:
    limits = Limits.parse(params="20k", latency="2ms", memory=None)
    (violation,) = limits.check({"params": 24_310, "memory": 1e9})
    assert str(violation) == "params 24.3k is above the limit 20k"
    assert limits.check({"params": 20_000, "latency_ms": 2.0}) == []


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("params", 20_000, "20k"),
        ("params", 999, "999"),
        ("macs", 1_534_000, "1.53M"),
        ("memory", 65_536, "65.5 KB"),
        ("size", 100, "100 B"),
        ("latency_ms", 0.25, "0.25 ms"),
        ("latency_ms", 0.0042, "4.2 us"),
    ],
)
def test_costs_are_shown_with_their_unit(name: str, value: float, text: str) -> None:
    assert shown(name, value) == text
