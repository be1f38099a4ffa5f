import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { testLinalg } from './linalgProperties';

testLinalg('ml-matrix', createMlMatrix());
