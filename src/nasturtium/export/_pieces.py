"""The parts of `model.py` that are the same for every model of a kind: reading weights, taking rows, predicting."""

from nasturtium.task import Task

LOAD = '''
def load(path: str | Path = Path(__file__).with_name("weights.safetensors")) -> nn.Module:
    """The trained model, in evaluation mode. It takes and gives exactly what model.onnx does."""
    model = network()
    model.load_state_dict(read_safetensors(path))
    return model.eval()


def read_safetensors(path: str | Path) -> dict[str, Tensor]:
    """Tensors by name: eight bytes with the length of a JSON header, the header, then the numbers, little-endian."""
    dtypes = {
        "F64": torch.float64,
        "F32": torch.float32,
        "F16": torch.float16,
        "BF16": torch.bfloat16,
        "I64": torch.int64,
        "I32": torch.int32,
        "I16": torch.int16,
        "I8": torch.int8,
        "U8": torch.uint8,
        "BOOL": torch.bool,
    }
    content = Path(path).read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    tensors = {}
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            numbers = bytearray(content[start + first : start + last])
            dtype = dtypes[entry["dtype"]]
            flat = torch.frombuffer(numbers, dtype=dtype) if numbers else torch.empty(0, dtype=dtype)
            tensors[name] = flat.reshape(entry["shape"])
    return tensors
'''

AS_INPUT = '''
def as_input(rows: object) -> Tensor:
    """Rows as a float tensor `[rows, *INPUT]`; a single row gets the axis of rows."""
    x = torch.as_tensor(rows, dtype=torch.float32)
    x = x.unsqueeze(0) if tuple(x.shape) == INPUT else x
    if tuple(x.shape[1:]) != INPUT:
        raise ValueError(f"Rows of shape {INPUT} are expected, but the shape of all rows is {tuple(x.shape)}.")
    return x
'''

AS_TABLE = '''
def as_input(rows: object) -> Tensor:
    """Dictionaries from column name to value as a float tensor `[rows, columns]`; a tensor or array stays as it is.

    A column that is left out, None or NaN is missing. Numbers come first, then a code for each category.
    """
    if isinstance(rows, dict):
        rows = [rows]
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        rows = [
            [number(row.get(name)) for name in NUMBERS]
            + [code(row.get(name), values) for name, values in CATEGORIES.items()]
            for row in rows
        ]
    x = torch.as_tensor(rows, dtype=torch.float32)
    x = x.unsqueeze(0) if tuple(x.shape) == INPUT else x
    if tuple(x.shape[1:]) != INPUT:
        raise ValueError(f"Rows of {INPUT[0]} columns are expected, but the shape of all rows is {tuple(x.shape)}.")
    return x


def number(value: object) -> float:
    """The value of a numeric column, NaN where it is missing."""
    return float("nan") if str(value).strip().lower() in MISSING else float(value)


def code(value: object, values: tuple[str, ...]) -> float:
    """The place of a category in its list, counted from 1; 0 for a missing or unknown one."""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    return float(values.index(text) + 1) if text in values else 0.0
'''

CLASSIFY = '''
@torch.inference_mode()
def predict(rows: object, model: nn.Module | None = None) -> list[str]:
    """The most probable class of each row. Give `model=load()` to load the weights only once."""
    scores = (load() if model is None else model)(as_input(rows))
    return [CLASSES[k] for k in scores.argmax(1).tolist()]


@torch.inference_mode()
def probabilities(rows: object, model: nn.Module | None = None) -> Tensor:
    """Probability of each class, `[rows, classes]` in the order of CLASSES."""
    return (load() if model is None else model)(as_input(rows)).softmax(1)
'''

LABEL = '''
@torch.inference_mode()
def predict(rows: object, model: nn.Module | None = None) -> list[list[str]]:
    """The labels of each row that are more likely than not. Give `model=load()` to load the weights only once."""
    scores = (load() if model is None else model)(as_input(rows))
    return [[name for name, score in zip(LABELS, row) if score > 0] for row in scores.tolist()]


@torch.inference_mode()
def probabilities(rows: object, model: nn.Module | None = None) -> Tensor:
    """Probability of each label, `[rows, labels]` in the order of LABELS."""
    return (load() if model is None else model)(as_input(rows)).sigmoid()
'''

REGRESS_ONE = '''
@torch.inference_mode()
def predict(rows: object, model: nn.Module | None = None) -> list[float]:
    """The predicted value of each row. Give `model=load()` to load the weights only once."""
    return (load() if model is None else model)(as_input(rows))[:, 0].tolist()
'''

REGRESS_MANY = '''
@torch.inference_mode()
def predict(rows: object, model: nn.Module | None = None) -> list[list[float]]:
    """The predicted values of each row. Give `model=load()` to load the weights only once."""
    return (load() if model is None else model)(as_input(rows)).tolist()
'''


def predicting(task: Task) -> str:
    """The text of `predict` (and `probabilities`) for a task."""
    if task.kind == "classification":
        return CLASSIFY
    if task.kind == "multi-label":
        return LABEL
    return REGRESS_ONE if task.outputs == 1 else REGRESS_MANY
