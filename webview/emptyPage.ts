import { element } from './element';

/** What is shown before anything was compressed. */
export function emptyPage(onCompress: () => void): readonly HTMLElement[] {
  return [
    element(
      'p',
      {},
      'After a compression you see here what became of each layer, and what it cost in accuracy.',
    ),
    element('vscode-button', { onclick: onCompress }, 'Compress a Model…'),
  ];
}
