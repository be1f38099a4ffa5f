/** Entry of the page of a comparison: two models side by side. */
import './comparePage.css';
import { replaceContent } from '../replaceContent';
import type { TableState } from '../table/virtualTable';
import { comparePage } from './comparePage';
import type { FromComparePage, ToComparePage } from './messages';

/** What outlives the page while its tab is hidden, and (the pair) a restart. The rest the extension has at hand. */
interface State {
  readonly pair?: ToComparePage['pair'];
  readonly filter?: string;
  readonly changedOnly?: boolean;
  readonly table?: TableState;
}

const api = acquireVsCodeApi<State>();
const post = (message: FromComparePage) => api.postMessage(message);
const state = () => api.getState() ?? {};
const keep = (part: State) => api.setState({ ...state(), ...part });

window.addEventListener('message', ({ data }: MessageEvent<ToComparePage>) => {
  if (data?.kind !== 'show') return;
  keep({ pair: data.pair });
  const { filter = '', changedOnly = true, table } = state();
  const page = document.getElementById('page')!;
  replaceContent(
    page,
    ...comparePage(data, {
      filter,
      changedOnly,
      table,
      onFilter: (text) => keep({ filter: text }),
      onChangedOnly: (isOnly) => keep({ changedOnly: isOnly }),
      onTable: (kept) => keep({ table: kept }),
      onAction: (action) => post({ kind: 'do', action }),
      onOpen: (side) => post({ kind: 'open', side }),
    }),
  );
  page.setAttribute('aria-busy', String(data.view.kind === 'reading'));
});
post({ kind: 'ready' });
