import { matrix } from './matrix.ts';

matrix(['en', 'nb']);
