import { createSession, type Session, type SessionOptions } from '../../src/worker/session';
import { checkWritten } from './checkWritten';

export type { Session };

/** The engine of the product as tests open it: whatever `compress` writes is looked at by {@link checkWritten}. */
export function createCheckedSession(options: SessionOptions): Session {
  const session = createSession(options);
  return {
    ...session,
    async compress(request, call) {
      const report = await session.compress(request, call);
      await checkWritten(request, report, options);
      return report;
    },
  };
}
