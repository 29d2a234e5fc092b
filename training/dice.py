"""Random tensors of one generator, on any device."""

import torch


class Dice:
    """Draws on `device`; the same seed gives the same there."""

    def __init__(self, device="cpu", seed=1):
        self.device, self._generator = device, torch.Generator(device)
        self.seed(seed)

    def seed(self, seed):
        """What is drawn from now on."""
        self._generator.manual_seed(seed)

    def uniform(self, low, high, *shape):
        """Float32 from `low` to `high`."""
        return low + (high - low) * torch.rand(
            *shape, generator=self._generator, device=self.device
        )

    def normal(self, *shape):
        """Float32 of mean 0 and deviation 1."""
        return torch.randn(*shape, generator=self._generator, device=self.device)

    def below(self, limit, *shape):
        """Whole numbers from 0 to `limit` - 1, a number or a tensor, whose shape is then the result's."""
        return (self.uniform(0, 1, *shape or limit.shape) * limit).long()

    def maybe(self, chance, *shape):
        """True with that chance."""
        return self.uniform(0, 1, *shape) < chance

    def among(self, chances, count=1):
        """Indices into the last axis of `chances`, as likely as they say: [..., count]."""
        return torch.multinomial(chances, count, replacement=True, generator=self._generator)
