"""The processes that train one network together, one a GPU: who is who, and what they agree on.

torchrun starts them and says so in the environment. Every process holds the same network; a batch is shared
out, and the gradients are averaged (DistributedDataParallel). Rank 0 alone looks at files and writes them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed

# The others wait this long while rank 0 evaluates and writes.
_PATIENCE = timedelta(hours=2)


@dataclass(frozen=True)
class Team:
    """One process (`rank`, from 0) of `size`."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and prints."""
        return self.rank == 0

    def part(self, batch: NDArray[np.int64]) -> NDArray[np.int64]:
        """This process's photos of a batch: every `size`-th."""
        return batch[self.rank :: self.size]

    def agree(self, word: int) -> int:
        """What rank 0 says; every process must ask at the same point."""
        if self.size == 1:
            return word
        said = torch.tensor([word], dtype=torch.int64)
        distributed.broadcast(said, 0)
        return int(said[0])

    def total(self, value: float) -> float:
        """The sum over all processes."""
        if self.size == 1:
            return value
        summed = torch.tensor([value], dtype=torch.float64)
        distributed.all_reduce(summed)
        return float(summed[0])

    def gather(self, mine: Tensor) -> list[Tensor]:
        """The tensors (CPU, one shape) of all processes, by rank."""
        if self.size == 1:
            return [mine]
        all_of_them = [torch.empty_like(mine) for _ in range(self.size)]
        distributed.all_gather(all_of_them, mine)
        return all_of_them


ALONE = Team()


def join_team() -> Team:
    """The team that torchrun's variables describe; alone without them. Must be left with `leave_team`."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return ALONE
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
        distributed.init_process_group("cpu:gloo,cuda:nccl", timeout=_PATIENCE)
    else:
        distributed.init_process_group("gloo", timeout=_PATIENCE)
    return Team(distributed.get_rank(), size)


def leave_team(team: Team) -> None:
    """Leave torch's process group, where there is one."""
    if team.size > 1 and distributed.is_initialized():
        distributed.destroy_process_group()


def random_state() -> Tensor:
    """The state of this process's generators as bytes: torch's own, then CUDA's where there is one."""
    states = [torch.get_rng_state()]
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states.append(torch.cuda.get_rng_state())
    return torch.cat(states)


def put_random_state(state: Tensor) -> None:
    """Continue from such a state. One made without CUDA leaves CUDA's generator as it is."""
    state = state.cpu()
    own = len(torch.get_rng_state())
    torch.set_rng_state(state[:own].clone())
    if len(state) > own and torch.cuda.is_available():
        torch.cuda.set_rng_state(state[own:].clone())
