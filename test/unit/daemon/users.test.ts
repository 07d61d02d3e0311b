import { describe, expect, test } from "@jest/globals";
import { identityOf } from "../../../src/daemon/users.js";

const databases = {
  passwd: "root:x:0:0:root:/root:/bin/sh\nredis:x:101:102::/var/lib/redis:/usr/sbin/nologin\n",
  group: "root:x:0:\nredis:x:102:\nssl:x:110:redis,root\n",
};

describe("the service's user", () => {
  test.each([
    ["redis", { uid: 101, gid: 102, groups: [102, 110], home: "/var/lib/redis", name: "redis" }],
    ["101", { uid: 101, gid: 102, groups: [102, 110], home: "/var/lib/redis", name: "redis" }],
    ["redis:ssl", { uid: 101, gid: 110, groups: [110], home: "/var/lib/redis", name: "redis" }],
    ["1000:1000", { uid: 1000, gid: 1000, groups: [1000], home: "/", name: "1000" }],
    ["1000", { uid: 1000, gid: 0, groups: [0], home: "/", name: "1000" }],
    ["0", { uid: 0, gid: 0, groups: [0, 110], home: "/root", name: "root" }],
  ])("%s", (user, identity) => {
    expect(identityOf(user, databases)).toEqual(identity);
  });

  test.each([
    ["nobody-here", "no user nobody-here"],
    ["redis:nowhere", "no group nowhere"],
  ])("%s is refused by name", (user, message) => {
    expect(() => identityOf(user, databases)).toThrow(message);
  });
});
