"""Numbers as people read them."""

import math

import pytest

from nasturtium.report import numbers


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (numbers.score(0.98912, "accuracy"), "98.91 %"),
        (numbers.score(53.21987, "rmse"), "53.22"),
        (numbers.score(123456.7, "rmse"), "123,500"),
        (numbers.score(0.00012345, "mse"), "0.0001234"),
        (numbers.score(-1.5, "r2"), "−1.500"),
        (numbers.score(math.nan, "rmse"), "–"),
        (numbers.score(None), "–"),
        (numbers.difference(-0.0025, "balanced_accuracy"), "−0.25 points"),
        (numbers.difference(0.5, "rmse"), "+0.5000"),
        (numbers.difference_interval(0.0002, 0.011, "accuracy"), "+0.02 to +1.10 points"),
        (numbers.difference_interval(None, 0.1), ""),
        (numbers.count(4210), "4,210"),
        (numbers.count(401_000), "401 k"),
        (numbers.count(1_254_000), "1.25 M"),
        (numbers.count(1_234_567_890_123_456), "1.2 × 10^15"),
        (numbers.amount("latency_ms", 0.02134), "0.0213 ms"),
        (numbers.amount("size", 81_233), "81.2 KB"),
        (numbers.amount("params", None), "unknown"),
        (numbers.duration(0.84), "0.8 s"),
        (numbers.duration(172.4), "2 min 52 s"),
        (numbers.duration(7805), "2 h 10 min"),
        (numbers.probability(0.0441), "0.044"),
        (numbers.probability(1e-9), "below 0.001"),
        (numbers.plural(1, "trial"), "1 trial"),
        (numbers.plural(1200, "trial"), "1,200 trials"),
    ],
)
def test_a_number_is_shown_as_people_write_it(given, shown):
    assert given == shown
