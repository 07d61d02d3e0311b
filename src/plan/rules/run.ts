import type { PlanService } from "../plan.js";
import { atValue, type Problem } from "../problem.js";
import type { Rule } from "./rules.js";
import { sound } from "./sound.js";

/** Networks without an address of the container's own. */
const withoutAddress = /^(host|none|container:.*|ns:.*)$/;

/** Options that have their own key: written as arguments, no rule and no preflight would know of them. */
const keyOfOption: Record<string, string> = {
  "-p": "run.publish",
  "--publish": "run.publish",
  "-v": "run.volumes",
  "--volume": "run.volumes",
  "--network": "run.network",
  "--net": "run.network",
  "--ip": "run.ip",
  "--ip6": "run.ip",
  "-m": "run.memory",
  "--memory": "run.memory",
  "-e": "env",
  "--env": "env",
  "-u": "user",
  "--user": "user",
  "-w": "workdir",
  "--workdir": "workdir",
};

/** Options that would take from the program what it relies on: the container's name, its entry, its life after a stop. */
const ownOptions = [
  "--name",
  "--replace",
  "--entrypoint",
  "--rm",
  "-d",
  "--detach",
  "--pod",
  "--init",
  "--restart",
];

const ipNeedsNetwork: Rule = ({ services }) =>
  sound(services).flatMap(({ name, run }) => {
    const at = ["services", name, "run", "ip"];
    if (run.ip === null) return [];
    if (run.network === null)
      return [atValue(at, "needs network: the engine's default network gives no fixed addresses")];
    return withoutAddress.test(run.network) ? [atValue(at, `has no meaning in network ${run.network}`)] : [];
  });

const publishNeedsNetwork: Rule = ({ services }) =>
  sound(services).flatMap(({ name, run }) => {
    if (run.publish.length === 0 || run.network === null || !withoutAddress.test(run.network)) return [];
    return [atValue(["services", name, "run", "publish"], `has no meaning in network ${run.network}`)];
  });

const argsOfOthers: Rule = ({ services }) => sound(services).flatMap(argumentProblems);

function argumentProblems({ name, run }: PlanService): Problem[] {
  return run.args.flatMap((argument, index) => {
    const message = argumentProblem(argument);
    return message === undefined ? [] : [atValue(["services", name, "run", "args", index], message)];
  });
}

function argumentProblem(argument: string): string | undefined {
  const option = /^(--[a-z0-9-]+|-[a-z])/.exec(argument)?.[1] ?? "";
  if (Object.hasOwn(keyOfOption, option))
    return `${option} has its own key: write it under ${keyOfOption[option]}`;
  return ownOptions.includes(option)
    ? `${option} belongs to fastmig: the container must be the one it makes and finds again`
    : undefined;
}

const intervalBelowTimeout: Rule = ({ services }) =>
  sound(services).flatMap(({ name, health }) => {
    if (health === null || health.interval <= health.timeout) return [];
    return [atValue(["services", name, "health", "interval"], "is longer than timeout")];
  });

const everyNeedsKeep: Rule = ({ services }) =>
  sound(services).flatMap(({ name, checkpoint }) =>
    checkpoint === null || checkpoint.every === null || checkpoint.keep !== null
      ? []
      : [atValue(["services", name, "checkpoint", "every"], "needs keep: how many images stay")],
  );

/** What `cpuBaseline` says in the service's environment. */
const baselineVariables = Object.entries({
  OPENSSL_ia32cap: /.*/,
  GLIBC_TUNABLES: /(^|:)glibc\.cpu\.hwcaps=/,
});

const baselineSetsItself: Rule = ({ services }) =>
  sound(services).flatMap(({ name, env, cpuBaseline }) =>
    cpuBaseline === null
      ? []
      : baselineVariables
          .filter(([key, ours]) => key in env && ours.test(env[key] ?? ""))
          .map(([key]) => atValue(["services", name, "env", key], "is for cpuBaseline to set")),
  );

export const runRules: readonly Rule[] = [
  ipNeedsNetwork,
  publishNeedsNetwork,
  argsOfOthers,
  intervalBelowTimeout,
  baselineSetsItself,
  everyNeedsKeep,
];
