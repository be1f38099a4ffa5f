"""Writes evbmf.json: what empirical variational Bayesian matrix factorisation makes of known singular values.

    python3 test/core/data/evbmf.py && npx biome format --write test/core/data/evbmf.json

Needs NumPy and SciPy. Deliberately not the closed form that the extension uses: the variational free energy itself
is brought down numerically, component by component and then over the noise variance, so that the two agree only if
the closed form is right.

Model (Nakajima et al. 2013, JMLR 14, section 2): V (L x M, L <= M) = B A' + noise of variance s; the columns of A
(M x H) and B (L x H) have Gaussian priors of variances ca^2, cb^2, learnt too. The posterior of column h has means of
norm ma, mb and variances va, vb. With p = ma^2 / (M va) and q = mb^2 / (L vb), twice the free energy of a component,
after ca^2 = (ma^2 + M va) / M, cb^2 likewise, and the best M va L vb are put in, is

    -M log(1 - u) - L log(1 - v) - (g^2 / s) u v        u = p / (1 + p), v = q / (1 + q)

for the singular value g; it is 0 where nothing is kept. What is kept of g is g u v. The whole is
L M log s + (sum g^2) / s + the components' minima (constants left out).
"""

import json
import pathlib

import numpy as np
from scipy.optimize import minimize_scalar

HERE = pathlib.Path(__file__).parent
MODEL = HERE / "../../../media/sample/fashion-vgg.onnx"


def component(g, rows, cols):
    """Least free energy and share u v of every component; g = singular value^2 / noise variance, an array.

    Coordinate descent, from the side of everything kept: a = 1 - u and b = 1 - v take their best values in turn.
    """
    a = np.zeros_like(g)
    b = np.zeros_like(g)
    for _ in range(200_000):
        a_next = np.minimum(1, cols / (g * np.maximum(1 - b, 1e-300)))
        b_next = np.minimum(1, rows / (g * np.maximum(1 - a_next, 1e-300)))
        change = max(np.max(np.abs(a_next - a)), np.max(np.abs(b_next - b)))
        a, b = a_next, b_next
        if change < 1e-15:
            break
    with np.errstate(divide="ignore", invalid="ignore"):
        energy = -cols * np.log(a) - rows * np.log(b) - g * (1 - a) * (1 - b)
    kept = energy < 0
    return np.where(kept, energy, 0), np.where(kept, (1 - a) * (1 - b), 0)


def free_energy(s, sigma, rows, cols):
    energies, _ = component(sigma**2 / s, rows, cols)
    return rows * cols * np.log(s) + np.sum(sigma**2) / s + np.sum(energies)


def evbmf(sigma, rows, cols):
    """Rank, noise variance and shrunken singular values; rows <= cols. The noise is searched for over 14 e-folds."""
    sigma = np.asarray(sigma, float)
    top = np.log(np.sum(sigma**2) / (rows * cols))
    step = 0.01
    logs = np.arange(top - 14, top + 0.1, step)
    values = np.array([free_energy(np.exp(t), sigma, rows, cols) for t in logs])
    inner = np.flatnonzero((values[1:-1] <= values[:-2]) & (values[1:-1] <= values[2:])) + 1
    best = None
    for i in inner:
        found = minimize_scalar(
            lambda t: free_energy(np.exp(t), sigma, rows, cols) - values[i],
            bounds=(logs[i] - step, logs[i] + step),
            method="bounded",
            options={"xatol": 1e-11},
        )
        if best is None or found.fun + values[i] < best[0]:
            best = (found.fun + values[i], np.exp(found.x))
    _, kept = component(sigma**2 / best[1], rows, cols)
    rank = int(np.count_nonzero(kept))
    return rank, float(best[1]), [float(x) for x in (sigma * kept)[:rank]]


