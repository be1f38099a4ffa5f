import type { ParsedPlan, Place, ProblemCode } from './parsePlanFile';
import type { PlanRemark, RemarkCode } from './planReview';

/** A piece of a plan's text with something to be said of it. */
export interface PlanMark extends Place {
  readonly code: ProblemCode | RemarkCode | 'no-review';
  readonly severity: PlanRemark['severity'];
  /** A sentence. */
  readonly message: string;
}

/** What is wrong with the text itself. */
export function problemMarks({ problems }: ParsedPlan): readonly PlanMark[] {
  return problems.map((problem) => ({ ...problem, severity: 'error' }));
}

/** What a review of this very text says, where it belongs. */
export function remarkMarks(parsed: ParsedPlan, remarks: readonly PlanRemark[]): readonly PlanMark[] {
  return remarks.map((remark) => {
    const { code, severity, message } = remark;
    return { ...placeOfRemark(parsed, remark), code, severity, message };
  });
}

/** Why there is no review, where the model is named. */
export function failureMark(parsed: ParsedPlan, message: string): PlanMark {
  return { ...memberPlace(parsed, 'model'), code: 'no-review', severity: 'error', message };
}

/** The part of the text that a remark is about. */
export function placeOfRemark(
  parsed: ParsedPlan,
  { layer, part }: Pick<PlanRemark, 'layer' | 'part'>,
): Place {
  const places = layer === undefined ? undefined : parsed.places.get(layer);
  switch (part) {
    case 'goal':
    case 'model':
    case 'calibration':
      return memberPlace(parsed, part);
    case 'name':
      return places?.name ?? START;
    default:
      return places?.[part] ?? places?.entry ?? START;
  }
}

const START: Place = { offset: 0, length: 0 };

function memberPlace({ members }: ParsedPlan, name: string): Place {
  return members.get(name) ?? START;
}
