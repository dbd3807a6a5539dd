/** The link of `--mode-e`: signs on through an optical head before HDLC flows; holds its sender back where the line can. */
import { type ModeEOptions, modeELink as signOnLink } from '@amiable/iec62056-21';
import type { Link, SerialLink } from '@amiable/io';

export function modeELink(line: Link | SerialLink, options: ModeEOptions): Link {
  const link = signOnLink(line, options);
  return Object.assign(link, { pause: () => line.pause(), resume: () => line.resume() });
}
