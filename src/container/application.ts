/** The application: how it is started, and how its end is told. */
import { constants } from "node:os";
import type { Ended, ServiceSpec } from "../daemon/api.js";
import { statusOf } from "../daemon/policy.js";

/** All images of FastFreeze's command line are of a service of this name. */
export const serviceName = "fastfreeze";

const injected = "FF_APP_INJECT_";
const replaced: Readonly<Record<string, string>> = {
  FF_APP_PATH: "PATH",
  FF_APP_LD_LIBRARY_PATH: "LD_LIBRARY_PATH",
};
/** Of this program alone. */
const ours = [
  "FASTMIG_INIT_FD",
  "FASTMIG_STDOUT_FD",
  "FASTMIG_STDERR_FD",
  "FASTMIG_STATE",
  "FASTMIG_STOP_TIMEOUT",
  "FASTMIG_VIRTUAL_TIME",
];

/** The environment of `run`, with what FF_APP_* puts in the place of its own. */
export function environmentOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const given = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const plain = given.filter(
    ([name]) => !ours.includes(name) && !(name in replaced) && !name.startsWith(injected),
  );
  const instead = given.flatMap(([name, value]) => {
    const as = name.startsWith(injected) ? name.slice(injected.length) : replaced[name];
    return as === undefined || as === "" ? [] : [[as, value] as const];
  });
  return { ...Object.fromEntries([...plain, ...instead]), FASTFREEZE: "1" };
}

/** Throws where this is nobody's process. */
export function specOf(command: string[], env: NodeJS.ProcessEnv): ServiceSpec {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  return {
    name: serviceName,
    command,
    env: environmentOf(env),
    user: `${uid}:${gid}`,
    workdir: process.cwd(),
    virtualTime: env["FASTMIG_VIRTUAL_TIME"] !== "false",
  };
}

/** As FastFreeze says it: `Application caught fatal signal SIGKILL`. */
export function describeEnd(ended: Ended): string {
  if (ended.signal === null && ended.code === null) return "Application ended, and nobody saw how";
  if (ended.signal === null) return `Application exited with exit_code=${ended.code}`;
  return `Application caught fatal signal ${signalName(Number(ended.signal))}`;
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;
}

/** The last line of `run`. */
export function farewell(ended: Ended): string {
  const status = statusOf(ended);
  return status === 0 ? describeEnd(ended) : `Exiting with exit_code=${status}: ${describeEnd(ended)}`;
}
