import * as z from "zod";
import { defaults } from "../defaults.js";
import { readHost, readLogin, readWord } from "../forms/names.js";
import { readPortRange } from "../forms/ports.js";
import { choice, exactlyOne, formed, isObject, whole } from "./leaf.js";
import { messageOf } from "../../errors.js";

const transferPorts = z
  .union([z.number(), z.string()], { error: 'is not a range of ports: "7900-7919", or one port' })
  .superRefine((written, context) => {
    try {
      readPortRange(written);
    } catch (thrown) {
      context.addIssue({ code: "custom", message: messageOf(thrown), input: written });
    }
  })
  .meta({
    description: "Ports of the node that may be published for direct transfers; one is used per container",
    examples: ["7900-7919", 7900],
  });

const keys = z.strictObject({
  host: formed(readHost, { description: "Host name or address; exactly one of host and ssh" }).optional(),
  user: formed(readLogin, {
    description: "Login user with host (default: whoever runs the program)",
  }).optional(),
  port: whole(1, 65535, { description: "SSH port with host", default: defaults.sshPort }).optional(),
  ssh: formed(readWord, {
    description: "A host of ~/.ssh/config, which says everything else; exactly one of host and ssh",
  }).optional(),
  address: formed(readHost, {
    description: "Where other nodes and {node} reach it (default: host, or what ssh -G says)",
  }).optional(),
  sudo: z.boolean().meta({ description: "Run commands on the node with sudo", default: false }).optional(),
  engine: choice(["podman"], { description: "The container engine", default: defaults.engine }).optional(),
  transferPorts: transferPorts.optional(),
});

const belongsToHost = (key: "user" | "port"): [(node: object) => boolean, object] => [
  (node) => !(Object.hasOwn(node, "ssh") && Object.hasOwn(node, key)),
  { error: "does not go with ssh: write it in ~/.ssh/config", path: [key], when: isObject },
];

export const WrittenNode = exactlyOne(keys, ["host", "ssh"])
  .refine(...belongsToHost("user"))
  .refine(...belongsToHost("port"))
  .meta({ description: "A machine that containers run on" });
export type WrittenNode = z.infer<typeof WrittenNode>;
