import { describe, expect, test } from "@jest/globals";
import { linesOf } from "../../../src/remote/ssh/config-file.js";
import { expandPath, parseJumps, targetOf } from "../../../src/remote/ssh/resolved.js";
import { sshArgv } from "../../../src/remote/ssh/resolve.js";
import { knownNames } from "../../../src/remote/ssh/target.js";
import { hostKeyAlgorithms } from "../../../src/remote/ssh/authenticate.js";

const around = { home: "/home/ops", agent: "/agent.sock" };
const target = (...lines: string[]) => targetOf("alias", lines, around);

describe("what ssh -G says", () => {
  test("a usual answer", () => {
    const lines = [
      "host alias",
      "user ops",
      "hostname 192.0.2.7",
      "port 2222",
      "addressfamily any",
      "identitiesonly no",
      "stricthostkeychecking ask",
      "hashknownhosts yes",
      "identityfile ~/.ssh/id_rsa",
      "identityfile /keys/%h-%r",
      "globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
      'userknownhostsfile ~/.ssh/known_hosts "/with blank/kh"',
      "connecttimeout none",
    ];
    expect(target(...lines)).toEqual({
      asked: "alias",
      hostName: "192.0.2.7",
      port: 2222,
      user: "ops",
      identityFiles: ["/home/ops/.ssh/id_rsa", "/keys/192.0.2.7-ops"],
      identitiesOnly: false,
      agent: "/agent.sock",
      jumps: [],
      proxyCommand: null,
      userKnownHosts: ["/home/ops/.ssh/known_hosts", "/with blank/kh"],
      globalKnownHosts: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
      hostKeyAlias: null,
      acceptNew: false,
      hashKnownHosts: true,
      connectTimeout: 15_000,
      family: 0,
    });
  });

  test.each([
    [["stricthostkeychecking accept-new"], { acceptNew: true }],
    [["stricthostkeychecking false"], { acceptNew: true }],
    [["stricthostkeychecking true"], { acceptNew: false }],
    [["identityagent none"], { agent: null }],
    [["identityagent SSH_AUTH_SOCK"], { agent: "/agent.sock" }],
    [["identityagent ~/.agent"], { agent: "/home/ops/.agent" }],
    [["identityagent $NO_SUCH_VARIABLE"], { agent: null }],
    [["identitiesonly yes"], { identitiesOnly: true }],
    [["proxycommand none"], { proxyCommand: null }],
    [["proxycommand nc %h %p"], { proxyCommand: "nc %h %p" }],
    [["connecttimeout 7"], { connectTimeout: 7000 }],
    [["addressfamily inet6"], { family: 6 }],
    [["hostkeyalias Node"], { hostKeyAlias: "Node" }],
    [["userknownhostsfile none"], { userKnownHosts: [] }],
    [["port 1", "port 2"], { port: 1 }],
    [
      ["proxyjump ops@one:2200,two"],
      {
        jumps: [
          { host: "one", user: "ops", port: 2200 },
          { host: "two", user: null, port: null },
        ],
      },
    ],
  ])("%j", (lines, expected) => {
    expect(target(...lines)).toMatchObject(expected);
  });
});

test("the question leaves a host that looks like an option no chance", () => {
  expect(sshArgv({ host: "-oProxyCommand=x", user: "ops", port: 22 }, "/cfg")).toEqual([
    "-G",
    "-F",
    "/cfg",
    "-l",
    "ops",
    "-p",
    "22",
    "--",
    "-oProxyCommand=x",
  ]);
  expect(sshArgv({ host: "a", user: null, port: null }, undefined)).toEqual(["-G", "--", "a"]);
});

describe("ProxyJump", () => {
  test.each([
    ["none", []],
    ["one", [{ host: "one", user: null, port: null }]],
    ["ssh://ops@one:22", [{ host: "one", user: "ops", port: 22 }]],
    ["[2001:db8::1]:2222", [{ host: "2001:db8::1", user: null, port: 2222 }]],
    ["user@corp@gate", [{ host: "gate", user: "user@corp", port: null }]],
  ])("%s", (written, expected) => {
    expect(parseJumps(written)).toEqual(expected);
  });

  test.each(["", "a:b", "one,,two", "ops@"])("refuses %j", (written) => {
    expect(() => parseJumps(written)).toThrow(
      `ProxyJump: ${written.split(",").find((hop) => !/^\w+$/.test(hop))} is no [user@]host[:port]`,
    );
  });
});

test("paths keep what is no token", () => {
  const tokens = { home: "/h", hostName: "host", user: "u", port: "22", asked: "alias" };
  expect(expandPath("~/%d/%n/%p/100%%/%Z/a~b", tokens)).toBe("/h//h/alias/22/100%/%Z/a~b");
});

test("the names in known_hosts", () => {
  const host = { hostName: "Host.Example", port: 22, hostKeyAlias: null };
  expect(knownNames(host)).toEqual(["host.example"]);
  expect(knownNames({ ...host, port: 2222 })).toEqual(["[host.example]:2222", "host.example"]);
  expect(knownNames({ ...host, port: 2222, hostKeyAlias: "Alias" })).toEqual(["alias"]);
});

test("algorithms of the known types come first, SHA-1 never", () => {
  expect(hostKeyAlgorithms(["ssh-rsa"]).slice(0, 3)).toEqual(["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]);
  expect(hostKeyAlgorithms([])[0]).toBe("ssh-ed25519");
  expect(hostKeyAlgorithms(["ssh-dss", "sk-ssh-ed25519@openssh.com"])).not.toContain("ssh-rsa");
});

test("without an ssh binary: what was asked for, then the file, then ssh's defaults", () => {
  const request = { host: "alias", user: "me", port: null };
  const lines = linesOf(request, {
    HostName: "192.0.2.7",
    Port: "2222",
    User: "other",
    IdentityFile: ["~/.ssh/a", "~/.ssh/b"],
    UserKnownHostsFile: ["/a", "/b"],
  });
  expect(target(...lines)).toMatchObject({
    user: "me",
    hostName: "192.0.2.7",
    port: 2222,
    identityFiles: ["/home/ops/.ssh/a", "/home/ops/.ssh/b"],
    userKnownHosts: ["/a", "/b"],
    globalKnownHosts: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
  });
  expect(target(...linesOf({ ...request, user: null }, {})).identityFiles).toContain(
    "/home/ops/.ssh/id_ed25519",
  );
});
