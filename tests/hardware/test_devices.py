"""Devices described by data files."""

from importlib import resources
from pathlib import Path

import pytest

from nasturtium.errors import KnowledgeError
from nasturtium.hardware.devices import Device, devices, find_device, read_device, read_devices

KINDS = {"microcontroller", "phone", "single-board", "laptop", "cpu-server", "gpu", "tpu"}
MINE = """\
name = "mine"
title = "A board of mine"
kind = "microcontroller"
dated = "2026-11-23"
memory_bytes = 100_000
flash_bytes = 400_000
numeric_types = ["int8"]
runtime = ["TensorFlow Lite Micro"]
source = "its datasheet, 2026"
notes = "none"

[[speeds]]
numeric_type = "int8"
macs = 100e6
basis = "one a cycle"
"""


def refused(folder: Path, text: str, name: str = "mine.toml") -> str:
    (folder / name).write_text(text)
    with pytest.raises(KnowledgeError) as caught:
        read_devices(folder)
    return str(caught.value)


def test_there_are_ten_common_devices_of_every_kind() -> None:
    assert len(devices()) >= 10
    assert {device.kind for device in devices().values()} == KINDS


@pytest.mark.parametrize("device", devices().values(), ids=lambda device: device.name)
def test_a_device_has_what_a_plan_needs(device: Device) -> None:
    assert device.macs_a_second
    assert set(device.macs_a_second) <= {*device.numeric_types}
    assert all(speed.basis for speed in device.speeds)
    assert (device.flash_bytes is not None) == (device.kind == "microcontroller")
    assert device.limits.memory is not None
    assert device.limits.memory < device.memory_bytes
    if device.flash_bytes is not None:
        assert device.limits.size is not None
        assert device.limits.size < device.flash_bytes
    if device.cache_bytes is not None and device.kind != "tpu":
        assert device.cache_bytes < device.memory_bytes / 10


def test_narrower_numbers_are_not_slower() -> None:
    order = ("float32", "tf32", "float16", "int8")
    for device in devices().values():
        speeds = [device.macs_a_second[kind] for kind in order if kind in device.macs_a_second]
        assert speeds == sorted(speeds), device.name


def test_arithmetic_on_published_figures() -> None:
    """A few that can be computed in another way."""
    assert devices()["raspberry-pi-5"].macs_a_second["float32"] == pytest.approx(4 * 2.4e9 * 2 * 128 / 32)
    assert devices()["nvidia-t4"].macs_a_second["float16"] == pytest.approx(65e12 / 2)
    assert devices()["server-xeon-8380"].bandwidth == pytest.approx(8 * 3200e6 * 8)
    assert devices()["tpu-v4"].memory_bytes == 32 * 2**30


def test_mcunets_smallest_networks_fit_the_board_they_were_searched_for() -> None:
    # mit-han-lab/mcunet: 242 kB SRAM and 878 kB flash of mcunet-in2, for boards of 256 kB and 1 MB.
    board = devices()["stm32f746"]
    assert board.limits.memory is not None
    assert 242e3 <= board.limits.memory < 293e3
    assert board.flash_bytes is not None
    assert board.flash_bytes > 878e3


def test_a_device_is_found_by_its_name() -> None:
    assert find_device("Raspberry_Pi_5").title.startswith("Raspberry Pi 5")
    assert find_device("nvidia h100").kind == "gpu"


def test_an_unknown_device_gets_the_nearest_names_and_another_way() -> None:
    with pytest.raises(KnowledgeError) as caught:
        find_device("raspberry-pi-6")
    assert str(caught.value).startswith("Unknown device 'raspberry-pi-6'. Did you mean 'raspberry-pi-")
    assert str(caught.value).endswith(
        "Or describe it by its figures: its kind, memory and, for a microcontroller, flash."
    )


def test_a_device_of_ones_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    mine = read_device(tmp_path / "mine.toml")
    assert mine.macs_a_second == {"int8": 100e6}
    assert mine.limits.memory == 75_000
    assert mine.limits.size == 300_000


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'kind = "microcontroller"',
            'kind = "toaster"',
            "the field 'kind' may not be 'toaster'. Known: microcontroller",
        ),
        ("memory_bytes = 100_000", "", "the field 'memory_bytes' is missing; add it."),
        ("memory_bytes = 100_000", "memory_bytes = -1", "'memory_bytes' is -1; it must be above zero."),
        ("macs = 100e6", "macs = 0", "'speeds.int8' is 0; it must be above zero."),
        (
            'numeric_type = "int8"',
            'numeric_type = "int9"',
            "the field 'speeds.0.numeric_type' may not be 'int9'. Did you",
        ),
        ('source = "its datasheet, 2026"', 'source = ""', "the field 'source' is empty; say it"),
        ('name = "mine"', 'name = "yours"', "the device calls itself 'yours'; name the file yours.toml."),
        ('notes = "none"', 'notes = "none"\ncolour = "red"', "unknown field 'colour'. "),
    ],
)
def test_a_file_that_breaks_the_schema_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in MINE
    message = refused(tmp_path, MINE.replace(old, new))
    assert message.startswith("mine.toml")
    assert said in message


def test_the_files_are_part_of_the_package() -> None:
    folder = resources.files("nasturtium.hardware") / "devices"
    assert {one.name for one in folder.iterdir()} == {f"{name}.toml" for name in devices()}
