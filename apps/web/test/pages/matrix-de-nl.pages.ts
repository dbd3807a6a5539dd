import { matrix } from './matrix.ts';

matrix(['de', 'nl']);
