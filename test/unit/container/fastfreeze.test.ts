import { describe, expect, test } from "@jest/globals";
import { describeEnd, environmentOf, farewell } from "../../../src/container/application.js";
import { defaultImageUrl, readImageUrl } from "../../../src/container/image-url.js";
import { parse, remapsOf } from "../../../src/container/fastfreeze/options.js";
import { criuOptionsOf, pathsOf } from "../../../src/container/words.js";

describe("the command line", () => {
  test("takes FastFreeze's options, and leaves the application's own alone", () => {
    const { values, positionals } = parse("run", [
      ...[
        "-vv",
        "--image-url",
        "s3://b/i",
        "--preserve-path",
        "/a:/b",
        "--preserve-path",
        "/c",
        "--no-restore",
      ],
      ...["--", "app", "--no-restore", "-x"],
    ]);
    expect(values.verbose).toHaveLength(2);
    expect(values["image-url"]).toBe("s3://b/i");
    expect(pathsOf(values["preserve-path"])).toEqual(["/a", "/b", "/c"]);
    expect(positionals).toEqual(["app", "--no-restore", "-x"]);
  });

  test("has FastFreeze's defaults", () => {
    expect(parse("checkpoint", []).values).toMatchObject({ "num-shards": "4", "cpu-budget": "medium" });
  });

  test.each([
    ["run", ["--nonsense"]],
    ["wait", ["--timeout"]],
    ["checkpoint", ["--leave-running=yes"]],
  ] as const)("%s %j is wrong usage", (verb, words) => {
    expect(() => parse(verb, words)).toThrow(expect.objectContaining({ exit: 1 }));
  });

  test("ports: several, with commas, by repetition", () => {
    const expected = [1, 2, 3].map((from) => ({ from, to: from + 10 }));
    expect(remapsOf(["1:11,2:12", "3:13"])).toEqual(expected);
  });

  test.each(["80", "80:", "0:1", "1:65536", "a:b", "1:2:3"])("%s is no remap", (word) => {
    expect(() => remapsOf([word])).toThrow("old_port:new_port");
  });

  test("CRIU_OPTS are words", () => {
    expect(criuOptionsOf({ CRIU_OPTS: "  --ghost-limit 1M\t-v4 " })).toEqual(["--ghost-limit", "1M", "-v4"]);
    expect(criuOptionsOf({})).toEqual([]);
  });
});

describe("the image's place", () => {
  test.each([
    ["file:/srv/x", "file:/srv/x"],
    ["/srv/x/", "file:/srv/x"],
    ["x/y", `file:${process.cwd()}/x/y`],
    ["file:x", `file:${process.cwd()}/x`],
    ["s3://bucket/x", "s3://bucket/x"],
    ["gs://bucket", "gs://bucket"],
  ])("%s is %s", (text, url) => {
    expect(readImageUrl(text)).toBe(url);
  });

  test("another scheme is refused", () => {
    expect(() => readImageUrl("s4://x/y")).toThrow("images are kept at");
  });

  test("by default each command line has one of its own", () => {
    expect(defaultImageUrl(["/bin/sleep"], "/root")).toBe("file:/root/.fastfreeze/sleep");
    const [one, two] = ["1", "2"].map((word) => defaultImageUrl(["sleep", word], "/root"));
    expect(one).toMatch(/^file:\/root\/.fastfreeze\/sleep-[0-9a-f]{4}$/);
    expect(one).not.toBe(two);
    expect(() => defaultImageUrl(["sleep"], undefined)).toThrow("$HOME");
  });
});

describe("the application", () => {
  test("has the environment of run, with what FF_APP_* say instead", () => {
    const env = {
      ...{ PATH: "/bin", HOME: "/root", FASTMIG_INIT_FD: "3", FASTMIG_STATE: "/x" },
      ...{ FF_APP_PATH: "/app", FF_APP_LD_LIBRARY_PATH: "/lib", FF_APP_INJECT_LD_PRELOAD: "a=b.so" },
    };
    expect(environmentOf(env)).toEqual({
      ...{ PATH: "/app", HOME: "/root", LD_LIBRARY_PATH: "/lib", LD_PRELOAD: "a=b.so", FASTFREEZE: "1" },
    });
  });

  test.each([
    [{ code: 0, signal: null }, "Application exited with exit_code=0"],
    [{ code: 7, signal: null }, "Exiting with exit_code=7: Application exited with exit_code=7"],
    [{ code: null, signal: "15" }, "Exiting with exit_code=143: Application caught fatal signal SIGTERM"],
    [{ code: null, signal: "64" }, "Exiting with exit_code=192: Application caught fatal signal signal 64"],
  ])("%j: %s", (ended, text) => {
    expect(farewell({ ...ended, at: "" })).toBe(text);
  });

  test("an end that nobody saw is told as that", () => {
    expect(describeEnd({ code: null, signal: null, at: "" })).toContain("nobody saw");
  });
});
