/** Where the compressed model goes when nobody says otherwise: `net.onnx` → `net.compressed.onnx`, in the same folder. */
export function compressedPath(path: string): string {
  return `${path.replace(/\.onnx$/i, '')}.compressed.onnx`;
}
