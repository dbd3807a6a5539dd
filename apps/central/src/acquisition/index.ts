export { type LineFinder, startWorker, type Worker, type WorkerCounts, type WorkerOptions } from './worker.ts';
