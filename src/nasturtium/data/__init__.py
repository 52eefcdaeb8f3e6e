"""Data: sources, profile, splits, and the sealed test set."""

from nasturtium.data.development import Development as Development
from nasturtium.data.image_input import image_files as image_files
from nasturtium.data.load import load as load
from nasturtium.data.prepare import prepare as prepare
from nasturtium.data.preprocessing import Preprocessing as Preprocessing
from nasturtium.data.profile import Profile as Profile
from nasturtium.data.profile import profile as profile
from nasturtium.data.raw import Column as Column
from nasturtium.data.raw import RawData as RawData
from nasturtium.data.sealed import SealedTest as SealedTest
from nasturtium.data.splits import Splits as Splits
from nasturtium.data.splits import split as split
from nasturtium.data.statistics import InputStatistics as InputStatistics
from nasturtium.data.statistics import input_statistics as input_statistics
