"""Writes the fixtures of this folder: python3 make.py (Python 3 with numpy; neither torch nor safetensors).

What torch.save writes is Python's own pickle of calls such as torch._utils._rebuild_tensor_v2(storage, …), with
storages as persistent ids, inside an uncompressed zip. Here small classes under torch's module names make the
standard library's pickle and zipfile write the same, so that the reader is held against real writers.
`expected.jsonl` says what each file holds, one a line.
"""
import argparse
import collections
import io
import json
import os
import pickle
import struct
import sys
import types
import zipfile

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))


def module(name):
    made = sys.modules.setdefault(name, types.ModuleType(name))
    return made


def named(module_name, name, bases=(object,), **attributes):
    made = type(name, bases, {"__module__": module_name, **attributes})
    setattr(module(module_name), name, made)
    return made


def function(module_name, name):
    def call(*_):
        raise AssertionError("not called while saving")

    call.__module__, call.__name__, call.__qualname__ = module_name, name, name
    setattr(module(module_name), name, call)
    return call


for name in ["torch", "torch._utils", "torch.storage", "torch.nn", "torch.nn.modules", "torch.nn.modules.linear"]:
    module(name)
sys.modules["torch"]._utils = sys.modules["torch._utils"]
STORAGES = {
    "<f4": "FloatStorage",
    "<f8": "DoubleStorage",
    "<f2": "HalfStorage",
    "<i8": "LongStorage",
    "|u1": "ByteStorage",
    "|b1": "BoolStorage",
}
storage_classes = {code: named("torch", name) for code, name in STORAGES.items()}
bfloat16_storage = named("torch", "BFloat16Storage")
untyped_storage = named("torch.storage", "UntypedStorage")
size_class = named("torch", "Size", (tuple,), __reduce__=lambda self: (sys.modules["torch"].Size, (tuple(self),)))
rebuild_v2 = function("torch._utils", "_rebuild_tensor_v2")
rebuild_v3 = function("torch._utils", "_rebuild_tensor_v3")
rebuild_parameter = function("torch._utils", "_rebuild_parameter")


class Dtype:
    """torch's dtypes reduce to their name in the module torch."""

    __module__ = "torch"

    def __init__(self, name):
        self.name = name
        setattr(sys.modules["torch"], name, self)

    def __reduce__(self):
        return self.name


e4m3 = Dtype("float8_e4m3fn")


class Storage:
    def __init__(self, key, array, storage_class):
        self.key, self.array, self.storage_class = key, array, storage_class


class Tensor:
    def __init__(self, storage, offset, dims, strides, dtype=None):
        self.args = (storage, offset, dims, strides, False, collections.OrderedDict()) + ((dtype,) if dtype else ())
        self.rebuild = rebuild_v3 if dtype else rebuild_v2

    def __reduce__(self):
        return (self.rebuild, self.args)


class Parameter:
    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        return (rebuild_parameter, (self.tensor, True, collections.OrderedDict()))


