import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { testCalibrated } from './calibratedProperties';
import { testMoments } from './momentProperties';

testMoments('ml-matrix', createMlMatrix());
testCalibrated('ml-matrix', createMlMatrix());
