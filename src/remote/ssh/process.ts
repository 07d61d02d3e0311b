import type { ClientChannel } from "ssh2";
import { commandLine } from "../../argv.js";
import type { Argv } from "../../argv.js";
import type { Ending, Running } from "../running.js";
import { ChannelStream } from "./channel-stream.js";
import { PidLine, pidMark } from "./pid-line.js";

export interface ProcessHost {
  whyLost: () => string | undefined;
  /** Sends a signal to a process group on the node. */
  kill: (group: number, signal: "TERM" | "KILL") => void;
}

/**
 * What the login shell is asked to run. The command says its process id first, on standard error: SSH's own signal request is
 * refused by sshd for root, and a command behind sudo is nobody's but root's to end. `exec` twice, so that exit status and
 * signals are the command's and no shell's.
 */
export function remoteCommand(argv: Argv): string {
  return `exec ${commandLine(["sh", "-c", `echo ${pidMark}$$ >&2; exec "$@"`, "sh", ...argv])}`;
}

/** The command that runs on a session channel. sshd makes it the leader of a process group. */
export function runningOn(channel: ClientChannel, host: ProcessHost): Running {
  const stream = new ChannelStream(channel, host.whyLost);
  const stderr = channel.stderr.pipe(new PidLine());
  return {
    stdin: stream,
    stdout: stream,
    stderr,
    ended: ending(channel, stream, host.whyLost),
    kill: (signal) => void stderr.pid.then((pid) => host.kill(pid, signal)),
    abandon: () => [stream, stderr].forEach((each) => each.destroy()),
  };
}

/**
 * ssh2 says `exit` before the last data, and may say it before anybody listens; its `close` comes after the last data and tells
 * the same. Without an exit status it is no end that is known.
 */
function ending(
  channel: ClientChannel,
  stream: ChannelStream,
  whyLost: ProcessHost["whyLost"],
): Promise<Ending> {
  return new Promise((resolve) => {
    const settle = (code?: number | null, signal?: string): void =>
      resolve(endingOf(whyLost(), code, signal));
    channel.once("close", settle);
    stream.once("close", () => settle());
  });
}

function endingOf(
  lost: string | undefined,
  code: number | null | undefined,
  signal: string | undefined,
): Ending {
  if (lost !== undefined) return { kind: "lost", reason: lost };
  if (typeof code === "number") return { kind: "exited", code };
  return signal === undefined
    ? { kind: "lost", reason: "the node sent no exit status" }
    : { kind: "signaled", signal };
}
