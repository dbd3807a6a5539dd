/** One row of the table of APDUs: tag, choice and layout, and the names that its text form begins with. */
import { type Node, pascal } from './node.ts';
import type { ApduOf, ApduType } from './types.ts';

export interface ApduSchema {
  readonly type: ApduType;
  readonly tag: number;
  /** The second byte, where the tag has several APDUs. */
  readonly choice: number | undefined;
  /** What is behind tag and choice. */
  readonly node: Node<unknown>;
  /** Element of the text form, and the one around it where there are several: GetRequest holds GetRequestNormal. */
  readonly element: string;
  readonly outer: string | undefined;
  /** How explanations begin their paths. */
  readonly path: string;
}

interface Names {
  readonly element?: string;
  readonly path?: string;
}

/** The layout must give the fields of the APDU's type: the compiler holds the two together. */
export function service<T extends ApduType>(
  type: T,
  tag: number,
  choice: number | undefined,
  node: Node<Omit<ApduOf<T>, 'type'>>,
  names: Names = {},
): ApduSchema {
  const outer = /^(?:get|set|action)-(?:request|response)/.exec(type)?.[0];
  return {
    type,
    tag,
    choice,
    node,
    element: names.element ?? pascal(type),
    outer: choice === undefined || !outer ? undefined : pascal(outer),
    path: names.path ?? type,
  };
}
