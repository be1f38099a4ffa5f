/** Names that are the same in every language: of products, formats, methods, operators, fields, units. */
const NAMES = new Set(
  `Ranksmith ONNX Runtime WebAssembly CPU JSON CSV Markdown Netron JavaScript PyTorch TorchScript Python LAPACK SIMD ImageNet EVBMF
  MAC MACs FLOPs Git LFS GGUF HDF UTF SHA ID IR NaN PNG JPEG VS Code Page Up Down Enter Escape Shift Esc Tab Home End Ctrl
  svd channel input-channel spatial tucker cp tt tr btd group dcf auto dense dtype opset safetensors zip tar pickle npy npz pb onnx uint std
  mean scale std parameters macs bytes time ms error energy ratio rank evbmf accuracy method ranks null true false
  float double int raw_data numpy transpose ml-matrix meta little torch save data pkl git lfs pull shape
  BatchNormalization FusedMatMul Conv Gemm MatMul ConvTranspose
  kB MB GB TB MiB GiB`.split(/\s+/),
);

/**
 * The English words of a text that are neither names nor code. Not looked at: code in backticks, what stands in quotes, paths
 * and names with dots, underscores, digits, slashes or capitals inside, options, links, icons, placeholders.
 */
export function englishWords(text: string, names: ReadonlySet<string> = new Set()): readonly string[] {
  const prose = text
    .replace(/`[^`]*`|\$\([\w~-]+\)|\]\([^)]*\)|\{\d+\}/g, ' ')
    .replace(/"[^"]*"|“[^”\p{Script=Han}]*”/gu, ' ')
    .replace(/[\w-]*(?:[\w-][./\\:_=][\w-]|__)[\w./\\:=-]*(?:\(\))?/g, ' ')
    .replace(/(?<!\w)--?\w[\w-]*|\.\w+/g, ' ');
  return (prose.match(/[A-Za-z][A-Za-z0-9]*(?:[’'-][A-Za-z]+)*/g) ?? []).filter(
    (word) =>
      word.length > 1 &&
      !NAMES.has(word) &&
      !names.has(word) &&
      !/\d/.test(word) &&
      !/^[A-Z][a-z]+[A-Z]\w*$/.test(word),
  );
}
