/** Where the plan of a model stands: beside it, `model.ranks.json`. */
export function planPath(model: string): string {
  return `${model.replace(/\.onnx$/i, '')}.ranks.json`;
}
