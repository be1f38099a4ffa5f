import * as vscode from 'vscode';
import type { Preprocessing } from '../../worker/calibration/preprocessing';
import type { CalibrationRequest } from '../../worker/engine';
import { enginePath } from '../enginePath';

const BY_MODEL = 'ranksmith.calibration';

/** Data that was chosen for a model, and how it is read. */
export interface Calibration {
  readonly uri: vscode.Uri;
  readonly preprocessing: Preprocessing;
  /** The most samples that are used. */
  readonly limit: number;
  /** Samples that were used when it was chosen, those held back included. */
  readonly samples: number;
  readonly heldBack: number;
  /** A file with the class of each sample, so that right answers are counted. */
  readonly labels?: vscode.Uri | undefined;
}

/** The samples that are used unless somebody wants more or fewer. */
export const USUAL_LIMIT = 1024;

/** The data chosen for models, remembered with the workspace. */
export interface Calibrations extends vscode.Disposable {
  /** null: expressly none; undefined: nobody has chosen. */
  of(model: vscode.Uri): Calibration | null | undefined;
  set(model: vscode.Uri, calibration: Calibration | null): Promise<void>;
  /** With the model. */
  readonly onDidChange: vscode.Event<vscode.Uri>;
}

type Stored = Omit<Calibration, 'uri' | 'labels'> & { readonly uri: string; readonly labels?: string };

export function rememberCalibrations(state: vscode.Memento): Calibrations {
  const changed = new vscode.EventEmitter<vscode.Uri>();
  const byModel = () => state.get<Readonly<Record<string, Stored | null>>>(BY_MODEL, {});
  return {
    onDidChange: changed.event,
    dispose: () => changed.dispose(),
    of(model) {
      const key = model.toString();
      const stored = Object.hasOwn(byModel(), key) ? byModel()[key] : undefined;
      if (!stored) return stored;
      const { uri, labels, ...rest } = stored;
      return {
        ...rest,
        uri: vscode.Uri.parse(uri),
        ...(labels === undefined ? {} : { labels: vscode.Uri.parse(labels) }),
      };
    },
    async set(model, calibration) {
      await state.update(BY_MODEL, { ...byModel(), [model.toString()]: calibration && stored(calibration) });
      changed.fire(model);
    },
  };
}

function stored({ uri, labels, ...rest }: Calibration): Stored {
  return { ...rest, uri: uri.toString(), ...(labels ? { labels: labels.toString() } : {}) };
}

/** How the engine is asked to use it. */
export function requestOf({ uri, preprocessing, limit, labels }: Calibration): CalibrationRequest {
  return { path: enginePath(uri), preprocessing, limit, ...(labels ? { labels: enginePath(labels) } : {}) };
}
