"""The trained HNN that benches/engine/rollout.rs saves."""

import json
import os

import numpy as np


def layers():
    """Weights and biases (None of the last layer), in double precision."""
    with open(os.path.join(os.environ["HNN_PEERS"], "pendulum.safetensors"), "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header, data = json.loads(file.read(size)), file.read()
    def tensor(name):
        if name not in header:
            return None
        begin, end = header[name]["data_offsets"]
        return np.frombuffer(data[begin:end], "<f8").reshape(header[name]["shape"])
    names = [f"linear{i}" for i in (1, 2, 3)]
    return [(tensor(f"{name}.weight"), tensor(f"{name}.bias")) for name in names]
