import {
  findNodeAtLocation,
  getLocation,
  type Node as JsonNode,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { MEASURED, type PlanSensitivity } from './budget/measuredSensitivity';
import { SENSITIVITIES } from './budget/sensitivity';
import { METHOD_IDS, type MethodId } from './method';
import { type LayerPlan, parseTarget } from './plan';
import { PLAN_VERSION, type PlanCalibration, type PlanFile } from './planFile';

/** A piece of a text, in characters. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

/** What kind of thing is wrong with a text. */
export type ProblemCode =
  /** It is not JSON. */
  | 'syntax'
  /** Something is missing, of another type or out of range, or not known here. */
  | 'form'
  /** There is no method of this name. */
  | 'unknown-method';

/** Something that is wrong with the text of a plan, as a sentence, and where. */
export interface PlanProblem extends Place {
  readonly code: ProblemCode;
  readonly message: string;
}

/** Where the parts of a layer's entry stand. */
export interface EntryPlaces {
  readonly name: Place;
  readonly entry: Place;
  readonly method?: Place;
  readonly ranks?: Place;
}

/** What a text holds. Without problems there is a plan. */
export interface ParsedPlan {
  readonly plan: PlanFile | undefined;
  readonly problems: readonly PlanProblem[];
  /** The entries that can be read, also where other parts of the text are wrong. */
  readonly layers: readonly LayerPlan[];
  /** By the name of the layer, also where other parts of the text are wrong. */
  readonly places: ReadonlyMap<string, EntryPlaces>;
  /** The values of the plan's own members, those that are there; `model.sha256` is among them. */
  readonly members: ReadonlyMap<string, Place>;
}

/** Reads the text of a plan. Every problem is found at once, with its place; nothing is guessed. */
export function parsePlanFile(text: string): ParsedPlan {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const problems: PlanProblem[] = errors.map(({ error, offset, length }) => ({
    code: 'syntax',
    message: `This is not JSON: ${printParseErrorCode(error)}.`,
    offset,
    length,
  }));
  const places = new Map<string, EntryPlaces>();
  if (root?.type !== 'object') {
    if (problems.length === 0)
      problems.push({ code: 'form', message: 'A plan is a JSON object.', offset: 0, length: text.length });
    return { plan: undefined, problems, layers: [], places, members: new Map() };
  }
  const reader = createReader(root, problems);
  const members = reader.places();
  const version = reader.number('version');
  if (version && version.value !== PLAN_VERSION) {
    reader.complain(
      version.node,
      `This plan is of version ${version.value}; only version ${PLAN_VERSION} is known.`,
    );
  }
  const model = reader.object('model');
  const modelReader = model && createReader(model, problems);
  const file = modelReader?.string('file');
  const sha256 = modelReader?.string('sha256');
  if (sha256) members.set('model.sha256', placeOf(sha256.node));
  const goalText = reader.string('goal');
  const goal = goalText && parseTarget(goalText.value);
  if (goalText && !goal) {
    reader.complain(
      goalText.node,
      `"${goalText.value}" is no goal. Goals are parameters=0.5, macs=0.5, bytes=0.5, time=0.5, ms=1.5, error=0.05, energy=0.95, rank=32, ratio=0.5 and evbmf=0.`,
    );
  }
  const multiple = reader.number('multiple');
  if (multiple && !(Number.isInteger(multiple.value) && multiple.value >= 1)) {
    reader.complain(multiple.node, 'The multiple of the ranks is a whole number of at least 1.');
  }
  const sensitivity = reader.any('sensitivity');
  const rules = [...Object.keys(SENSITIVITIES), MEASURED];
  if (sensitivity && sensitivity.value !== null && !rules.includes(String(sensitivity.value))) {
    const names = rules.join(', ');
    reader.complain(sensitivity.node, `The sensitivity is null or one of ${names}.`);
  }
  const calibration = readCalibration(reader, problems);
  const seed = reader.number('seed');
  if (seed && !(Number.isInteger(seed.value) && seed.value >= 0 && seed.value < 2 ** 32))
    reader.complain(seed.node, `The seed is a whole number from 0 to ${2 ** 32 - 1}.`);
  const foldNorms = reader.boolean('foldNorms');
  const list = reader.object('layers');
  const layers = list ? readLayers(list, problems, places) : [];
  reader.refuseOthers();
  modelReader?.refuseOthers();
  if (problems.length > 0 || !goal || !file || !sha256 || !multiple || !seed || !foldNorms || !sensitivity) {
    return { plan: undefined, problems, layers, places, members };
  }
  const plan: PlanFile = {
    model: { file: file.value, sha256: sha256.value },
    goal,
    multiple: multiple.value,
    sensitivity: sensitivity.value as PlanSensitivity | null,
    calibration: calibration ?? null,
    seed: seed.value,
    foldNorms: foldNorms.value,
    layers,
  };
  return { plan, problems, layers, places, members };
}

/** The data behind a plan; null for none, undefined where it can't be read. */
function readCalibration(reader: Reader, problems: PlanProblem[]): PlanCalibration | null | undefined {
  const found = reader.any('calibration');
  if (!found || found.value === null) return found && null;
  if (found.node.type !== 'object') {
    reader.complain(found.node, 'The calibration is null, or says which data the plan was made on.');
    return undefined;
  }
  const own = createReader(found.node, problems);
  const file = own.string('file');
  const sha256 = own.string('sha256');
  const samples = own.number('samples');
  if (samples && !(Number.isInteger(samples.value) && samples.value >= 1))
    own.complain(samples.node, 'The number of samples is a whole number of at least 1.');
  const isText = (value: unknown): value is string => typeof value === 'string';
  const mean = own.list('mean', Number.isFinite as (value: unknown) => value is number, 'numbers');
  const std = own.list('std', isPositive, 'positive numbers');
  const options = own.list('options', isText, 'texts');
  own.refuseOthers();
  if (!file || !sha256 || !samples || !mean || !std || !options) return undefined;
  return { file: file.value, sha256: sha256.value, mean, std, samples: samples.value, options };
}

function isPositive(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) > 0;
}

