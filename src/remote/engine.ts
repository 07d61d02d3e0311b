import { createHash } from "node:crypto";
import type { Argv } from "../argv.js";
import type { ServicePaths } from "./service-paths.js";

/** Podman's command lines. Nothing here runs anything. */

const podman = (...words: string[]): Argv => ["podman", ...words];

/** What a plan says of a service's container. */
export interface ContainerPlan {
  name: string;
  image: string;
  run: {
    publish: readonly { ip: string | null; hostPort: number; containerPort: number; protocol: string }[];
    volumes: readonly { host: string; container: string; readOnly: boolean }[];
    network: string | null;
    ip: string | null;
    /** Bytes. */
    memory: number | null;
    args: readonly string[];
  };
}

export interface CreateOptions {
  paths: ServicePaths;
  /** Instead of the plan's name for it: an id. */
  image?: string;
  /** Published under its own number, unless the network is the host's. */
  transferPort: number | null;
  labels?: Readonly<Record<string, string>>;
}

/** In the container, a tmpfs: the checkpoint images of a migration. */
const imagesDirectory = "/run/fastmig-images";

/** What CRIU needs in a container without privileges (FACTS: without SETPCAP a dump kills, and no restore follows). */
const criuNeeds = [
  ...["--user", "0"],
  ...["--security-opt", "seccomp=unconfined"],
  ...["CHECKPOINT_RESTORE", "SYS_PTRACE", "SETPCAP"].flatMap((capability) => ["--cap-add", capability]),
];

/** Makes the container of a service; it comes up in standby when it is started. */
export function create(service: ContainerPlan, options: CreateOptions): Argv {
  const { run, name } = service;
  return podman(
    ...["create", "--name", name],
    ...criuNeeds,
    ...["--tmpfs", `${imagesDirectory}:mode=0700,nosuid,nodev`],
    ...bindings(options.paths),
    ...environment(name, options.paths),
    ...labels({ "io.fastmig.service": name, "io.fastmig.spec": specDigest(service), ...options.labels }),
    ...run.publish.flatMap((port) => ["-p", published(port)]),
    ...transferPort(run.network, options.transferPort),
    ...run.volumes.flatMap((volume) => [
      "-v",
      `${volume.host}:${volume.container}${volume.readOnly ? ":ro" : ""}`,
    ]),
    ...given("--network", run.network),
    ...given("--ip", run.ip),
    ...given("--memory", run.memory),
    ...run.args,
    options.image ?? service.image,
  );
}

/** SHA-256 of what a container is made from, in hex: two containers of the same digest are alike. */
export function specDigest({ name, image, run }: ContainerPlan): string {
  const { publish, volumes, network, ip, memory, args } = run;
  const spec = [
    ...[name, image, network, ip, memory, args],
    publish.map(({ ip: on, hostPort, containerPort, protocol }) => [on, hostPort, containerPort, protocol]),
    volumes.map(({ host, container, readOnly }) => [host, container, readOnly]),
  ];
  return createHash("sha256").update(JSON.stringify(spec)).digest("hex");
}

function bindings({ runtime, state }: ServicePaths): string[] {
  return [runtime, state].flatMap((path) => ["-v", `${path}:${path}`]);
}

function environment(service: string, { runtime, state }: ServicePaths): string[] {
  const variables = { FASTMIG_SERVICE: service, FASTMIG_STATE: state, FASTMIG_RUNTIME: runtime };
  return Object.entries(variables).flatMap(([key, value]) => ["-e", `${key}=${value}`]);
}

function labels(all: Readonly<Record<string, string>>): string[] {
  return Object.entries(all).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
}

function published({
  ip,
  hostPort,
  containerPort,
  protocol,
}: ContainerPlan["run"]["publish"][number]): string {
  const on = ip === null ? "" : ip.includes(":") ? `[${ip}]:` : `${ip}:`;
  return `${on}${hostPort}:${containerPort}/${protocol}`;
}

function transferPort(network: string | null, port: number | null): string[] {
  return port === null || network === "host" ? [] : ["-p", `${port}:${port}/tcp`];
}

function given(flag: string, value: string | number | null): string[] {
  return value === null ? [] : [flag, String(value)];
}

export const start = (name: string): Argv => podman("start", name);

/** SIGTERM, and SIGKILL after so many seconds. */
export const stop = (name: string, seconds: number): Argv => podman("stop", "--time", String(seconds), name);

/** Also where it runs, and nothing where there is none; its anonymous volumes go with it. */
export const remove = (name: string): Argv =>
  podman("rm", "--force", "--ignore", "--volumes", "--time", "0", name);

export const rename = (name: string, to: string): Argv => podman("rename", name, to);

/** One object in an array. */
export const inspect = (name: string): Argv => podman("container", "inspect", name);

/** Go's template language. */
export const inspectFormat = (name: string, format: string): Argv =>
  podman("container", "inspect", "--format", format, name);

/** Containers, running or not, as JSON. */
export const list = (): Argv => podman("ps", "--all", "--format", "json");

/** What it wrote; the last lines of it. */
export const logs = (name: string, tail?: number): Argv =>
  podman("logs", ...(tail === undefined ? [] : ["--tail", String(tail)]), name);

export const exec = (name: string, argv: Argv): Argv => podman("exec", name, ...argv);

/** What differs from its image, as JSON: `changed`, `added`, `deleted`. */
export const diff = (name: string): Argv => podman("diff", "--format", "json", name);

/** `podman version 5.4.2`, without a look at its storage. */
export const version = (): Argv => podman("--version");

/** Go's template language. */
export const info = (format: string): Argv => podman("info", "--format", format);

export const volumeInspect = (name: string): Argv => podman("volume", "inspect", name);

export const imageInspect = (reference: string): Argv => podman("image", "inspect", reference);

/** To standard output. The id survives in the format that the image has. */
export const imageSave = (reference: string, format: "oci-archive" | "docker-archive"): Argv =>
  podman("save", "--quiet", "--format", format, reference);

/** From standard input. */
export const imageLoad = (): Argv => podman("load", "--quiet");

export const imageTag = (reference: string, name: string): Argv => podman("tag", reference, name);

export const imageRemove = (reference: string): Argv => podman("rmi", reference);
