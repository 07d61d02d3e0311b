import type { ClientChannel } from "ssh2";
import type { Ending, Running } from "../running.js";
import { ChannelStream } from "./channel-stream.js";

type WhyLost = () => string | undefined;

/** The command that runs on a session channel. */
export function runningOn(channel: ClientChannel, whyLost: WhyLost): Running {
  const stream = new ChannelStream(channel, whyLost);
  const abandon = (): void => {
    stream.destroy();
    channel.stderr.destroy();
  };
  return {
    stdin: stream,
    stdout: stream,
    stderr: channel.stderr,
    ended: ending(channel, stream, whyLost),
    kill: (signal) => sendSignal(channel, signal),
    abandon,
  };
}

/** ssh2 says `exit` before the last data and `close` after it; a close without an exit status is no end that is known. */
function ending(channel: ClientChannel, stream: ChannelStream, whyLost: WhyLost): Promise<Ending> {
  let ended: Ending | undefined;
  channel.on("exit", (code: number | null, signal?: string) => {
    ended = code === null ? { kind: "signaled", signal: String(signal) } : { kind: "exited", code };
  });
  return new Promise((resolve) => {
    const settle = (): void => resolve(lostBy(whyLost()) ?? ended ?? { kind: "lost", reason: "the node sent no exit status" });
    channel.once("close", settle);
    stream.once("close", settle);
  });
}

function lostBy(reason: string | undefined): Ending | undefined {
  return reason === undefined ? undefined : { kind: "lost", reason };
}

interface Inner {
  outgoing: { id: number; state: string };
  _client: { _protocol: { signal(channel: number, name: string): void } };
}

/** ssh2's own `signal()` sends nothing once the command's input has ended, which is nearly always. */
function sendSignal(channel: ClientChannel, signal: string): void {
  const { outgoing, _client: client } = channel as unknown as Inner;
  if (outgoing.state === "open" || outgoing.state === "eof") client._protocol.signal(outgoing.id, signal);
}
