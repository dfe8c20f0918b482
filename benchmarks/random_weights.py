"""Random weights that say something, for networks made by torch: used by whatever exports networks.

What packages initialise to one value (batch statistics, gains, layer scales, biases, the gain of a residual
branch at zero) hides structure: a runtime folds it away, and a branch that scales by 1e-6 says nothing. So
batch norms are given the statistics of random images, and then all of it is disturbed.
"""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor, nn

_LEAST_GAIN: Final = 0.5
"""How much a layer must at least pass on: standard deviation of a weight times the root of what it sums."""

_LEAST_SHARED: Final = 0.1


def randomise(module: nn.Module) -> None:
    """Disturb every parameter that was set to one value, and every bias."""
    for name, tensor in module.named_parameters():
        last = name.rpartition(".")[2]
        is_small_gain = tensor.dim() == 1 and last == "weight" and float(tensor.abs().max()) < _LEAST_GAIN
        if is_small_gain or (tensor.numel() > 1 and bool((tensor == tensor.flatten()[0]).all())):
            _disturb(name, tensor)
        elif tensor.dim() >= 2 and 0 < (gain := float(tensor.std()) * tensor[0].numel() ** 0.5) < _LEAST_GAIN:
            tensor.mul_(_LEAST_GAIN / gain)  # the last layer of some, which is to start from almost nothing
        elif "bias" in last:
            tensor.add_(torch.randn_like(tensor) * 0.05)


def _disturb(name: str, tensor: Tensor) -> None:
    first, last = float(tensor.flatten()[0]), name.rpartition(".")[2]
    is_gain = first != 0 or last in ("weight", "gain", "gamma")
    if tensor.dim() >= 2 and not (is_gain and tensor.numel() == max(tensor.shape)):
        fan_in = tensor[0].numel()
        tensor.copy_(torch.randn_like(tensor) * max(fan_in, 16) ** -0.5)
    elif is_gain:
        tensor.copy_(torch.rand_like(tensor) * 0.5 + 0.5)
    else:
        tensor.copy_(torch.randn_like(tensor) * 0.05)


def calibrate(module: nn.Module, run: Callable[[], Any], *, shared: float = 0.0) -> None:
    """Give each batch norm statistics near those of what reaches it, one after the other in one run.

    Args:
        module: what has the batch norms.
        run: has it process some images.
        shared: as many values' worth of the mean of all channels' variances is mixed into each channel's, see
            `mix`, so that none is left with almost none, by maps of one cell or by what it looks for.
    """
    norms = [each for each in module.modules() if isinstance(each, nn.modules.batchnorm._BatchNorm)]

    def set_statistics(norm: nn.modules.batchnorm._BatchNorm, inputs: tuple[Tensor, ...]) -> None:
        _set_statistics(norm, inputs[0], shared)

    hooks = [each.register_forward_pre_hook(set_statistics) for each in norms]
    run()
    for hook in hooks:
        hook.remove()


def _set_statistics(norm: nn.modules.batchnorm._BatchNorm, values: Tensor, shared: float) -> None:
    others = [axis for axis in range(values.dim()) if axis != 1]
    mean, variance = values.mean(others), values.var(others, correction=0).clamp(min=1e-5)
    if shared:
        variance = mix(variance, values.numel() // values.shape[1], shared)
    norm.running_mean.copy_(mean + torch.randn_like(mean) * 0.1 * variance.sqrt())
    norm.running_var.copy_(variance * (torch.rand_like(variance) * 0.6 + 0.7))


def mix(variances: Tensor, count: int, shared: float) -> Tensor:
    """Variances of `count` values each, of which a tenth or `shared` values' worth is their mean."""
    part = max(_LEAST_SHARED, shared / (count + shared))
    return torch.lerp(variances, variances.mean(), part)
