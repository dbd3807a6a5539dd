/** What a run takes over from the task or flow that it executes. */
import type { Definition, NewRun } from '@amiable/store';
import type { FlowDefinition, TaskDefinition } from '@amiable/tasks';

export function newRun(
  what: 'task' | 'flow',
  one: Definition<TaskDefinition | FlowDefinition>,
  due: number,
  at: number,
  occurrence?: { readonly nominal: string; readonly at: number },
): NewRun {
  const { definition } = one;
  return {
    what,
    [what]: one.id,
    version: one.version,
    kind: one.kind,
    name: one.name,
    definition,
    priority: (definition as TaskDefinition).priority ?? 5,
    due,
    // What is made up for late has its whole time from now on.
    expires: Math.max(due, at) + definition.lifetime,
    created: at,
    creator: one.creator,
    creatorId: one.creatorId,
    scope: one.scope,
    transaction: '',
    occurrence,
  };
}
