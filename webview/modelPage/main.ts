/** Entry of the page of a model: what the file is made of, read-only. */
import './modelPage.css';
import { replaceContent } from '../replaceContent';
import type { TableState } from '../table/virtualTable';
import type { FromModelPage, ToModelPage } from './messages';
import { modelPage } from './modelPage';

/** What outlives the page while its editor is hidden. The rest the extension has at hand. */
interface State {
  readonly filter?: string;
  readonly table?: TableState;
  readonly scroll?: number;
}

const api = acquireVsCodeApi<State>();
const post = (message: FromModelPage) => api.postMessage(message);
const state = () => api.getState() ?? {};
const keep = (part: State) => api.setState({ ...state(), ...part });

let isFirst = true;
window.addEventListener('message', ({ data }: MessageEvent<ToModelPage>) => {
  if (data?.kind !== 'show') return;
  const { filter = '', table, scroll } = state();
  const page = document.getElementById('page')!;
  replaceContent(
    page,
    ...modelPage(data, {
      filter,
      table,
      onFilter: (text) => keep({ filter: text }),
      onTable: (kept) => keep({ table: kept }),
      onAction: (action) => post({ kind: 'do', action }),
      onLayer: (name) => post({ kind: 'layer', name }),
    }),
  );
  page.setAttribute('aria-busy', String(data.view.kind === 'reading'));
  if (isFirst && data.view.kind === 'ready') {
    isFirst = false;
    if (scroll) requestAnimationFrame(() => window.scrollTo(0, scroll));
    window.addEventListener('scroll', () => keep({ scroll: window.scrollY }));
  }
});
post({ kind: 'ready' });
