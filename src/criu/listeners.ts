/** Listening TCP sockets in CRIU's `files.img`, and other ports for them. Pure. */
import { edited, fields } from "../protobuf.js";
import { imageLike, rawMessagesOf } from "./images.js";

export interface Remap {
  from: number;
  to: number;
}

export const filesImage = "files.img";

/** Numbers of fields in images/fdinfo.proto (file_entry) and images/sk-inet.proto (inet_sk_entry). */
const inetSocket = 4;
const field = { proto: 5, state: 6, port: 7 };
const tcp = 6;
const listening = 10;

/** `ports`: those that the image listens at; `image`: the same with others. Undefined where it is no such image. */
export function remapListeners(
  image: Buffer,
  remaps: readonly Remap[],
): { ports: number[]; image: Buffer } | undefined {
  const messages = rawMessagesOf(image);
  if (messages === undefined) return undefined;
  const ports = messages.flatMap((message) => portOf(message) ?? []);
  const changed = messages.map((message) => {
    const to = remaps.find(({ from }) => from === portOf(message))?.to;
    return to === undefined ? message : withPort(message, to);
  });
  return { ports, image: imageLike(image, changed) };
}

/** Undefined where it is no listening socket. */
function portOf(message: Buffer): number | undefined {
  const socket = fields(message)?.find(({ number }) => number === inetSocket)?.value;
  const parts = Buffer.isBuffer(socket) ? fields(socket) : undefined;
  const number = (wanted: number): unknown => parts?.find((part) => part.number === wanted)?.value;
  if (number(field.proto) !== tcp || number(field.state) !== listening) return undefined;
  const port = number(field.port);
  return typeof port === "number" ? port : undefined;
}

function withPort(message: Buffer, port: number): Buffer {
  const changed = edited(message, ({ number, value }) =>
    number === inetSocket && Buffer.isBuffer(value)
      ? edited(value, (part) => (part.number === field.port ? port : undefined))
      : undefined,
  );
  return changed ?? message;
}
