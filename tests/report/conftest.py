"""The content of an invented run, with every part of the page."""

import numpy as np
import pytest

from nasturtium.report import ReportContent

EVIL = '</script><script>alert("x")</script>'


def result() -> dict:
    def model(name, validation, test, params, **more):
        return {
            "name": name,
            "params": params,
            "macs": None if params is None else 22 * params,
            "validation": {"metric": "accuracy", "mean": validation},
            "test": None
            if test is None
            else {"metric": "accuracy", "mean": test, "low": test - 0.008, "high": min(test + 0.004, 1), "rows": 360},
            **more,
        }

    best = model("found network", 0.9944, 0.9911, 18_212, arch_id="0123456789abcdef", size=81_233)
    best["test"]["per_seed"] = [0.9917, 0.9889, 0.9944, 0.9889, 0.9917]
    best["latency_ms"] = {"p50": 0.0213, "p95": 0.0244}
    scores = np.random.default_rng(0).normal(0.99, 0.004, (3, 5)).round(4)
    return {
        "schema": 1,
        "verdict": "search",
        "sentence": "The searched network ships: it is better than svc, the best baseline within the limits, by 0.56 "
        "percentage points of accuracy on fresh resplits (95 % interval 0.02 to 1.10, p = 0.044).",
        "seed": 0,
        "trials": 64,
        "seconds": 172.4,
        "search_seconds": 121.0,
        "best": best,
        "found": best,
        "baselines": [
            model("majority", 0.102, 0.101, 10, over=[]),
            model("logistic", 0.969, 0.9667, 778, over=[]),
            model("svc", 0.9889, 0.986, 81_034, over=["params"]),
            model("boosting", 0.9611, 0.9556, 45_310, over=["params"]),
            model("resnet8", 0.9889, 0.9861, 19_498, over=[]),
            model(EVIL, None, None, None, over=[], failure="out of memory"),
        ],
        "control": {"name": "random", "metric": "accuracy", "expected": 0.9916, "low": 0.9889, "high": 0.9944},
        "limits": [
            {"name": "params", "limit": 20_000, "value": 18_212, "known": "counted", "ok": True},
            {"name": "latency_ms", "limit": 2, "value": 0.0244, "known": "measured", "ok": True},
            {"name": "size", "limit": 60_000, "value": 81_233, "known": "measured", "ok": False},
        ],
        "comparison": {
            "against": "resnet8", "difference": 0.0056, "low": 0.0002, "high": 0.011, "p_value": 0.0441,
            "test": "corrected resampled t-test (Nadeau and Bengio 2003), 5 resplits",
        },
        "finalists": [
            {"name": name, "role": role, "scores": row.tolist(), "violations": []}
            for (name, role), row in zip(
                [("found network", "found"), ("resnet8", "baseline"), ("trial 12", "random")], scores, strict=True
            )
        ],
        "search": {"trials": 64, "scored": 61, "random": 10, "failures": {"diverged": 2, "out of memory": 1},
                   "worker_seconds": 230.1, "space": "conv-macro", "space_size": "1234567890123456",
                   "strategy": "regularized-evolution", "scheduler": "asha",
                   "reasons": ["Images of 8 by 8 pixels: the convolutional space fits."],
                   "predictors": predictors(),
                   "audit": {"trials": 40, "rows": 64, "seconds": 9.3, "left_out": {"epe_nas": "It needs classes."},
                             "sentence": "gp (0.71) ranks these 40 trials better than params (0.52) does."}},
        "test_comparison": {"first": "found network", "second": "resnet8", "difference": 0.005, "low": -0.004,
                            "high": 0.014, "p_value": 0.27, "test": "crossed variance"},
        "export": {"checks": [{"file": "model.onnx", "rows": 512, "max_difference": 2.1e-6, "agreement": 1.0},
                              {"file": "model.py", "rows": 512, "max_difference": 0.0, "agreement": 1.0}], "sizes": {}},
        "test_openings": ["final report"],
        "notes": ["The test set has 360 rows, so differences below about 1 point cannot be seen."],
        "files": {"onnx": "best/model.onnx", "source": "best/model.py", "weights": "best/weights.safetensors",
                  "card": "best/MODEL_CARD.md"},
    }  # fmt: skip


