/** Entry of the report page: shows a model and what became of it, or what to do to get there. */
import './report.css';
import { defineComponents } from './components';
import { emptyPage } from './emptyPage';
import type { Answer, FromPage, ToPage } from './messages';
import type { Kept, PageContext } from './report/pageContext';
import { type ReportPage, reportPage } from './report/reportPage';

const api = acquireVsCodeApi<Kept>();
const post = (message: FromPage) => api.postMessage(message);
const waiting = new Map<number, (answer: Answer) => void>();
let kept: Kept = api.getState() ?? {};
let questions = 0;
let context: PageContext | undefined;
let report: ReportPage | undefined;

const place = () => document.getElementById('page')!;

function receive(message: ToPage): void {
  switch (message.kind) {
    case 'texts':
      document.body.classList.toggle('editor', message.place === 'editor');
      context = {
        texts: message.texts,
        post,
        ask(question) {
          const id = questions++;
          post({ kind: 'ask', id, question });
          return new Promise((resolve) => waiting.set(id, resolve as (answer: Answer) => void));
        },
        kept: () => kept,
        keep(change) {
          kept = { ...kept, ...change };
          api.setState(kept);
        },
      };
      break;
    case 'show':
      if (!context) break;
      if (message.subject === null) {
        report = undefined;
        place().replaceChildren(
          ...emptyPage(context.texts, message.problem, () => post({ kind: 'compress' })),
        );
        break;
      }
      if (!report) {
        report = reportPage(context);
        place().replaceChildren(...report.elements);
        const { top } = kept;
        if (top) requestAnimationFrame(() => window.scrollTo(0, top));
      }
      report.show(message.subject);
      break;
    case 'select':
      report?.select(message.layer);
      break;
    case 'answer':
      waiting.get(message.id)?.(message.answer);
      waiting.delete(message.id);
  }
}

defineComponents();
window.addEventListener('message', ({ data }: MessageEvent<ToPage>) => receive(data));
window.addEventListener('scroll', () => context?.keep({ top: window.scrollY }), { passive: true });
post({ kind: 'ready' });
