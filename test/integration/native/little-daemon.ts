/**
 * Stands in the daemon's place below init. Connects to the test's socket (TEST_SOCKET); each line it gets is
 * `[id, method, ...arguments]` for the init client; it sends `{id, value | error}` and `{event}` lines.
 */
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { writeSync } from "node:fs";
import { connectInit, type InitClient } from "../../../src/daemon/init-client.js";

type Call = [id: number, method: string, ...parameters: never[]];

const test = connect(process.env.TEST_SOCKET ?? "");
const say = (message: object): void => void test.write(`${JSON.stringify(message)}\n`);

const init = connectInit(Number(process.env.FASTMIG_INIT_FD), {
  exited: (event) => {
    say({ event: "exited", ...event });
    // As a daemon does that dies before it has acted upon what it was told.
    if (event.name === "unacknowledged") process.kill(process.pid, "SIGKILL");
    return process.env.TEST_ACKNOWLEDGE === "never" ? new Promise(() => undefined) : undefined;
  },
  signal: (signal) => say({ event: "signal", signal }),
  missed: (count) => say({ event: "missed", count }),
  lost: () => process.exit(1),
});

const others = {
  hello: () => init.hello,
  pid: () => Promise.resolve(process.pid),
  die: () => Promise.resolve(process.kill(process.pid, "SIGKILL")),
  babble: (text: string) => Promise.resolve(writeSync(Number(process.env.FASTMIG_INIT_FD), text)),
  fds: () => Promise.resolve([process.env.FASTMIG_STDOUT_FD, process.env.FASTMIG_STDERR_FD]),
};

async function answer([id, method, ...parameters]: Call): Promise<void> {
  const methods = { ...init, ...others } as unknown as Record<
    string,
    (...given: never[]) => Promise<unknown>
  >;
  try {
    say({ id, value: await methods[method as keyof InitClient]?.(...parameters) });
  } catch (error) {
    say({ id, error: String(error) });
  }
}

createInterface(test).on("line", (line) => void answer(JSON.parse(line) as Call));