def check_component():
    """The descent finds the minimum over a fine grid of (u, v)."""
    u = np.linspace(0, 1, 1500, endpoint=False)
    for rows, cols, g in [(5, 9, 40.0), (5, 9, 25.0), (20, 20, 130.0), (3, 50, 110.0), (3, 50, 60.0)]:
        grid = -cols * np.log1p(-u)[:, None] - rows * np.log1p(-u)[None, :] - g * np.outer(u, u)
        found = component(np.array([g]), rows, cols)[0][0]
        assert found <= np.min(grid) + 1e-12 and found > np.min(grid) - 0.05, (rows, cols, g, found, np.min(grid))


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """The fields of a protobuf message, as (number, value)."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            size = {1: 8, 5: 4}[key & 7]
            value, at = data[at : at + size], at + size
        yield key >> 3, value


def unpack_dims(value):
    if isinstance(value, int):
        return [value]
    dims, at = [], 0
    while at < len(value):
        dim, at = varint(value, at)
        dims.append(dim)
    return dims


def weights():
    """Names and arrays of the sample model's float initializers with two or more axes."""
    graph = next(value for number, value in fields(MODEL.read_bytes()) if number == 7)
    for number, tensor in fields(graph):
        if number != 5:
            continue
        dims, name, raw, kind = [], "", b"", 0
        for part, value in fields(tensor):
            if part == 1:
                dims += unpack_dims(value)
            elif part == 2:
                kind = value
            elif part == 8:
                name = value.decode()
            elif part == 9:
                raw = value
        if kind == 1 and len(dims) >= 2 and raw:
            yield name, np.frombuffer(raw, "<f4").reshape(dims).astype(float)


def case(name, matrix, true_rank=None):
    rows, cols = sorted(matrix.shape)
    # Rounded first: the expected numbers are those of the singular values as they stand in the file.
    sigma = [float(f"{x:.9g}") for x in np.linalg.svd(matrix, compute_uv=False)]
    rank, noise, shrunk = evbmf(sigma, rows, cols)
    print(f"{name}: {rows} x {cols}, rank {rank}, noise variance {noise:.6g}", flush=True)
    expected = {"rank": rank, "noiseVariance": float(f"{noise:.9g}"), "shrunk": [float(f"{x:.9g}") for x in shrunk]}
    known = {} if true_rank is None else {"trueRank": true_rank}
    return {"name": name, "rows": rows, "cols": cols, **known, **expected, "sigma": sigma}


def main():
    check_component()
    rng = np.random.default_rng(20130101)
    cases = []
    sizes = [(1, 30), (8, 8), (10, 64), (16, 144), (24, 24), (32, 40), (40, 400), (48, 60), (64, 64), (64, 576)]
    for rows, cols in sizes:
        for strength in (0.7, 1.4, 4.0):
            rank = max(1, rows // 8) if rows > 1 else 1
            noise = 10.0 ** rng.uniform(-4, 3)
            signal = rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, cols))
            # Strength 1 puts the signal's singular values about where those of the noise end.
            scale = strength * (np.sqrt(rows) + np.sqrt(cols)) / np.sqrt(rows * cols)
            matrix = noise * (scale * signal + rng.normal(size=(rows, cols)))
            cases.append(case(f"rank {rank}, strength {strength}", matrix, rank))
    for rows, cols in [(12, 12), (30, 90), (64, 256)]:
        cases.append(case("noise", rng.normal(size=(rows, cols)), 0))
    for name, weight in weights():
        if weight.ndim == 2:
            cases.append(case(name, weight))
            continue
        out, channels, kh, kw = weight.shape
        cases.append(case(f"{name} by out", weight.reshape(out, -1)))
        if min(out, channels) <= 128:
            cases.append(case(f"{name} by in", weight.transpose(1, 0, 2, 3).reshape(channels, -1)))
            cases.append(case(f"{name} by rows", weight.transpose(1, 2, 0, 3).reshape(channels * kh, out * kw)))
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    (HERE / "evbmf.json").write_text(f"[\n{lines}\n]\n")


main()
