/**
 * Firmware download (§7.4.9, §4.5.4.2) as the image transfer of IEC 62056-62: initiate, blocks in any order, verify, activate.
 *
 * The image is one of ours: 'AMFW', a byte of format (1), a byte of keyed hash (1: HMAC-SHA-1, 2: HMAC-SHA-256), the firmware ID
 * (3 characters), the payload's length (4 bytes, most significant first), the payload, and the keyed hash of all before it.
 * It is refused unless every length agrees, the hash is the one that this meter asks for, and the hash fits the key.
 *
 * Power failures: blocks are kept; a verification that was cut off has to be asked for again; an activation that was cut off is
 * taken up at power-up, after the image has been checked again. The old firmware runs until the last step, so there is no
 * moment at which the module would not start.
 */
import { type Core, NEVER } from './core.ts';
import { EVENTS } from './events.ts';
import { logEvent } from './log.ts';
import { DONE, refuse } from './outcome.ts';
import type { ImageState, ImageStatus, Outcome } from './state-types.ts';
import type { FirmwareConfig } from './types.ts';

export interface Image {
  enabled: boolean;
  status: ImageStatus;
  identifier: Uint8Array;
  /** Undefined until a transfer was initiated, and again after activation. */
  bytes: Uint8Array | undefined;
  size: number;
  transferred: Uint8Array;
  missing: number;
  verified: { readonly size: number; readonly identification: string; readonly signature: Uint8Array } | undefined;
}

const MAGIC = [0x41, 0x4d, 0x46, 0x57];
const HEADER = 13;
const HASH = { 'hmac-sha-1': { code: 1, length: 20 }, 'hmac-sha-256': { code: 2, length: 32 } } as const;
const FIRMWARE_ID = /^[\x21-\x7e]{3}$/;
const NOTHING = new Uint8Array(0);

/** What a central system sends: an image that a meter with this key will take. */
export function buildImage(
  firmware: Pick<FirmwareConfig, 'key' | 'profile' | 'hmac'>,
  firmwareId: string,
  payload: Uint8Array,
): Uint8Array {
  const { code, length } = HASH[firmware.profile];
  const image = new Uint8Array(HEADER + payload.length + length);
  image.set(MAGIC);
  image[4] = 1;
  image[5] = code;
  for (let i = 0; i < 3; i++) image[6 + i] = firmwareId.charCodeAt(i);
  new DataView(image.buffer).setUint32(9, payload.length);
  image.set(payload, HEADER);
  const body = image.subarray(0, HEADER + payload.length);
  image.set(firmware.hmac(firmware.profile, firmware.key, body), body.length);
  return image;
}

/** The firmware ID and keyed hash of a good image; undefined for any other. */
export function checkImage(
  firmware: Pick<FirmwareConfig, 'key' | 'profile' | 'hmac'>,
  image: Uint8Array,
): { readonly id: string; readonly signature: Uint8Array } | undefined {
  const { code, length } = HASH[firmware.profile];
  if (image.length < HEADER + length) return undefined;
  for (let i = 0; i < 4; i++) if (image[i] !== MAGIC[i]) return undefined;
  if (image[4] !== 1 || image[5] !== code) return undefined;
  const payload = new DataView(image.buffer, image.byteOffset).getUint32(9);
  if (payload !== image.length - HEADER - length) return undefined;
  const body = image.subarray(0, HEADER + payload);
  const signature = image.slice(body.length);
  const expected = firmware.hmac(firmware.profile, firmware.key, body);
  if (expected.length !== length) return undefined;
  // Every byte is looked at, so that time tells nothing.
  let different = 0;
  for (let i = 0; i < length; i++) different |= (expected[i] as number) ^ (signature[i] as number);
  const id = String.fromCharCode(...image.subarray(6, 9));
  return different === 0 && FIRMWARE_ID.test(id) ? { id, signature } : undefined;
}

function imageOf(core: Core): Image {
  core.image ??= {
    enabled: true,
    status: 0,
    identifier: NOTHING,
    bytes: undefined,
    size: 0,
    transferred: NOTHING,
    missing: 0,
    verified: undefined,
  };
  return core.image;
}

const noMains = (core: Core): Outcome | undefined =>
  core.s.powered ? undefined : refuse('power-down', 'the module has no mains');

export function enableImage(core: Core, enabled: boolean): Outcome {
  const no = noMains(core);
  if (no) return no;
  imageOf(core).enabled = enabled;
  return DONE;
}

