import type { Uri } from 'vscode';
import type { Preview } from '../core/compress/report';
import type { Engine, Progress } from '../worker/engine';
import type { Models } from './models';
import type { PreviewTargets } from './pickGoal';
import type { FileProgress } from './withNotification';

/** Asks the engine what targets would give for several models. */
export function previewTargets(engine: Engine, models: Models) {
  return (sources: readonly Uri[]): PreviewTargets =>
    async (targets, { signal, onProgress }) => {
      const previews: (readonly Preview[])[] = [];
      for (const [i, source] of sources.entries()) {
        const request = { ...models.request(source), targets, method: 'auto' as const };
        const share = shareOf(i, sources.length, onProgress);
        previews.push(await engine.preview(request, { signal, onProgress: share }));
      }
      return targets.map((_, t) => previews.map((each) => each[t]!));
    };
}

/** The progress of one of several things as that of the whole. */
export function shareOf(
  index: number,
  count: number,
  report: (progress: FileProgress) => void,
  file?: string,
): (progress: Progress) => void {
  return (progress) =>
    report({ ...progress, done: (index + progress.done) / count, ...(file ? { file } : {}) });
}
