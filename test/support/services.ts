import { type WrittenService } from "../../src/plan/schema/service.js";
import { largeImage, workloadsImage } from "./workloads/image.js";

export const collectorPort = 9999;

/** A service of the tests: its name, the port it is asked on, and what a plan says of it. */
export interface Cast {
  name: string;
  port: number;
  written: WrittenService;
}

/** Python leaves no compiled files behind: nothing in the container changes that the plan would have to name. */
const env = { PYTHONDONTWRITEBYTECODE: "1" };

function httpService(
  name: string,
  port: number,
  program: readonly string[],
  more: Partial<WrittenService>,
): Cast {
  const written: WrittenService = {
    image: workloadsImage,
    command: ["python3", ...program],
    env,
    run: { publish: [`${port}:${port}`] },
    health: { http: `http://{node}:${port}/identity` },
    ...more,
  };
  return { name, port, written };
}

/** Patterned memory, a 5 ms tick, a heartbeat: test/support/workloads/image/pattern.py. */
export function patternService(
  client: string,
  megabytes: number,
  more: Partial<WrittenService> = {},
  name = "pattern",
  port = 8000,
): Cast {
  const program = ["/srv/pattern.py", name, String(port), String(megabytes), `${client}:${collectorPort}`];
  return httpService(name, port, program, more);
}

/**
 * One numbered packet a second, and so many percent of its memory written anew every second: image/seed.py.
 *
 * @param client where heartbeats are collected; null: none are sent, they take an emulated processor 6 %.
 */
export function seedService(client: string | null, megabytes: number, percent: number, port = 8020): Cast {
  const sizes = [megabytes, percent].map(String);
  const collector = client === null ? [] : [`${client}:${collectorPort}`];
  return httpService("seed", port, ["/srv/seed.py", "seed", String(port), ...sizes, ...collector], {});
}

/** Memory that packs to about half, in so many processes: image/text.py. */
export function textService(
  megabytes: number,
  processes: number,
  more: Partial<WrittenService> = {},
  port = 8040,
): Cast {
  const words = [port, megabytes, processes].map(String);
  return httpService("text", port, ["/srv/text.py", "text", ...words], more);
}

/** Work by instructions that were chosen when it started: image/chosen.py. */
export function chosenService(client: string, more: Partial<WrittenService>, port = 8030): Cast {
  const program = ["/srv/chosen.py", "chosen", String(port), `${client}:${collectorPort}`];
  return httpService("chosen", port, program, more);
}

export interface TortureSizes {
  megabytes: number;
  /** Written anew. */
  pagesPerSecond: number;
  /** From one thing that moves memory about to the next, in milliseconds. */
  churn: number;
}

/** The memory torture program and its children: workloads/torture/main.c. */
export function tortureService(client: string, sizes: TortureSizes, port = 8030): Cast {
  const { megabytes, pagesPerSecond, churn } = sizes;
  const words = [port, megabytes, pagesPerSecond, churn].map(String);
  return httpService(
    "torture",
    port,
    ["/srv/torture.py", "torture", ...words, `${client}:${collectorPort}`],
    {},
  );
}

/** Sixteen workers as uid 1000: test/support/workloads/image/tree.py. */
export function treeService(client: string, name = "tree", port = 8010): Cast {
  return httpService(name, port, ["/srv/tree.py", name, String(port), `${client}:${collectorPort}`], {
    user: "1000",
  });
}

/** What waits for absolute times all the time, and says how well: workloads/clocks. It listens at no port. */
export function keeperService(language: string, command: string[], more: Partial<WrittenService> = {}): Cast {
  return { name: `${language}-keeper`, port: 0, written: { image: workloadsImage, command, env, ...more } };
}

/** The same in Java, with so many megabytes of its own. */
export function javaService(megabytes: number): Cast {
  const command = ["java", "-cp", "/srv", "Keeper", String(megabytes)];
  // What a JVM shows its tools lies in a file that it has mapped.
  const preserve = ["/tmp/hsperfdata_root"];
  return { name: "java-keeper", port: 0, written: { image: largeImage, command, preserve } };
}

/** Debian's Redis, without snapshots of its own accord; its directory travels with the memory. */
export function redisService(name = "redis", port = 6379): Cast {
  const written: WrittenService = {
    image: workloadsImage,
    command: [
      "redis-server",
      "--port",
      String(port),
      "--save",
      "",
      "--protected-mode",
      "no",
      "--dir",
      "/data",
    ],
    user: "redis",
    run: { publish: [`${port}:${port}`] },
    preserve: ["/data"],
    health: { tcp: `{node}:${port}` },
  };
  return { name, port, written };
}

/** Debian's PostgreSQL with a table of so many rows, and a session inside that writes on: workloads/large/postgres.sh. */
export function postgresService(rows: number, port = 5432): Cast {
  const written: WrittenService = {
    image: largeImage,
    command: ["/srv/postgres.sh", String(port), String(rows)],
    env: { LD_PRELOAD: "/usr/lib/fastmig/libfastmig-shm.so" },
    user: "postgres",
    run: { publish: [`${port}:${port}`] },
    preserve: ["/data", "/dev/shm"],
    health: { tcp: `{node}:${port}` },
  };
  return { name: "postgres", port, written };
}
