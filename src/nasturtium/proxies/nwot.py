"""NASWOT: how well the activations tell the rows of a batch apart.

Mellor, Turner, Storkey and Crowley 2021, "Neural architecture search without training", ICML; arXiv:2006.04647.
"""

import numpy as np

from nasturtium.proxies._passes import Passes


def nwot(passes: Passes) -> float:
    """Log-determinant of the kernel of agreements: units whose inputs have the same sign for two rows.

    Units are those of ReLU and its kin; other activations count by the sign of their input too, which is our
    extension. All units count, as in NASLib; the authors' code leaves out those behind which no gradient comes back.
    -inf where the kernel is singular, its determinant being 0: where two rows agree everywhere, and always with fewer
    units than rows less one. NaN without activations.
    """
    kernel = passes.agreement.double().cpu().numpy()
    if not kernel.any():
        return float("nan")
    values = np.linalg.eigvalsh(kernel)
    # Of a singular kernel a log-determinant is rounding, which the order of the rows changes.
    if values[0] <= len(kernel) * np.finfo(float).eps * values[-1]:
        return float("-inf")
    return float(np.log(values).sum())
