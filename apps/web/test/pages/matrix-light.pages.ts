import { matrix } from './matrix.ts';

matrix('light');
