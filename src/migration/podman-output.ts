import * as z from "zod/mini";
import type { ContainerFacts, FileChange, UsedPort } from "./facts.js";

/** What Podman and its neighbours print, read into facts. Only what is used is required: versions differ in the rest. */

const strings = z.array(z.string());
const orNothing = <T extends z.ZodMiniType>(schema: T) => z.optional(z.nullable(schema));

const Inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  Image: z.string(),
  ImageName: orNothing(z.string()),
  State: z.object({ Running: z.boolean() }),
  Config: z.object({
    Labels: orNothing(z.record(z.string(), z.string())),
    Entrypoint: orNothing(z.union([z.string(), strings])),
    Image: orNothing(z.string()),
  }),
  Mounts: orNothing(
    z.array(
      z.object({
        Type: z.string(),
        Name: orNothing(z.string()),
        Source: z.string(),
        Destination: z.string(),
        RW: z.boolean(),
      }),
    ),
  ),
  HostConfig: z.object({
    NetworkMode: orNothing(z.string()),
    Memory: orNothing(z.number()),
    PortBindings: orNothing(
      z.record(
        z.string(),
        orNothing(z.array(z.object({ HostIp: orNothing(z.string()), HostPort: z.string() }))),
      ),
    ),
  }),
  NetworkSettings: orNothing(
    z.object({ Networks: orNothing(z.record(z.string(), z.object({ IPAddress: orNothing(z.string()) }))) }),
  ),
});
type Inspected = z.infer<typeof Inspected>;

