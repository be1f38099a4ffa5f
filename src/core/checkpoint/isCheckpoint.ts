/** Whether a file's name is one that checkpoints have. Its content decides (`checkpoint.ts`). */
export function isCheckpoint(name: string): boolean {
  return /\.(safetensors|pt|pth|bin|ckpt)$/i.test(name);
}
