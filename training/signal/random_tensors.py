"""Random tensors of one generator, on any device."""

import torch


class RandomTensors:
    """Draws on `device`; the same seed gives the same there.

    :param device: of PyTorch
    """

    def __init__(self, device: str = "cpu", seed: int = 1):
        self.device = device
        self._generator = torch.Generator(device)
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Determines what is drawn from now on."""
        self._generator.manual_seed(seed)

    def uniform(self, low, high, *shape: int) -> torch.Tensor:
        """Float32 from `low` to `high`."""
        drawn = torch.rand(*shape, generator=self._generator, device=self.device)
        return low + (high - low) * drawn

    def normal(self, *shape: int) -> torch.Tensor:
        """Float32 of mean 0 and deviation 1."""
        return torch.randn(*shape, generator=self._generator, device=self.device)

    def below(self, limit, *shape: int) -> torch.Tensor:
        """Whole numbers from 0 to `limit` - 1, a number or a tensor, which gives the shape then."""
        return (self.uniform(0, 1, *shape or limit.shape) * limit).long()

    def maybe(self, chance: float, *shape: int) -> torch.Tensor:
        """True with that chance."""
        return self.uniform(0, 1, *shape) < chance

    def among(self, chances: torch.Tensor, count: int = 1) -> torch.Tensor:
        """Indices into the last axis of `chances`, as likely as they say: [..., count]."""
        return torch.multinomial(chances, count, replacement=True, generator=self._generator)
