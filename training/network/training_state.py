"""A training run: weights, their mean over the last steps, and the file from which it resumes."""

import copy
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, cast

import torch
from tqdm import tqdm

from edgeface.core.files import replacing
from training.phonetics.phones import PHONES
from training.signal.mixed_precision import autocast

from .checkpoints import CLASSIFIER, mean_of
from .network import Network, Size

FILE = "state.pt"

STEPS_PER_EPOCH = 25
_SAVE_S = 5.0  # between two states on disk, at least
_WARM = 0.08  # share of the steps until the learning rate is highest
_DECAY = 0.02  # of weights
_LONGEST_MEMORY = 0.998  # of the mean of the weights: what it keeps at a step


class TrainingState:
    """The network and the classifier that tells phones from its encoder, in training.

    :param folder: where `state.pt` is kept; a run that is in it goes on
    :param epochs: of `STEPS_PER_EPOCH` steps
    :param rate: highest learning rate
    :param statistics: None or what `Network` takes
    :param start: files of other runs' states, with the mean of whose weights to go on
    :param device: where it is trained, of PyTorch
    """

    def __init__(
        self,
        folder: Path,
        epochs: int,
        rate: float,
        statistics: Optional[dict] = None,
        start: Sequence[Path] = (),
        device: str = "cpu",
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / FILE
        self.epochs = epochs
        self.epoch = 0
        self.size = Size()
        self.network = Network(self.size, statistics)
        self.classifier = torch.nn.Sequential(
            torch.nn.LayerNorm(self.size.width), torch.nn.Linear(self.size.width, len(PHONES))
        )
        if start:
            self._start_from(start)
        self._modules = torch.nn.ModuleList((self.network, self.classifier)).to(device)
        self._means = copy.deepcopy(self._modules)
        self._optimisers = _optimisers(self._modules, self.network, rate)
        steps = epochs * STEPS_PER_EPOCH + 1
        self._schedules = [
            torch.optim.lr_scheduler.OneCycleLR(
                optimiser, rate, steps, pct_start=_WARM, cycle_momentum=False
            )
            for optimiser in self._optimisers
        ]
        self._device = torch.device(device).type
        self._saved_s = float("-inf")
        if self._file.exists():
            self._load(device)

    def _start_from(self, paths: Sequence[Path]) -> None:
        mean = mean_of(paths)
        self.network.load_state_dict(mean.network)
        if mean.classifier:
            self.classifier.load_state_dict(mean.classifier)

    @property
    def _parts(self) -> Dict[str, Any]:
        """What is kept, by its name in the file."""
        parts = {
            "modules": self._modules,
            "average": self._means[0],
            CLASSIFIER: self._means[1],
        }
        for number, pair in enumerate(zip(self._optimisers, self._schedules)):
            parts[f"optimiser {number}"], parts[f"schedule {number}"] = pair
        return parts

    def _load(self, device: str) -> None:
        state = torch.load(self._file, weights_only=True, map_location=device)
        self.epoch = state["epoch"]
        for name, part in self._parts.items():
            part.load_state_dict(state[name])

    @property
    def average(self) -> Network:
        """The network with the mean of its weights."""
        return cast(Network, self._means[0])

    def train(self, loss_of: Callable[[], torch.Tensor]) -> float:
        """One epoch of steps down `loss_of()`; now and then the state is saved.

        :return: mean loss
        """
        total = torch.zeros((), device=self._device)
        means: List[torch.Tensor] = list(self._means.parameters())
        values: List[torch.Tensor] = list(self._modules.parameters())
        progress = tqdm(
            range(STEPS_PER_EPOCH), desc=f"epoch {self.epoch + 1}", leave=False, disable=None
        )
        for _ in progress:
            with autocast(self._device):
                loss = loss_of()
            self._modules.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(values, 1.0)
            for optimiser, schedule in zip(self._optimisers, self._schedules):
                optimiser.step()
                schedule.step()
            total += loss.detach()
            keep = min(_LONGEST_MEMORY, 1 - 1 / (1 + self._schedules[0].last_epoch / 5))
            with torch.no_grad():
                torch._foreach_lerp_(means, values, 1 - keep)
        self.epoch += 1
        if self.epoch == self.epochs or time.monotonic() - self._saved_s > _SAVE_S:
            self._save()
        return float(total) / STEPS_PER_EPOCH

    def _save(self) -> None:
        state = {"epoch": self.epoch, "size": self.size.as_dict()}
        state.update({name: part.state_dict() for name, part in self._parts.items()})
        with replacing(str(self._file)) as file:  # cut off here, it goes on from the last one
            torch.save(state, file)
        self._saved_s = time.monotonic()


def _optimisers(
    modules: torch.nn.Module, network: Network, rate: float
) -> List[torch.optim.Optimizer]:
    """AdamW, and Muon for the Transformer's matrices.

    Muon's steps are orthogonal matrices, here as large as AdamW's (Jordan et al., 2024: Muon: An
    optimizer for hidden layers in neural networks; Liu et al., 2025: Muon is scalable for LLM
    training).
    """
    linear = [module for module in network.layers.modules() if isinstance(module, torch.nn.Linear)]
    matrices = [module.weight for module in linear]
    apart = {id(matrix) for matrix in matrices}
    others = [p for p in modules.parameters() if id(p) not in apart]
    return [
        torch.optim.AdamW(others, lr=rate, weight_decay=_DECAY, betas=(0.9, 0.98)),
        torch.optim.Muon(matrices, lr=rate, weight_decay=_DECAY, adjust_lr_fn="match_rms_adamw"),
    ]
