import { element } from '../element';

/** A value on a horizontal axis that can be moved. Whole numbers. */
export interface SliderState {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly value: number;
  /** Values are multiples of it, unless Shift or Alt is held. */
  readonly step: number;
  /** The value in words. */
  readonly text: string;
  /** In pixels from the left end of the chart. */
  at(value: number): number;
  of(place: number): number;
}

export interface SliderHandlers {
  /** Being moved. */
  onInput(value: number): void;
  /** Let go of, or Enter. */
  onCommit(value: number, by: 'pointer' | 'key'): void;
  /** Escape. */
  onCancel(): void;
}

export interface Slider {
  /** To be put over a chart, in a box of the chart's size that is a containing block. */
  readonly element: HTMLElement;
  update(state: SliderState): void;
  readonly isDragging: () => boolean;
}

/** Steps of Page Up and Page Down. */
const PAGE = 5;

/**
 * A handle over a chart, moved by mouse, pen, finger or keyboard: arrows by a step, with Shift or Alt by one, Page Up and
 * Page Down by five steps, Home and End to the ends. A press anywhere on the chart (`surface`) takes it there.
 */
export function slider(surface: HTMLElement, describedBy: string, handlers: SliderHandlers): Slider {
  let state: SliderState | undefined;
  let dragging: number | undefined;
  const handle = element(
    'div',
    { role: 'slider', class: 'handle', tabindex: '0', 'aria-describedby': describedBy },
    element('div', { class: 'grip', 'aria-hidden': 'true' }),
  );

  const moveTo = (value: number) => {
    if (!state) return;
    const within = Math.min(state.max, Math.max(state.min, Math.round(value)));
    if (within !== state.value) handlers.onInput(within);
  };
  const snapped = (value: number, isFine: boolean) => {
    const step = isFine ? 1 : state!.step;
    return Math.round(value / step) * step;
  };

  surface.addEventListener('pointerdown', (event) => {
    if (!state || event.button !== 0) return;
    dragging = event.pointerId;
    surface.setPointerCapture(event.pointerId);
    handle.focus();
    follow(event);
    event.preventDefault();
  });
  const follow = (event: PointerEvent) => {
    const place = event.clientX - surface.getBoundingClientRect().left;
    moveTo(snapped(state!.of(place), event.shiftKey || event.altKey));
  };
  surface.addEventListener('pointermove', (event) => {
    if (dragging === event.pointerId) follow(event);
  });
  surface.addEventListener('pointerup', (event) => {
    if (dragging !== event.pointerId) return;
    dragging = undefined;
    handlers.onCommit(state!.value, 'pointer');
  });
  surface.addEventListener('pointercancel', () => {
    if (dragging === undefined) return;
    dragging = undefined;
    handlers.onCancel();
  });

  handle.addEventListener('keydown', (event) => {
    if (!state || event.ctrlKey || event.metaKey) return;
    const { value, min, max } = state;
    const step = event.shiftKey || event.altKey ? 1 : state.step;
    // From a value off the grid the first step leads onto it.
    const up = (Math.floor(value / step + 1e-9) + 1) * step;
    const down = (Math.ceil(value / step - 1e-9) - 1) * step;
    const moves: Readonly<Record<string, number>> = {
      ArrowRight: up,
      ArrowUp: up,
      ArrowLeft: down,
      ArrowDown: down,
      PageUp: up + (PAGE - 1) * step,
      PageDown: down - (PAGE - 1) * step,
      Home: min,
      End: max,
    };
    const to = moves[event.key];
    if (to !== undefined) moveTo(to);
    else if (event.key === 'Enter') handlers.onCommit(value, 'key');
    else if (event.key === 'Escape') handlers.onCancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    element: handle,
    isDragging: () => dragging !== undefined,
    update(next) {
      state = next;
      handle.setAttribute('aria-label', next.label);
      handle.setAttribute('aria-valuemin', String(next.min));
      handle.setAttribute('aria-valuemax', String(next.max));
      handle.setAttribute('aria-valuenow', String(next.value));
      handle.setAttribute('aria-valuetext', next.text);
      handle.style.left = `${next.at(next.value)}px`;
    },
  };
}
