import json
import os
import random

import numpy as np
import pytest
import torch
from support.faces import DATA
from support.networks import VARIANTS, weights

from edgeface.build import load_model

# the original networks in full size lie outside the repository
collect_ignore = []
if not os.path.isdir(os.environ.get("FIXTURES", "../shared/fixtures")):
    collect_ignore = ["test_fixtures.py"]


@pytest.fixture(scope="module")
def numbers():
    with np.load(os.path.join(DATA, "study.npz")) as data:
        found = {name: torch.from_numpy(data[name]) for name in data.files if name != "shapes"}
        return dict(found, shapes=json.loads(str(data["shapes"])))


@pytest.fixture(scope="module")
def checkpoints(numbers, tmp_path_factory):
    """Paths of small checkpoints by name, and the arrays that go with them."""
    folder = tmp_path_factory.mktemp("checkpoints")
    paths = {name: str(folder / f"{name}.pt") for name in ("fasthubert", "fine_tuned") + VARIANTS}
    state = weights(numbers, "fasthubert")
    cfg = {"model": {"encoder_attention_heads": 4}}
    torch.save({"model": state, "cfg": cfg, "args": None}, paths["fasthubert"])
    tuned = {
        f"w2v_encoder.w2v_model.{name}": value.half()
        for name, value in state.items()
        if not name.startswith("final_proj")
    }
    tuned.update(
        {
            "w2v_encoder.w2v_model.feature_extractor.conv_layers.0.0.weight": torch.zeros(4, 1, 10),
            "w2v_encoder.proj.weight": torch.zeros(5, 64),
            "w2v_encoder.proj.bias": torch.zeros(5),
        }
    )
    torch.save({"model": tuned, "cfg": cfg, "task": random.Random(3)}, paths["fine_tuned"])
    for variant in VARIANTS:
        state = weights(numbers, variant)
        torch.save(
            {
                "state_dict": {"model": state}
                if variant.startswith("pp")
                else {f"model.{name}": value for name, value in state.items()}
            },
            paths[variant],
        )
    rng = np.random.RandomState(4)
    paths["adapter"], paths["basis"], paths["database"] = (
        str(folder / name) for name in ("a.npz", "b.npz", "d.npz")
    )
    np.savez(paths["adapter"], matrix=(rng.standard_normal((48, 64)) / 8).astype(np.float32))
    mean = np.array(load_model("").neutral, np.float32)
    np.savez(paths["basis"], mean=mean, exp=rng.standard_normal((204, 64)).astype(np.float32) / 100)
    np.savez(paths["database"], faces=rng.standard_normal((50, 204)).astype(np.float32))
    return paths
