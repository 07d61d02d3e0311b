import { join } from "node:path";
import { writeAtomically } from "../files.js";
import { type LabState } from "../state.js";
import { demoImageTag } from "./images.js";

export const redisPort = 6379;

/** The plan that the demo runs, as a user would write it. */
export const planText = `\
# The demo's plan: a real Redis from node a to node b.
version: 1
nodes:
  a: { ssh: a, transferPorts: 7900-7909 }
  b: { ssh: b, transferPorts: 7900-7909 }
services:
  redis:
    image: ${demoImageTag}
    command: [redis-server, --save, "", --protected-mode, "no", --dir, /data]
    user: redis
    run: { publish: ["${redisPort}:${redisPort}"] }
    preserve: [/data]
    health: { tcp: "{node}:${redisPort}" }
migrations:
  - { service: redis, from: a, to: b }
`;

export async function writePlan(lab: LabState): Promise<string> {
  const path = join(lab.dir, "demo.yaml");
  await writeAtomically(path, planText);
  return path;
}
