"""NASWOT: how well the activations tell the rows of a batch apart.

Mellor, Turner, Storkey and Crowley 2021, "Neural architecture search without training", ICML; arXiv:2006.04647.
"""

import numpy as np

from nasturtium.proxies._passes import Passes


def nwot(passes: Passes) -> float:
    """Log-determinant of the kernel of agreements: units whose inputs have the same sign for two rows.

    Units are those of ReLU and its kin; other activations count by the sign of their input too, which is our
    extension. All units count, as in NASLib; the authors' code leaves out those behind which no gradient comes back.
    -inf where two rows agree everywhere, and NaN without activations.
    """
    kernel = passes.agreement.double().cpu().numpy()
    if not kernel.any():
        return float("nan")
    return float(np.linalg.slogdet(kernel)[1])
