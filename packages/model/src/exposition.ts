/**
 * Counters and gauges of a program in Prometheus' text form (exposition format 0.0.4), the same for every role.
 *
 * Decides: that all samples of a name stand together, whoever adds them; escaping. Leaves out: what is counted.
 */

export type Labels = Readonly<Record<string, string | undefined>>;

/** Adds one sample; `help` and `type` are taken from the first of a name. */
export type AddMetric = (name: string, type: 'gauge' | 'counter', help: string, value: number, labels?: Labels) => void;

/** Tells what a part of the program counts; called at each scrape, so it must be quick. */
export type MetricSource = (add: AddMetric) => void;

const escaped = (text: string): string => text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));

function written(labels: Labels): string {
  const parts = Object.entries(labels)
    .filter((pair): pair is [string, string] => pair[1] !== undefined)
    .map(([name, value]) => `${name}="${escaped(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

/** The media type that goes with it. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function exposition(sources: readonly MetricSource[]): string {
  const families = new Map<string, string[]>();
  const add: AddMetric = (name, type, help, value, labels = {}) => {
    let lines = families.get(name);
    if (!lines) {
      lines = [
        `# HELP ${name} ${help.replace(/[\\\n]/g, (c) => (c === '\n' ? '\\n' : '\\\\'))}`,
        `# TYPE ${name} ${type}`,
      ];
      families.set(name, lines);
    }
    lines.push(`${name}${written(labels)} ${value}`);
  };
  for (const source of sources) source(add);
  return `${[...families.values()].flat().join('\n')}\n`;
}
