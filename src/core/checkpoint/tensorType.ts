import type { ElementType } from '../onnx/model';

/** An element type of a checkpoint. */
export interface TensorType {
  /** As ONNX spells it where ONNX has it ("float", "bfloat16"), else as the format does, in lower case. */
  readonly name: string;
  /** ONNX's number of the type; null where ONNX has none. */
  readonly element: ElementType | null;
  /** Size of one element. Below 8 for packed types. */
  readonly bits: number;
  /** Whether the elements are floating-point numbers: what counts as a parameter. */
  readonly isFloat: boolean;
}

const type = (name: string, element: ElementType | null, bits: number, isFloat = false): TensorType => ({
  name,
  element,
  bits,
  isFloat,
});

const float64 = type('double', 11, 64, true);
const float32 = type('float', 1, 32, true);
const float16 = type('float16', 10, 16, true);
const bfloat16 = type('bfloat16', 16, 16, true);
const float8e4m3fn = type('float8e4m3fn', 17, 8, true);
const float8e4m3fnuz = type('float8e4m3fnuz', 18, 8, true);
const float8e5m2 = type('float8e5m2', 19, 8, true);
const float8e5m2fnuz = type('float8e5m2fnuz', 20, 8, true);
const float8e8m0 = type('float8e8m0', 24, 8, true);
const int64 = type('int64', 7, 64);
const int32 = type('int32', 6, 32);
const int16 = type('int16', 5, 16);
const int8 = type('int8', 3, 8);
const uint64 = type('uint64', 13, 64);
const uint32 = type('uint32', 12, 32);
const uint16 = type('uint16', 4, 16);
const uint8 = type('uint8', 2, 8);
const bool = type('bool', 9, 8);
const complex64 = type('complex64', 14, 64, true);
const complex128 = type('complex128', 15, 128, true);

/** The types of a safetensors header, by the name it gives them (safetensors 0.8). */
export const SAFETENSORS_TYPES: ReadonlyMap<string, TensorType> = new Map([
  ['F64', float64],
  ['F32', float32],
  ['F16', float16],
  ['BF16', bfloat16],
  ['F8_E4M3', float8e4m3fn],
  ['F8_E5M2', float8e5m2],
  ['F8_E4M3FNUZ', float8e4m3fnuz],
  ['F8_E5M2FNUZ', float8e5m2fnuz],
  ['F8_E8M0', float8e8m0],
  ['F6_E2M3', type('f6_e2m3', null, 6, true)],
  ['F6_E3M2', type('f6_e3m2', null, 6, true)],
  ['F4', type('float4e2m1', 23, 4, true)],
  ['C64', complex64],
  ['I64', int64],
  ['I32', int32],
  ['I16', int16],
  ['I8', int8],
  ['U64', uint64],
  ['U32', uint32],
  ['U16', uint16],
  ['U8', uint8],
  ['BOOL', bool],
]);

/** What typed PyTorch storages hold, by the name of their class in the module `torch`. */
export const STORAGE_TYPES: ReadonlyMap<string, TensorType> = new Map([
  ['DoubleStorage', float64],
  ['FloatStorage', float32],
  ['HalfStorage', float16],
  ['BFloat16Storage', bfloat16],
  ['LongStorage', int64],
  ['IntStorage', int32],
  ['ShortStorage', int16],
  ['CharStorage', int8],
  ['ByteStorage', uint8],
  ['BoolStorage', bool],
  ['ComplexFloatStorage', complex64],
  ['ComplexDoubleStorage', complex128],
  ['QInt8Storage', type('qint8', null, 8)],
  ['QUInt8Storage', type('quint8', null, 8)],
  ['QInt32Storage', type('qint32', null, 32)],
]);

/** PyTorch's dtypes that stand in untyped storages, by their name in the module `torch`. */
export const DTYPES: ReadonlyMap<string, TensorType> = new Map([
  ['float64', float64],
  ['float32', float32],
  ['float16', float16],
  ['bfloat16', bfloat16],
  ['float8_e4m3fn', float8e4m3fn],
  ['float8_e4m3fnuz', float8e4m3fnuz],
  ['float8_e5m2', float8e5m2],
  ['float8_e5m2fnuz', float8e5m2fnuz],
  ['float8_e8m0fnu', float8e8m0],
  ['int64', int64],
  ['int32', int32],
  ['int16', int16],
  ['int8', int8],
  ['uint64', uint64],
  ['uint32', uint32],
  ['uint16', uint16],
  ['uint8', uint8],
  ['bool', bool],
  ['complex32', type('complex32', null, 32, true)],
  ['complex64', complex64],
  ['complex128', complex128],
]);
