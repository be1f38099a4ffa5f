/** Entry of the report page: shows the last report, or what to do to get one. */
import './report.css';
import type { CompressionReport } from '../src/core/compress/report';
import { defineComponents } from './components';
import { emptyPage } from './emptyPage';
import type { FromPage, ToPage } from './messages';
import { reportPage } from './reportPage';

/** What outlives the page while its view is hidden. */
interface State {
  readonly report: CompressionReport | null;
}

const api = acquireVsCodeApi<State>();
const post = (message: FromPage) => api.postMessage(message);

function show(report: CompressionReport | null): void {
  const content = report
    ? reportPage(report, (file) => post({ kind: 'reveal', file }))
    : emptyPage(() => post({ kind: 'compress' }));
  document.getElementById('page')?.replaceChildren(...content);
}

defineComponents();
const kept = api.getState();
if (kept) show(kept.report);
window.addEventListener('message', ({ data }: MessageEvent<ToPage>) => {
  api.setState({ report: data.report });
  show(data.report);
});
post({ kind: 'ready' });
