"""Writes torch-1.13*.pt with PyTorch itself (Debian's python3-torch 1.13.1): python3 make_torch.py

torch-1.13.jsonl says what is in the state dict, one tensor a line.
"""
import argparse
import json
import os

import torch

here = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(0)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(7, 4)
        self.conv = torch.nn.Conv2d(3, 2, 3).to(memory_format=torch.channels_last)
        self.norm = torch.nn.BatchNorm2d(2)
        self.lstm = torch.nn.LSTM(4, 2)
        self.head = torch.nn.Linear(4, 7, bias=False)
        self.head.weight = self.embed.weight
        self.small = torch.nn.Parameter(torch.randn(3, 5).half())
        self.brain = torch.nn.Parameter(torch.randn(5, 3).bfloat16().t())
        self.wide = torch.nn.Parameter(torch.randn(3).double())
        self.register_buffer("part", torch.arange(12.0)[3:9].view(2, 3))
        self.register_buffer("spread", torch.arange(3.0).expand(2, 3))
        self.register_buffer("mask", torch.tensor([True, False]))
        self.register_buffer("none", None)


net = Net()
optimizer = torch.optim.Adam([net.head.weight, net.wide], lr=0.1)
(net.head.weight.sum() + net.wide.sum()).backward()
optimizer.step()
state = {
    "epoch": 12,
    "arch": "net",
    "args": argparse.Namespace(lr=0.1, device=torch.device("cpu"), dtype=torch.float16),
    "sparse": torch.eye(3).to_sparse(),
    "state_dict": net.state_dict(),
    "optimizer": optimizer.state_dict(),
    "rng_state": torch.get_rng_state(),
}
torch.save(state, os.path.join(here, "torch-1.13.pt"))
torch.save(
    {
        "sparse": torch.eye(3).to_sparse(),
        "meta": torch.empty(2, device="meta"),
        "quantised": torch.quantize_per_tensor(torch.ones(2, 2), 0.1, 2, torch.qint8),
        "plain": torch.ones(2),
    },
    os.path.join(here, "torch-1.13-odd.pt"),
)
torch.save(net, os.path.join(here, "torch-1.13-module.pt"))
with open(os.path.join(here, "torch-1.13.jsonl"), "w") as out:
    for name, tensor in net.state_dict().items():
        values = tensor.double().flatten().tolist() if tensor.is_floating_point() else None
        out.write(json.dumps([name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape), values]) + "\n")