export function initiateImage(core: Core, identifier: Uint8Array, size: number): Outcome {
  const no = noMains(core);
  if (no) return no;
  const { maxImage, blockSize } = core.config.firmware;
  const image = imageOf(core);
  if (!image.enabled) return refuse('state', 'image transfer is not enabled');
  if (image.status === 2 || image.status === 5) return refuse('state', 'the module is at work on an image');
  if (!Number.isInteger(size) || size < 1 || size > maxImage)
    return refuse('range', `an image of ${size} bytes; 1 to ${maxImage} fit`);
  if (identifier.length > 64) return refuse('range', `an identifier of ${identifier.length} bytes; at most 64`);
  const blocks = Math.ceil(size / blockSize);
  image.status = 1;
  image.identifier = identifier.slice();
  image.bytes = new Uint8Array(size);
  image.size = size;
  image.transferred = new Uint8Array(Math.ceil(blocks / 8));
  image.missing = blocks;
  image.verified = undefined;
  logEvent(core, EVENTS.firmwareTransfer);
  return DONE;
}

export function writeBlock(core: Core, number: number, bytes: Uint8Array): Outcome {
  const no = noMains(core);
  if (no) return no;
  const image = imageOf(core);
  const { blockSize } = core.config.firmware;
  if (!image.enabled) return refuse('state', 'image transfer is not enabled');
  if (image.status !== 1 || !image.bytes) return refuse('state', 'no image transfer is under way');
  const from = number * blockSize;
  if (!Number.isInteger(number) || number < 0 || from >= image.size)
    return refuse('range', `block ${number}; the image has ${Math.ceil(image.size / blockSize)}`);
  const wanted = Math.min(blockSize, image.size - from);
  if (bytes.length !== wanted)
    return refuse('range', `block ${number} has ${bytes.length} bytes; ${wanted} belong in it`);
  image.bytes.set(bytes, from);
  const bit = 0x80 >> (number & 7);
  const at = number >> 3;
  if (((image.transferred[at] as number) & bit) === 0) {
    image.transferred[at] = (image.transferred[at] as number) | bit;
    image.missing--;
  }
  return DONE;
}

export function verifyImage(core: Core): Outcome {
  const no = noMains(core);
  if (no) return no;
  const image = imageOf(core);
  if (!image.enabled) return refuse('state', 'image transfer is not enabled');
  if (image.status !== 1) return refuse('state', 'no image is waiting for verification');
  if (image.missing > 0) return refuse('state', `${image.missing} blocks are missing`);
  image.status = 2;
  core.s.imageDue = core.s.now + core.config.firmware.verifyTime;
  return DONE;
}

export function activateImage(core: Core): Outcome {
  const no = noMains(core);
  if (no) return no;
  const image = imageOf(core);
  if (!image.enabled) return refuse('state', 'image transfer is not enabled');
  if (image.status !== 3) return refuse('state', 'no image has been verified');
  image.status = 5;
  core.s.imageDue = core.s.now + core.config.firmware.activateTime;
  return DONE;
}

/** The module has finished verifying or activating. */
export function runImage(core: Core): void {
  const { s, config } = core;
  s.imageDue = NEVER;
  const { image } = core;
  if (!image?.bytes) return;
  const good = checkImage(config.firmware, image.bytes);
  if (image.status === 2) {
    if (good) image.verified = { size: image.size, identification: good.id, signature: good.signature };
    else image.bytes = undefined;
    image.status = good ? 3 : 4;
    logEvent(core, good ? EVENTS.firmwareVerified : EVENTS.firmwareRefused);
    return;
  }
  if (image.status !== 5) return;
  image.bytes = undefined;
  image.status = good ? 6 : 7;
  if (good) s.ids['module-firmware'] = good.id;
  logEvent(core, good ? EVENTS.firmwareActivated : EVENTS.firmwareNotActivated);
  if (!good) return;
  // It starts anew with the new firmware: whoever was connected is not any more.
  core.listener?.power?.(false);
  core.listener?.power?.(true);
}

/** Power-down. */
export function interruptImage(core: Core): void {
  core.s.imageDue = NEVER;
  if (core.image?.status === 2) core.image.status = 1;
}

/** Power-up: the start-up code finds an activation unfinished and takes it up. */
export function resumeImage(core: Core): void {
  if (core.image?.status === 5) core.s.imageDue = core.s.now + core.config.firmware.activateTime;
}

export function viewImage(core: Core): ImageState {
  const { blockSize } = core.config.firmware;
  const image = core.image;
  const blocks = image ? Math.ceil(image.size / blockSize) : 0;
  let first = 0;
  while (first < blocks && ((image?.transferred[first >> 3] as number) & (0x80 >> (first & 7))) !== 0) first++;
  return {
    enabled: image?.enabled ?? true,
    status: image?.status ?? 0,
    blockSize,
    identifier: image?.identifier ?? NOTHING,
    size: image?.size ?? 0,
    blocks,
    transferred: image?.transferred ?? NOTHING,
    firstNotTransferred: first,
    toActivate: image?.verified,
  };
}
