/** A page whose files did not come (a new version was installed, the line broke) says so instead of vanishing. */
import { Component, type ReactNode } from 'react';
import { ApiError } from '../api.ts';
import { Fault } from './notice.tsx';

interface Props {
  readonly children: ReactNode;
  /** Another address is another try. */
  readonly at: string;
}
interface State {
  readonly fault: unknown;
  readonly at: string;
}

export class Boundary extends Component<Props, State> {
  override state: State = { fault: undefined, at: this.props.at };
  static getDerivedStateFromError(fault: unknown): Partial<State> {
    return { fault };
  }
  static getDerivedStateFromProps(props: Props, state: State): Partial<State> | null {
    return props.at === state.at ? null : { at: props.at, fault: undefined };
  }
  override render(): ReactNode {
    const { fault } = this.state;
    if (fault === undefined) return this.props.children;
    // Browsers word it differently; that something was to be imported or loaded is all they share.
    const missing = fault instanceof Error && /import|module|load/i.test(fault.message);
    return (
      <div className="page">
        <Fault fault={missing ? new ApiError('offline', '') : fault} retry={() => location.reload()} />
      </div>
    );
  }
}
