import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BenchLayer } from './layers';

/** The peers of `peers.py` for the SVD of a set, and what they do. */
export const SVD_PEERS: Readonly<Record<string, string>> = {
  'numpy-svd': 'numpy.linalg.svd',
  'torch-svd': 'torch.linalg.svd',
  'scipy-svd': 'scipy.linalg.svd, gesdd',
  'numpy-gram': 'numpy Gram + eigh',
  'scipy-gram': 'scipy Gram + eigh, top r only',
};

/** What a peer is to work on. `tucker` are the settings that TensorLy gets. */
export interface PeerSpec {
  readonly weights: string;
  readonly layers: readonly (BenchLayer & { readonly ranks?: readonly number[] })[];
  readonly tucker?: Readonly<Record<string, string | number>>;
}

export interface PeerLayer {
  /** Its position in the set. */
  readonly index: number;
  /** Of every run: wall time, and processor time of all threads. */
  readonly seconds: readonly number[];
  readonly processor: readonly number[];
  /** ‖W − Ŵ‖ / ‖W‖; Tucker only. */
  readonly error?: number;
  readonly sweeps?: number;
}

/** What the peer measured, or why it did not. */
export type PeerAnswer =
  | {
      readonly kind: 'measured';
      readonly layers: readonly PeerLayer[];
      readonly rssMb: number;
      /** Processor time of the whole process. */
      readonly cpuSeconds: number;
      readonly versions: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'skipped'; readonly why: string; readonly cpuSeconds: number };

export interface PeerOptions {
  readonly threads: number;
  readonly runs: number;
  /** Seconds after which no further layer is begun. */
  readonly budget: number;
}

/** RANKSMITH_PYTHONPATH goes before PYTHONPATH: packages that only the measurement is to see. */
function environment(): NodeJS.ProcessEnv {
  const paths = [process.env.RANKSMITH_PYTHONPATH, process.env.PYTHONPATH].filter(Boolean);
  return { ...process.env, PYTHONPATH: paths.join(path.delimiter) };
}

/** Why no peer can be asked; undefined where there is a Python with numpy. */
export function whyNoPeers(): string | undefined {
  const found = spawnSync('python3', ['-c', 'import numpy'], { env: environment(), encoding: 'utf8' });
  if (found.error) return 'there is no python3 on PATH';
  return found.status === 0 ? undefined : 'the python3 on PATH has no numpy';
}

/** Runs one peer in a process of its own, so that its peak memory is its own too. */
export async function askPeer(
  peer: string,
  spec: PeerSpec,
  { threads, runs, budget }: PeerOptions,
): Promise<PeerAnswer> {
  const file = `${spec.weights}.json`;
  writeFileSync(file, JSON.stringify(spec));
  const script = path.resolve('bench/peers.py');
  const numbers = ['--threads', threads, '--runs', runs, '--budget', budget].map(String);
  const child = spawn('python3', [script, file, peer, ...numbers], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, complaint] = [gather(child.stdout), gather(child.stderr)];
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) return skip(lastLine(complaint()) || `it ended with code ${code}`);
  const { skipped, ...answer } = JSON.parse(lastLine(output())) as {
    readonly skipped?: string;
    readonly layers: readonly PeerLayer[];
    readonly rssMb: number;
    readonly cpuSeconds: number;
    readonly versions: Readonly<Record<string, string>>;
  };
  return skipped === undefined ? { kind: 'measured', ...answer } : skip(skipped);
}

function skip(why: string): PeerAnswer {
  return { kind: 'skipped', why, cpuSeconds: 0 };
}

function gather(stream: NodeJS.ReadableStream): () => string {
  const chunks: string[] = [];
  stream.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  return () => chunks.join('');
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