function readLayers(
  list: JsonNode,
  problems: PlanProblem[],
  places: Map<string, EntryPlaces>,
): readonly LayerPlan[] {
  const layers: LayerPlan[] = [];
  for (const property of list.children ?? []) {
    const [key, value] = property.children ?? [];
    if (!key || !value) continue;
    const layer = String(key.value);
    if (places.has(layer))
      problems.push({ code: 'form', message: `The layer "${layer}" is there twice.`, ...placeOf(key) });
    if (value.type !== 'object') {
      problems.push({
        code: 'form',
        message: 'A layer is { "method": …, "ranks": […] } or { "dense": "why" }.',
        ...placeOf(value),
      });
      continue;
    }
    const reader = createReader(value, problems);
    const dense = reader.has('dense') ? reader.string('dense') : undefined;
    const isDense = reader.has('dense');
    const method = isDense ? undefined : reader.string('method');
    const ranks = isDense ? undefined : reader.ranks();
    reader.refuseOthers();
    places.set(layer, {
      name: placeOf(key),
      entry: placeOf(value),
      ...(method ? { method: placeOf(method.node) } : {}),
      ...(ranks ? { ranks: placeOf(ranks.node) } : {}),
    });
    if (dense) layers.push({ kind: 'dense', layer, reason: dense.value });
    if (!method) continue;
    if (!METHOD_IDS.includes(method.value as MethodId)) {
      const message = `"${method.value}" is no method. Methods are ${METHOD_IDS.join(', ')}.`;
      problems.push({ code: 'unknown-method', message, ...placeOf(method.node) });
    } else if (ranks) {
      layers.push({ kind: 'factor', layer, method: method.value as MethodId, ranks: ranks.value });
    }
  }
  return layers;
}

/** A spot of a text where something of a plan may be written; `replace` is what stands there already. */
export type PlanSpot = { readonly replace: Place } & (
  | { readonly kind: 'goal' }
  /** The data that the plan was made on, all of it. */
  | { readonly kind: 'calibration' }
  /** The name of a layer in front of an entry that may still be missing. */
  | { readonly kind: 'layer'; readonly hasEntry: boolean; readonly isFollowed: boolean }
  | { readonly kind: 'method'; readonly layer: string }
  /** Its ranks, all of them. */
  | { readonly kind: 'ranks'; readonly layer: string; readonly method: string | undefined }
);