export function parseInspect(json: string): ContainerFacts {
  const [one] = z.array(Inspected).check(z.minLength(1)).parse(JSON.parse(json));
  if (one === undefined) throw new Error("inspect names no container");
  const networks = Object.entries(one.NetworkSettings?.Networks ?? {});
  return {
    name: one.Name.replace(/^\//, ""),
    id: one.Id,
    running: one.State.Running,
    imageId: one.Image.replace(/^sha256:/, ""),
    imageName: one.ImageName ?? one.Config.Image ?? "",
    entrypoint: [one.Config.Entrypoint ?? []].flat(),
    labels: one.Config.Labels ?? {},
    mounts: mounts(one),
    publish: bindings(one),
    networks: one.HostConfig.NetworkMode === "host" ? ["host"] : networks.map(([name]) => name),
    ips: networks.flatMap(([, { IPAddress }]) =>
      IPAddress === null || IPAddress === undefined || IPAddress === "" ? [] : [IPAddress],
    ),
    memoryLimit: one.HostConfig.Memory === 0 ? null : (one.HostConfig.Memory ?? null),
  };
}

function mounts({ Mounts }: Inspected): ContainerFacts["mounts"] {
  return (Mounts ?? [])
    .filter(({ Type }) => Type === "bind" || Type === "volume")
    .map(({ Type, Name, Source, Destination, RW }) => ({
      host: Source,
      container: Destination,
      readOnly: !RW,
      volume: Type === "volume" ? (Name ?? Source) : null,
    }));
}

function bindings({ HostConfig, Name }: Inspected): UsedPort[] {
  return Object.entries(HostConfig.PortBindings ?? {}).flatMap(([key, hosts]) => {
    const [port, protocol] = key.split("/");
    return (hosts ?? []).map(({ HostIp, HostPort }) => ({
      ip: address(HostIp),
      port: Number(HostPort),
      containerPort: Number(port),
      protocol: protocol === "udp" ? ("udp" as const) : ("tcp" as const),
      by: Name.replace(/^\//, ""),
    }));
  });
}

function address(ip: string | null | undefined): string | null {
  return ip === null || ip === undefined || ["", "0.0.0.0", "::", "*"].includes(ip) ? null : ip;
}

const Diff = z.object({
  changed: orNothing(strings),
  added: orNothing(strings),
  deleted: orNothing(strings),
});

/** `directories`: those of the paths that are directories. */
export function parseDiff(json: string, directories: ReadonlySet<string>): FileChange[] {
  const diff = Diff.parse(JSON.parse(json));
  return (["changed", "added", "deleted"] as const).flatMap((kind) =>
    (diff[kind] ?? []).map((path) => ({ path, kind, directory: directories.has(path) })),
  );
}

export function changedPaths(json: string): string[] {
  const { changed, added } = Diff.parse(JSON.parse(json));
  return [...(changed ?? []), ...(added ?? [])];
}

const Listed = z.array(
  z.object({
    Names: strings,
    State: z.string(),
    Ports: orNothing(
      z.array(
        z.object({
          host_ip: orNothing(z.string()),
          host_port: z.number(),
          container_port: z.number(),
          range: orNothing(z.number()),
          protocol: z.string(),
        }),
      ),
    ),
  }),
);

/** The names of all containers, running or not. */
export function parseNames(json: string): string[] {
  return Listed.parse(JSON.parse(json.trim() === "" ? "[]" : json)).flatMap(({ Names }) => Names);
}

/** The ports that running containers publish, from `podman ps --format json`. */
export function parsePublished(json: string): UsedPort[] {
  const running = Listed.parse(JSON.parse(json.trim() === "" ? "[]" : json)).filter(
    ({ State }) => State === "running",
  );
  return running.flatMap(({ Names, Ports }) =>
    (Ports ?? []).flatMap(({ host_ip, host_port, container_port, range, protocol }) =>
      Array.from({ length: range ?? 1 }, (_, at) => ({
        ip: address(host_ip),
        port: host_port + at,
        containerPort: container_port + at,
        protocol: protocol === "udp" ? ("udp" as const) : ("tcp" as const),
        by: Names[0] ?? "a container",
      })),
    ),
  );
}

/** The ports that processes of the node listen on, from `ss -Hlntup`. */
export function parseListening(text: string): UsedPort[] {
  return text.split("\n").flatMap((line) => {
    const [protocol, , , , local] = line.trim().split(/\s+/);
    const [, ip, port] = /^\[?(.*?)\]?(?:%\w+)?:(\d+)$/.exec(local ?? "") ?? [];
    if (port === undefined || (protocol !== "tcp" && protocol !== "udp")) return [];
    const by = /users:\(\("([^"]+)"/.exec(line)?.[1] ?? "another program";
    return [{ ip: address(ip), port: Number(port), containerPort: null, protocol, by }];
  });
}

const Image = z.array(
  z.object({
    Id: z.string(),
    Size: z.optional(z.number()),
    ManifestType: orNothing(z.string()),
    User: orNothing(z.string()),
    Config: orNothing(z.object({ User: orNothing(z.string()), WorkingDir: orNothing(z.string()) })),
  }),
);

export interface ImageFacts {
  id: string;
  size: number;
  /** The archive format that keeps its id. */
  format: "oci-archive" | "docker-archive";
  user: string;
  workdir: string;
}

export function parseImage(json: string): ImageFacts | null {
  const [one] = Image.parse(JSON.parse(json === "" ? "[]" : json));
  if (one === undefined) return null;
  return {
    id: one.Id.replace(/^sha256:/, ""),
    size: one.Size ?? 0,
    format: one.ManifestType?.includes("oci") === false ? "docker-archive" : "oci-archive",
    user: one.Config?.User || one.User || "root",
    workdir: one.Config?.WorkingDir || "/",
  };
}

/** `/proc/meminfo`'s MemAvailable, bytes. */
export function parseMemAvailable(text: string): number {
  return Number(/^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

/** The last line of `df -PT -B1`: type and bytes available. */
export function parseDf(text: string): { type: string; available: number } {
  const [, type, , , available] = text.trim().split("\n").at(-1)?.trim().split(/\s+/) ?? [];
  return { type: type ?? "", available: Number(available ?? 0) };
}
