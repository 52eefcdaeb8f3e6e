"""Zero-cost proxies: scores of untrained networks on the user's own rows."""

from nasturtium.proxies.az_nas import AZ_NAS as AZ_NAS
from nasturtium.proxies.batch import Batch as Batch
from nasturtium.proxies.measure import measure as measure
from nasturtium.proxies.ranks import log_rank_aggregate as log_rank_aggregate
from nasturtium.proxies.ranks import ranks as ranks
from nasturtium.proxies.registry import GROUPS as GROUPS
from nasturtium.proxies.registry import PROXIES as PROXIES
from nasturtium.proxies.registry import Cost as Cost
from nasturtium.proxies.registry import Proxy as Proxy
