/** A row of choices of which one holds: radio buttons that look like one control. */
import { type ReactNode, useId } from 'react';

export interface Option<V extends string> {
  readonly value: V;
  readonly label: ReactNode;
}

export function Choice<V extends string>(props: {
  label: string;
  options: readonly Option<V>[];
  value: V;
  choose(value: V): void;
}): ReactNode {
  const name = useId();
  return (
    <fieldset className="choice">
      <legend className="unseen">{props.label}</legend>
      {props.options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === props.value}
            onChange={() => props.choose(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
