import type { Status } from "../../daemon/api.js";
import type { Facts, Problem } from "../facts.js";

/** The container is there, a daemon runs in it, and the daemon's service runs as one user. */
export function checkService(facts: Facts): Problem[] {
  const { container, status, node } = facts.source;
  const name = facts.service.name;
  if (container === null) return [problem(node, `there is no container ${name} on ${node}`, startIt(facts))];
  if (!container.entrypoint.some((word) => word.startsWith("/usr/lib/fastmig/"))) return [notOurs(facts)];
  if (!container.running)
    return [
      problem(
        node,
        `the container ${name} on ${node} is stopped: there is no memory to move`,
        startIt(facts),
      ),
    ];
  if (status === null) return [noDaemon(facts)];
  return [...stateProblems(facts, status), ...userProblems(facts, status)];
}

function stateProblems(facts: Facts, { service, ownership }: Status): Problem[] {
  const { node } = facts.source;
  const { name } = facts.service;
  if (ownership.role === "released") {
    return [
      problem(
        node,
        `${name} is not ${node}'s any more: it went elsewhere at epoch ${ownership.epoch}`,
        "`fastmig status PLAN` shows where it is; correct `from` in the plan",
      ),
    ];
  }
  switch (service.state) {
    case "running":
      return [];
    case "standby":
      return [problem(node, `${name} does not run on ${node}: its daemon waits in standby`, startIt(facts))];
    case "held":
      return [
        problem(
          node,
          `${name} is held on ${node} by a migration`,
          "`fastmig status PLAN` names it; `fastmig resume ID` ends it",
        ),
      ];
    case "ended":
      return [
        problem(
          node,
          `${name} has ended on ${node} (${service.ended.signal ?? `code ${service.ended.code ?? "unknown"}`}, ${service.ended.at})`,
          startIt(facts),
        ),
      ];
  }
}

function userProblems({ source, service }: Facts, { tree }: Status): Problem[] {
  const uids = [...new Set(tree.map((process) => process.uid))].sort((a, b) => a - b);
  if (uids.length <= 1) return [];
  const who = uids.map(
    (uid) =>
      `${uid}: ${tree
        .filter((one) => one.uid === uid)
        .map((one) => `${one.name} (${one.pid})`)
        .slice(0, 3)
        .join(", ")}`,
  );
  return [
    problem(
      source.node,
      `the processes of ${service.name} run as several users (${who.join("; ")}): an unprivileged CRIU can dump one user's processes only`,
      "run the whole service as one user (`user:` in the plan)",
    ),
  ];
}

function notOurs({ source, service }: Facts): Problem {
  return problem(
    source.node,
    `the container ${service.name} on ${source.node} does not run under the fastmig daemon`,
    `build its image FROM the fastmig image, stop this container (podman rm -f ${service.name}) and start the service with \`fastmig start PLAN ${service.name} --on ${source.node}\``,
  );
}

function noDaemon({ source, service }: Facts): Problem {
  return problem(
    source.node,
    `the daemon in the container ${service.name} on ${source.node} does not answer: ${source.daemonError ?? "no reason given"}`,
    `see \`podman logs ${service.name}\` on ${source.node}`,
  );
}

function startIt({ source, service }: Facts): string {
  return `start it with \`fastmig start PLAN ${service.name} --on ${source.node}\``;
}

function problem(node: string, message: string, hint: string): Problem {
  return { check: "service", node, message, hint };
}
