"""Times Python's ways to factor weights, beside ours: see pythonPeers.ts, which starts this.

    peers.py SPEC PEER --threads N [--runs N] [--budget SECONDS]

SPEC is a JSON file {"weights": FILE, "layers": [{"dims", "offset", "rank", "ranks"}], "tucker": {...}}: raw float32,
offsets in elements. The matrix of a layer is out x (in * kernel). Prints one JSON object: the seconds of every run on
every layer that was finished within the budget, smallest layers first, and the peak memory of this process. Reading
a weight is not timed. A peer that can't be imported is skipped with the reason.
"""

import argparse
import json
import math
import os
import platform
import resource
import sys
import time


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spec")
    parser.add_argument("peer", choices=sorted(PEERS))
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--budget", type=float, default=60)
    options = parser.parse_args()
    # Before anything that brings a BLAS is imported.
    for library in ("OPENBLAS", "MKL", "OMP"):
        os.environ[library + "_NUM_THREADS"] = str(options.threads)
    answer = {"peer": options.peer, "threads": options.threads}
    with open(options.spec, encoding="utf-8") as file:
        spec = json.load(file)
    try:
        versions, read, run, error = PEERS[options.peer](spec, options.threads)
    except (ImportError, OSError) as problem:
        answer["skipped"] = str(problem)
    else:
        answer["versions"] = {"python": platform.python_version(), **versions}
        answer["layers"] = measure(spec, read, run, error, options)
        unit = 2**20 if sys.platform == "darwin" else 2**10
        answer["rssMb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
        answer["cpuSeconds"] = time.process_time()
    print(json.dumps(answer))


def measure(spec, read, run, error, options):
    layers = spec["layers"]
    order = sorted(range(len(layers)), key=lambda index: work(layers[index]))
    # Threads and caches of the library come up before the clock starts.
    first = layers[order[0]] if error else {"dims": [256, 256], "offset": 0, "rank": 64}
    run(read(first), first)
    finished, spent, rate = [], 0.0, 0.0
    for index in order:
        layer = layers[index]
        if finished and spent + rate * work(layer) * options.runs > options.budget:
            break
        weight = read(layer)
        seconds, processor = [], []
        for _ in range(options.runs):
            start, start_cpu = time.perf_counter(), time.process_time()
            result = run(weight, layer)
            seconds.append(time.perf_counter() - start)
            processor.append(time.process_time() - start_cpu)
        spent += sum(seconds)
        rate = seconds[-1] / work(layer)
        row = {"index": index, "seconds": seconds, "processor": processor}
        if error:
            row.update(error(weight, result))
        finished.append(row)
        del result
    return finished


def work(layer):
    rows, cols = matrix_shape(layer)
    return min(rows, cols) ** 2 * max(rows, cols)


def matrix_shape(layer):
    rows, *rest = layer["dims"]
    return rows, math.prod(rest)


def numpy_reader(spec, dims_of=matrix_shape):
    import numpy

    def read(layer):
        rows, cols = matrix_shape(layer)
        stored = {"dtype": numpy.float32, "count": rows * cols, "offset": 4 * layer["offset"]}
        return numpy.fromfile(spec["weights"], **stored).reshape(dims_of(layer))

    return read


def numpy_versions():
    import numpy

    blas = {}
    if numpy.lib.NumpyVersion(numpy.__version__) >= "1.26.0":
        blas = numpy.show_config("dicts").get("Build Dependencies", {}).get("blas", {})
    return {"numpy": numpy.__version__, "blas": f"{blas.get('name')} {blas.get('version')}"}


def numpy_svd(spec, _threads):
    import numpy

    return numpy_versions(), numpy_reader(spec), lambda a, _: numpy.linalg.svd(a, full_matrices=False), None


def scipy_svd(spec, _threads):
    import scipy.linalg

    def run(a, _layer):
        return scipy.linalg.svd(a, full_matrices=False, lapack_driver="gesdd")

    return {"scipy": scipy.__version__, **numpy_versions()}, numpy_reader(spec), run, None


def torch_svd(spec, threads):
    import torch

    torch.set_num_threads(threads)
    # Not by way of numpy: a torch built for another numpy can't exchange arrays with it.
    size = os.path.getsize(spec["weights"]) // 4
    stored = torch.from_file(spec["weights"], size=size, dtype=torch.float32)

    def read(layer):
        rows, cols = matrix_shape(layer)
        return stored[layer["offset"] : layer["offset"] + rows * cols].reshape(rows, cols).clone()

    return {"torch": torch.__version__}, read, lambda a, _: torch.linalg.svd(a, full_matrices=False), None


def gram_path(eigh, numpy):
    """The sigma that the solver gives and balanced factors of rank r, as one writes it by hand in numpy."""

    def run(a, layer):
        rank = layer["rank"]
        wide = a if a.shape[0] <= a.shape[1] else numpy.ascontiguousarray(a.T)
        exact = wide.astype(numpy.float64)
        values, vectors = eigh(exact @ exact.T, rank)
        sigma = numpy.sqrt(numpy.maximum(values[::-1], 0))
        basis = vectors[:, ::-1][:, :rank].astype(numpy.float32)
        root = numpy.sqrt(sigma[:rank]).astype(numpy.float32)
        return sigma, basis * root, (basis.T @ wide) / numpy.maximum(root, 1e-30)[:, None]

    return run


def numpy_gram(spec, _threads):
    import numpy

    run = gram_path(lambda g, _rank: numpy.linalg.eigh(g), numpy)
    return numpy_versions(), numpy_reader(spec), run, None


def scipy_gram(spec, _threads):
    """The leading eigenpairs only: it knows no other sigma, so it does less than the others."""
    import numpy
    import scipy.linalg

    def eigh(g, rank):
        return scipy.linalg.eigh(g, subset_by_index=[len(g) - rank, len(g) - 1], overwrite_a=True)

    return {"scipy": scipy.__version__, **numpy_versions()}, numpy_reader(spec), gram_path(eigh, numpy), None


def tensorly_tucker(spec, _threads):
    import numpy
    import tensorly
    from tensorly.decomposition import partial_tucker

    tensorly.set_backend("numpy")

    def run(a, layer):
        return partial_tucker(a, rank=layer["ranks"], modes=[0, 1], **spec["tucker"])

    def error(a, result):
        (core, factors), errors = result
        exact = [numpy.asarray(part, dtype=numpy.float64) for part in (a, core, *factors)]
        back = numpy.einsum("rshw,or,is->oihw", exact[1], exact[2], exact[3], optimize=True)
        residual = numpy.linalg.norm(exact[0] - back) / numpy.linalg.norm(exact[0])
        return {"error": residual, "sweeps": len(errors)}

    read = numpy_reader(spec, lambda layer: layer["dims"])
    return {"tensorly": tensorly.__version__, **numpy_versions()}, read, run, error


PEERS = {
    "numpy-svd": numpy_svd,
    "scipy-svd": scipy_svd,
    "torch-svd": torch_svd,
    "numpy-gram": numpy_gram,
    "scipy-gram": scipy_gram,
    "tensorly": tensorly_tucker,
}

main()
