"""How the work is laid over the cores: the one place of batch sizes, lanes and threads.

A lane is a thread that takes a few photos, decodes them, runs the image model on them, and takes the next
few; Pillow and ONNX Runtime both release the GIL. Measured on 2 cores (EfficientNet-B2 at 288 px, fp32,
photos/s of the network alone; docs/speed.md has the whole table):

    one run of 2 threads        batch 1: 44   batch 4: 55   batch 8: 45
    two runs of 1 thread each   batch 1: 62   batch 2: 58   batch 4: 53   batch 8: 30

A convnet's small layers leave a second thread idle, two separate runs do not, and one photo's activations
stay in the core's cache. So on the CPU there is one lane a core, each running one photo at a time on one
thread; decoding overlaps inference because the other lanes run meanwhile, and no thread waits for a
slower one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

# Memory bounds the lanes (about 60 MB each at 288 px), and photos/s stops growing with memory bandwidth.
MAX_LANES = 16
# Captions looked at together: enough that sorting by length leaves little padding, about a second of work
# on one core.
CAPTION_WINDOW = 256
# The first window is small so that the first row shows at once; each next one is four times as long.
FIRST_WINDOW = 4


@dataclass(frozen=True)
class ParallelismConfig:
    """`lanes` threads, each giving `image_batch` photos at a time to a backend that uses
    `backend_threads`.
    """

    lanes: int
    image_batch: int
    backend_threads: int
    caption_window: int = CAPTION_WINDOW
    first_window: int = FIRST_WINDOW

    @property
    def chunks_ahead(self) -> int:
        """Chunks of photos in flight: each lane's own and one waiting for it. Bounds the memory of a
        batch.
        """
        return 2 * self.lanes


def usable_cores() -> int:
    """Cores that this process may use (a scheduler or container may give it fewer than there are)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def parallelism_for(device: str, cores: int | None = None) -> ParallelismConfig:
    """The parallelism for a backend's `device` ("cpu" or "cuda"...) on so many cores (default: those
    usable).
    """
    cores = cores or usable_cores()
    if device.startswith("cuda"):
        # A GPU wants large batches and one caller at a time; lanes decode for it, one more than cores
        # hides its turn.
        return ParallelismConfig(lanes=min(cores + 1, MAX_LANES), image_batch=32, backend_threads=cores)
    return ParallelismConfig(lanes=min(cores, MAX_LANES), image_batch=1, backend_threads=1)
