/** Reads CRIU's images: magic numbers, then messages, each after its length. Pure. */
import { type Field, fields } from "../protobuf.js";

/** IMG_COMMON_MAGIC and IMG_SERVICE_MAGIC of criu/include/magic.h: another one, the image's own, follows. */
const commonMagics = [0x54564319, 0x55105940];

/** The messages of an image; undefined where it is none, or holds something else than messages. */
export function messagesOf(image: Buffer): Message[] | undefined {
  const parsed = rawMessagesOf(image)?.map(fields);
  if (parsed === undefined || parsed.includes(undefined)) return undefined;
  return parsed.map((parts) => new Message(parts ?? []));
}

/** The bytes of each of them. */
export function rawMessagesOf(image: Buffer): Buffer[] | undefined {
  if (image.length < 8 || !commonMagics.includes(image.readUInt32LE(0))) return undefined;
  const found: Buffer[] = [];
  for (let at = 8; at < image.length;) {
    const length = at + 4 <= image.length ? image.readUInt32LE(at) : Infinity;
    at += 4 + length;
    if (!(at <= image.length)) return undefined;
    found.push(image.subarray(at - length, at));
  }
  return found;
}

/** An image like another one, of other messages. */
export function imageLike(image: Buffer, messages: readonly Buffer[]): Buffer {
  const withLength = messages.flatMap((message) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(message.length);
    return [length, message];
  });
  return Buffer.concat([image.subarray(0, 8), ...withLength]);
}

/** A message's fields by their numbers in CRIU's images/*.proto; what is not there is 0, empty or undefined. */
export class Message {
  readonly #fields: readonly Field[];

  constructor(parts: readonly Field[]) {
    this.#fields = parts;
  }

  numbers(number: number): number[] {
    return this.#all(number).flatMap((value) => (typeof value === "number" ? [value] : []));
  }

  number(number: number): number {
    return this.numbers(number)[0] ?? 0;
  }

  text(number: number): string {
    return this.#all(number).find(Buffer.isBuffer)?.toString("utf8") ?? "";
  }

  message(number: number): Message | undefined {
    const bytes = this.#all(number).find(Buffer.isBuffer);
    const parts = bytes === undefined ? undefined : fields(bytes);
    return parts === undefined ? undefined : new Message(parts);
  }

  #all(number: number): (number | Buffer)[] {
    return this.#fields.filter((field) => field.number === number).map(({ value }) => value);
  }
}
