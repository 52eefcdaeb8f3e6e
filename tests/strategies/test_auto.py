from nasturtium.strategies.auto import Auto
from nasturtium.testing.strategies import StrategySuite


class TestAuto(StrategySuite):
    objectives = (1, 2)

    def strategy(self) -> Auto:
        return Auto()
