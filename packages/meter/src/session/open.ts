/**
 * Opens a session: the transport, then the association.
 *
 * Decides: what fails here leaves nothing open behind it.
 */
import { Exchange } from './exchange.ts';
import { SessionOf } from './session.ts';
import type { Session, SessionOptions } from './types.ts';

/**
 * Connects and associates.
 * @throws LinkError when there is no line or no answer, PeerError when the meter refuses or fails to prove itself,
 * MisuseError when the options lack something
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const exchange = new Exchange(options);
  await exchange.open();
  const known = exchange.association.negotiated;
  exchange.established = known !== undefined;
  if (known) return new SessionOf(exchange, known, options);
  try {
    return await exchange.run(
      (a) => a.associate(),
      (outcome) => {
        if (!outcome.ok) throw outcome.error;
        exchange.established = true;
        const { negotiated } = outcome as Extract<typeof outcome, { operation: 'associate' }>;
        return new SessionOf(exchange, negotiated, options);
      },
    );
  } catch (error) {
    await exchange.close('no association');
    throw error;
  }
}