def predictors() -> list[dict]:
    """Best first; of the last nothing is known, because it was the same for all trials."""
    rows = [("gp", "predictor", 40, 0.71, True), ("zico", "proxy", 20, 0.58, False),
            ("params", "cost", 40, 0.52, False), ("macs", "cost", 40, 0.44, False),
            ("graph-network", "predictor", 40, 0.31, False), ("plain", "proxy", 20, -0.07, False),
            (EVIL, "proxy", 0, None, False)]  # fmt: skip
    return [{"name": name, "kind": kind, "n": n, "spearman": rho, "low": None if rho is None else rho - 0.2,
             "high": None if rho is None else rho + 0.15, "useful": useful, "seconds": 0.0 if kind == "cost" else 1.5}
            for name, kind, n, rho, useful in rows]  # fmt: skip


def trials() -> list[dict]:
    rng = np.random.default_rng(1)
    made = []
    for number in range(64):
        params = int(np.exp(rng.uniform(6.5, 9.9)))
        quality = 0.93 + 0.058 * (1 - np.exp(-params / 2500)) + 0.004 * min(number, 40) / 40 + rng.normal(0, 0.006)
        failed = number in (7, 23, 51)
        state = "failed" if failed else ("stopped" if rng.uniform() < 0.25 else "complete")
        score = None if failed else float(min(quality - 0.1 * (state == "stopped") * rng.uniform(), 0.997))
        origin = "random" if number % 6 == 0 else "regularized-evolution"
        made.append({"number": number, "origin": origin, "state": state, "score": score, "params": params,
                     "macs": 22 * params, "seconds": 3.1, "failure": "diverged" if failed else None})  # fmt: skip
    return made


def drawing() -> dict:
    def block(name, text, shape, params):
        return {"name": name, "text": text, "shape": shape, "params": params}

    return {
        "name": "found network",
        "params": 18_212,
        "parts": [
            block("input", "standardise channels", [1, 8, 8], 0),
            block("stem", "conv 3×3, norm, ReLU", [16, 8, 8], 176),
            {"name": "stage1", "params": 6000, "parts": [
                block("mbconv0", "conv 1×1, depthwise conv 3×3, gate, conv 1×1", [24, 8, 8], 2600),
                block("residual1", "2 × conv 3×3 + skip", [24, 8, 8], 3400)]},
            {"name": "stage2", "params": 11_300, "parts": [
                block(f"mbconv{k}", "conv 1×1, depthwise conv 5×5 /2, gate, conv 1×1", [32, 4, 4], 3766)
                for k in range(3)]},
            block("head", "mean, linear", [10], 330),
        ],
    }  # fmt: skip


@pytest.fixture
def content() -> ReportContent:
    return full_content()


def full_content() -> ReportContent:
    return ReportContent(
        data="digits",
        metric="accuracy",
        direction="maximize",
        result=result(),
        trials=trials(),
        expected_random=[0.985 + 0.0066 * (1 - 0.9**k) for k in range(1, 65)],
        profile={"balance": {**{str(k): 180 - k for k in range(9)}, EVIL: 3}},
        profile_lines=["digits: 1,797 images, 1 × 8 × 8, 10 classes", "balanced (174 to 183 rows a class)",
                       "split 60/20/20, stratified: 1,077 train, 360 validation, 360 test"],
        space_lines=["conv-macro: 1.2e14 architectures, 23 decisions"],
        drawing=drawing(),
        warnings=["2 test rows also occur in train."],
        command="nasturtium search digits --max-params 20k --budget 3m",
        surroundings={"nasturtium": "0.1.0", "torch": "2.13.0", "processor": "2 cores of a shared machine"},
    )  # fmt: skip
