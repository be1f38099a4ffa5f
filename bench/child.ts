import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The first argument of a process that is to take one measurement of ours; the second is what it is to do. */
const CHILD = 'child';

/** A measurement of ours in a process of its own, as the peers have theirs. */
export interface OwnProcess {
  /** Peak resident memory of the process, its threads and their heaps included. */
  readonly rssMb: number;
  /** Processor time of the whole process. */
  readonly cpuSeconds: number;
}

/** Runs this bench once more, as a child that is told `request`. */
export async function askChild<Request, Answer>(request: Request): Promise<Answer & OwnProcess> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    process.argv[1]!,
    CHILD,
    JSON.stringify(request),
  ]);
  return JSON.parse(stdout) as Answer & OwnProcess;
}

/** What a bench ends with: the child answers its request, and everybody else is the bench. */
export async function startBench<Request, Answer>(
  bench: () => Promise<void>,
  child: (request: Request) => Promise<Answer> | Answer,
): Promise<void> {
  const [, , first, request] = process.argv;
  if (first !== CHILD) return bench();
  const answer = await child(JSON.parse(request!) as Request);
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const own: OwnProcess = { rssMb: maxRSS / 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 };
  console.log(JSON.stringify({ ...answer, ...own }));
}
