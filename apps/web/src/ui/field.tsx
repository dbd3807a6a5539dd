/** A labelled field with its hint and what is wrong with it. */
import { type InputHTMLAttributes, type ReactNode, type Ref, useId } from 'react';

export interface TextFieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'value' | 'id'> {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly fault?: string | undefined;
  readonly value: string;
  readonly input?: Ref<HTMLInputElement>;
  change(value: string): void;
}

export function TextField({ label, hint, fault, value, change, input, ...rest }: TextFieldProps): ReactNode {
  const id = useId();
  const described = [hint && `${id}h`, fault && `${id}f`].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        {...rest}
        id={id}
        ref={input}
        value={value}
        aria-describedby={described || undefined}
        aria-invalid={fault ? true : undefined}
        onChange={(event) => change(event.target.value)}
      />
      {hint && (
        <div id={`${id}h`} className="field-hint">
          {hint}
        </div>
      )}
      {fault && (
        <p id={`${id}f`} className="field-fault" role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}
