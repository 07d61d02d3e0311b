import * as z from "zod";
import { cpuLevels } from "../../instructions.js";
import { parseDuration, parseSize } from "../../units.js";
import { defaults } from "../defaults.js";
import { readHealthArgument, readHealthTcp, readHealthUrl } from "../forms/health.js";
import { readAddress, readArgument, readEnvName, readEnvValue, readUser, readWord } from "../forms/names.js";
import { readPath } from "../forms/paths.js";
import { readPublish } from "../forms/ports.js";
import { readVolume } from "../forms/volumes.js";
import { readImagePlace } from "../forms/images.js";
import { exactlyOne, formed, positive, whole } from "./leaf.js";

const paths = (description: string): z.ZodOptional<z.ZodArray<z.ZodString>> =>
  z
    .array(formed(readPath, { description: "An absolute path of the container" }))
    .meta({ description })
    .optional();

const listOf = (item: z.ZodString, description: string): z.ZodOptional<z.ZodArray<z.ZodString>> =>
  z.array(item).meta({ description }).optional();

const command = (word: z.ZodString): z.ZodArray<z.ZodString> =>
  z
    .array(word)
    .min(1, "must not be empty")
    .max(1024, "may have 1024 words")
    .refine(([first]) => first !== "", { error: "is nothing that could be run", path: [0] });

const argument = (description: string): z.ZodString => formed(readArgument, { description });

const run = z
  .strictObject({
    publish: listOf(
      formed(readPublish, {
        description: "[address:]node's port:container's port[/udp]",
        examples: ["8080:8080"],
      }),
      "Ports of the container that the node publishes",
    ),
    volumes: listOf(
      formed(readVolume, {
        description: "/path of the node:/path of the container[:ro]",
        examples: ["/srv/data:/data"],
      }),
      "Directories of the node in the container",
    ),
    network: formed(readWord, { description: "The engine's network (default: the engine's own)" }).optional(),
    ip: formed(readAddress, { description: "The container's fixed address in network" }).optional(),
    memory: formed(positive(parseSize), {
      description: "The container's memory limit",
      examples: ["512MiB"],
    }).optional(),
    args: listOf(argument("One word"), "More arguments of the container engine's create command"),
  })
  .meta({ description: "How the container is made, on every node" });

const probeInterval = { description: "Time between two tries", default: defaults.healthInterval };

const health = exactlyOne(
  z.strictObject({
    http: formed(readHealthUrl, {
      description: "Healthy when a GET answers 2xx; {node} is the node's address",
      examples: ["http://{node}:8080/healthz"],
    }).optional(),
    exec: command(formed(readHealthArgument, { description: "One word; {node} is the node's address" }))
      .meta({ description: "Healthy when this command, run in the container, exits 0" })
      .optional(),
    tcp: formed(readHealthTcp, {
      description: "Healthy when it accepts a connection; {node} is the node's address",
      examples: ["{node}:6379"],
    }).optional(),
    timeout: formed(positive(parseDuration), {
      description: "Within this time it has to be healthy",
      default: defaults.healthTimeout,
    }).optional(),
    interval: formed(positive(parseDuration), probeInterval).optional(),
  }),
  ["http", "exec", "tcp"],
);

const checkpoint = z
  .strictObject({
    to: formed(readImagePlace, {
      description: "Where images of it go: file:PATH of its container, s3://BUCKET/PATH or gs://BUCKET/PATH",
      examples: ["s3://images/counter"],
    }),
    keep: whole(1, 10_000, {
      description: "Each image gets a place of its own below `to`, and so many of the service's stay there",
    }).optional(),
    every: formed(positive(parseDuration), {
      description: "`fastmig checkpoint` goes on making images that often; needs keep",
      examples: ["10m"],
    }).optional(),
  })
  .meta({ description: "What `fastmig checkpoint` and `restore` do where they are not told otherwise" });

export const WrittenService = z
  .strictObject({
    image: formed(readWord, { description: "The container image", examples: ["localhost/counter:1"] }),
    command: command(argument("One word")).meta({
      description: "What runs, word by word; no shell is involved",
      examples: [["python3", "/srv/counter.py"]],
    }),
    env: z
      .record(
        formed(readEnvName, { description: "A variable's name" }),
        formed(readEnvValue, { description: "Text; quote numbers" }),
      )
      .meta({ description: "Environment of the service" })
      .optional(),
    user: formed(readUser, {
      description: "name, uid, name:group or uid:gid (default: the image's)",
    }).optional(),
    workdir: formed(readPath, { description: "Working directory (default: the image's)" }).optional(),
    run: run.optional(),
    cpuBaseline: z
      .enum(["auto", ...cpuLevels])
      .meta({
        description:
          "What of a processor the service may use: what all nodes have (auto), or a level of x86-64",
      })
      .optional(),
    virtualTime: z
      .boolean()
      .meta({
        description:
          "Whether the service's monotonic clocks go on where they stopped when it is moved, instead of showing each host's",
        default: defaults.virtualTime,
      })
      .optional(),
    preserve: paths("Paths that travel with the memory"),
    shared: paths("Paths that both nodes see alike, such as NFS"),
    leave: paths("Paths that may differ between the nodes"),
    checkpoint: checkpoint.optional(),
    health: health.meta({ description: "How to tell that the service serves (default: it runs)" }).optional(),
  })
  .meta({ description: "A service and the container it runs in" });
export type WrittenService = z.infer<typeof WrittenService>;
