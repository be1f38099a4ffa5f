import { Socket } from 'node:net';
import { createFrameReader, framesOf } from './frames';

/** The way to the program that started this process. */
export interface ParentProcess {
  /** What it was started with. */
  readonly argument: string | undefined;
  post(message: unknown): void;
  /** Replaces nothing: listen once. */
  onMessage(receive: (message: unknown) => void): void;
}

/** The other end of `startProcess`: this process ends with the pipe to its parent. */
export function parentProcess(): ParentProcess {
  const pipe = new Socket({ fd: 3 });
  pipe.on('close', () => process.exit());
  pipe.on('error', () => process.exit());
  return {
    argument: process.argv[2],
    post(message) {
      for (const bytes of framesOf(message)) pipe.write(bytes);
    },
    onMessage: (receive) => pipe.on('data', createFrameReader(receive)),
  };
}
