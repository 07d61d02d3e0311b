import { describe, expect, test } from "@jest/globals";
import * as podman from "../../../src/remote/engine.js";
import type { ContainerPlan } from "../../../src/remote/engine.js";
import { makeDirectories, servicePaths } from "../../../src/remote/service-paths.js";

const service: ContainerPlan = {
  name: "counter",
  image: "localhost/counter:1",
  run: { publish: [], volumes: [], network: null, ip: null, memory: null, args: [] },
};
const paths = servicePaths("counter");

test("a container's command line", () => {
  expect(podman.create(service, { paths, transferPort: null, labels: { x: "y" } })).toEqual([
    ...["podman", "create", "--name", "counter", "--user", "0", "--security-opt", "seccomp=unconfined"],
    ...["--cap-add", "CHECKPOINT_RESTORE", "--cap-add", "SYS_PTRACE", "--cap-add", "SETPCAP"],
    ...["--tmpfs", "/run/fastmig-images:mode=0700,nosuid,nodev"],
    ...[
      "-v",
      "/run/fastmig/counter:/run/fastmig/counter",
      "-v",
      "/var/lib/fastmig/counter:/var/lib/fastmig/counter",
    ],
    ...[
      "-e",
      "FASTMIG_SERVICE=counter",
      "-e",
      "FASTMIG_STATE=/var/lib/fastmig/counter",
      "-e",
      "FASTMIG_RUNTIME=/run/fastmig/counter",
    ],
    ...[
      "--label",
      "io.fastmig.service=counter",
      "--label",
      `io.fastmig.spec=${podman.specDigest(service)}`,
      "--label",
      "x=y",
    ],
    "localhost/counter:1",
  ]);
});

test("what the plan's run adds, and the transfer port", () => {
  const run = {
    publish: [
      { ip: null, hostPort: 8080, containerPort: 80, protocol: "tcp" },
      { ip: "127.0.0.1", hostPort: 53, containerPort: 53, protocol: "udp" },
      { ip: "::1", hostPort: 1, containerPort: 2, protocol: "tcp" },
    ],
    volumes: [
      { host: "/srv", container: "/data", readOnly: false },
      { host: "/etc/x", container: "/x", readOnly: true },
    ],
    network: "lan",
    ip: "192.0.2.50",
    memory: 1024,
    args: ["--hostname", "c"],
  };
  const argv = podman.create({ ...service, run }, { paths, transferPort: 7900, image: "sha256:abc" });
  expect(argv.slice(argv.indexOf("-p"))).toEqual([
    ...["-p", "8080:80/tcp", "-p", "127.0.0.1:53:53/udp", "-p", "[::1]:1:2/tcp", "-p", "7900:7900/tcp"],
    ...[
      "-v",
      "/srv:/data",
      "-v",
      "/etc/x:/x:ro",
      "--network",
      "lan",
      "--ip",
      "192.0.2.50",
      "--memory",
      "1024",
    ],
    ...["--hostname", "c", "sha256:abc"],
  ]);
});

test("on the host's network nothing has to be published", () => {
  const run = { ...service.run, network: "host" };
  expect(podman.create({ ...service, run }, { paths, transferPort: 7900 })).not.toContain("-p");
});

describe("the digest of what a container is made from", () => {
  test("is the same for the same, whatever the order of keys", () => {
    const { run, image, name } = service;
    expect(podman.specDigest({ run, name, image })).toBe(podman.specDigest(service));
    expect(podman.specDigest(service)).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each([
    { image: "other" },
    { run: { ...service.run, memory: 1 } },
    { run: { ...service.run, args: ["-t"] } },
  ])("is another for %j", (change) => {
    expect(podman.specDigest({ ...service, ...change })).not.toBe(podman.specDigest(service));
  });
});

test.each([
  [podman.start("s"), "podman start s"],
  [podman.stop("s", 10), "podman stop --time 10 s"],
  [podman.remove("s"), "podman rm --force --ignore --volumes --time 0 s"],
  [podman.rename("s", "s.kept"), "podman rename s s.kept"],
  [podman.inspect("s"), "podman container inspect s"],
  [podman.list(), "podman ps --all --format json"],
  [podman.logs("s"), "podman logs s"],
  [podman.logs("s", 20), "podman logs --tail 20 s"],
  [podman.exec("s", ["id", "-u"]), "podman exec s id -u"],
  [podman.diff("s"), "podman diff --format json s"],
  [podman.info("{{.X}}"), "podman info --format {{.X}}"],
  [podman.volumeInspect("v"), "podman volume inspect v"],
  [podman.imageInspect("i"), "podman image inspect i"],
  [podman.imageSave("i", "oci-archive"), "podman save --quiet --format oci-archive i"],
  [podman.imageLoad(), "podman load --quiet"],
  [podman.imageTag("i", "n"), "podman tag i n"],
  [podman.imageRemove("i"), "podman rmi i"],
])("%j", (argv, expected) => {
  expect(argv.join(" ")).toBe(expected);
});

test("a service's paths on a node, root's and a user's", () => {
  expect(paths).toEqual({
    runtime: "/run/fastmig/counter",
    state: "/var/lib/fastmig/counter",
    daemonSocket: "/run/fastmig/counter/daemon.sock",
    peerSocket: "/run/fastmig/counter/peer.sock",
  });
  expect(
    servicePaths("c", { kind: "rootless", runtimeHome: "/run/user/1000", stateHome: "/home/u/.local/state" }),
  ).toMatchObject({
    runtime: "/run/user/1000/fastmig/c",
    state: "/home/u/.local/state/fastmig/c",
  });
});

test("the runtime directory is the SSH user's, the state directory is not", () => {
  expect(makeDirectories(paths, "ops")).toEqual([
    ["install", "-d", "-m", "0700", "-o", "ops", "--", "/run/fastmig/counter"],
    ["install", "-d", "-m", "0700", "--", "/var/lib/fastmig", "/var/lib/fastmig/counter"],
  ]);
});
