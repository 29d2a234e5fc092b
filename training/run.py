"""A training run: weights, their mean over the last steps, and the file from which it goes on when it was cut off."""

import copy
import os
import time

import torch
from tqdm import tqdm

from .network import Network, Size
from .phones import PHONES

STEPS_PER_EPOCH = 25
_SAVE_S = 5.0  # between two states on disk, at least
_WARM = 0.08  # share of the steps until the learning rate is highest


class Run:
    """The network and what tells phones from its encoder, in training.

    :param folder: where `state.pt` is kept; a run that is in it goes on
    :param epochs: of `STEPS_PER_EPOCH` steps
    :param rate: highest learning rate
    :param statistics: None or what `Network` takes
    :param start: None or the file of another run's state, whose weights to go on with
    :param device: where it is trained, of PyTorch
    :param blendshapes_only: learn only the rows of the last layer that make blendshapes
    """

    def __init__(
        self,
        folder,
        epochs,
        rate,
        statistics=None,
        start=None,
        device="cpu",
        blendshapes_only=False,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self._file, self.epochs, self.epoch, self.size = folder / "state.pt", epochs, 0, Size()
        self.network = Network(self.size, statistics)
        self.listener = torch.nn.Sequential(
            torch.nn.LayerNorm(self.size.width), torch.nn.Linear(self.size.width, len(PHONES))
        )
        if start:
            start = torch.load(start, weights_only=True, map_location="cpu")
            self.network.load_state_dict(start["average"])
            if "listener" in start:
                self.listener.load_state_dict(start["listener"])
        self._modules = torch.nn.ModuleList((self.network, self.listener)).to(device)
        self._means = copy.deepcopy(self._modules)
        if blendshapes_only:
            self._modules.requires_grad_(False)
            for parameter in self.network.head[-1].requires_grad_(True).parameters():
                parameter.register_hook(self._blendshapes_alone)
        # decay would move what has no gradient, too
        self._optimiser = torch.optim.AdamW(
            [value for value in self._modules.parameters() if value.requires_grad],
            lr=rate,
            weight_decay=0.0 if blendshapes_only else 0.02,
            betas=(0.9, 0.98),
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, rate, pct_start=_WARM, total_steps=epochs * STEPS_PER_EPOCH + 1
        )
        self._parts = {
            "modules": self._modules,
            "optimiser": self._optimiser,
            "schedule": self._schedule,
            "average": self._means[0],
            "listener": self._means[1],
        }
        if self._file.exists():
            state = torch.load(self._file, weights_only=True, map_location=device)
            self.epoch = state["epoch"]
            for name, part in self._parts.items():
                part.load_state_dict(state[name])
        able = torch.cpu.get_capabilities()
        # faster where the processor multiplies matrices of it, slower elsewhere
        self._bfloat16 = device == "cpu" and (
            able.get("amx_bf16", False) or able.get("avx512_bf16", False)
        )
        self._device, self._saved_s = torch.device(device).type, float("-inf")

    def _blendshapes_alone(self, gradient):
        """Gradient of the last layer's weights or biases without what makes landmarks and speech activity."""
        kept, begin = torch.zeros_like(gradient), self.size.basis
        kept[begin : begin + self.size.blendshapes] = gradient[
            begin : begin + self.size.blendshapes
        ]
        return kept

    @property
    def average(self):
        """The network with the mean of its weights."""
        return self._means[0]

    def train(self, loss_of):
        """One epoch: as many steps down `loss_of()`, and now and then the state on disk; returns the mean loss."""
        total, means, values = 0.0, list(self._means.parameters()), list(self._modules.parameters())
        for _ in tqdm(
            range(STEPS_PER_EPOCH), desc=f"epoch {self.epoch + 1}", leave=False, disable=None
        ):
            with torch.autocast(self._device, torch.bfloat16, enabled=self._bfloat16):
                loss = loss_of()
            self._optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(values, 1.0)
            self._optimiser.step()
            self._schedule.step()
            total += loss.detach()
            keep = min(0.998, 1 - 1 / (1 + self._schedule.last_epoch / 5))
            with torch.no_grad():
                torch._foreach_lerp_(means, values, 1 - keep)
        self.epoch += 1
        if self.epoch == self.epochs or time.monotonic() - self._saved_s > _SAVE_S:
            self._save()
        return float(total) / STEPS_PER_EPOCH

    def _save(self):
        state = {"epoch": self.epoch, "size": self.size.as_dict()}
        state.update({name: part.state_dict() for name, part in self._parts.items()})
        torch.save(state, self._file.with_suffix(".part"))
        os.replace(
            self._file.with_suffix(".part"), self._file
        )  # cut off here, it goes on from the last one
        self._saved_s = time.monotonic()


def disagreement(logits, phones):
    """Mean cross entropy of the phones' shares [B, T, P], which are 0 where nobody knows them; in nats."""
    return -(torch.log_softmax(logits.float(), -1) * phones).sum() / phones.sum().clamp(min=1.0)
