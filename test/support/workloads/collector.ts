import { createSocket } from "node:dgram";
import { openSync, writeSync } from "node:fs";
import { monotonic } from "../../../src/lab/demo/writer.js";

/** `collector.ts PORT FILE`: appends every heartbeat that arrives, with where it came from; SIGTERM ends it. */
const [, , port, path] = process.argv;
const file = openSync(path ?? "", "a");
const socket = createSocket("udp4");
socket.on("message", (beat, from) =>
  writeSync(
    file,
    `${JSON.stringify({ ...(JSON.parse(beat.toString()) as object), from: from.address, received: monotonic() })}\n`,
  ),
);
socket.bind(Number(port), () => process.stdout.write("ready\n"));
