"""One optimizer step, and everything that must be kept to take the next one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from graftset.diffusion.heads import Head
from graftset.diffusion.network import Network
from graftset.diffusion.painting import to_tags
from graftset.train.batches import Batch

_EMA_START = 10  # steps: the average follows the weights closely at first


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast weights move."""

    learning_rate: float
    weight_decay: float
    ema: float  # decay of the moving average of the weights, per step
    clip: float  # longest gradient


class Learner:
    """A network that learns: weights in float32, computed in `dtype`, with their moving average.

    All weights are one flat vector, of which the network's parameters are views: the optimizer, the average and the
    copy to `dtype` are then one pass each instead of one for every parameter.
    """

    def __init__(self, network: Network, head: Head, rates: Rates, *, device: torch.device, dtype: torch.dtype) -> None:
        self.network = network.to(device)
        self.head = head
        self.rates = rates
        self.device = device
        self.dtype = dtype
        self.step_number = 0
        parameters = list(self.network.parameters())
        self.weights = nn.Parameter(torch.cat([p.detach().float().reshape(-1) for p in parameters]))
        self.average = self.weights.detach().clone()
        self._computed = self.weights.detach().to(dtype) if dtype != torch.float32 else self.weights.detach()
        self._gradient = torch.zeros_like(self._computed)
        self._tie(parameters)
        self.optimizer = torch.optim.AdamW(
            [self.weights],
            lr=rates.learning_rate,
            weight_decay=rates.weight_decay,
            fused=device.type in ("cpu", "cuda"),
        )

    def _tie(self, parameters: list[nn.Parameter]) -> None:
        start = 0
        for parameter in parameters:
            part = slice(start, start + parameter.numel())
            parameter.data = self._computed[part].view(parameter.shape)
            parameter.grad = self._gradient[part].view(parameter.shape)
            start = part.stop

    def learn(self, batch: Batch) -> Tensor:
        """Take one step; returns the loss, still on the device."""
        targets = torch.from_numpy(batch.targets).to(self.device)
        if self.head.outputs != 3 or targets.dim() == 3:
            targets = targets.long()
        levels = torch.from_numpy(batch.levels).to(self.device)
        level = levels[:, None, None, None]
        noise = torch.from_numpy(batch.noise).to(self.device)
        noisy = torch.lerp(self.head.colors(targets), noise, level)
        labels = torch.from_numpy(batch.labels).to(self.device)
        answer = self.network(noisy.to(self.dtype), levels, labels, to_tags(batch.tags, self.device))
        loss = self.head.loss(answer, levels, targets)
        self._gradient.zero_()
        loss.backward()  # type: ignore[no-untyped-call]
        self._apply()
        return loss.detach()

    @torch.no_grad()
    def _apply(self) -> None:
        gradient = self._gradient.float()
        norm = torch.linalg.vector_norm(gradient)
        self.weights.grad = gradient.mul_((self.rates.clip / (norm + 1e-6)).clamp(max=1.0))
        self.optimizer.step()
        self.step_number += 1
        decay = min(self.rates.ema, self.step_number / (self.step_number + _EMA_START))
        self.average.lerp_(self.weights, 1 - decay)
        if self._computed.data_ptr() != self.weights.data_ptr():
            self._computed.copy_(self.weights)

    def healthy(self) -> bool:
        """Whether every weight is a finite number."""
        return bool(torch.isfinite(self.weights).all())

    def averaged(self) -> dict[str, Tensor]:
        """The moving average as a state of the network, in float32 on the CPU."""
        state, start = {}, 0
        average = self.average.cpu()
        for name, parameter in self.network.named_parameters():
            state[name] = average[start : start + parameter.numel()].view(parameter.shape).clone()
            start += parameter.numel()
        return state

    def save(self, position: Mapping[str, Any]) -> bytes:
        """Everything the next step needs, and where the run stands: safetensors with JSON in its header."""
        state = self.optimizer.state.get(self.weights, {})
        tensors = {"weights": self.weights.detach(), "average": self.average}
        if state:
            tensors |= {"first_moment": state["exp_avg"], "second_moment": state["exp_avg_sq"]}
        header = {"position": json.dumps({**position, "step": self.step_number})}
        return safetensors.torch.save({name: tensor.cpu() for name, tensor in tensors.items()}, header)

    @torch.no_grad()
    def load(self, path: str) -> dict[str, Any]:
        """Go on from what `save` gave; returns the position.

        Raises:
            ValueError: The file is damaged, or of another network.
        """
        try:
            with safe_open(path, "pt") as file:
                position: dict[str, Any] = json.loads(file.metadata()["position"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
            self.weights.copy_(tensors["weights"])
            self.average.copy_(tensors["average"])
            if "first_moment" in tensors:
                self.optimizer.state[self.weights] = {
                    "step": torch.tensor(float(position["step"])),
                    "exp_avg": tensors["first_moment"].to(self.device),
                    "exp_avg_sq": tensors["second_moment"].to(self.device),
                }
        except (SafetensorError, KeyError, TypeError, RuntimeError, ValueError) as error:
            raise ValueError(str(error)) from error
        self.step_number = int(position["step"])
        self._computed.copy_(self.weights)
        return position
