import type { Workbench, WorkbenchOptions } from './ui.mjs';

/** A folder that is on no disk the editor sees. */
export interface VirtualFiles {
  /** The folder behind it, which a test may read and change. */
  readonly folder: string;
  /** What VS Code and its extensions asked for, in order: "read /sample/net.onnx". */
  readonly requests: readonly string[];
  /** From now on what writes, moves or removes a file whose path the pattern fits is refused; undefined: nothing is. */
  refuse(pattern: RegExp | undefined): void;
}

/** A VS Code window without an extension host for Node; `workspace` is the folder behind the virtual one. */
export interface WebWorkbench extends Workbench {
  readonly virtual: VirtualFiles;
}

/** Starts a server with the packaged extension for browsers and opens a virtual folder in it, in Chromium. */
export function openWebWorkbench(options?: Omit<WorkbenchOptions, 'vsix' | 'address'>): Promise<WebWorkbench>;