class File:
    """The storages of one file, in the order in which they are made."""

    def __init__(self):
        self.storages = []

    def storage(self, array, storage_class=None):
        made = Storage(str(len(self.storages)), array, storage_class or storage_classes[array.dtype.str])
        self.storages.append(made)
        return made

    def tensor(self, array):
        array = array.copy(order="C")
        strides = tuple(s // array.itemsize for s in array.strides)
        return Tensor(self.storage(array), 0, array.shape, strides)

    def pickled(self, value, protocol=2):
        class Pickler(pickle.Pickler):
            def persistent_id(self, item):
                if isinstance(item, Storage):
                    return ("storage", item.storage_class, item.key, "cpu", item.array.size)
                return None

        out = io.BytesIO()
        Pickler(out, protocol).dump(value)
        return out.getvalue()

    def write(self, name, value, protocol=2, force_zip64=False, stream=False, prefix="archive"):
        class Unseekable(io.RawIOBase):
            """zipfile then leaves the sizes out of local headers."""

            def __init__(self, file):
                self.file = file

            def writable(self):
                return True

            def write(self, data):
                return self.file.write(data)

            def flush(self):
                self.file.flush()

        with open(os.path.join(here, name), "wb") as file:
            with zipfile.ZipFile(Unseekable(file) if stream else file, "w", zipfile.ZIP_STORED) as archive:
                entries = {"data.pkl": self.pickled(value, protocol), "byteorder": b"little", "version": b"3\n"}
                entries.update({f"data/{s.key}": s.array.tobytes() for s in self.storages})
                for entry, content in entries.items():
                    info = zipfile.ZipInfo(f"{prefix}/{entry}")
                    with archive.open(info, "w", force_zip64=force_zip64) as opened:
                        opened.write(content)


expected = {}


def ramp(*dims, dtype="<f4"):
    return (np.arange(np.prod(dims)).reshape(dims) / 4 - 1).astype(dtype)


def state_dict(file):
    weight = file.tensor(ramp(3, 4))
    conv = file.storage(ramp(2, 2, 1, 3))
    half = file.tensor(ramp(5, dtype="<f2"))
    bits = (ramp(4).view("<u4") >> 16).astype("<u2")
    fp8 = file.storage(np.array([0x38, 0xB8, 0x40, 0x7E], "|u1"), untyped_storage)
    return collections.OrderedDict(
        [
            ("embed.weight", Parameter(weight)),
            ("head.weight", weight),
            # channels_last: 2 × 3 × 2 × 1 on top of rows of 2 × 2 × 1 × 3
            ("conv.weight", Tensor(conv, 0, (2, 3, 2, 1), (6, 1, 3, 3))),
            ("conv.row", Tensor(conv, 3, size_class((3,)), (1,))),
            ("norm.half", half),
            ("norm.brain", Tensor(file.storage(bits, bfloat16_storage), 0, (4,), (1,))),
            ("norm.double", file.tensor(ramp(2, dtype="<f8"))),
            ("quant.weight", Tensor(fp8, 0, (2, 2), (2, 1), e4m3)),
            ("count", file.tensor(np.array(7, "<i8"))),
            ("mask", file.tensor(np.array([True, False]))),
        ]
    )


def expectation():
    conv = ramp(2, 2, 1, 3)
    return {
        "embed.weight": ["float", [3, 4], ramp(3, 4).ravel().tolist()],
        "head.weight": ["float", [3, 4], ramp(3, 4).ravel().tolist()],
        "conv.weight": ["float", [2, 3, 2, 1], np.moveaxis(conv, 3, 1).ravel().tolist()],
        "conv.row": ["float", [3], conv.ravel()[3:6].tolist()],
        "norm.half": ["float16", [5], ramp(5).tolist()],
        "norm.brain": ["bfloat16", [4], ramp(4).tolist()],
        "norm.double": ["double", [2], ramp(2).tolist()],
        "quant.weight": ["float8e4m3fn", [2, 2], [1, -1, 2, 448]],
        "count": ["int64", [], None],
        "mask": ["bool", [2], None],
    }


for protocol in [2, 3, 4, 5]:
    file = File()
    file.write(f"state-dict-p{protocol}.pt", state_dict(file), protocol, force_zip64=protocol == 3, stream=protocol == 4)
    expected[f"state-dict-p{protocol}.pt"] = expectation()


class Recipe:
    """Stands for a class of somebody's project."""

    def __init__(self):
        self.rate, self.names = 0.1, ["a", "b"]


file = File()
model = state_dict(file)
moment = file.tensor(ramp(3, 4))
file.write(
    "training.ckpt",
    {
        "epoch": 3,
        "arch": "tiny",
        "best": file.tensor(np.array(0.5, "<f4")),
        "huge": 1 << 80,
        "seen": {1, 2, 3},
        "bytes": b"\x00\xff",
        "args": argparse.Namespace(lr=0.1, milestones=(1, 2), nested=argparse.Namespace(a=None)),
        "recipe": Recipe(),
        "state_dict": model,
        "optimizer": {"state": {0: {"step": 3, "exp_avg": moment}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
        "numpy": np.float64(0.25),
    },
)
expected["training.ckpt"] = expectation()


class Attack:
    def __reduce__(self):
        return (os.system, ("touch " + "/tmp/ranksmith-pickle-was-here",))


file = File()
file.write("hostile.pt", {"state_dict": state_dict(file), "payload": Attack()})
expected["hostile.pt"] = expectation()

linear = named("torch.nn.modules.linear", "Linear")
net = named("torch.nn.modules", "Net")


def module_object(made, parameters, buffers, modules):
    made = made()
    made.__dict__.update(
        training=False,
        _parameters=collections.OrderedDict(parameters),
        _buffers=collections.OrderedDict(buffers),
        _modules=collections.OrderedDict(modules),
    )
    return made


file = File()
layer = module_object(linear, {"weight": Parameter(file.tensor(ramp(2, 3))), "bias": None}, {}, {})
whole = module_object(net, {}, {"mean": file.tensor(ramp(2))}, {"fc": layer})
file.write("whole-module.pt", {"model": whole, "epoch": 1}, prefix="best")
expected["whole-module.pt"] = {
    "mean": ["float", [2], ramp(2).tolist()],
    "fc.weight": ["float", [2, 3], ramp(2, 3).ravel().tolist()],
}

header = {"__metadata__": {"format": "np"}}
blob = b""
safe = {"a.weight": ("F32", ramp(2, 3)), "b": ("F16", ramp(4, dtype="<f2")), "n": ("I64", np.array([1, -2], "<i8"))}
for name, (dtype, array) in safe.items():
    header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(blob), len(blob) + array.nbytes]}
    blob += array.tobytes()
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(os.path.join(here, "small.safetensors"), "wb") as out:
    out.write(struct.pack("<Q", len(text)) + text + blob)
expected["small.safetensors"] = {
    "a.weight": ["float", [2, 3], ramp(2, 3).ravel().tolist()],
    "b": ["float16", [4], ramp(4).tolist()],
    "n": ["int64", [2], None],
}

with open(os.path.join(here, "legacy.pt"), "wb") as out:
    # The first of the pickles of torch.save before version 1.6.
    pickle.dump(0x1950A86A20F9469CFC6C, out, protocol=2)
    pickle.dump(1001, out, protocol=2)

with open(os.path.join(here, "expected.jsonl"), "w") as out:
    for name, tensors in expected.items():
        out.write(json.dumps([name, tensors]) + "\n")