/** What may be written at a place of a text, however incomplete that is; undefined elsewhere. */
export function planSpot(text: string, offset: number): PlanSpot | undefined {
  const { path, previousNode, isAtPropertyKey } = getLocation(text, offset);
  const isInside =
    previousNode && previousNode.offset <= offset && offset <= previousNode.offset + previousNode.length;
  const replace = isInside ? placeOf(previousNode) : { offset, length: 0 };
  const [member, layer, part] = path.map(String);
  if (member === 'goal' && path.length === 1 && !isAtPropertyKey) return { kind: 'goal', replace };
  if (member === 'calibration' && path.length === 1 && !isAtPropertyKey) {
    const root = parseTree(text);
    const value = root && findNodeAtLocation(root, ['calibration']);
    return { kind: 'calibration', replace: value ? placeOf(value) : replace };
  }
  if (member !== 'layers' || layer === undefined) return undefined;
  if (path.length === 2 && isAtPropertyKey) {
    const rest = text.slice(replace.offset + replace.length).trimStart();
    return { kind: 'layer', hasEntry: rest.startsWith(':'), isFollowed: rest.startsWith('"'), replace };
  }
  if (isAtPropertyKey) return undefined;
  if (part === 'method' && path.length === 3) return { kind: 'method', layer, replace };
  if (part !== 'ranks') return undefined;
  const root = parseTree(text);
  const list = root && findNodeAtLocation(root, ['layers', layer, 'ranks']);
  const method = root && findNodeAtLocation(root, ['layers', layer, 'method'])?.value;
  return {
    kind: 'ranks',
    layer,
    method: typeof method === 'string' ? method : undefined,
    replace: list?.type === 'array' ? placeOf(list) : replace,
  };
}

interface Found<T> {
  readonly node: JsonNode;
  readonly value: T;
}

function placeOf({ offset, length }: JsonNode): Place {
  return { offset, length };
}

type Reader = ReturnType<typeof createReader>;

/** Reads the members of an object, and notes what is missing, of another type, or not known. */
function createReader(object: JsonNode, problems: PlanProblem[]) {
  const members = new Map<string, JsonNode>();
  /** Names that nothing follows. */
  const bare = new Map<string, JsonNode>();
  for (const { children } of object.children ?? []) {
    const [key, value] = children ?? [];
    if (key) (value ? members : bare).set(String(key.value), value ?? key);
  }
  /** Of the whole plan only its brace is underlined. */
  const start: Place = object.parent ? object : { offset: object.offset, length: 1 };
  const wanted = new Set<string>();
  const complain = ({ offset, length }: Place, message: string) => {
    problems.push({ code: 'form', message, offset, length });
  };
  const miss = (name: string) => {
    const key = bare.get(name);
    complain(key ?? start, key ? `"${name}" has no value.` : `"${name}" is missing.`);
  };
  const read = <T>(name: string, type: JsonNode['type'], word: string): Found<T> | undefined => {
    wanted.add(name);
    const node = members.get(name);
    if (!node) miss(name);
    else if (node.type !== type) complain(node, `"${name}" is ${word}.`);
    else return { node, value: node.value as T };
    return undefined;
  };
  return {
    complain,
    has: (name: string) => members.has(name),
    places: () => new Map([...members].map(([name, node]) => [name, placeOf(node)])),
    list<T>(name: string, isItem: (value: unknown) => value is T, word: string): readonly T[] | undefined {
      const found = read<unknown>(name, 'array', `a list of ${word}`);
      const values = found?.node.children?.map(({ value }) => value as unknown) ?? [];
      if (!found || values.every(isItem)) return found && (values as readonly T[]);
      complain(found.node, `"${name}" is a list of ${word}.`);
      return undefined;
    },
    any(name: string): Found<unknown> | undefined {
      const node = members.get(name);
      wanted.add(name);
      if (node) return { node, value: node.value };
      miss(name);
      return undefined;
    },
    string: (name: string) => read<string>(name, 'string', 'a text'),
    number: (name: string) => read<number>(name, 'number', 'a number'),
    boolean: (name: string) => read<boolean>(name, 'boolean', 'true or false'),
    object: (name: string) => read<unknown>(name, 'object', 'an object')?.node,
    ranks(): Found<readonly number[]> | undefined {
      const found = read<unknown>('ranks', 'array', 'a list of whole numbers');
      if (!found) return undefined;
      const values = (found.node.children ?? []).map(({ value }) => value as unknown);
      const isRank = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 1;
      if (values.length > 0 && values.every(isRank)) return { node: found.node, value: values };
      complain(found.node, 'Ranks are whole numbers of at least 1.');
      return undefined;
    },
    refuseOthers() {
      for (const { children } of object.children ?? []) {
        const [key] = children ?? [];
        if (key && !wanted.has(String(key.value))) complain(key, `"${String(key.value)}" is not known here.`);
      }
    },
  };
}
