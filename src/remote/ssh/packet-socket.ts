import { Socket } from "node:net";

type Written = (error?: Error | null) => void;

/**
 * A socket that sends what is written in one turn of the event loop at once. ssh2 writes packet by packet, 32 KiB each: a system
 * call for every one of them costs the relay a third of its time.
 */
export class PacketSocket extends Socket {
  #held = false;

  override write(data: Uint8Array | string, encoding?: BufferEncoding | Written, written?: Written): boolean {
    this.#hold();
    return super.write(data, encoding as BufferEncoding, written);
  }

  #hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.cork();
    setImmediate(() => {
      this.#held = false;
      this.uncork();
    });
  }
}

/** A socket on its way to a host. `family` 0: whatever the host has. */
export function packetSocketTo(host: string, port: number, family: 0 | 4 | 6): Socket {
  return new PacketSocket().setNoDelay(true).connect({ host, port, family });
}
