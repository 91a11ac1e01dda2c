"""What one of two processes does in tests of training by several: started anew, so it is imported by its name."""

from pathlib import Path
from typing import Any


def muon_steps(rank: int, processes: int, folder: str) -> None:
    """Two steps on matrices of two shapes; saved to `folder`."""
    import torch
    from safetensors.torch import save_file

    from tripost.pretrain.muon import Muon

    if processes > 1:
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=processes
        )
    torch.manual_seed(3)
    matrices: list[Any] = [torch.randn(shape) for shape in ((8, 16), (16, 8), (8, 16), (8, 16), (16, 8))]
    muon = Muon(matrices, 0.05, rank, processes)
    muon.rate = 0.01
    for _ in range(2):
        for matrix in matrices:
            matrix.grad = torch.randn(matrix.shape)
        muon.step()
    save_file({str(k): matrix for k, matrix in enumerate(matrices)}, Path(folder) / f"{processes}-{rank}.safetensors")
    if processes > 1:
        torch.distributed.destroy_process_group()
