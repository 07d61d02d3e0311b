import { describe, expect, test } from "@jest/globals";
import {
  changedPaths,
  parseDf,
  parseDiff,
  parseImage,
  parseInspect,
  parseListening,
  parseMemAvailable,
  parseNames,
  parsePublished,
} from "../../../src/migration/podman-output.js";

/** Recorded from Podman 5.4.2, cut to what is read. */
const inspected = {
  Id: "8d83103d382594a2",
  Name: "counter",
  Image: "d6c4834a799ad7d3",
  ImageName: "localhost/counter:1",
  State: { Running: true },
  Config: {
    Labels: { "io.fastmig.service": "counter" },
    Entrypoint: ["/usr/lib/fastmig/init", "--"],
    Image: "localhost/counter:1",
  },
  Mounts: [
    { Type: "bind", Source: "/run/fastmig/counter", Destination: "/run/fastmig/counter", RW: true },
    {
      Type: "volume",
      Name: "data",
      Source: "/var/lib/containers/storage/volumes/data/_data",
      Destination: "/data",
      RW: false,
    },
  ],
  HostConfig: {
    NetworkMode: "bridge",
    Memory: 0,
    PortBindings: {
      "8080/tcp": [{ HostIp: "0.0.0.0", HostPort: "80" }],
      "53/udp": [{ HostIp: "127.0.0.1", HostPort: "53" }],
      "9/tcp": null,
    },
  },
  NetworkSettings: { Networks: { podman: { IPAddress: "10.88.0.19" }, idle: { IPAddress: "" } } },
};

describe("inspect", () => {
  test("a container's facts", () => {
    expect(parseInspect(JSON.stringify([inspected]))).toEqual({
      name: "counter",
      id: "8d83103d382594a2",
      running: true,
      imageId: "d6c4834a799ad7d3",
      imageName: "localhost/counter:1",
      entrypoint: ["/usr/lib/fastmig/init", "--"],
      labels: { "io.fastmig.service": "counter" },
      mounts: [
        { host: "/run/fastmig/counter", container: "/run/fastmig/counter", readOnly: false, volume: null },
        {
          host: "/var/lib/containers/storage/volumes/data/_data",
          container: "/data",
          readOnly: true,
          volume: "data",
        },
      ],
      publish: [
        { ip: null, port: 80, containerPort: 8080, protocol: "tcp", by: "counter" },
        { ip: "127.0.0.1", port: 53, containerPort: 53, protocol: "udp", by: "counter" },
      ],
      networks: ["podman", "idle"],
      ips: ["10.88.0.19"],
      memoryLimit: null,
    });
  });

  test("older Podman: the entrypoint is a string; the host's network has no name of its own", () => {
    const older = {
      ...inspected,
      Config: { Labels: null, Entrypoint: "/usr/lib/fastmig/init" },
      HostConfig: { NetworkMode: "host", Memory: 512 },
      Mounts: null,
      NetworkSettings: null,
    };
    expect(parseInspect(JSON.stringify([older]))).toMatchObject({
      entrypoint: ["/usr/lib/fastmig/init"],
      networks: ["host"],
      memoryLimit: 512,
      publish: [],
      mounts: [],
      labels: {},
    });
  });
});

test("diff: what changed, and which of it are directories", () => {
  const json = '{"changed":["/etc"],"added":["/srv/x"],"deleted":["/etc/motd"]}';
  expect(parseDiff(json, new Set(["/etc"]))).toEqual([
    { path: "/etc", kind: "changed", directory: true },
    { path: "/srv/x", kind: "added", directory: false },
    { path: "/etc/motd", kind: "deleted", directory: false },
  ]);
  expect(changedPaths(json)).toEqual(["/etc", "/srv/x"]);
  expect(parseDiff("{}", new Set())).toEqual([]);
});

const listed = JSON.stringify([
  {
    Names: ["counter"],
    State: "running",
    Ports: [{ host_ip: "", container_port: 8080, host_port: 80, range: 2, protocol: "tcp" }],
  },
  {
    Names: ["old"],
    State: "exited",
    Ports: [{ host_ip: "", container_port: 1, host_port: 1, range: 1, protocol: "tcp" }],
  },
]);

test("ps: every name, the ports of what runs", () => {
  expect(parseNames(listed)).toEqual(["counter", "old"]);
  expect(parsePublished(listed)).toEqual([
    { ip: null, port: 80, containerPort: 8080, protocol: "tcp", by: "counter" },
    { ip: null, port: 81, containerPort: 8081, protocol: "tcp", by: "counter" },
  ]);
  expect(parseNames("")).toEqual([]);
});

test("ss: IPv4, IPv6, an interface's own address, UDP", () => {
  const text = `tcp LISTEN 0      128    0.0.0.0:22   0.0.0.0:* users:(("sshd",pid=51,fd=6))
tcp LISTEN 0      128       [::1]:631      [::]:*
udp UNCONN 0      0    127.0.0.53%lo:53 0.0.0.0:* users:(("resolved",pid=1,fd=1))
`;
  expect(parseListening(text)).toEqual([
    { ip: null, port: 22, containerPort: null, protocol: "tcp", by: "sshd" },
    { ip: "::1", port: 631, containerPort: null, protocol: "tcp", by: "another program" },
    { ip: "127.0.0.53", port: 53, containerPort: null, protocol: "udp", by: "resolved" },
  ]);
});

test.each([
  ["application/vnd.oci.image.manifest.v1+json", "oci-archive"],
  ["application/vnd.docker.distribution.manifest.v2+json", "docker-archive"],
])("image of manifest type %s travels as %s", (ManifestType, format) => {
  expect(
    parseImage(
      JSON.stringify([{ Id: "sha256:1", Size: 7, ManifestType, User: "", Config: { WorkingDir: "/srv" } }]),
    ),
  ).toEqual({ id: "1", size: 7, format, user: "root", workdir: "/srv" });
});

test("meminfo and df, also when other lines come before", () => {
  expect(parseMemAvailable("1.0 2.0\nMemAvailable:    2048 kB\n")).toBe(2 * 1024 * 1024);
  const df =
    "Filesystem     Type     1-blocks        Used   Available Capacity Mounted on\n/dev/vda       ext4 270553174016 39101304832 69842989056      36% /var\n";
  expect(parseDf(`MemAvailable: 1 kB\n${df}`)).toEqual({ type: "ext4", available: 69842989056 });
});
